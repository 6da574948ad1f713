//! What people see of their household, and how they share it without an app.

use super::*;

const FORM: &str = "application/x-www-form-urlencoded";

impl Person<'_> {
    fn see(&self, path: &str) -> String {
        let cookie = format!("session={}", self.token);
        let page = ask(self.town.url(), "GET", path, &[("Cookie", &cookie)], "");
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.field("Cache-Control"), Some("no-store"));
        page.body
    }

    fn send(&self, path: &str, site: &str, body: &str) -> Answer {
        let cookie = format!("session={}", self.token);
        let fields = [
            ("Cookie", cookie.as_str()),
            ("Sec-Fetch-Site", site),
            ("Content-Type", FORM),
        ];
        ask(self.town.url(), "POST", path, &fields, body)
    }
}

/// The text between a mark and the next quote.
fn after<'t>(text: &'t str, mark: &str) -> &'t str {
    let (_, rest) = text
        .split_once(mark)
        .unwrap_or_else(|| panic!("{mark} in {text}"));
    rest.split(['"', '<']).next().unwrap_or_default()
}

/// The page's own part, without what differs from run to run.
fn settled(page: &str, people: &[(&Person<'_>, &str)]) -> String {
    let main = page
        .split_once("<main")
        .and_then(|(_, rest)| rest.split_once("</main>"));
    let mut text = main.map(|(main, _)| main.to_owned()).unwrap_or_default();
    let subject = tanpuhui::domain::behaviour::subject_hash(Uuid::from_u128(0xa0), "car-1");
    for (person, name) in people {
        let reference =
            tanpuhui::domain::wallet::sharing::member_reference(&subject, person.account);
        text = text.replace(&reference, name);
    }
    let mut rest = text.as_str();
    let mut out = String::new();
    while let Some((before, key)) = rest.split_once("name=\"key\" value=\"") {
        out.push_str(before);
        out.push_str("name=\"key\" value=\"KEY");
        rest = &key[36..];
    }
    out + rest
}

on_both! {
    fn a_family_shares_a_car_with_nothing_but_a_browser(pool: Pool) {
        let town = Town::open(&pool);
        let (owner, member) = (town.owner("car-1"), town.person());
        let empty = member.see("/me/subjects");
        assert!(empty.contains("还没有绑定"), "{empty}");
        assert_eq!(member.send("/me/subjects/code", "cross-site", "").status, 403);
        let made = member.send("/me/subjects/code", "same-origin", "");
        let code = after(&made.body, "<code class=\"code\">").to_owned();

        let page = owner.see("/me/subjects");
        let key = after(&page, "name=\"key\" value=\"").to_owned();
        let path = format!("/me/subjects/{}/shares", owner.reference());
        let form = format!("key={key}&own=2&code={code}&weight=1");
        assert_eq!(owner.send(&path, "cross-site", &form).status, 403);
        let done = owner.send(&path, "same-origin", &form);
        assert_eq!((done.status, done.field("Location")), (303, Some("/me/subjects")), "{}", done.body);
        // The same form again says nothing new.
        assert_eq!(owner.send(&path, "same-origin", &form).status, 303);
        let refused = owner.send(&path, "same-origin", "key=other&own=many");
        assert_eq!(refused.status, 400, "{}", refused.body);
        assert!(refused.body.contains("<h1>"), "a refusal is a page");
        let taken = owner.send(&path, "same-origin", &form.replace(&key, "another"));
        assert_eq!(taken.status, 422, "{}", taken.body);
        assert!(taken.body.contains("绑定码无效"), "{}", taken.body);

        town.pass(1);
        town.drive(&[drive("t1", "car-1", 1, "30")]);
        // In December last month's split is seen.
        town.pass(14);
        let people = [(&owner, "OWNR-OWNR"), (&member, "MEMB-MEMB")];
        let page = owner.see("/me/subjects");
        insta::assert_snapshot!("household_page_of_the_owner", settled(&page, &people));
        let theirs = member.see("/me/subjects");
        insta::assert_snapshot!("household_page_of_a_member", settled(&theirs, &people));
        assert!(!page.contains(&member.account.to_string()) && !page.contains(&member.account.simple().to_string()));
        let large = member.see("/me/subjects?large=1");
        assert!(large.contains("class=\"large\"") && !large.contains("<script"));

        // The explanation of a part says whole × share = mine.
        let part = member.reductions(date(1)).remove(0);
        let told = member.see(&format!("/me/reductions/{}", part.id()));
        assert!(told.contains("整户（整车）减排量 3 kg × 我的份额 1/3 = 1 kg"), "{told}");
        assert!(told.contains("与入账一致"), "{told}");

        let key = after(&theirs, "name=\"key\" value=\"").to_owned();
        let path = format!("/me/subjects/{}/leave", member.reference());
        assert_eq!(member.send(&path, "cross-site", &format!("key={key}")).status, 403);
        assert_eq!(member.send(&path, "same-origin", &format!("key={key}")).status, 303);
        town.pass(1);
        let gone = member.see("/me/subjects");
        assert!(gone.contains("还没有绑定"), "{gone}");
        town.town.assert_audit_is_clean();
    }
}

//! A household's days, shared from a day on, changed, and left.

use super::*;

on_both! {
    fn a_household_is_shared_from_tomorrow_on_and_never_before(pool: Pool) {
        let town = Town::open(&pool);
        let (owner, other) = (town.owner("h-1"), town.person());
        let seen = owner.subject();
        assert_eq!((&seen["role"], &seen["partner"]["name_zh"]), (&json!("owner"), &json!("地铁")));
        assert!(other.subjects().is_empty());

        let wish = json!({"weight": 2, "members": [{"code": other.code(), "weight": 1}]});
        let stated = owner.share_at(&owner.reference(), Some("k1"), &wish);
        assert_eq!(stated.status, 200, "{}", stated.body);
        // Sent again it is answered the same, though the code is used up by now.
        let again = owner.share_at(&owner.reference(), Some("k1"), &wish);
        assert_eq!((again.status, again.field("Idempotency-Replayed")), (200, Some("true")));
        assert_eq!(again.body, stated.body);
        refused(&owner.share(&wish), Code::LinkCodeInvalid);
        let told = stated.json();
        assert_eq!(told["shares"].as_array().unwrap().len(), 1, "today is the owner's alone");
        assert_eq!(told["upcoming"][0]["from"], json!(date(1)));
        assert_eq!(told["upcoming"][0]["shares"][0]["weight"], 2);
        let mine = other.subject();
        assert_eq!((&mine["role"], &mine["reference"]), (&json!("member"), &seen["reference"]));

        town.pass(3);
        let days = [kwh("d0", "h-1", 0, 2), kwh("d1", "h-1", 1, 2), kwh("d2", "h-1", 2, 1)];
        town.post("home", &[vec![members("m", "h-1", -5, 3)], days.to_vec()].concat());
        town.close();
        // 6 - 2 = 4 kg of today's are the owner's; 4 kg and 5 kg are split two to one.
        assert_eq!((owner.saved(), other.saved()), (4_000_000 + 2_666_667 + 3_333_333, 1_333_333 + 1_666_667));

        // Each is told the whole and the part, and the recomputation is the whole.
        let part = other.reductions(date(1)).remove(0);
        let explained = other.explained(&part.id().to_string());
        assert_eq!(explained["share"], json!({"whole_mg": 4_000_000, "weight": 1, "weights": 3}));
        assert_eq!((&explained["agrees"], &explained["mg"]), (&json!(true), &json!(1_333_333)));
        let first = owner.reductions(date(0)).remove(0);
        assert_eq!(owner.explained(&first.id().to_string())["share"], Value::Null);
        town.town.assert_audit_is_clean();
    }

    fn who_leaves_gets_nothing_from_tomorrow_and_keeps_what_was(pool: Pool) {
        let town = Town::open(&pool);
        let (owner, a, b) = (town.owner("h-1"), town.person(), town.person());
        let wish = json!({"members": [{"code": a.code()}, {"code": b.code()}]});
        assert_eq!(owner.share(&wish).status, 200);
        // Another statement for later, so that leaving must reach that one too.
        let known: Vec<Value> = owner.subject()["upcoming"][0]["shares"].as_array().unwrap().iter()
            .filter(|share| share["owner"] == false)
            .map(|share| json!({"member": share["member"], "weight": 3})).collect();
        let later = json!({"from": date(20), "members": known});
        assert_eq!(owner.share(&later).status, 200);
        town.post("home", &[members("m", "h-1", -5, 3)]);
        town.pass(1);
        assert_eq!(a.subject()["since"], json!(date(1)));
        let left = a.leave();
        assert_eq!((left.status, &left.json()["ends_on"]), (200, &json!(date(2))), "{}", left.body);
        town.pass(2);
        assert!(a.subjects().is_empty());
        let upcoming = owner.subject()["upcoming"].clone();
        assert_eq!(upcoming.as_array().unwrap().len(), 1, "{upcoming}");
        assert_eq!(upcoming[0]["from"], json!(date(20)));
        assert_eq!(upcoming[0]["shares"].as_array().unwrap().len(), 2);
        // The day before comes late: its own shares count, whatever holds by now.
        town.post("home", &[kwh("d2", "h-1", 2, 3), kwh("d1", "h-1", 1, 3)]);
        town.close();
        assert_eq!((owner.saved(), a.saved(), b.saved()), (2_500_000, 1_000_000, 2_500_000));
        // And it is corrected by the same shares.
        town.post("home", &[kwh("d1b", "h-1", 1, 3)]);
        town.close();
        assert_eq!((owner.saved(), a.saved(), b.saved()), (1_500_000, 0, 1_500_000));
        let counter = a.reductions(date(1)).into_iter().find(|row| row.mg < 0).expect("a counter-entry");
        let told = a.explained(&counter.id().to_string());
        assert_eq!((&told["agrees"], &told["share"]["whole_mg"]), (&json!(true), &json!(3_000_000)));
        // Whoever left is not brought back without a new code.
        let reference = tanpuhui::domain::wallet::sharing::member_reference(&subject(), a.account);
        refused(&owner.share(&json!({"members": [{"member": reference}]})), Code::MemberUnknown);
        assert_eq!(owner.share(&json!({"members": [{"code": a.code()}]})).status, 200);
        town.town.assert_audit_is_clean();
    }

    fn what_would_be_refused_uses_up_no_code(pool: Pool) {
        let town = Town::open_with(&pool, 2);
        let (owner, other, third) = (town.owner("h-1"), town.person(), town.person());
        let code = other.code();
        let with = |more: Value| {
            let mut wish = json!({"members": [{"code": code}]});
            wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            owner.share(&wish)
        };
        refused(&with(json!({"from": date(0)})), Code::ShareDay);
        refused(&with(json!({"from": date(400)})), Code::ShareDay);
        refused(&with(json!({"weight": 0})), Code::InvalidField);
        refused(&with(json!({"weight": 101})), Code::InvalidField);
        refused(&with(json!({"members": [{"code": code}, {"code": third.code()}]})), Code::MemberLimit);
        refused(&with(json!({"members": [{"code": owner.code()}]})), Code::MemberTwice);
        refused(&with(json!({"members": [{"code": code, "member": "x"}]})), Code::InvalidField);
        refused(&with(json!({"members": [{"member": "AAAA-AAAA"}]})), Code::MemberUnknown);
        refused(&with(json!({"members": [{"code": "nonsense"}]})), Code::LinkCodeInvalid);
        refused(&owner.share_at("AAAA-AAAA", None, &json!({"members": []})), Code::NotFound);
        refused(&other.share_at(&owner.reference(), None, &json!({"members": []})), Code::NotFound);
        assert_eq!(with(json!({})).status, 200);
        refused(&other.share(&json!({"members": []})), Code::NotOwner);
        // A rider of the bus has nothing that others could share.
        let rider = town.person();
        assert_eq!(town.link(&bus(), "r", &rider.code()).status, 200);
        refused(&rider.share(&json!({"members": [{"code": third.code()}]})), Code::SubjectPersonal);
        assert_eq!(ask(town.url(), "GET", "/api/citizen/subjects", &[], "").status, 401);
    }

    fn a_household_states_its_members_and_each_day_reads_what_held_at_its_start(pool: Pool) {
        let town = Town::open(&pool);
        let owner = town.owner("h-1");
        // Two people; from the evening of the second day three; the third day reads three.
        let later = json!({"id": "m2", "subject": "h-1", "at": midnight(1) + Duration::hours(20),
            "quantities": {"members": {"value": "3", "unit": "person"}}, "attributes": {}}).to_string();
        town.pass(3);
        let days = [kwh("d0", "h-1", 0, 1), kwh("d1", "h-1", 1, 1), kwh("d2", "h-1", 2, 1)];
        let told = town.post("home", &[vec![members("m1", "h-1", -30, 2), later], days.to_vec()].concat());
        assert_eq!(told["held"], 5, "{told}");
        town.close();
        assert_eq!(owner.saved(), 3_000_000 + 3_000_000 + 5_000_000);
        // The statement is corrected: there were four from the start.
        let four = json!({"id": "m1b", "revises": "m1", "subject": "h-1", "at": midnight(-30),
            "quantities": {"members": {"value": "4", "unit": "person"}}, "attributes": {}}).to_string();
        town.post("home", &[four]);
        town.close();
        assert_eq!(owner.saved(), 7_000_000 + 7_000_000 + 5_000_000);
        town.town.assert_audit_is_clean();
    }

    fn the_database_keeps_what_was_stated(pool: Pool) {
        use diesel::prelude::*;
        use tanpuhui::store::schema::{share_statements, subject_links, subject_shares};
        let town = Town::open(&pool);
        let (owner, other) = (town.owner("h-1"), town.person());
        assert_eq!(owner.share(&json!({"members": [{"code": other.code()}]})).status, 200);
        let fails = |what: &str, error: Result<usize, FlowError>| {
            let text = format!("{:?}", error.expect_err(what));
            assert!(text.contains("Constraint"), "{what}: {text}");
        };
        macro_rules! write { ($statement:expr) => {
            pool.write_now::<_, FlowError>(|tx| Ok($statement.execute(&mut **tx).map_err(tanpuhui::store::StoreError::from)?))
        } }
        fails("a share is edited", write!(diesel::update(subject_shares::table).set(subject_shares::weight.eq(9))));
        fails("a share is deleted", write!(diesel::delete(subject_shares::table)));
        fails("a day is moved", write!(diesel::update(share_statements::table).set(share_statements::from_day.eq(1))));
        fails("a link changes hands", write!(diesel::update(subject_links::table)
            .set(subject_links::account_id.eq(tanpuhui::store::Id(other.account)))));
        fails("a link is deleted", write!(diesel::delete(subject_links::table)));
        let back = tanpuhui::store::share::StatementRow {
            subject: subject().to_vec(), seq: 2, link_seq: 1, from_day: 5, stated_day: 5,
            stated_at: noon().into(), stated_by: owner.account.into(),
        };
        fails("a statement reaches back", pool.write_now::<_, FlowError>(|tx| {
            tanpuhui::store::share::append_statement(tx, &back, &[])?;
            Ok(1)
        }));
    }
}

/// `h-1` of the metro.
fn subject() -> [u8; 32] {
    tanpuhui::domain::behaviour::subject_hash(Uuid::from_u128(0xa0), "h-1")
}

/// Two members who leave at once both leave.
#[test]
fn two_who_leave_at_once_are_both_gone() {
    let Some(database) = crate::world::Postgres::fresh() else {
        return;
    };
    let pool = database.pool();
    let town = Town::open(&pool);
    let (owner, a, b) = (town.owner("h-1"), town.person(), town.person());
    let wish = json!({"members": [{"code": a.code()}, {"code": b.code()}]});
    assert_eq!(owner.share(&wish).status, 200);
    town.pass(1);
    std::thread::scope(|scope| {
        for member in [&a, &b] {
            scope.spawn(move || assert_eq!(member.leave().status, 200));
        }
    });
    let upcoming = owner.subject()["upcoming"].clone();
    let shares = upcoming[0]["shares"].as_array().expect("shares").clone();
    assert_eq!(
        (shares.len(), &shares[0]["owner"]),
        (1, &json!(true)),
        "{upcoming}"
    );
}

//! What people see: every page in words, for a named person only what is theirs.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use tanpuhui::config::{Clock, Config, Settings};
use tanpuhui::domain::behaviour::{Quantity, Record, subject_hash};
use tanpuhui::domain::context::Actor;
use tanpuhui::domain::party::{Role, Token};
use tanpuhui::domain::reduction::ReductionId;
use tanpuhui::domain::registry::{Claim, Purpose};
use tanpuhui::domain::unit::Tonnes;
use tanpuhui::flow::access::issue_token;
use tanpuhui::flow::approve::{file_document, file_rule, go_live};
use tanpuhui::flow::ingest::{Answer, Row, commit, prepare};
use tanpuhui::flow::open_scene::{NewScene, open_scene};
use tanpuhui::flow::register_partner::{NewPartner, register_partner};
use tanpuhui::flow::retire::retire;
use tanpuhui::flow::{FlowError, Part};
use tanpuhui::server::{Running, start_on};
use tanpuhui::store::Pool;
use tanpuhui::store::behaviour::link_subject;
use uuid::Uuid;

use crate::redemption::{grant, offer_of, today};
use crate::wire::{Answer as Page, ask, get};
use crate::world::{ctx_at, ctx_of, noon, open_account};

/// A document whose texts try to be markup.
const DOCUMENT: &str = r#"
format = 1
kind = "methodology"
[identity]
code = "story-metro"
version = "2026.1"
title_zh = "地铁出行<script>alert(1)</script>方法学"
title_en = "Metro & \"more\""
issuer = "示例市"
text_grade = "D"
[effect]
from = "2026-01-01"
zone = "Asia/Shanghai"
[scope]
region = "CN-440300"
scene = "metro"
subject = "person"
quantity_kind = "co2"
period = "event"
[text]
boundary = "市内一次地铁行程"
[inputs.distance]
type = "quantity"
unit = "person-km"
accepts = ["km"]
[parameters.rf]
value = "46.8"
unit = "gCO2/person-km"
year = 2021
grade = "D"
source = "示例来源"
document_no = "示例〔2026〕1号"
[formula]
reduction = "rf * distance"
unit = "gCO2"
[[sources]]
title = "示例原文"
url = "https://example.org/a"
grade = "D"
"#;

const RULE: &str = "code = 'r'\nversion = '1'\ntitle_zh = '示例规则'\ntitle_en = 'rule'\n\
    effective_from = 2026-01-01T00:00:00+08:00\nmg_per_point = 100000\n\
    daily_cap_points = 900\nvalid_months = 24\nsource = 'test'\n";

struct Town {
    server: Running,
    pool: Pool,
}

impl Town {
    fn open(pool: Pool) -> Town {
        let mut settings = Settings::default();
        let set = [
            ("TANPUHUI_HTTP_LISTEN", "127.0.0.1:0"),
            ("TANPUHUI_HTTP_WORKERS", "1"),
            ("TANPUHUI_HTTP_PUBLIC_URL", "https://city.example"),
            ("TANPUHUI_REDEMPTION_CODE_KEY", &"ab".repeat(32)),
        ];
        settings.add_variables(set.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
        let config = Config::read(&mut settings).expect("the settings are sound");
        let server = start_on(pool.clone(), config, Clock::fixed(noon())).expect("it starts");
        Town { server, pool }
    }

    fn token(&self, role: Role, party: Uuid) -> String {
        let mut secret = [0; 32];
        secret[..16].copy_from_slice(Uuid::now_v7().as_bytes());
        let token = Token::new(&secret);
        let ctx = ctx_at(noon());
        self.pool
            .write_now(|tx| issue_token(tx, &ctx, &token, (role, party), TimeDelta::days(1)))
            .expect("a token is issued");
        token.reveal().to_owned()
    }

    /// A page as this session sees it.
    fn see(&self, path: &str, session: &str) -> Page {
        let cookie = format!("session={session}");
        ask(
            &self.server.base_url,
            "GET",
            path,
            &[("Cookie", &cookie)],
            "",
        )
    }

    /// A form that this site's page sent.
    fn send(&self, path: &str, session: &str, body: &str) -> Page {
        let cookie = format!("session={session}");
        let fields = [
            ("Cookie", cookie.as_str()),
            ("Origin", "https://city.example"),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        ask(&self.server.base_url, "POST", path, &fields, body)
    }

    fn shown(&self, path: &str, session: &str, wanted: &[&str]) -> String {
        let page = self.see(path, session);
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        for word in wanted {
            assert!(
                page.body.contains(word),
                "{path} lacks {word}: {}",
                page.body
            );
        }
        is_sound(path, &page);
        page.body
    }
}

/// Large type, language and policy are there; nothing is loaded from or sent to elsewhere.
fn is_sound(path: &str, page: &Page) {
    let policy = page.field("Content-Security-Policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'self'"), "{path}: {policy}");
    let body = &page.body;
    assert!(body.contains("<html lang=\"zh-CN\"") && body.contains("name=\"viewport\""));
    assert!(
        body.contains("<span lang=\"en\">"),
        "{path} speaks English too"
    );
    for word in ["<script", " style=\"", " onclick", "javascript:"] {
        assert!(!body.contains(word), "{path} has {word}");
    }
    for name in ["src=\"", "href=\"", "action=\""] {
        for rest in body.split(name).skip(1) {
            let local =
                (rest.starts_with('/') && !rest.starts_with("//")) || rest.starts_with(['#', '?']);
            assert!(local, "{path}: {name}{}", &rest[..rest.len().min(60)]);
        }
    }
}

fn officer(id: u128) -> Actor {
    Actor {
        role: "bureau",
        id: Uuid::from_u128(id),
    }
}

/// Files the document, puts it in force, and opens a scene under it; the partner's id.
fn found(pool: &Pool) -> Uuid {
    let (mut one, two) = (ctx_of(officer(1), noon()), ctx_of(officer(2), noon()));
    pool.write_now::<_, FlowError>(|tx| {
        file_document(tx, &one, DOCUMENT)?;
        go_live(tx, &two, "story-metro", "2026.1", "test")?;
        file_rule(tx, &one, RULE, "test")?;
        let partner = NewPartner {
            code: "p".into(),
            name_zh: "伙伴".into(),
            name_en: "Partner".into(),
        };
        let partner = register_partner(tx, &mut one, &partner, "test")?;
        let scene = NewScene {
            code: "metro".into(),
            partner,
            name_zh: "地铁<i>一号线".into(),
            name_en: "Metro".into(),
            adapter: "native".into(),
            methodology: "story-metro".into(),
            exchange_rule: "r".into(),
            zone: "Asia/Shanghai".into(),
            distances: None,
            settings: None,
        };
        open_scene(tx, &one, &scene, "test")?;
        Ok(partner)
    })
    .expect("the city is founded")
}

/// One ride of 12.5 km by a new person; account and reduction.
fn ride(town: &Town, partner: Uuid, subject: &str) -> (Uuid, ReductionId) {
    let account = open_account(&town.pool);
    let state = &town.server.state;
    let catalogue = state.catalogue.get();
    let scene = &catalogue.scenes["metro"];
    let record = Record {
        source_id: format!("trip-{subject}<b>"),
        subject: subject.to_owned(),
        from: noon() - TimeDelta::hours(2),
        to: noon() - TimeDelta::hours(1),
        quantities: vec![Quantity {
            name: "distance".into(),
            value: "12.5".parse().unwrap(),
            unit: "km".into(),
        }],
        attributes: Vec::new(),
        revises: None,
    };
    let prepared = prepare(&scene.view, [Row::Record(record)], [3; 32], noon());
    let mut ctx = ctx_at(noon());
    let batch = ctx.id();
    let hash = subject_hash(partner, subject);
    let receipt = town
        .pool
        .write_now::<_, FlowError>(|tx| {
            link_subject(tx, &hash, account, noon().into())?;
            commit(
                tx,
                &ctx,
                batch,
                &scene.view,
                &state.keys.settings,
                &prepared,
            )
        })
        .expect("the ride is committed");
    match &receipt.answers[0] {
        Answer::Accepted { reduction, .. } => (account, reduction.expect("a reduction")),
        other => panic!("{other:?}"),
    }
}

/// Waits for the job that gives leaves their place.
fn placed(town: &Town, id: ReductionId) -> String {
    let path = format!("/public/log?id={id}");
    let patience = Instant::now() + Duration::from_secs(20);
    loop {
        let body = town.shown(&path, "", &["公开日志", "最新检查点"]);
        if body.contains("叶子内容与叶哈希一致") {
            return body;
        }
        assert!(body.contains("正在等待"), "{body}");
        assert!(Instant::now() < patience, "the leaf gets no place");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn after<'t>(text: &'t str, mark: &str) -> &'t str {
    let (_, rest) = text
        .split_once(mark)
        .unwrap_or_else(|| panic!("{mark} in {text}"));
    rest.split('"').next().unwrap_or_default()
}

on_both! {
    fn a_person_follows_points_back_to_the_factor_and_into_the_log(pool: Pool) {
        let partner = found(&pool);
        let town = Town::open(pool);
        let (account, reduction) = ride(&town, partner, "a");
        let (stranger, _) = ride(&town, partner, "b");
        let (token, other) = (town.token(Role::Citizen, account), town.token(Role::Citizen, stranger));

        let wallet = town.shown("/me", &token, &["我的钱包", "0.585", "入账", "怎么来的", "<rect"]);
        assert!(wallet.contains("<span class=\"number\">5</span>"), "{wallet}");
        let credit = after(&wallet, "href=\"/me/credits/").replace("&#38;", "&");
        let credit = town.shown(&format!("/me/credits/{credit}"), &token, &["地铁", "0.585 kg", "5 分"]);
        assert!(credit.contains(&format!("/me/reductions/{reduction}")), "{credit}");
        assert!(!credit.contains("<i>"), "a name is text");

        let path = format!("/me/reductions/{reduction}");
        let explained = ["rf * distance", "46.8 gCO2/person-km", "示例来源", "示例〔2026〕1号", "等级 grade D",
            "12.5 km", "与入账一致", "585,000 mg", "示例规则", "story-metro@2026.1"];
        let body = town.shown(&path, &token, &explained);
        assert!(body.contains("&#60;script&#62;") && body.contains("trip-a&#60;b&#62;"), "{body}");
        assert_eq!(town.see(&path, &token).field("Cache-Control"), Some("no-store"));
        let hidden = town.see(&path, &other);
        assert_eq!(hidden.status, 404);
        assert!(hidden.body.contains("<h1>") && !hidden.body.contains("trip-a"), "{}", hidden.body);
        assert_eq!(town.see("/me/reductions/nonsense", &token).status, 404);

        let proof = placed(&town, reduction);
        assert_eq!(proof.matches("<li class=\"good\">✓").count(), 3, "{proof}");
        assert!(proof.contains(&format!("tanpuhui log inclusion {reduction}")));
        assert!(!proof.contains(&account.simple().to_string()), "no account stands in the log");
        town.shown(&path, &token, &["已写入公开日志"]);
        town.shown("/public/log?id=%3Cb%3Ex", "", &["没有这个编号", "&#60;b&#62;x"]);
        town.shown("/", "", &["1.17", "减排行为", "公开日志"]);
    }

    fn who_is_not_signed_in_is_shown_the_door(pool: Pool) {
        let town = Town::open(pool);
        let url = &town.server.base_url;
        for path in ["/me", "/me/offers", "/me/vouchers", "/me/reductions/x"] {
            let away = get(url, path);
            assert_eq!((away.status, away.field("Location")), (303, Some("/login")), "{path}");
        }
        town.shown("/login", "", &["请先登录", "访问令牌"]);
        let account = open_account(&town.pool);
        let token = town.token(Role::Citizen, account);
        let entered = get(url, &format!("/login?token={token}"));
        assert_eq!((entered.status, entered.field("Location")), (303, Some("/me")));
        let cookie = entered.field("Set-Cookie").unwrap_or_default();
        for word in [&format!("session={token}"), "HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age=86400"] {
            assert!(cookie.contains(word), "{cookie}");
        }
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        let entered = ask(url, "POST", "/login", &form, &format!("token={token}"));
        assert_eq!(entered.status, 303);
        let officer = town.token(Role::Bureau, Uuid::now_v7());
        for (token, status) in [("tph_00", 401), ("%3Cb%3E", 401), (&officer, 403)] {
            let refused = get(url, &format!("/login?token={token}"));
            assert_eq!((refused.status, refused.field("Set-Cookie")), (status, None), "{token}");
            assert!(refused.body.contains("<h1>"), "{}", refused.body);
        }
        let left = town.send("/logout", &token, "");
        assert_eq!(left.status, 303);
        assert!(left.field("Set-Cookie").is_some_and(|cookie| cookie.contains("Max-Age=0")));
        // Large print is remembered on refusals too.
        let large = ask(url, "GET", "/public/nothing", &[("Cookie", "large=1")], "");
        assert_eq!(large.status, 404);
        assert!(large.body.contains("class=\"large\""), "{}", large.body);
    }

    fn points_become_a_voucher_that_anyone_can_check(pool: Pool) {
        let offer = offer_of(&pool, 300, 5);
        let town = Town::open(pool.clone());
        let account = open_account(&pool);
        grant(&pool, account, &[(today() + 5, 1_000)]);
        let token = town.token(Role::Citizen, account);
        let offers = town.shown("/me/offers", &token, &["咖啡店", "300", "兑换"]);
        let key = format!("key={}", after(&offers, "name=\"key\" value=\""));
        let redeem = format!("/me/offers/{}/redeem", offer.id);
        let cookie = format!("session={token}");
        let forged = ask(&town.server.base_url, "POST", &redeem,
            &[("Cookie", &cookie), ("Content-Type", "application/x-www-form-urlencoded")], &key);
        assert_eq!(forged.status, 403, "a form of another site");

        let done = town.send(&redeem, &token, &key);
        assert_eq!(done.status, 303, "{}", done.body);
        let path = done.field("Location").unwrap_or_default().to_owned();
        // The same form again is the same voucher.
        assert_eq!(town.send(&redeem, &token, &key).field("Location"), Some(path.as_str()));
        let voucher = town.shown(&path, &token, &["可用", "qr.svg", "取消兑换", "TPH-"]);
        let picture = after(&voucher, "src=\"");
        assert!(town.see(picture, &token).body.contains("<svg"));
        let code = after(&voucher, "alt=\"券码 ").to_owned();
        let check = town.shown(&format!("/v/{code}"), "", &["验券", "✓ 可用", "咖啡店"]);
        assert!(!check.contains(&account.to_string()) && !check.contains(&account.simple().to_string()));
        let stranger = town.token(Role::Citizen, open_account(&pool));
        assert_eq!(town.see(&path, &stranger).status, 404);

        assert_eq!(town.send(&format!("{path}/cancel"), &stranger, "").status, 404);
        assert_eq!(town.send(&format!("{path}/cancel"), &token, "").status, 303);
        let gone = town.shown(&path, &token, &["已取消"]);
        assert!(!gone.contains("TPH-"), "{gone}");
        town.shown("/me/vouchers", &token, &["我的券", "已取消"]);
        town.shown(&format!("/v/{code}"), "", &["✗ 已取消"]);
        town.shown("/me", &token, &["入账", "冻结", "解冻"]);
        let first = town.shown("/me?limit=1", &token, &["更早"]);
        let next = format!("/me?limit=1&cursor={}", after(&first, "href=\"/me?cursor="));
        let second = town.shown(&next, &token, &["更早"]);
        let lines = |page: &str| page.split_once("<ul class=\"lines\">").map(|(_, rest)| rest.to_owned());
        assert_ne!(lines(&first), lines(&second));
        assert!(!second.contains("可用积分"), "the balance stands on the first page");
        let again = town.send(&format!("{path}/cancel"), &token, "");
        assert_eq!(again.status, 409);
        assert!(again.body.contains("voucher_cancelled"), "{}", again.body);
        let typo = get(&town.server.base_url, "/v/TPH-0000-0000-0000-0001");
        assert_eq!(typo.status, 400);
        assert!(typo.body.contains("voucher_code_mistyped"), "{}", typo.body);
    }

    fn a_certificate_leads_from_a_claim_to_the_reductions(pool: Pool) {
        let town = Town::open(pool.clone());
        let (owner, block) = crate::registry::issued(&pool, 5);
        let claim = Claim::new(Purpose::Event, "<b>深圳马拉松", "2026 赛事中和").unwrap();
        let part = Part { block, holder: owner, quantity: Tonnes(2) };
        crate::registry::act(&pool, 0xb3, |tx, ctx| retire(tx, ctx, &part, &claim)).unwrap();
        let claim = Claim::new(Purpose::Personal, "王小明", "").unwrap();
        let rest = crate::registry::blocks(&pool, owner).into_iter().find(|block| block.3 == "held").unwrap();
        let part = Part { block: rest.0, holder: owner, quantity: Tonnes(1) };
        crate::registry::act(&pool, 0xb3, |tx, ctx| retire(tx, ctx, &part, &claim)).unwrap();

        let list = town.shown("/public/registry", "", &["登记簿", "签发", "5 t"]);
        let issuance = after(&list, "href=\"/public/registry/issuances/");
        town.shown(&format!("/public/registry/issuances/{issuance}"), "", &["默克尔根", "持有", "已注销"]);
        town.shown("/public/registry?serial=2", "", &["已注销（用于声明）", "经过", "拆分"]);
        town.shown("/public/registry?serial=5", "", &["持有"]);
        town.shown("/public/registry?serial=%3Ci%3E", "", &["没有签发过", "&#60;i&#62;"]);
        let retired = town.shown("/public/registry/retirements", "", &["R-2026-000001", "王＊＊"]);
        assert!(!retired.contains("王小明"), "{retired}");
        let words = ["注销凭证", "&#60;b&#62;深圳马拉松", "2026 赛事中和", "活动碳中和", "本期默克尔根",
            "https://city.example/public/certificates/R-2026-000001"];
        town.shown("/public/certificates/R-2026-000001", "", &words);
        let qr = get(&town.server.base_url, "/public/certificates/R-2026-000001/qr.svg");
        assert_eq!(qr.field("Content-Type"), Some("image/svg+xml"));
        assert_eq!(get(&town.server.base_url, "/public/certificates/R-1").status, 404);
        assert_eq!(get(&town.server.base_url, "/public/registry?cursor=zz").status, 400);
        town.shown("/", "", &["<span class=\"number\">5</span>", "<span class=\"number\">3</span>"]);
    }

    fn a_methodology_shows_its_factors_and_sources(pool: Pool) {
        found(&pool);
        let town = Town::open(pool);
        town.shown("/public/methodologies", "", &["方法学", "story-metro@2026.1", "生效"]);
        let page = town.shown("/public/methodologies/story-metro/2026.1", "",
            &["parameters.rf", "46.8 gCO2/person-km", "示例〔2026〕1号", "市内一次地铁行程", "文件全文"]);
        let main = page.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>"));
        let main = main.map(|(main, _)| main).unwrap_or_default();
        insta::assert_snapshot!("methodology_page", main);
        assert_eq!(get(&town.server.base_url, "/public/methodologies/story-metro/9").status, 404);
    }
}

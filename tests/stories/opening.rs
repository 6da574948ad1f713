//! The bureau registers partners and opens scenes: by recorded acts, each name once, and nothing
//! that a feed could not be read by.

use tanpuhui::domain::context::Actor;
use tanpuhui::domain::methodology::EMBEDDED_DOCUMENTS;
use tanpuhui::domain::party::key::{SignKey, VerifyKey};
use tanpuhui::domain::problem::{Code, Problem};
use tanpuhui::flow::approve::{file_document, file_rule, go_live};
use tanpuhui::flow::catalogue::Catalogue;
use tanpuhui::flow::open_scene::{NewScene, open_scene};
use tanpuhui::flow::register_partner::{NewPartner, add_partner_key, register_partner};
use tanpuhui::flow::{FlowError, FlowResult};
use tanpuhui::store::{Pool, Tx};
use uuid::Uuid;

use crate::world::{ctx_of, noon};

const RULE: &str = r#"
code = "r"
version = "1"
title_zh = "规则"
title_en = "rule"
effective_from = 2021-12-01T00:00:00+08:00
mg_per_point = 100000
daily_cap_points = 200
valid_months = 24
source = "test"
"#;

fn act<T>(
    pool: &Pool,
    mut step: impl FnMut(&mut Tx<'_>, &mut tanpuhui::domain::context::Ctx) -> FlowResult<T>,
) -> FlowResult<T> {
    let officer = Actor {
        role: "bureau",
        id: Uuid::from_u128(1),
    };
    let ctx = ctx_of(officer, noon());
    pool.write_now(|tx| step(tx, &mut ctx.clone()))
}

fn problem<T: std::fmt::Debug>(outcome: FlowResult<T>) -> Problem {
    match outcome.expect_err("it is refused") {
        FlowError::Refused(problem) => problem,
        other => panic!("{other:?}"),
    }
}

fn plan(partner: Uuid) -> NewScene {
    NewScene {
        code: "metro".into(),
        partner,
        name_zh: "地铁".into(),
        name_en: "Metro".into(),
        adapter: "shenzhen-tong".into(),
        methodology: "sz-public-transport".into(),
        exchange_rule: "r".into(),
        zone: "Asia/Shanghai".into(),
        distances: Some("from,to,km\na,b,1.5\n".into()),
        settings: None,
    }
}

on_both! {
    fn a_partner_its_key_and_its_scene_are_in_the_catalogue(pool: Pool) {
        let new = NewPartner { code: "p".into(), name_zh: "伙伴".into(), name_en: "Partner".into() };
        let partner = act(&pool, |tx, ctx| register_partner(tx, ctx, &new, "agreement 1")).unwrap();
        let again = problem(act(&pool, |tx, ctx| register_partner(tx, ctx, &new, "agreement 1")));
        assert_eq!(again.param.as_deref(), Some("code"));

        let secret = SignKey::hmac_sha256("c2l4dGVlbiBieXRlcyBvZiBhIHNlY3JldA==").unwrap();
        let key = secret.verify_key();
        act(&pool, |tx, ctx| add_partner_key(tx, ctx, partner, "k1", &key, "letter 2")).unwrap();
        let taken = problem(act(&pool, |tx, ctx| add_partner_key(tx, ctx, partner, "k1", &key, "")));
        assert_eq!(taken.param.as_deref(), Some("key_id"));
        let nobody = problem(act(&pool, |tx, ctx| add_partner_key(tx, ctx, Uuid::nil(), "k2", &key, "")));
        assert_eq!(nobody.code, Code::NotFound);

        let early = problem(act(&pool, |tx, ctx| open_scene(tx, ctx, &plan(partner), "order 3")));
        assert_eq!((early.code, early.param.as_deref()), (Code::NotFound, Some("methodology")));
        let (_, text) = EMBEDDED_DOCUMENTS.iter().find(|(path, _)| path.contains("sz-public-transport")).unwrap();
        act(&pool, |tx, ctx| file_document(tx, ctx, text)).unwrap();
        act(&pool, |tx, ctx| file_rule(tx, ctx, RULE, "test")).unwrap();
        for (param, wrong) in [
            ("code", NewScene { code: "Metro 1".into(), ..plan(partner) }),
            ("adapter", NewScene { adapter: "telepathy".into(), ..plan(partner) }),
            ("zone", NewScene { zone: "Mars/Olympus".into(), ..plan(partner) }),
            ("partner", NewScene { partner: Uuid::nil(), ..plan(partner) }),
            ("exchange_rule", NewScene { exchange_rule: "x".into(), ..plan(partner) }),
            ("line 1", NewScene { distances: Some("a,b,-1".into()), ..plan(partner) }),
        ] {
            let refused = problem(act(&pool, |tx, ctx| open_scene(tx, ctx, &wrong, "order 3")));
            assert_eq!(refused.param.as_deref(), Some(param));
        }
        let first = act(&pool, |tx, ctx| open_scene(tx, ctx, &plan(partner), "order 3")).unwrap();
        let twice = problem(act(&pool, |tx, ctx| open_scene(tx, ctx, &plan(partner), "order 3")));
        assert_eq!(twice.param.as_deref(), Some("code"));
        assert_eq!(twice.detail.zh(), "已被使用");
        let second = NewScene { code: "metro-2".into(), ..plan(partner) };
        let second = act(&pool, |tx, ctx| open_scene(tx, ctx, &second, "order 4")).unwrap();
        assert_eq!((first, second), (1, 2));

        let catalogue = pool.read_now(Catalogue::load).unwrap();
        assert_eq!(catalogue.scenes["metro"].view.partner, partner);
        let (owner, known) = &catalogue.keys["k1"];
        assert_eq!(*owner, partner);
        assert!(matches!(**known, VerifyKey::HmacSha256(_)));
        assert!(known.verifies(b"m", &secret.sign(b"m")));
    }

    fn an_officer_is_told_in_both_languages_what_keeps_a_draft_from_going_live(pool: Pool) {
        let (code, version) = ("cq-shared-ebike", "2023.1");
        let (_, text) = EMBEDDED_DOCUMENTS.iter().find(|(path, _)| path.contains(code)).unwrap();
        act(&pool, |tx, ctx| file_document(tx, ctx, text)).unwrap();
        let other = Actor { role: "bureau", id: Uuid::from_u128(2) };
        let other = ctx_of(other, noon());
        let blocked = problem(act(&pool, |tx, _| go_live(tx, &other, code, version, "order 5")));
        assert_eq!(blocked.code, Code::DocumentBlocked);
        let (zh, en) = (blocked.detail.zh(), blocked.detail.en());
        assert!(zh.starts_with("还有 2 项未满足：") && en.starts_with("2 to clear."), "{zh}\n{en}");
        assert!(zh.contains("#parameters.net：等级 S 不得上线；需取得：查阅方法学：重庆市生态环境局"), "{zh}");
        assert!(en.contains("#parameters.net: grade S never goes live; obtain: Read it in"), "{en}");
        let bent = text.replace("format = 1", "format = 9");
        let defect = problem(act(&pool, |tx, ctx| file_document(tx, ctx, &bent)));
        assert_eq!(defect.code, Code::DocumentDefect);
        assert!(defect.detail.zh().ends_with("：本程序只读 format 1"), "{defect}");
    }
}

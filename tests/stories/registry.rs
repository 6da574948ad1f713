//! From reductions to tonnes to title: closed once, verified by another, issued, moved, retired.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::Duration;
use diesel::RunQueryDsl;
use tanpuhui::domain::context::{Actor, Ctx};
use tanpuhui::domain::log::hash::root as root_of;
use tanpuhui::domain::problem::Code;
use tanpuhui::domain::registry::{Claim, HolderKind, Purpose, Reason};
use tanpuhui::domain::unit::Tonnes;
use tanpuhui::domain::verification::{Statement, Window};
use tanpuhui::flow::audit_books::{Difference, registry_books};
use tanpuhui::flow::close_period::{Opening, close_period, open_period};
use tanpuhui::flow::issue::issue;
use tanpuhui::flow::open_holder::{NewHolder, open_holder};
use tanpuhui::flow::retire::{cancel, retire};
use tanpuhui::flow::transfer::transfer;
use tanpuhui::flow::verify_period::{accept_period, answer_finding, raise_finding};
use tanpuhui::flow::{FlowError, FlowResult, Part};
use tanpuhui::store::methodology::{ExchangeRuleRow, file_exchange_rule};
use tanpuhui::store::party::{PartnerRow, register_partner};
use tanpuhui::store::reduction::of_batch;
use tanpuhui::store::registry::{
    HolderRow, IssuanceRow, acts_of_serial, blocks_of_holder, find_serial, live_blocks,
    retirement_by_certificate,
};
use tanpuhui::store::scene::{SceneRow, open_scene};
use tanpuhui::store::verification::{PeriodRow, leaves_of, member_batches, period};
use tanpuhui::store::{Pool, StoreError, StoreResult, Tx};
use uuid::Uuid;

use crate::ingest_commit::{post, rider, trip};
use crate::world::{ctx_of, noon};

/// One tonne.
pub(crate) const T: i64 = 1_000_000_000;
static TURN: AtomicI64 = AtomicI64::new(0);
pub(crate) const OPERATOR: u128 = 0xb1;
pub(crate) const VERIFIER: u128 = 0xb2;
pub(crate) const BUREAU: u128 = 0xb3;

pub(crate) fn by(who: u128) -> Ctx {
    let role = if who == VERIFIER {
        "verifier"
    } else {
        "bureau"
    };
    let actor = Actor {
        role,
        id: Uuid::from_u128(who),
    };
    // Acts follow each other by a millisecond, so that their ids are in order.
    let turn = TURN.fetch_add(1, Ordering::SeqCst);
    ctx_of(
        actor,
        noon() + Duration::days(40) + Duration::milliseconds(turn),
    )
}

pub(crate) fn act<T>(
    pool: &Pool,
    who: u128,
    mut step: impl FnMut(&mut Tx<'_>, &mut Ctx) -> FlowResult<T>,
) -> FlowResult<T> {
    let ctx = by(who);
    pool.write_now(|tx| step(tx, &mut ctx.clone()))
}

pub(crate) fn code<T: std::fmt::Debug>(result: FlowResult<T>) -> Code {
    match result.expect_err("it is refused") {
        FlowError::Refused(problem) => problem.code,
        other => panic!("{other:?}"),
    }
}

fn raw(pool: &Pool, sql: &str) -> StoreResult<usize> {
    pool.write_now(|tx| {
        diesel::sql_query(sql)
            .execute(&mut **tx)
            .map_err(StoreError::from)
    })
}

pub(crate) fn holder(pool: &Pool, code: &str, member: Option<&str>) -> Uuid {
    let new = NewHolder {
        kind: HolderKind::Enterprise,
        code: code.into(),
        name: format!("账户 {code}"),
        exchange_member: member.map(Into::into),
    };
    act(pool, BUREAU, |tx, ctx| open_holder(tx, ctx, &new)).unwrap()
}

/// A scene with a rider, and an account for what it issues.
pub(crate) fn city(pool: &Pool) -> Uuid {
    pool.write_now::<_, StoreError>(|tx| {
        let partner = Uuid::from_u128(0x5a).into();
        register_partner(
            tx,
            &PartnerRow {
                id: partner,
                code: "p".into(),
                name_zh: "伙伴".into(),
                name_en: "Partner".into(),
                registered_at: noon().into(),
            },
        )?;
        let document = "code = 'r'\nversion = '1'\ntitle_zh = '规则'\ntitle_en = 'rule'\n\
             effective_from = 2026-01-01T00:00:00+08:00\nmg_per_point = 1000\n\
             daily_cap_points = 900\nvalid_months = 24\nsource = 'test'\n";
        file_exchange_rule(
            tx,
            &ExchangeRuleRow {
                id: 1,
                code: "r".into(),
                version: "1".into(),
                hash: vec![1; 32],
                document: document.into(),
                effective_from: noon().into(),
            },
        )?;
        open_scene(
            tx,
            &SceneRow {
                id: 1,
                code: "metro".into(),
                partner_id: partner,
                name_zh: "地铁".into(),
                name_en: "Metro".into(),
                adapter: "shenzhen-tong".into(),
                methodology_code: "SZ-METRO".into(),
                exchange_rule_code: "r".into(),
                zone: "Asia/Shanghai".into(),
                adapter_table: None,
                state: "live".into(),
                opened_at: noon().into(),
                adapter_settings: None,
            },
        )
    })
    .unwrap();
    rider(pool, "a");
    holder(pool, "POOL", None)
}

/// Trips of the given weights, in one batch, an hour apart, so many days after noon. Batches of
/// different sizes do not meet on one day.
pub(crate) fn travel(pool: &Pool, day: i64, weights: &[i64]) {
    let hours = match weights.len() {
        1 => 3,
        2 => 6,
        _ => 0,
    };
    let start = noon() + Duration::days(day) + Duration::hours(hours);
    let item = |(n, mg): (usize, &i64)| {
        let id = format!("d{day}-{n}-{}", weights.len());
        trip(n, &id, "a", start + Duration::hours(n as i64), *mg)
    };
    let receipt = post(pool, weights.iter().enumerate().map(item).collect());
    assert_eq!(receipt.accepted, weights.len());
}

/// The day of noon in Shanghai, and so many days later.
fn day(plus: i32) -> i32 {
    20_777 + plus
}

pub(crate) fn open(pool: &Pool, holder: Uuid, from: i32, to: i32) -> FlowResult<Uuid> {
    let opening = Opening {
        scene: 1,
        window: Window::new(day(from), day(to))?,
        holder,
        basis: "test".into(),
    };
    act(pool, OPERATOR, |tx, ctx| open_period(tx, ctx, &opening))
}

pub(crate) fn close(pool: &Pool, id: Uuid) -> FlowResult<PeriodRow> {
    act(pool, OPERATOR, |tx, ctx| close_period(tx, ctx, id, "test"))
}

pub(crate) fn accept(pool: &Pool, who: u128, id: Uuid, tonnes: i64) -> FlowResult<PeriodRow> {
    let statement = Statement::new(Tonnes(tonnes), "复算一致")?;
    act(pool, who, |tx, ctx| accept_period(tx, ctx, id, &statement))
}

pub(crate) fn issue_by(pool: &Pool, who: u128, id: Uuid) -> FlowResult<IssuanceRow> {
    act(pool, who, |tx, ctx| issue(tx, ctx, id, "SZ-PH", "test"))
}

fn differences(pool: &Pool) -> Vec<Difference> {
    let checks = pool.read_now(registry_books).unwrap();
    checks
        .into_iter()
        .filter_map(|check| check.difference)
        .collect()
}

/// `tonnes` issued into the pool's account: its first block.
pub(crate) fn issued(pool: &Pool, tonnes: i64) -> (Uuid, Uuid) {
    let owner = city(pool);
    travel(pool, 0, &[tonnes * T]);
    let id = open(pool, owner, 0, 0).unwrap();
    close(pool, id).unwrap();
    accept(pool, VERIFIER, id, tonnes).unwrap();
    issue_by(pool, BUREAU, id).unwrap();
    (owner, blocks(pool, owner)[0].0)
}

/// Live blocks of a holder: id, first, last, state.
pub(crate) fn blocks(pool: &Pool, holder: Uuid) -> Vec<(Uuid, i64, i64, String)> {
    let rows = pool
        .read_now(|conn| blocks_of_holder(conn, holder, 0, 100))
        .unwrap();
    rows.into_iter()
        .map(|b| (b.id.0, b.first_serial, b.last_serial, b.state))
        .collect()
}

pub(crate) fn assert_books_agree(pool: &Pool) {
    let found = differences(pool);
    assert!(found.is_empty(), "{found:#?}");
}

fn part(block: Uuid, holder: Uuid, tonnes: i64) -> Part {
    Part {
        block,
        holder,
        quantity: Tonnes(tonnes),
    }
}

on_both! {
    fn a_reduction_is_in_one_period_and_no_milligram_is_lost(pool: Pool) {
        let owner = city(&pool);
        travel(&pool, 0, &[T, T / 2, 7]);
        travel(&pool, 1, &[T]);
        let first = open(&pool, owner, 0, 0).unwrap();
        assert_eq!(code(open(&pool, owner, 0, 3)), Code::PeriodOverlaps);
        let second = open(&pool, owner, 1, 1).unwrap();
        assert_eq!(code(close(&pool, second)), Code::PredecessorUnverified);
        let closed = close(&pool, first).unwrap();
        assert_eq!((closed.sum_mg, closed.members), (Some(T + T / 2 + 7), Some(3)));
        assert_eq!((closed.whole_t, closed.carried_out_mg), (Some(1), Some(T / 2 + 7)));
        assert_eq!(code(close(&pool, first)), Code::PeriodState);
        accept(&pool, VERIFIER, first, 1).unwrap();
        // Late data for the first day falls to the second period.
        travel(&pool, 0, &[T / 4, T / 4]);
        let closed = close(&pool, second).unwrap();
        assert_eq!(closed.carried_in_mg, Some(T / 2 + 7));
        assert_eq!((closed.members, closed.sum_mg), (Some(3), Some(T + T / 2)));
        assert_eq!((closed.whole_t, closed.carried_out_mg), (Some(2), Some(7)));
        assert_books_agree(&pool);
        let twice = "INSERT INTO period_members (batch_id, pos, period_id) \
                     SELECT batch_id, pos, period_id FROM period_members";
        assert!(matches!(raw(&pool, twice), Err(StoreError::Constraint(_))));
        let moved = raw(&pool, "UPDATE period_members SET pos = pos + 100");
        assert!(matches!(moved, Err(StoreError::Constraint(_))), "{moved:?}");
    }

    fn a_period_closes_only_after_its_end(pool: Pool) {
        let owner = city(&pool);
        // The acting officer's clock stands 40 days after noon.
        let ahead = open(&pool, owner, 0, 40).unwrap();
        assert_eq!(code(close(&pool, ahead)), Code::PeriodNotOver);
        assert_eq!(code(open(&pool, Uuid::from_u128(404), 41, 42)), Code::NotFound);
    }

    fn overlapping_periods_are_refused_by_the_table(pool: Pool) {
        let owner = city(&pool);
        open(&pool, owner, 0, 10).unwrap();
        let copy = format!(
            "INSERT INTO monitoring_periods (id, scene_id, no, from_day, to_day, holder_id, state, version, opened_by, opened_at) \
             SELECT opened_by, scene_id, 2, {}, {}, holder_id, state, version, opened_by, opened_at FROM monitoring_periods",
            day(10), day(12),
        );
        let refused = raw(&pool, &copy).unwrap_err();
        assert!(refused.is_constraint("monitoring_periods_no_overlap"), "{refused:?}");
        raw(&pool, &copy.replace(&day(10).to_string(), &day(11).to_string())).unwrap();
    }

    fn the_root_is_that_of_the_members_leaves(pool: Pool) {
        let owner = city(&pool);
        // The second day's trip stands between members of the same batch.
        let later = noon() + Duration::days(1);
        post(&pool, vec![
            trip(0, "x1", "a", noon(), T),
            trip(1, "x2", "a", later, T),
            trip(2, "x3", "a", noon() + Duration::hours(1), T),
        ]);
        let id = open(&pool, owner, 0, 0).unwrap();
        let closed = close(&pool, id).unwrap();
        assert_eq!(closed.members, Some(2));
        let batches = pool.read_now(|conn| member_batches(conn, id, None, 9)).unwrap();
        let batch = batches[0].0;
        let rows = pool.read_now(|conn| of_batch(conn, batch.0)).unwrap();
        let leaves = pool.read_now(|conn| leaves_of(conn, &[batch])).unwrap().remove(0).1;
        assert_eq!((rows.len(), leaves.len()), (3, 96));
        let of_the_day: Vec<[u8; 32]> = rows
            .iter()
            .zip(leaves.chunks_exact(32))
            .filter(|(row, _)| row.day == day(0))
            .map(|(_, leaf)| leaf.try_into().unwrap())
            .collect();
        assert_eq!(of_the_day.len(), 2);
        assert_eq!(closed.root.as_deref(), Some(&root_of(&of_the_day)[..]));
    }

    fn the_verifier_is_another_recounts_and_may_accept_less(pool: Pool) {
        let owner = city(&pool);
        travel(&pool, 0, &[3 * T, 5]);
        let id = open(&pool, owner, 0, 0).unwrap();
        assert_eq!(code(accept(&pool, VERIFIER, id, 1)), Code::PeriodState);
        close(&pool, id).unwrap();
        assert_eq!(code(accept(&pool, OPERATOR, id, 1)), Code::SameActor);
        assert_eq!(code(accept(&pool, VERIFIER, id, 4)), Code::QuantityOutOfRange);
        assert_eq!(code(accept(&pool, VERIFIER, id, -1)), Code::QuantityOutOfRange);
        raw(&pool, "UPDATE reductions SET mg = mg + 1 WHERE pos = 1").unwrap();
        assert_eq!(code(accept(&pool, VERIFIER, id, 1)), Code::RecountDiffers);
        let differences = differences(&pool);
        assert_eq!(differences[0].book, "sum of members");
        raw(&pool, "UPDATE reductions SET mg = mg - 1 WHERE pos = 1").unwrap();
        assert_eq!(code(issue_by(&pool, BUREAU, id)), Code::PeriodState);
        let verified = accept(&pool, VERIFIER, id, 1).unwrap();
        assert_eq!((verified.state.as_str(), verified.carried_out_mg), ("verified", Some(2 * T + 5)));
        assert_eq!(code(issue_by(&pool, VERIFIER, id)), Code::SameActor);
        let issuance = issue_by(&pool, BUREAU, id).unwrap();
        assert_eq!((issuance.first_serial, issuance.last_serial), (1, 1));
        assert_eq!(issuance.series, "SZ-PH-SZ-METRO-1-20261120-20261120-1");
        assert_eq!(Some(issuance.root), verified.root);
        assert_eq!(code(issue_by(&pool, BUREAU, id)), Code::PeriodState);
        assert_books_agree(&pool);
        // What was not accepted is there again in the next period.
        let next = open(&pool, owner, 1, 1).unwrap();
        assert_eq!(close(&pool, next).unwrap().whole_t, Some(2));
        let carried = accept(&pool, VERIFIER, next, 0).unwrap();
        assert_eq!((carried.state.as_str(), carried.carried_out_mg), ("carried", Some(2 * T + 5)));
        let last = open(&pool, owner, 2, 2).unwrap();
        assert_eq!(close(&pool, last).unwrap().whole_t, Some(2));
        accept(&pool, VERIFIER, last, 2).unwrap();
        let issuance = issue_by(&pool, BUREAU, last).unwrap();
        assert_eq!((issuance.first_serial, issuance.last_serial), (2, 3));
        assert_books_agree(&pool);
    }

    fn questions_go_back_three_times_at_most(pool: Pool) {
        let owner = city(&pool);
        travel(&pool, 0, &[2 * T]);
        let id = open(&pool, owner, 0, 0).unwrap();
        close(&pool, id).unwrap();
        let find = |who| act(&pool, who, |tx, ctx| raise_finding(tx, ctx, id, "样本 3 缺证据"));
        let answer = |who| act(&pool, who, |tx, ctx| answer_finding(tx, ctx, id, "已补"));
        assert_eq!(code(find(OPERATOR)), Code::SameActor);
        for round in 1..=3 {
            assert_eq!(find(VERIFIER).unwrap(), round);
            assert_eq!(code(find(VERIFIER)), Code::PeriodState);
            assert_eq!(code(accept(&pool, VERIFIER, id, 2)), Code::PeriodState);
            assert_eq!(code(answer(VERIFIER)), Code::SameActor);
            answer(OPERATOR).unwrap();
        }
        assert_eq!(code(find(VERIFIER)), Code::PeriodState);
        let row = pool.read_now(|conn| period(conn, id)).unwrap().unwrap();
        assert_eq!(row.state, "closed");
        accept(&pool, VERIFIER, id, 2).unwrap();
    }

    fn blocks_split_move_and_end(pool: Pool) {
        let (owner, block) = issued(&pool, 10);
        let buyer = holder(&pool, "B", None);
        let move_to = |block, who, t, to| {
            act(&pool, BUREAU, |tx, ctx| transfer(tx, ctx, &part(block, who, t), to, "contract 7"))
        };
        assert_eq!(code(move_to(block, buyer, 1, owner)), Code::NotHolder);
        assert_eq!(code(move_to(block, owner, 11, buyer)), Code::QuantityOutOfRange);
        assert_eq!(code(move_to(block, owner, 1, owner)), Code::InvalidField);
        move_to(block, owner, 4, buyer).unwrap();
        assert_eq!(code(move_to(block, owner, 1, buyer)), Code::BlockState);
        let (bought, first, last, _) = blocks(&pool, buyer)[0].clone();
        assert_eq!((first, last), (1, 4));
        let (kept, first, last, _) = blocks(&pool, owner)[0].clone();
        assert_eq!((first, last), (5, 10));

        let claim = Claim::new(Purpose::Event, "深圳马拉松", "2026 赛事中和").unwrap();
        let end = |block, who, t| act(&pool, BUREAU, |tx, ctx| retire(tx, ctx, &part(block, who, t), &claim));
        let record = end(bought, buyer, 3).unwrap();
        assert_eq!((record.first_serial, record.last_serial), (1, 3));
        assert_eq!(record.certificate_no, "R-2026-000001");
        assert_eq!(code(end(bought, buyer, 1)), Code::BlockState);
        let retired = blocks(&pool, buyer)[0].0;
        assert_eq!(code(end(retired, buyer, 3)), Code::BlockState);
        assert_eq!(code(move_to(retired, buyer, 3, owner)), Code::BlockState);

        let gone = act(&pool, BUREAU, |tx, ctx| cancel(tx, ctx, kept, Tonnes(1), Reason::Error, "double")).unwrap();
        assert_eq!((gone.first_serial, gone.last_serial), (5, 5));
        assert_books_agree(&pool);

        let found = pool.read_now(|conn| find_serial(conn, 2)).unwrap().unwrap();
        assert_eq!(found.0.state, "retired");
        let history = pool.read_now(|conn| acts_of_serial(conn, found.1.id.0, 2)).unwrap();
        let kinds: Vec<_> = history.iter().map(|act| act.kind.as_str()).collect();
        assert_eq!(kinds, ["issue", "split", "transfer", "split", "retire"]);
        let public = pool.read_now(|conn| retirement_by_certificate(conn, "R-2026-000001")).unwrap();
        assert_eq!(public.unwrap().beneficiary, "深圳马拉松");
        assert!(pool.read_now(|conn| find_serial(conn, 11)).unwrap().is_none());
    }

    fn the_tables_refuse_what_the_flows_would_never_do(pool: Pool) {
        let (owner, block) = issued(&pool, 10);
        let claim = Claim::new(Purpose::Charity, "基金会", "").unwrap();
        act(&pool, BUREAU, |tx, ctx| retire(tx, ctx, &part(block, owner, 3), &claim)).unwrap();
        let copy = |id: &str, first: i64, last: i64, state: &str| format!(
            "INSERT INTO cer_blocks (id, issuance_id, first_serial, last_serial, holder_id, state, listing_id, parent_id, version, created_at, changed_at) \
             SELECT {id}, issuance_id, {first}, {last}, holder_id, '{state}', NULL, NULL, 1, created_at, changed_at FROM cer_blocks WHERE state = 'split'"
        );
        let refused = |sql: &str, rule: &str| {
            let error = raw(&pool, sql).unwrap_err();
            assert!(error.is_constraint(rule), "{sql}: {error:?}");
        };
        refused(&copy("holder_id", 3, 4, "held"), "cer_blocks_no_overlap");
        refused(&copy("holder_id", 10, 10, "retired"), "cer_blocks_no_overlap");
        refused(&copy("holder_id", 9, 11, "split"), "cer_blocks_inside");
        refused("UPDATE cer_blocks SET last_serial = last_serial - 1 WHERE state = 'held'", "cer_blocks_range");
        refused("UPDATE cer_blocks SET state = 'held' WHERE state = 'retired'", "cer_blocks_final");
        refused("UPDATE cer_blocks SET state = 'held' WHERE state = 'split'", "cer_blocks_final");
        refused("DELETE FROM cer_blocks WHERE state = 'held'", "cer_blocks_kept");
        for table in ["registry_acts", "retirements"] {
            refused(&format!("DELETE FROM {table}"), "registry_rows_kept");
            refused(&format!("UPDATE {table} SET first_serial = 9"), "registry_rows_kept");
        }
        // An issuance over numbers that were given out is refused as well.
        let again = "INSERT INTO cer_issuances (id, period_id, series, first_serial, last_serial, root, leaf_count, holder_id, issued_by, issued_at) \
                     SELECT holder_id, period_id, 'other', 5, 20, root, leaf_count, holder_id, issued_by, issued_at FROM cer_issuances";
        assert!(matches!(raw(&pool, again), Err(StoreError::Constraint(_))));
        assert_books_agree(&pool);
    }

    fn the_audit_names_a_book_that_was_changed_behind_its_back(pool: Pool) {
        let (owner, _) = issued(&pool, 5);
        assert_books_agree(&pool);
        raw(&pool, "UPDATE registry_counters SET last = last").unwrap();
        raw(&pool, "UPDATE log_batches SET leaves = (SELECT root FROM cer_issuances)").unwrap();
        let found = differences(&pool);
        assert_eq!(found.len(), 0, "one leaf is its own root");
        travel(&pool, 1, &[T]);
        let id = open(&pool, owner, 1, 1).unwrap();
        close(&pool, id).unwrap();
        raw(&pool, "UPDATE log_batches SET leaves = (SELECT body_digest FROM batches LIMIT 1)").unwrap();
        let rules: Vec<_> = differences(&pool).iter().map(|d| d.book).collect();
        assert_eq!(rules, ["root of members"]);
    }

    fn one_of_many_takers_gets_the_block(pool: Pool) {
        let (owner, block) = issued(&pool, 8);
        let takers: Vec<Uuid> = (0..6).map(|n| holder(&pool, &format!("B{n}"), None)).collect();
        let won: usize = std::thread::scope(|scope| {
            let tries: Vec<_> = takers.iter().map(|to| {
                let pool = &pool;
                scope.spawn(move || act(pool, BUREAU, |tx, ctx| {
                    transfer(tx, ctx, &part(block, owner, 3), *to, "race")
                }))
            }).collect();
            tries.into_iter().map(|t| match t.join().unwrap() {
                Ok(_) => 1,
                Err(FlowError::Refused(p)) => {
                    assert!(matches!(p.code, Code::BlockState | Code::BlockChanged), "{p}");
                    0
                }
                Err(other) => panic!("{other:?}"),
            }).sum()
        });
        assert_eq!(won, 1);
        let live = pool.read_now(|conn| live_blocks(conn, None, 0, 10)).unwrap();
        let ranges: Vec<_> = live.iter().map(|b| (b.first_serial, b.last_serial)).collect();
        assert_eq!(ranges, [(1, 3), (4, 8)]);
        assert_books_agree(&pool);
    }

    fn accounts_have_codes_of_their_own(pool: Pool) {
        holder(&pool, "A", Some("m"));
        for (code_, member) in [("A", None), ("B", Some("m"))] {
            let new = NewHolder {
                kind: HolderKind::Person,
                code: code_.into(),
                name: "王小明".into(),
                exchange_member: member.map(Into::into),
            };
            let again = act(&pool, BUREAU, |tx, ctx| open_holder(tx, ctx, &new));
            assert_eq!(code(again), Code::HolderExists);
        }
        let row: Option<HolderRow> = pool.read_now(|conn| tanpuhui::store::registry::holder_by_code(conn, "A")).unwrap();
        assert_eq!(row.unwrap().exchange_member.as_deref(), Some("m"));
    }
}

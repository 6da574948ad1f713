//! A closed monitoring period takes corrections in the next one: what was closed, verified and
//! issued stays as it is, and what a correction moves is counted where it is still open.

use tanpuhui::domain::behaviour::Record;
use tanpuhui::domain::problem::Code;
use tanpuhui::flow::ingest::SceneView;
use tanpuhui::store::Pool;
use tanpuhui::store::reduction::of_batch;
use tanpuhui::store::registry::issuance_of_period;
use tanpuhui::store::verification::{PeriodRow, member_batches, membership_of, period};
use uuid::Uuid;

use crate::periods::{
    books_agree, cancelling, close, day, household, post, reading, reductions, restated, week,
};
use crate::registry::{
    self, BUREAU, T, VERIFIER, accept, assert_books_agree, city, code, issue_by,
};

/// Days since 1970 of 1 March 2026, as the registry's stories count: from 20 November.
const MARCH: i32 = -264;

struct Registry<'p> {
    pool: &'p Pool,
    holder: Uuid,
}

/// A period's row, members, and its root with sum and tonnes.
type Said = (PeriodRow, Vec<(Uuid, i32)>, Option<(i64, i64, Vec<u8>)>);

impl Registry<'_> {
    /// Opens and closes a period of these days of March, the first of which is 0.
    fn closed(&self, from: i32, to: i32) -> PeriodRow {
        let id = registry::open(self.pool, self.holder, MARCH + from, MARCH + to).unwrap();
        registry::close(self.pool, id).unwrap()
    }

    /// Everything that a closed period says of itself.
    fn said(&self, id: Uuid) -> Said {
        let row = self
            .pool
            .read_now(|conn| period(conn, id))
            .unwrap()
            .unwrap();
        let batches = self
            .pool
            .read_now(|conn| member_batches(conn, id, None, 1_000))
            .unwrap();
        let batches: Vec<_> = batches.into_iter().map(|(batch, _)| batch).collect();
        let all = self
            .pool
            .read_now(|conn| membership_of(conn, &batches))
            .unwrap();
        let members = all
            .into_iter()
            .filter(|(_, _, of)| of.is_some_and(|of| of.0 == id));
        let members = members.map(|(batch, pos, _)| (batch.0, pos)).collect();
        let issuance = self
            .pool
            .read_now(|conn| issuance_of_period(conn, id))
            .unwrap();
        let issued = issuance.map(|row| (row.first_serial, row.last_serial, row.root));
        (row, members, issued)
    }

    /// The reductions in it, in tonnes of their sum by day of March.
    fn tonnes(&self, id: Uuid) -> std::collections::BTreeMap<i32, i64> {
        let (_, members, _) = self.said(id);
        let mut sums = std::collections::BTreeMap::new();
        for (batch, pos) in members {
            let rows = self.pool.read_now(|conn| of_batch(conn, batch)).unwrap();
            let row = rows.into_iter().find(|row| row.pos == pos).unwrap();
            *sums.entry(row.day - 20_777 - MARCH).or_default() += row.mg;
        }
        sums
    }

    fn issue(&self, period: &PeriodRow, tonnes: i64) -> (i64, i64) {
        accept(self.pool, VERIFIER, period.id.0, tonnes).unwrap();
        let issuance = issue_by(self.pool, BUREAU, period.id.0).unwrap();
        (issuance.first_serial, issuance.last_serial)
    }
}

fn send(pool: &Pool, scene: &SceneView, records: Vec<Record>) {
    let receipt = post(pool, scene, records);
    assert_eq!(receipt.refused, 0, "{receipt:?}");
    close(pool, scene, 20);
}

on_both! {
    fn a_closed_period_takes_corrections_in_the_next_one(pool: Pool) {
        let registry = Registry { pool: &pool, holder: city(&pool) };
        let account = household(&pool);
        let scene = week();
        let stated = restated(day(2, 5_000), "2026-03-04T00:00:00Z");
        send(&pool, &scene, vec![day(0, 10_000), day(1, 8_000), stated, day(3, 6_000)]);
        let first = registry.closed(0, 2);
        assert_eq!((first.members, first.sum_mg), (Some(1), Some(4 * T)));
        assert_eq!(registry.issue(&first, 4), (1, 4));
        let as_issued = registry.said(first.id.0);

        // The third day used 7,000 kWh after all: 9,000 - 7,000. The fourth looks back at it.
        send(&pool, &scene, vec![restated(day(2, 7_000), "2026-03-20T00:00:00Z")]);
        // 1,000 kWh more of the second day turn up: 9,500 - 7,000, and 26,000 / 3 - 6,000.
        send(&pool, &scene, vec![reading("late", 1, 1_000)]);
        assert_eq!(registry.said(first.id.0), as_issued);
        books_agree(&pool);
        let second = registry.closed(3, 5);
        // What the third day gave is taken back here, and what it gives now counted.
        let expected = [(2, -4 * T + 2_500_000_000), (3, 2_666_666_666)];
        assert_eq!(registry.tonnes(second.id.0), expected.into_iter().collect());
        assert_eq!(second.sum_mg, Some(1_166_666_666));
        assert_eq!((second.whole_t, second.carried_out_mg), (Some(1), Some(166_666_666)));
        assert_eq!(registry.issue(&second, 1), (5, 5));
        assert_eq!(registry.said(first.id.0), as_issued);
        assert_books_agree(&pool);

        // The first day is cancelled: of the third nothing is left, as one day is no week; the
        // fourth is 8,000 - 6,000.
        send(&pool, &scene, vec![cancelling("void", "d0", day(0, 0))]);
        let third = registry.closed(6, 8);
        assert_eq!(third.sum_mg, Some(-2_500_000_000 - 666_666_666));
        // Less than nothing: not one tonne can be accepted or issued, and the debt is carried on.
        assert_eq!((third.carried_in_mg, third.whole_t), (Some(166_666_666), Some(0)));
        assert_eq!(third.carried_out_mg, Some(-3 * T));
        assert_eq!(code(accept(&pool, VERIFIER, third.id.0, 1)), Code::QuantityOutOfRange);
        assert_eq!(code(accept(&pool, VERIFIER, third.id.0, -3)), Code::QuantityOutOfRange);
        let carried = accept(&pool, VERIFIER, third.id.0, 0).unwrap();
        assert_eq!((carried.state.as_str(), carried.carried_out_mg), ("carried", Some(-3 * T)));
        assert_eq!(code(issue_by(&pool, BUREAU, third.id.0)), Code::PeriodState);
        assert_books_agree(&pool);

        // The next tonnes pay it first: 10,000 - 4,000 less what is owed.
        send(&pool, &scene, vec![day(9, 10_000), day(10, 10_000), day(11, 4_000)]);
        let fourth = registry.closed(9, 11);
        assert_eq!((fourth.sum_mg, fourth.carried_in_mg), (Some(6 * T), Some(-3 * T)));
        assert_eq!((fourth.whole_t, fourth.carried_out_mg), (Some(3), Some(0)));
        assert_eq!(registry.issue(&fourth, 3), (6, 8));
        // As many tonnes are out as all reductions together come to.
        let net: i64 = reductions(&pool, account).iter().map(|row| row.mg).sum();
        assert_eq!(net, 8 * T);
        assert_eq!(registry.said(first.id.0), as_issued);
        assert_books_agree(&pool);
        books_agree(&pool);
    }
}

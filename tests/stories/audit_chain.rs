//! The audit chain binds each act to all before it, also when officers act at once.

use tanpuhui::domain::governance::CHAIN_START;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::audit::{Change, record};
use tanpuhui::store::audit::after;

use crate::world::{ctx_at, noon};

on_both! {
    fn acts_of_concurrent_officers_form_one_chain(pool: Pool) {
        std::thread::scope(|scope| {
            for officer in 0..4 {
                let pool = &pool;
                scope.spawn(move || {
                    for turn in 0..10 {
                        let ctx = ctx_at(noon());
                        pool.write_now::<(), FlowError>(|tx| {
                            record(tx, &ctx, "test.act", &format!("{officer}/{turn}"), "story", Change::default())
                        })
                        .expect("an act that lost its place is run again");
                    }
                });
            }
        });
        let acts = pool
            .read_now(|conn| after(conn, 0, 100))
            .expect("the chain can be read");
        assert_eq!(acts.len(), 40);
        let mut previous = CHAIN_START.to_vec();
        for (place, act) in acts.iter().enumerate() {
            assert_eq!(act.seq, place as i64 + 1);
            assert_eq!(act.previous, previous);
            previous.clone_from(&act.hash);
        }
    }
}

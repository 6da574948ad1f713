//! Several nodes, one feed.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use tanpuhui::flow::FlowError;
use tanpuhui::flow::pull::suspend;
use tanpuhui::jobs::pull_feeds::Pulled;

use super::source::{Source, ok};
use super::{declare_feed, history, officer, pull, stand, town, trips};
use crate::world::{ctx_of, noon};

on_both! {
    fn a_feed_is_taken_by_one_of_many(pool: Pool) {
        let town = town(pool, &[]);
        let account = town.rider(&["a"]);
        let source = Source::start(|_, _| {
            std::thread::sleep(Duration::from_millis(300));
            ok(trips(&[1, 2]))
        });
        declare_feed(&town, &source, "/all.json", "");
        let pulled: Vec<Pulled> = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..6).map(|_| scope.spawn(|| pull(&town))).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        assert_eq!(pulled.iter().map(|one| one.turns).sum::<usize>(), 1);
        assert_eq!((source.asked().len(), history(&town).len()), (1, 1));
        assert_eq!(town.wealth(account).0, 936);
        town.assert_audit_is_clean();
    }

    fn two_that_pull_the_same_at_once_count_once(pool: Pool) {
        let town = town(pool, &[]);
        let account = town.rider(&["a"]);
        let ((arrived, arrives), (go, gone)) = (channel::<()>(), channel::<()>());
        let (arrived, gone) = (Mutex::new(arrived), Mutex::new(gone));
        let source = Source::start(move |number, _| {
            if number == 0 {
                arrived.lock().unwrap().send(()).unwrap();
                gone.lock().unwrap().recv().unwrap();
            }
            ok(trips(&[1, 2]))
        });
        declare_feed(&town, &source, "/all.json", "");
        std::thread::scope(|scope| {
            let slow = scope.spawn(|| pull(&town));
            arrives.recv().unwrap();
            // The first node is so slow that its lease runs out.
            town.clock.advance(TimeDelta::hours(1));
            let other = pull(&town);
            assert_eq!((other.turns, other.sums.accepted), (1, 2));
            let after = stand(&town);
            assert_eq!((after.state.as_str(), after.watermark.0), ("idle", noon() + TimeDelta::hours(1)));
            go.send(()).unwrap();
            let late = slow.join().unwrap();
            assert_eq!((late.sums.accepted, late.sums.replayed), (0, 2));
            assert_eq!(stand(&town), after, "a lost lease writes nothing to the feed");
        });
        assert_eq!(history(&town).len(), 2, "and its request is on record");
        assert_eq!(town.wealth(account).0, 936);
        town.assert_audit_is_clean();
    }

    fn a_feed_that_is_suspended_in_the_middle_stays_suspended(pool: Pool) {
        let town = Arc::new(town(pool, &[]));
        let account = town.rider(&["a"]);
        let acting = Arc::clone(&town);
        let source = Source::start(move |number, _| {
            if number == 1 {
                let ctx = ctx_of(officer(), acting.clock.now());
                acting.pool.write_now::<_, FlowError>(|tx| suspend(tx, &ctx, "metro", "a doubt")).unwrap();
            }
            ok(trips(&[i64::try_from(number).unwrap()]))
        });
        declare_feed(&town, &source, "/trips?end_time={to:hour}", "");
        let pulled = pull(&town);
        assert_eq!((pulled.requests, source.asked().len()), (2, 2));
        let feed = stand(&town);
        assert_eq!(feed.state, "suspended");
        assert_eq!(feed.watermark.0, noon() - TimeDelta::hours(3), "the second hour is asked for again");
        town.clock.advance(TimeDelta::days(1));
        assert_eq!(pull(&town).turns, 0);
        assert_eq!(town.wealth(account).0, 936, "what came in before the word counts");
    }
}

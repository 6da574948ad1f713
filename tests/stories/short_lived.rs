//! Nonces and counters shared through a real Redis, and what happens when it is away.

use std::time::Duration;

use secrecy::SecretString;
use tanpuhui::config::Quota;
use tanpuhui::gateway::ShortLived;

fn redis() -> Option<ShortLived> {
    let Ok(url) = std::env::var("TANPUHUI_TEST_REDIS") else {
        eprintln!("SKIPPED, no Redis: set TANPUHUI_TEST_REDIS, or run scripts/test");
        return None;
    };
    Some(ShortLived::new(Some(&SecretString::from(url))).expect("the address is sound"))
}

/// A name that no other test run uses.
fn name() -> String {
    uuid::Uuid::now_v7().simple().to_string()
}

#[tokio::test]
async fn a_nonce_is_new_once_on_all_nodes() {
    let (Some(one), Some(other)) = (redis(), redis()) else {
        return;
    };
    let nonce = name();
    let keep = Duration::from_millis(300);
    assert!(one.once(&nonce, keep).await.expect("Redis answers"));
    assert!(!other.once(&nonce, keep).await.expect("Redis answers"));
    tokio::time::sleep(keep * 2).await;
    assert!(other.once(&nonce, keep).await.expect("Redis answers"));
}

#[tokio::test]
async fn a_quota_is_counted_on_all_nodes() {
    let (Some(one), Some(other)) = (redis(), redis()) else {
        return;
    };
    let (caller, quota) = (name(), Quota { per_minute: 4 });
    let mut left = Vec::new();
    for node in [&one, &other, &one, &other] {
        let verdict = node.count(&caller, quota).await;
        assert!(verdict.allowed);
        left.push(verdict.remaining);
    }
    assert_eq!(left, [3, 2, 1, 0]);
    let refused = one.count(&caller, quota).await;
    assert!(!refused.allowed);
    assert!(refused.wait > Duration::from_secs(13) && refused.wait <= Duration::from_secs(15));
    assert!(one.count(&name(), quota).await.allowed);
}

#[tokio::test]
async fn without_redis_nonces_are_refused_and_limits_still_hold() {
    // Nothing listens on port 1.
    let away = SecretString::from("redis://127.0.0.1:1");
    let store = ShortLived::new(Some(&away)).expect("the address is sound");
    assert!(store.once("n", Duration::from_secs(1)).await.is_err());
    let quota = Quota { per_minute: 1 };
    assert!(store.count("c", quota).await.allowed);
    assert!(
        !store.count("c", quota).await.allowed,
        "this node counts for itself"
    );
}

//! Numbers for Prometheus.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Upper bounds of the duration buckets, in seconds.
const DURATION_BUCKETS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0,
];

/// What this process counted, ready to be shown.
#[derive(Clone)]
pub struct Numbers(Option<PrometheusHandle>);

impl Numbers {
    /// In Prometheus' text format.
    pub fn render(&self) -> String {
        self.0
            .as_ref()
            .map(PrometheusHandle::render)
            .unwrap_or_default()
    }

    /// Frees what old samples hold; called now and then.
    pub fn upkeep(&self) {
        if let Some(handle) = &self.0 {
            handle.run_upkeep();
        }
    }
}

/// The process's counters; the first call starts counting.
pub fn numbers() -> Numbers {
    static NUMBERS: OnceLock<Numbers> = OnceLock::new();
    NUMBERS.get_or_init(install).clone()
}

fn install() -> Numbers {
    let duration = Matcher::Suffix("_seconds".to_owned());
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(duration, &DURATION_BUCKETS)
        .and_then(PrometheusBuilder::install_recorder);
    match handle {
        Ok(handle) => Numbers(Some(handle)),
        Err(error) => {
            tracing::warn!(%error, "numbers are not counted");
            Numbers(None)
        }
    }
}

//! What the platform says about itself: log lines and numbers. Neither holds personal data: a
//! request is named by its route's pattern, never by its address or its query.

mod metrics;
mod requests;

pub use self::metrics::{Numbers, numbers};
pub use requests::{RequestSpan, observe};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::prelude::*;

/// Sends log lines to stderr: as JSON, or for people. A second call changes nothing.
///
/// # Errors
/// The filter cannot be read.
pub fn start_logging(
    json: bool,
    filter: &str,
) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::builder().parse(filter)?;
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    // An error here means that logging runs already: a test process starts many servers.
    let _ = match json {
        true => registry.with(lines.json().flatten_event(true)).try_init(),
        false => registry.with(lines.with_target(false)).try_init(),
    };
    Ok(())
}

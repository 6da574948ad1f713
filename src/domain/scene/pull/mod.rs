//! Pull feeds (拉取数据源): a scene whose partner publishes and does not post. What an officer
//! declares, which requests are due, what an answer means, and what follows from it: all pure.
//! `flow::pull` keeps it, `jobs::pull_feeds` does it, `docs/pull-feeds.md` explains it.

mod answer;
mod auth;
mod cursor;
mod declaration;
mod link;
mod page;
mod plan;
mod state;
mod template;

pub use answer::Meaning;
pub use auth::Auth;
pub use cursor::at_pointer;
pub use declaration::{Declaration, parse};
pub use link::next_link;
pub use page::{PAGES_MAX, PageRule};
pub use plan::{Plan, Window, floor_hour};
pub use state::{End, Next, State};
pub use template::{Template, with_parameter};

use crate::domain::problem::{Code, Detail, Problem};

/// A refusal of one key of a declaration: `pull.every_minutes`.
fn refused(key: &str, detail: Detail) -> Problem {
    Problem::at(Code::InvalidField, format!("pull.{key}"), detail)
}

#[cfg(test)]
mod tests;

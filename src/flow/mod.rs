//! Use cases: one function, one transaction. No network: what must leave the house is written to
//! the outbox and a job delivers it.

mod block;
mod error;
mod period_root;

pub mod access;
pub mod approve;
pub mod audit;
pub mod audit_books;
pub mod catalogue;
pub mod close_period;
pub mod close_voucher;
pub mod end_link;
pub mod expire_points;
pub mod explain;
pub mod group_commit;
pub mod ingest;
pub mod issue;
pub mod link_subject;
pub mod list_on_market;
pub mod log_keys;
pub mod merchant;
pub mod my_subjects;
pub mod open_holder;
pub mod open_scene;
pub mod prove;
pub mod pull;
pub mod quantify_periods;
pub mod redeem;
pub mod register_partner;
pub mod release_voucher;
pub mod replay;
pub mod retire;
pub mod sequence_log;
pub mod settle;
pub mod settle_trade;
pub mod share_subject;
pub mod show_leaf;
pub mod show_links;
pub mod transfer;
pub mod verify_period;
pub mod write_off;
pub use block::Part;
pub use period_root::period_root;

pub use error::{FlowError, FlowResult};

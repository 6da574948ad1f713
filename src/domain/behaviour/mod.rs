//! Behaviour records (行为记录): what a scene partner says somebody did, in one normal form
//! whatever the feed's own format was; and the keys by which every act is counted once.

mod canonical;
mod claim;
mod record;
mod stored;
mod subject;

pub use canonical::{Canonical, Writer};
pub use claim::{ClaimKey, declared_key, source_key};
pub use record::{Quantity, READING, REGISTER, Record};
pub use subject::{SubjectHash, subject_hash};

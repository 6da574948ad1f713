//! Scenes (场景): where behaviour is observed, the adapters that read each feed's own format, and
//! what is pulled where a partner does not push.

pub mod adapter;
pub mod pull;

//! Scenes (场景): where behaviour is observed, and the adapters that read each feed's own format.

pub mod adapter;

//! A partner's records over HTTP: what comes in, what is told of it, and what stays stored.

mod batch;
mod cloudevents;
mod explain;
mod file;
mod kill;
mod link;
mod race;
mod refusal;

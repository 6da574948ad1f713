//! The few hot statements whose text may differ between the databases. One test feeds both the
//! same rows and compares what the tables then hold.

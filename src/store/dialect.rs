//! The macro for statements that diesel's connection enum cannot express.

/// Compiles one diesel expression once per database, for the statements that the enum's backend
/// lacks: `ON CONFLICT`, inserts of many rows, `FOR UPDATE`. The same text, two types.
macro_rules! each_backend {
    ($conn:expr, |$c:ident| $e:expr) => {
        match $conn {
            $crate::store::Conn::Pg($c) => $e,
            $crate::store::Conn::Sqlite($c) => $e,
        }
    };
}

//! What can go wrong between a flow and its rows.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

pub type StoreResult<T> = Result<T, StoreError>;

/// An error of the store. Constraint names come through, so that a flow can tell which rule broke.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("no such row")]
    NotFound,
    /// A unique key, a check or a foreign key refused the write; the text names the constraint.
    #[error("constraint refused the write: {0}")]
    Constraint(String),
    /// Another transaction won; the same transaction may succeed when run again.
    #[error("the transaction lost against another one")]
    Busy,
    #[error("no connection to the database")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A stored value that this program could not have written.
    #[error("stored value is corrupt: {0}")]
    Corrupt(String),
    #[error("the database address must be postgres://… or sqlite:path")]
    Target,
    #[error("database error")]
    Database(#[source] DieselError),
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> StoreError {
        match &error {
            DieselError::NotFound => StoreError::NotFound,
            DieselError::DatabaseError(kind, info) => match kind {
                DatabaseErrorKind::UniqueViolation
                | DatabaseErrorKind::ForeignKeyViolation
                | DatabaseErrorKind::NotNullViolation
                | DatabaseErrorKind::CheckViolation
                | DatabaseErrorKind::ExclusionViolation => {
                    let name = info.constraint_name().unwrap_or_default();
                    StoreError::Constraint(format!("{name} {}", info.message()).trim().to_owned())
                }
                DatabaseErrorKind::SerializationFailure => StoreError::Busy,
                // libpq gives deadlocks (40P01) and SQLite gives SQLITE_BUSY no kind of their own.
                _ if info.message().contains("deadlock detected")
                    || info.message().contains("database is locked") =>
                {
                    StoreError::Busy
                }
                // Raised by a trigger, the form that SQLite's constraints over several rows take.
                _ if info.message().starts_with("constraint ") => {
                    StoreError::Constraint(info.message().to_owned())
                }
                DatabaseErrorKind::ClosedConnection => StoreError::Unavailable(Box::new(error)),
                _ => StoreError::Database(error),
            },
            _ => StoreError::Database(error),
        }
    }
}

impl StoreError {
    /// Whether the constraint of this name (or SQLite's text for it) refused the write.
    pub fn is_constraint(&self, name: &str) -> bool {
        matches!(self, StoreError::Constraint(text) if text.contains(name))
    }
}

//! What the partner is told, record by record.

use uuid::Uuid;

use crate::domain::problem::{Code, Problem};
use crate::domain::reduction::ReductionId;

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// New; it is counted and credited now, or takes back what was. Without a reduction where
    /// what it cancels had given nothing.
    Accepted {
        reduction: Option<ReductionId>,
        mg: i64,
        points: i64,
        capped: bool,
    },
    /// Seen before with the same content; this is what it gave then.
    Replayed {
        reduction: Option<ReductionId>,
        mg: i64,
        points: i64,
    },
    /// Not taken, with the field and the rule.
    Refused(Problem),
    /// Sound, but it waits: for its subject to be linked, for its other half.
    Held(Code),
}

/// The answers of one batch, in the order of the submission, and their sums.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    pub batch: Uuid,
    pub answers: Vec<Answer>,
    pub accepted: usize,
    pub replayed: usize,
    pub refused: usize,
    pub held: usize,
    pub reduction_mg: i64,
    pub points: i64,
}

impl Receipt {
    /// Adds the answers up.
    pub fn of(batch: Uuid, answers: Vec<Answer>) -> Receipt {
        let mut receipt = Receipt {
            batch,
            answers,
            accepted: 0,
            replayed: 0,
            refused: 0,
            held: 0,
            reduction_mg: 0,
            points: 0,
        };
        for answer in &receipt.answers {
            match answer {
                Answer::Accepted { mg, points, .. } => {
                    receipt.accepted += 1;
                    receipt.reduction_mg += mg;
                    receipt.points += points;
                }
                Answer::Replayed { .. } => receipt.replayed += 1,
                Answer::Refused(_) => receipt.refused += 1,
                Answer::Held(_) => receipt.held += 1,
            }
        }
        receipt
    }
}

//! What a partner is told of each record.

use serde::Serialize;
use uuid::Uuid;

use crate::api::ProblemBody;
use crate::flow::ingest::{Answer, Receipt};

/// What became of a batch.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ReceiptBody {
    /// The batch's name in the ledger; absent where a single record brought nothing new.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<Uuid>,
    #[serde(flatten)]
    pub summary: Summary,
    /// In the order in which the records were sent.
    pub records: Vec<AnswerBody>,
}

/// Sums over the answers.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
pub struct Summary {
    pub accepted: usize,
    pub replayed: usize,
    pub refused: usize,
    pub held: usize,
    /// Milligrams of CO₂e of what was accepted now.
    pub reduction_mg: i64,
    /// Points credited now.
    pub points: i64,
}

/// What became of one record.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum AnswerBody {
    /// New: counted and credited now.
    Accepted {
        /// Of a cancellation: of the counter-entry; absent where what it cancels gave nothing.
        #[schema(example = "0193439d53f07c2e8a1f0c5f3f2b8a11-17")]
        #[serde(skip_serializing_if = "Option::is_none")]
        reduction_id: Option<String>,
        mg: i64,
        points: i64,
        /// The day's cap on points cut something off; the reduction is whole.
        capped: bool,
    },
    /// Seen before with the same content: what it gave then.
    Replayed {
        #[serde(skip_serializing_if = "Option::is_none")]
        reduction_id: Option<String>,
        mg: i64,
        points: i64,
    },
    /// Not taken.
    Refused { problem: ProblemBody },
    /// Sound, but it waits.
    Held { reason: &'static str },
}

impl From<&Answer> for AnswerBody {
    fn from(answer: &Answer) -> AnswerBody {
        match answer {
            Answer::Accepted {
                reduction,
                mg,
                points,
                capped,
            } => AnswerBody::Accepted {
                reduction_id: reduction.map(|id| id.to_string()),
                mg: *mg,
                points: *points,
                capped: *capped,
            },
            Answer::Replayed {
                reduction,
                mg,
                points,
            } => AnswerBody::Replayed {
                reduction_id: reduction.map(|id| id.to_string()),
                mg: *mg,
                points: *points,
            },
            Answer::Refused(problem) => AnswerBody::Refused {
                problem: ProblemBody::new(problem),
            },
            Answer::Held(code) => AnswerBody::Held {
                reason: code.as_str(),
            },
        }
    }
}

impl From<&Receipt> for Summary {
    fn from(receipt: &Receipt) -> Summary {
        Summary {
            accepted: receipt.accepted,
            replayed: receipt.replayed,
            refused: receipt.refused,
            held: receipt.held,
            reduction_mg: receipt.reduction_mg,
            points: receipt.points,
        }
    }
}

impl Summary {
    /// Adds another batch's sums.
    pub fn add(&mut self, other: Summary) {
        self.accepted += other.accepted;
        self.replayed += other.replayed;
        self.refused += other.refused;
        self.held += other.held;
        self.reduction_mg += other.reduction_mg;
        self.points += other.points;
    }
}

impl From<Receipt> for ReceiptBody {
    fn from(receipt: Receipt) -> ReceiptBody {
        ReceiptBody {
            batch: Some(receipt.batch).filter(|batch| !batch.is_nil()),
            summary: Summary::from(&receipt),
            records: receipt.answers.iter().map(AnswerBody::from).collect(),
        }
    }
}

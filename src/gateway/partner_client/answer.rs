//! What the platform answers, as a partner reads it.

use std::fmt;

use reqwest::Response;
use serde::Deserialize;

use super::error::ClientError;

/// The longest problem read.
pub(super) const PROBLEM_BYTES_MAX: usize = 64 << 10;

/// What became of a batch.
#[derive(Debug, Clone, Deserialize)]
pub struct BatchReceipt {
    #[serde(default)]
    pub batch: Option<String>,
    #[serde(flatten)]
    pub sums: Sums,
    /// In the order in which the records were sent.
    pub records: Vec<RecordAnswer>,
}

/// Sums over the answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Sums {
    pub accepted: u64,
    pub replayed: u64,
    pub refused: u64,
    pub held: u64,
    /// Milligrams of CO₂e of what was accepted now.
    pub reduction_mg: i64,
    /// Points credited now.
    pub points: i64,
}

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RecordAnswer {
    Accepted {
        reduction_id: Option<String>,
        mg: i64,
        points: i64,
        #[serde(default)]
        capped: bool,
    },
    Replayed {
        #[serde(default)]
        reduction_id: Option<String>,
        mg: i64,
        points: i64,
    },
    Refused {
        problem: ProblemAnswer,
    },
    Held {
        /// A code, such as `subject_not_linked`.
        reason: String,
    },
}

/// One line of the answer to a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum FileLine {
    /// The last line.
    Summary { summary: Sums },
    Record {
        place: String,
        #[serde(flatten)]
        answer: RecordAnswer,
    },
}

/// A refusal: RFC 9457 members that matter to a partner.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ProblemAnswer {
    /// Empty if the answer was no problem document, such as a proxy's.
    pub code: String,
    pub title: String,
    pub title_zh: String,
    pub param: Option<String>,
    pub detail: String,
    pub detail_zh: String,
}

impl ProblemAnswer {
    /// Reads a problem document; any other body becomes its first words as the detail.
    pub(super) fn read(body: &[u8]) -> ProblemAnswer {
        serde_json::from_slice(body).unwrap_or_else(|_| ProblemAnswer {
            detail: String::from_utf8_lossy(body).chars().take(200).collect(),
            ..ProblemAnswer::default()
        })
    }
}

impl fmt::Display for ProblemAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.param.as_deref().map(|field| format!("[{field}]"));
        let parts = [
            self.code.as_str(),
            &self.title_zh,
            &self.title,
            field.as_deref().unwrap_or_default(),
            &self.detail_zh,
            &self.detail,
        ];
        let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        f.write_str(&said.join(" "))
    }
}

/// A whole body of at most `bytes_max`.
///
/// # Errors
/// [`ClientError::Unexpected`] if it is longer; [`ClientError::NoAnswer`] if it breaks off.
pub(in crate::gateway) async fn bounded(
    mut response: Response,
    bytes_max: usize,
) -> Result<Vec<u8>, ClientError> {
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(ClientError::NoAnswer)? {
        if body.len() + piece.len() > bytes_max {
            let what = format!("it is longer than {bytes_max} bytes");
            return Err(ClientError::Unexpected(what));
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

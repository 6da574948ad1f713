//! How a reduction is named: the batch it came in, and its place there.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::domain::problem::{Code, Problem, detail};

/// The name of one reduction, for ever: `0193…-17`. The same pair names the leaf in the public
/// log and, unless the reduction names another origin, the behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReductionId {
    pub batch: Uuid,
    pub pos: u32,
}

impl ReductionId {
    /// The id's 20 bytes: the batch's, then the place, big-endian.
    pub fn to_bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        let (batch, pos) = bytes.split_at_mut(16);
        batch.copy_from_slice(self.batch.as_bytes());
        pos.copy_from_slice(&self.pos.to_be_bytes());
        bytes
    }
}

impl fmt::Display for ReductionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.batch.simple(), self.pos)
    }
}

impl FromStr for ReductionId {
    type Err = Problem;

    fn from_str(text: &str) -> Result<ReductionId, Problem> {
        let parsed = text.split_once('-').and_then(|(batch, pos)| {
            let batch = Uuid::try_parse(batch).ok()?;
            let id = ReductionId {
                batch,
                pos: pos.parse().ok()?,
            };
            (id.to_string() == text).then_some(id)
        });
        parsed.ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                "reduction_id",
                detail!(
                    "减排量编号由 32 位十六进制数字、一个连字符和一个数字组成",
                    "a reduction id is 32 hex digits, a hyphen and a number"
                ),
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_id_is_told_in_both_languages() {
        let told = "1-2".parse::<ReductionId>().unwrap_err().detail;
        assert_eq!(
            told.zh(),
            "减排量编号由 32 位十六进制数字、一个连字符和一个数字组成"
        );
        assert!(told.en().starts_with("a reduction id is 32 hex digits"));
    }

    proptest! {
        #[test]
        fn an_id_reads_back(batch: u128, pos: u32) {
            let id = ReductionId { batch: Uuid::from_u128(batch), pos };
            prop_assert_eq!(id.to_string().parse::<ReductionId>(), Ok(id));
        }

        #[test]
        fn any_text_is_an_id_or_a_problem(text in "\\PC{0,60}") {
            if let Ok(id) = text.parse::<ReductionId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }
    }
}

//! How well a value or a text is known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Confidence grade (可信等级) of a parameter's value or of a methodology's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Grade {
    /// Read in the issued document itself.
    D,
    /// The document itself, but only its opening, its contents page or a damaged extract.
    #[serde(rename = "D-part")]
    DPart,
    /// Two or more independent secondary sources agree.
    S2,
    /// One secondary source.
    S,
    /// Our arithmetic on published factors.
    C,
    /// From memory.
    M,
    /// Judged wrong or made up; never to be used.
    X,
}

impl Grade {
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::D => "D",
            Grade::DPart => "D-part",
            Grade::S2 => "S2",
            Grade::S => "S",
            Grade::C => "C",
            Grade::M => "M",
            Grade::X => "X",
        }
    }

    /// What the go-live gate asks of a parameter with this grade.
    pub fn of_value(self) -> Demand {
        match self {
            Grade::D => Demand::Nothing,
            Grade::S2 => Demand::Reviewer,
            Grade::DPart | Grade::S | Grade::C | Grade::M | Grade::X => Demand::Never,
        }
    }

    /// What the go-live gate asks of a formula's text with this grade: a reviewer can compare a
    /// formula that was reported with the issued text; nobody can vouch for one that was made up.
    pub fn of_text(self) -> Demand {
        match self {
            Grade::D => Demand::Nothing,
            Grade::DPart | Grade::S2 | Grade::S => Demand::Reviewer,
            Grade::C | Grade::M | Grade::X => Demand::Never,
        }
    }
}

impl fmt::Display for Grade {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What stands between a value and going live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    Nothing,
    Reviewer,
    Never,
}

//! The five types of event.

use serde_json::value::RawValue;

use super::fields::{invalid, missing, text};
use crate::domain::problem::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Aggregation,
    Transaction,
    Transformation,
    Association,
}

impl Kind {
    pub(super) fn of(field: Option<&RawValue>) -> Result<Kind, Problem> {
        match text("type", field)?.as_deref() {
            Some("ObjectEvent") => Ok(Kind::Object),
            Some("AggregationEvent") => Ok(Kind::Aggregation),
            Some("TransactionEvent") => Ok(Kind::Transaction),
            Some("TransformationEvent") => Ok(Kind::Transformation),
            Some("AssociationEvent") => Ok(Kind::Association),
            Some(_) => Err(invalid("type", "none of the five event types of EPCIS 2.0")),
            None => Err(missing("type")),
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Object => "object",
            Kind::Aggregation => "aggregation",
            Kind::Transaction => "transaction",
            Kind::Transformation => "transformation",
            Kind::Association => "association",
        }
    }
}

//! The five types of event.

use serde_json::value::RawValue;

use super::fields::{invalid, missing, text};
use crate::domain::problem::{Code, Problem, detail};

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
            Some(_) => Err(invalid(
                "type",
                detail!(
                    "不是 EPCIS 2.0 的五种事件类型之一",
                    "none of the five event types of EPCIS 2.0"
                ),
            )),
            None => Err(missing("type")),
        }
    }

    /// An event of this kind names nothing that could be counted or weighed.
    pub(super) fn nothing_measured(self) -> Problem {
        let (field, detail) = match self {
            Kind::Object | Kind::Transaction => (
                "quantityList",
                detail!(
                    "没有写明对象，也没有数量",
                    "no object and no quantity is named"
                ),
            ),
            Kind::Aggregation | Kind::Association => (
                "childQuantityList",
                detail!("没有写明子项或其数量", "no child is named or counted"),
            ),
            Kind::Transformation => (
                "outputQuantityList",
                detail!("没有写明产出或其数量", "no output is named or counted"),
            ),
        };
        Problem::at(Code::MissingField, field, detail)
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

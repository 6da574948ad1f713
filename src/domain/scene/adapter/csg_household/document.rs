//! One answer of the online hall, and the envelope that says whose it is.
//!
//! The identifiers of what was asked (`areaCode`, `eleCustNumber` or `bindingId`,
//! `meteringPointId`, `yearMonth`) may stand beside the answer, in `request`, or within `data`;
//! the answer itself may be the envelope's `data` or stand open in it.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::json_text::object;
use super::super::scalar::Scalar;
use crate::domain::problem::{Code, Problem, detail};

/// What the service answers when all is well.
const SUCCESS: &str = "00";

/// 日电量 or 账单.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Daily,
    Bills,
}

impl Kind {
    /// In Chinese and in English.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        match self {
            Kind::Daily => ("日电量", "daily reads"),
            Kind::Bills => ("账单", "bills"),
        }
    }

    /// The array that shows the kind.
    pub(super) fn array(self) -> &'static str {
        match self {
            Kind::Daily => "result",
            Kind::Bills => "electricAndChargeList",
        }
    }
}

/// An envelope, a request or an answer: each may have any of the fields.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Part<'a> {
    #[serde(borrow)]
    pub(super) area_code: Scalar<'a>,
    #[serde(borrow)]
    pub(super) ele_cust_number: Scalar<'a>,
    #[serde(borrow)]
    pub(super) binding_id: Scalar<'a>,
    #[serde(borrow)]
    pub(super) ele_cust_id: Scalar<'a>,
    #[serde(borrow)]
    pub(super) metering_point_id: Scalar<'a>,
    #[serde(borrow)]
    pub(super) year_month: Scalar<'a>,
    #[serde(borrow, rename = "stated_at")]
    pub(super) stated_at: Scalar<'a>,
    #[serde(borrow)]
    sta: Scalar<'a>,
    #[serde(borrow)]
    request: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) total_power: Scalar<'a>,
    #[serde(borrow)]
    pub(super) result: Option<Vec<Day<'a>>>,
    #[serde(borrow)]
    pub(super) total_billing_electricity: Scalar<'a>,
    #[serde(borrow)]
    pub(super) electric_and_charge_list: Option<Vec<Bill<'a>>>,
}

#[derive(Deserialize)]
pub(super) struct Day<'a> {
    #[serde(borrow, default)]
    pub(super) date: Scalar<'a>,
    #[serde(borrow, default)]
    pub(super) power: Scalar<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Bill<'a> {
    #[serde(borrow, default)]
    pub(super) year_month: Scalar<'a>,
    #[serde(borrow, default)]
    pub(super) billing_electricity: Scalar<'a>,
    /// First and last billed day.
    #[serde(borrow, default)]
    pub(super) from: Scalar<'a>,
    #[serde(borrow, default)]
    pub(super) to: Scalar<'a>,
}

pub(super) struct Document<'a> {
    envelope: Part<'a>,
    request: Option<Part<'a>>,
    data: Option<Part<'a>>,
}

impl<'a> Document<'a> {
    /// # Errors
    /// The text is no JSON object of this shape.
    pub(super) fn read(text: &'a str) -> Result<Document<'a>, serde_json::Error> {
        let envelope: Part<'a> = object(text)?;
        let part = |raw: Option<&'a RawValue>| {
            let text = raw.map(RawValue::get).filter(|text| *text != "null");
            text.map(object::<Part<'a>>).transpose()
        };
        Ok(Document {
            request: part(envelope.request)?,
            data: part(envelope.data)?,
            envelope,
        })
    }

    pub(super) fn answer(&self) -> &Part<'a> {
        self.data.as_ref().unwrap_or(&self.envelope)
    }

    /// The answer's own pointer within the document.
    pub(super) fn pointer(&self) -> &'static str {
        if self.data.is_some() { "/data" } else { "" }
    }

    /// Where what was asked may stand: beside the answer, in `request`, within the answer.
    pub(super) fn asked(&self) -> impl Iterator<Item = &Part<'a>> {
        let parts = [
            Some(&self.envelope),
            self.request.as_ref(),
            self.data.as_ref(),
        ];
        parts.into_iter().flatten()
    }

    /// # Errors
    /// `invalid_field` at `sta`: the service refused; `missing_field`: no answer of either kind;
    /// `invalid_field`: both.
    pub(super) fn kind(&self) -> Result<Kind, Problem> {
        let sta = self.envelope.sta.text();
        if !sta.is_empty() && sta != SUCCESS {
            let detail = detail!(
                "不是 {SUCCESS}：服务未返回数据",
                "not {SUCCESS}: the service answered nothing"
            );
            return Err(Problem::at(Code::InvalidField, "sta", detail));
        }
        let answer = self.answer();
        let (days, bills) = (&answer.result, &answer.electric_and_charge_list);
        match (days, bills) {
            (Some(_), None) => Ok(Kind::Daily),
            (None, Some(_)) => Ok(Kind::Bills),
            (None, None) => Err(Problem::at(
                Code::MissingField,
                Kind::Daily.array(),
                detail!("也没有 electricAndChargeList", "nor electricAndChargeList"),
            )),
            (Some(_), Some(_)) => Err(Problem::at(
                Code::InvalidField,
                Kind::Daily.array(),
                detail!(
                    "同一应答中既有日电量又有账单",
                    "daily reads and bills in one answer"
                ),
            )),
        }
    }
}

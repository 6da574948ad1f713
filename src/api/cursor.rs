//! Pages: how many rows, and an opaque word for where the next page begins.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::ApiResult;
use crate::domain::problem::{Code, Problem, detail};

/// The most rows in one page.
pub const PAGE_ROWS_MAX: i64 = 200;
/// Rows in a page when nobody says how many.
pub const PAGE_ROWS: i64 = 50;

/// Which page is asked for.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// `next` of the page before; nothing for the first.
    pub cursor: Option<String>,
    /// Rows a page, 1 to 200; 50 if not given.
    pub limit: Option<i64>,
}

impl PageQuery {
    /// # Errors
    /// `invalid_field` for a limit out of range or a cursor that is not ours.
    pub fn read<P: DeserializeOwned>(&self) -> ApiResult<(Option<P>, i64)> {
        let limit = rows(self.limit)?;
        Ok((self.cursor.as_deref().map(place).transpose()?, limit))
    }
}

/// # Errors
/// `invalid_field` for a number out of range.
pub fn rows(limit: Option<i64>) -> ApiResult<i64> {
    match limit.unwrap_or(PAGE_ROWS) {
        limit @ 1..=PAGE_ROWS_MAX => Ok(limit),
        _ => Err(Problem::at(
            Code::InvalidField,
            "limit",
            detail!(
                "须在 1 至 {PAGE_ROWS_MAX} 之间",
                "must be between 1 and {PAGE_ROWS_MAX}"
            ),
        )
        .into()),
    }
}

/// # Errors
/// `invalid_field` for a cursor that is not ours.
pub fn place<P: DeserializeOwned>(cursor: &str) -> ApiResult<P> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| {
            let detail = detail!("不是本平台给出的游标", "is not one of ours");
            Problem::at(Code::InvalidField, "cursor", detail).into()
        })
}

/// The word for a place.
pub fn cursor(place: &impl Serialize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(serde_json::to_vec(place).unwrap_or_default())
}

/// Cuts rows that were read with one more than `limit`, and says where the next page begins.
pub fn cut<T, P: Serialize>(
    rows: &mut Vec<T>,
    limit: i64,
    place: impl FnOnce(&T) -> P,
) -> Option<String> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() <= limit {
        return None;
    }
    rows.truncate(limit);
    rows.last().map(|last| cursor(&place(last)))
}

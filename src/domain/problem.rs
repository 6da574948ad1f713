//! The one table of refusals: code, kind, Chinese and English text. HTTP statuses are chosen from
//! the kind in `api::problem` only; a new code needs a caller who acts differently on it.

use std::fmt;

/// What sort of refusal it is; the HTTP status follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The request says something that cannot be (400).
    Invalid,
    /// Nobody proved who calls (401).
    Unauthenticated,
    /// The caller is known and may not (403).
    Forbidden,
    /// Nothing of that name (404).
    NotFound,
    /// It contradicts what is already recorded (409).
    Conflict,
    /// Larger than a stated bound (413).
    TooLarge,
    /// A format that is not read here (415).
    Unsupported,
    /// Understood, and a rule refuses it (422).
    Refused,
    /// Too often (429).
    TooMany,
    /// Not our caller's fault, try again (503).
    Unavailable,
    /// A defect of ours (500).
    Internal,
}

macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $code:literal $kind:ident $zh:literal $en:literal;)*) => {
        /// A stable code; clients branch on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in table order.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];
            pub fn as_str(self) -> &'static str { match self { $(Code::$name => $code,)* } }
            pub fn kind(self) -> Kind { match self { $(Code::$name => Kind::$kind,)* } }
            pub fn zh(self) -> &'static str { match self { $(Code::$name => $zh,)* } }
            pub fn en(self) -> &'static str { match self { $(Code::$name => $en,)* } }
        }
    };
}

problems! {
    // --- general ---------------------------------------------------------------------------
    Internal "internal" Internal "系统内部错误，已记录" "An internal error; it has been recorded.";
    Unavailable "unavailable" Unavailable "服务暂时不可用，请稍后重试" "The service is briefly unavailable; try again.";
    NotFound "not_found" NotFound "没有找到" "There is nothing of that name.";
    InvalidField "invalid_field" Invalid "字段的值不合规则" "The field's value breaks a rule.";
    MissingField "missing_field" Invalid "缺少必填字段" "A required field is missing.";
    UnknownField "unknown_field" Invalid "出现未知字段" "A field that is not known here.";
    TooManyRequests "too_many_requests" TooMany "请求过于频繁" "Too many requests.";
    BodyTooLarge "body_too_large" TooLarge "请求体超过上限" "The body is larger than the limit.";
    UnsupportedFormat "unsupported_format" Unsupported "不支持的格式" "The format is not read here.";
    IdempotencyMismatch "idempotency_mismatch" Refused "同一幂等键的内容不同" "The same Idempotency-Key was used with other content.";

    // --- party: who calls ------------------------------------------------------------------
    TokenInvalid "token_invalid" Unauthenticated "访问令牌无效或已过期" "The access token is unknown or has expired.";
    RoleMissing "role_missing" Forbidden "没有执行此操作的权限" "The caller's role does not allow this.";

    // --- scene and behaviour ---------------------------------------------------------------

    // --- methodology -----------------------------------------------------------------------
    UnitMismatch "unit_mismatch" Refused "计量单位与方法学要求不符" "The quantity's unit measures something else than the methodology asks for.";
    QuantityOutOfRange "quantity_out_of_range" Refused "数值超出合理范围" "The quantity is outside the plausible range.";
    Ineligible "ineligible" Refused "不符合方法学适用条件" "The methodology does not apply to this behaviour.";
    NeedsReview "needs_review" Refused "需要人工复核" "A person must review this behaviour.";
    FactorMissing "factor_missing" Refused "没有适用的因子" "No factor is in force for this key and time.";
    FormulaUndefined "formula_undefined" Refused "公式在此输入下无定义" "The formula has no value for these inputs.";
    NegativeReduction "negative_reduction" Refused "减排量为负，不予计入" "The reduction is below zero and is not counted.";
    MethodologyNotInForce "methodology_not_in_force" Refused "该时间没有生效的方法学" "No version of the methodology is in force at the time of the event.";
    MethodologyDraft "methodology_draft" Refused "方法学尚为草案，缺少参数" "The methodology is a draft: a parameter is blank or not known well enough.";

    // --- wallet and redemption -------------------------------------------------------------

    // --- verification and registry ---------------------------------------------------------

    // --- market ----------------------------------------------------------------------------

    // --- log -------------------------------------------------------------------------------
}

/// A refusal as data: its code, the offending parameter, and what exactly broke the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// The field, header or row that offends: `quantities.distance`, `line 12`, `Signature`.
    pub param: Option<String>,
    /// One sentence for the caller, safe to publish; empty when the code says it all.
    pub detail: String,
}

impl Problem {
    pub fn new(code: Code) -> Problem {
        Problem {
            code,
            param: None,
            detail: String::new(),
        }
    }

    pub fn at(code: Code, param: impl Into<String>, detail: impl Into<String>) -> Problem {
        Problem {
            code,
            param: Some(param.into()),
            detail: detail.into(),
        }
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Problem {
        Problem::new(code)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.code.en())?;
        if let Some(param) = &self.param {
            write!(f, " [{param}]")?;
        }
        if !self.detail.is_empty() {
            write!(f, " {}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_unique_snake_case_and_bilingual() {
        let mut seen = std::collections::BTreeSet::new();
        for code in Code::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "code {text} stands twice");
            assert!(
                text.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
            );
            assert!(!code.zh().is_ascii(), "{text} has no Chinese text");
            assert!(
                code.en().ends_with('.'),
                "{text}: the English text is a sentence"
            );
        }
    }
}

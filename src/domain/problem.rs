//! The one table of refusals: code, kind, Chinese and English text. HTTP statuses are chosen from
//! the kind in `api::problem` only; a new code needs a caller who acts differently on it.

use std::fmt;

mod detail;

pub use detail::Detail;
pub(crate) use detail::detail;

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
    /// Something of that name, and not this method (405).
    NotAllowed,
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
    MethodNotAllowed "method_not_allowed" NotAllowed "此地址不支持该方法" "The method is not served at this address.";
    InvalidField "invalid_field" Invalid "字段的值不合规则" "The field's value breaks a rule.";
    MissingField "missing_field" Invalid "缺少必填字段" "A required field is missing.";
    UnknownField "unknown_field" Invalid "出现未知字段" "A field that is not known here.";
    TooManyRequests "too_many_requests" TooMany "请求过于频繁" "Too many requests.";
    BodyTooLarge "body_too_large" TooLarge "请求体超过上限" "The body is larger than the limit.";
    UnsupportedFormat "unsupported_format" Unsupported "不支持的格式" "The format is not read here.";
    IdempotencyMismatch "idempotency_mismatch" Refused "同一幂等键的内容不同" "The same Idempotency-Key was used with other content.";
    IdempotencyRunning "idempotency_running" Conflict "同一幂等键的请求正在处理" "A request with the same Idempotency-Key is still running.";
    VersionUnknown "version_unknown" Invalid "不支持的接口版本" "The API-Version is not served here.";
    CrossSite "cross_site" Forbidden "拒绝来自其他站点的请求" "The request comes from another site.";

    // --- party: who calls ------------------------------------------------------------------
    TokenInvalid "token_invalid" Unauthenticated "访问令牌无效或已过期" "The access token is unknown or has expired.";
    RoleMissing "role_missing" Forbidden "没有执行此操作的权限" "The caller's role does not allow this.";
    SignatureMissing "signature_missing" Unauthenticated "请求未签名" "The request carries no signature.";
    SignatureMalformed "signature_malformed" Invalid "签名字段的格式不正确" "A signature field cannot be read.";
    KeyUnknown "key_unknown" Unauthenticated "签名密钥未登记或已停用" "The signing key is not registered or has been withdrawn.";
    SignatureStale "signature_stale" Unauthenticated "签名时间超出允许范围" "The signature was made outside the accepted time window.";
    ComponentMissing "component_missing" Unauthenticated "签名未覆盖必需的内容" "The signature does not cover a required part of the request.";
    DigestMismatch "digest_mismatch" Invalid "请求体与摘要不符" "The body does not match its Content-Digest.";
    SignatureInvalid "signature_invalid" Unauthenticated "签名验证未通过" "The signature does not verify.";
    NonceMissing "nonce_missing" Unauthenticated "签名缺少随机数，或其长度不符" "The signature needs a nonce of 16 to 64 characters.";
    NonceReused "nonce_reused" Unauthenticated "签名随机数已被使用" "The signature's nonce has been used before.";

    // --- scene and behaviour ---------------------------------------------------------------
    EncodingUnsupported "encoding_unsupported" Unsupported "文件编码不受支持，只读 UTF-8 与 GBK" "The encoding is not read here; UTF-8 (with or without BOM) and GBK are.";
    FormatMismatch "format_mismatch" Invalid "文件不是该适配器的格式" "The file is not in this adapter's format.";
    FileTruncated "file_truncated" Invalid "文件不完整，在中途结束" "The file ends in the middle of a row or element.";
    LineTooLong "line_too_long" TooLarge "单行或单个元素超过长度上限" "One line or element is longer than the limit.";
    BatchTooLarge "batch_too_large" TooLarge "一批记录超过 10000 条" "A batch has more than 10,000 records.";
    EntityRefused "entity_refused" Invalid "XML 含有 DTD 或自定义实体，已拒绝" "The XML has a DTD or an entity of its own; neither is read.";
    RowMalformed "row_malformed" Invalid "该行格式错误" "The row cannot be read.";
    TimeInvalid "time_invalid" Invalid "时间无法识别或在该时区不存在" "The time cannot be read, or does not exist in its zone.";
    DurationMismatch "duration_mismatch" Refused "时长与起止时间不符" "The stated duration is not the end less the start.";
    QuantityOutOfRange "quantity_out_of_range" Refused "数量为负或超出合理范围" "The quantity is negative or beyond any sensible bound.";
    UnitMissing "unit_missing" Refused "读数没有计量单位" "The reading has no unit of measure.";
    UnitUnsupported "unit_unsupported" Refused "计量单位或读数类型不受支持" "The unit or kind of reading is not one that is counted.";
    ReadingIncomplete "reading_incomplete" Refused "读数不完整，有时段没有数值" "Part of the period has no value yet; the whole of it is not counted.";
    SummaryOnly "summary_only" Refused "只有账期汇总，没有区间读数" "A summary of the billing period, without interval readings of it.";
    DuplicateReading "duplicate_reading" Conflict "读数重复或与另一读数时段重叠" "The row repeats or overlaps another of the same file.";
    UnpairedTap "unpaired_tap" Refused "刷卡没有对应的进站或出站" "The tap has no partner tap yet.";
    BusWithoutAlighting "bus_without_alighting" Refused "公交刷卡没有下车记录" "A bus tap says nothing of where the rider left.";
    SingleReading "single_reading" Refused "该车当天只有一次里程读数" "The vehicle has one odometer reading on that day; a distance needs two.";
    PeriodUnknown "period_unknown" Refused "账单未说明起止日期" "Nothing says which days the bill covers.";
    TotalMismatch "total_mismatch" Refused "合计与明细之和不符" "The stated total is not the sum of its parts.";
    DistanceUnknown "distance_unknown" Refused "里程未知：场景的里程表中没有该区间，也没有可用的轨迹" "The distance is not known: the scene's table has no such pair of places, and no track shows it.";

    PeriodOpen "period_open" Refused "记录已存，待核算周期结束后计算" "The record is kept; it is counted when its accounting period has closed.";
    RevisedUnknown "revised_unknown" Refused "被更正的记录不存在，或不属于同一场景与用户" "The record to be revised is not known, or is of another scene or subject.";
    RevisedAwaited "revised_awaited" Refused "被取消的记录尚未到达，取消已保存，记录到达时不再计入" "The record that it cancels has not come; the cancellation is kept, and the record will earn nothing.";
    RecordCancelled "record_cancelled" Conflict "该记录在到达之前已被取消，不予计入" "The record was cancelled before it came; it earns nothing.";
    Superseded "superseded" Conflict "该记录已有更新的版本" "A later statement of this record is held already.";
    RecordConflict "record_conflict" Conflict "同一记录编号已有不同内容" "The source record id was used before with other content.";
    AlreadyClaimed "already_claimed" Conflict "该行为已被另一条记录申领" "Another record has already claimed this act.";
    OverlappingAct "overlapping_act" Conflict "与同一人的另一次出行时间重叠" "It overlaps in time with another trip of the same person.";
    SubjectNotLinked "subject_not_linked" Refused "该用户尚未绑定碳账户，记录暂存" "The subject has not linked a carbon account; the record is held.";
    EventInFuture "event_in_future" Refused "行为时间在未来" "The act lies in the future.";
    LinkCodeInvalid "link_code_invalid" Refused "绑定码无效、已过期或已使用" "The link code is not ours, has lapsed, or was used.";
    ActTooLong "act_too_long" Refused "一次出行超过二十四小时" "A trip of more than 24 hours is not one trip.";
    SelfApproval "self_approval" Forbidden "不得批准自己提交的内容" "Nobody approves what they submitted.";
    DocumentBlocked "document_blocked" Refused "文件尚不满足上线条件" "The document does not meet the conditions for going live.";
    DocumentDefect "document_defect" Invalid "文件有缺陷" "The document has a defect.";
    SceneUnknown "scene_unknown" NotFound "没有此场景" "There is no such scene.";
    SceneNotLive "scene_not_live" Refused "场景当前不接收数据" "The scene does not take records at present.";
    SubjectLinked "subject_linked" Conflict "该用户已绑定碳账户" "The subject is linked to an account already.";
    LinkEnded "link_ended" Conflict "该绑定已结束，或在所选日期之前结束" "The link has ended, or ends before the day that was asked for.";
    NotOwner "not_owner" Forbidden "只有绑定该户号或车辆的本人可以设置份额" "Only the one to whom the household or vehicle is linked sets its shares.";
    SubjectPersonal "subject_personal" Refused "个人行为只记在本人名下，不能共享" "What a person did counts for that person; only a household, vehicle or site is shared.";
    MemberLimit "member_limit" Refused "共享人数超过上限" "More people than may share one household or vehicle.";
    MemberTwice "member_twice" Conflict "同一个人只能有一份" "The same person is named twice.";
    MemberUnknown "member_unknown" Refused "没有该成员，请用对方的绑定码添加" "There is no such member; a new one is added by a link code.";
    ShareDay "share_day" Refused "份额最早从明天起，最晚一年内生效" "Shares begin tomorrow at the earliest and within a year.";
    PullFailed "pull_failed" Unavailable "数据源未应答或应答不可用，稍后重试" "The source did not answer, or not in a way that can be used; it is asked again.";
    PullDenied "pull_denied" Refused "数据源拒绝了平台的凭证，已停止拉取" "The source refuses the platform's credential; pulling has stopped.";
    PullAddressRefused "pull_address_refused" Forbidden "该地址不允许访问" "The address is not one that the platform may reach.";
    CredentialMissing "credential_missing" Refused "平台设置中没有此凭证" "The platform's settings hold no credential of this name.";
    // --- methodology -----------------------------------------------------------------------
    UnitMismatch "unit_mismatch" Refused "计量单位与方法学要求不符" "The quantity's unit measures something else than the methodology asks for.";
    Ineligible "ineligible" Refused "不符合方法学适用条件" "The methodology does not apply to this behaviour.";
    NeedsReview "needs_review" Refused "需要人工复核" "A person must review this behaviour.";
    FactorMissing "factor_missing" Refused "没有适用的因子" "No factor is in force for this key and time.";
    FormulaUndefined "formula_undefined" Refused "公式在此输入下无定义" "The formula has no value for these inputs.";
    NegativeReduction "negative_reduction" Refused "减排量为负，不予计入" "The reduction is below zero and is not counted.";
    PeriodCrossed "period_crossed" Refused "记录跨越核算周期或时段的边界" "The record reaches beyond its accounting period or time band.";
    PeriodIncomplete "period_incomplete" Refused "核算周期内的数据不完整" "A part of the accounting period has no record.";
    PeriodMixed "period_mixed" Refused "同一核算周期内的记录互相矛盾" "Records of one accounting period contradict each other.";
    HistoryMissing "history_missing" Refused "历史数据不足，无法计算基准" "Too little is known of the time before to compute the baseline.";
    MethodologyNotInForce "methodology_not_in_force" Refused "该时间没有生效的方法学" "No version of the methodology is in force at the time of the event.";
    MethodologyDraft "methodology_draft" Refused "方法学尚为草案，缺少参数" "The methodology is a draft: a parameter is blank or not known well enough.";

    // --- wallet and redemption -------------------------------------------------------------
    PointsInsufficient "points_insufficient" Refused "可用积分不足" "The account has too few points that can be spent.";
    OfferNotOpen "offer_not_open" Refused "该商品当前不可兑换" "The offer cannot be redeemed at present.";
    OutOfStock "out_of_stock" Refused "已兑完" "Nothing is left of this offer.";
    VoucherCodeMistyped "voucher_code_mistyped" Invalid "券码有误，请核对" "This is not a voucher code; a character is wrong or missing.";
    VoucherElsewhere "voucher_elsewhere" Forbidden "该券属于其他商户" "The voucher is another merchant's.";
    VoucherUsed "voucher_used" Conflict "该券已核销" "The voucher has been written off.";
    VoucherCancelled "voucher_cancelled" Conflict "该券已取消" "The voucher was cancelled.";
    VoucherExpired "voucher_expired" Conflict "该券已过期" "The voucher has expired.";
    CancelTooLate "cancel_too_late" Refused "已超过可取消的时间" "The time in which a voucher can be cancelled is over.";

    // --- verification and registry ---------------------------------------------------------
    PeriodState "period_state" Conflict "监测期当前状态不允许此操作" "The monitoring period is not in the state that this step needs.";
    PeriodOverlaps "period_overlaps" Conflict "与该场景已有的监测期重叠" "The window overlaps an earlier monitoring period of the scene.";
    PeriodNotOver "period_not_over" Refused "监测期尚未结束" "The monitoring period has not ended yet.";
    PredecessorUnverified "predecessor_unverified" Conflict "上一监测期尚未核证" "The scene's earlier monitoring period is not verified yet.";
    SameActor "same_actor" Forbidden "不得审核本人提交的事项" "Nobody may approve what they submitted.";
    RecountDiffers "recount_differs" Conflict "复算结果与监测期记录不一致" "Re-adding the members does not give the period's sum.";
    SerialInvalid "serial_invalid" Invalid "序列号格式不正确" "The serial number cannot be read.";
    BlockState "block_state" Conflict "区块当前状态不允许此操作" "The block is not in the state that this step needs.";
    BlockChanged "block_changed" Conflict "区块已被另一操作更改，请重试" "Another act changed the block first; look again.";
    NotHolder "not_holder" Forbidden "区块不在该账户名下" "The block is in another holder's account.";
    HolderExists "holder_exists" Conflict "账户编号或交易会员代码已被使用" "A holder with this code or exchange member exists.";

    // --- market ----------------------------------------------------------------------------
    PriceInvalid "price_invalid" Invalid "价格格式不正确" "The price is not yuan with two decimals on the tick.";
    PriceOutsideBand "price_outside_band" Refused "价格超出当日涨跌幅限制" "The price is outside the day's limits.";
    ListingState "listing_state" Conflict "挂牌当前状态不允许此操作" "The listing is not in the state that this step needs.";

    // --- log -------------------------------------------------------------------------------
    LogNotPlaced "log_not_placed" NotFound "尚未进入公开日志，请稍后再试" "It has no place in the public log yet; try again shortly.";
    LogProofInvalid "log_proof_invalid" Refused "默克尔证明不成立" "The Merkle proof does not hold.";
    LogSizeInvalid "log_size_invalid" Invalid "日志中没有该位置" "The log has no such size or position.";
    CheckpointMalformed "checkpoint_malformed" Invalid "检查点的格式不正确" "The checkpoint or its key cannot be read.";
    CheckpointUntrusted "checkpoint_untrusted" Refused "检查点未经可信密钥签名" "The checkpoint is not signed by the expected key.";
}

/// A refusal as data: its code, the offending parameter, and what exactly broke the rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    /// The field, header or row that offends: `quantities.distance`, `line 12`, `Signature`.
    pub param: Option<String>,
    pub detail: Detail,
}

impl Problem {
    pub fn new(code: Code) -> Problem {
        Problem {
            code,
            param: None,
            detail: Detail::default(),
        }
    }

    /// The field offends, and the code says it all.
    pub fn on(code: Code, param: impl Into<String>) -> Problem {
        Problem::at(code, param, Detail::default())
    }

    pub fn at(code: Code, param: impl Into<String>, detail: Detail) -> Problem {
        Problem {
            code,
            param: Some(param.into()),
            detail,
        }
    }

    /// As [`fmt::Display`] tells it, in Chinese: the code's sentence, the field, what broke the rule.
    pub fn zh(&self) -> String {
        let mut told = self.code.zh().to_owned();
        if let Some(param) = &self.param {
            told.push_str(&format!(" [{param}]"));
        }
        if !self.detail.zh().is_empty() {
            told.push_str(&format!("：{}", self.detail.zh()));
        }
        told
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
    use super::{Code, Problem, detail};

    #[test]
    fn a_refusal_is_told_in_either_language() {
        let detail = detail!("最多 2 个", "at most 2");
        let problem = Problem::at(Code::InvalidField, "members", detail);
        assert_eq!(problem.zh(), "字段的值不合规则 [members]：最多 2 个");
        assert!(problem.to_string().ends_with(" [members] at most 2"));
        assert_eq!(Problem::new(Code::OutOfStock).zh(), "已兑完");
    }

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

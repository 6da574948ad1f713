//! Which periods a document counts by, how records are gathered into them, and what a year's end asks.

use toml::Spanned;

use super::parse_one;
use crate::domain::methodology::check::Checker;
use crate::domain::methodology::compiled::{ApplicabilityCheck, Period, Verdict};
use crate::domain::methodology::defect::Source;
use crate::domain::methodology::document::MethodologyDocument;
use crate::domain::methodology::gather::{Complete, Gathering};
use crate::domain::methodology::slots::{Loaded, one_of};
use crate::domain::problem::detail;

pub(super) fn period(source: Source<'_>, document: &MethodologyDocument) -> Loaded<Period> {
    let known = [
        ("event", Period::Event),
        ("day", Period::Day),
        ("month", Period::Month),
        ("billing", Period::Billing),
        ("campaign", Period::Campaign),
        ("year", Period::Year),
    ];
    one_of(source, &document.scope.period, &known)
}

/// Whether records are gathered, and how: documents with `[period]`.
pub(super) fn gathering(
    source: Source<'_>,
    document: &MethodologyDocument,
    period: Period,
) -> Loaded<Option<Gathering>> {
    let at = document.scope.period.span().start;
    let Some(entry) = &document.period else {
        return match period {
            Period::Event | Period::Day | Period::Month => Ok(None),
            _ => Err(source.defect(
                at,
                detail!(
                    "此核算周期需要 [period]：记录归集于周期",
                    "this period needs [period]: records are gathered into it"
                ),
            )),
        };
    };
    let declared = entry.get_ref();
    let day = |entry: &Option<Spanned<String>>| -> Loaded<Option<chrono::NaiveDate>> {
        let Some(entry) = entry else { return Ok(None) };
        let parsed = entry.get_ref().parse();
        parsed.map(Some).map_err(|_| {
            source.defect(
                entry.span().start,
                detail!("`{}` 不是日期", "`{}` is not a date", entry.get_ref()),
            )
        })
    };
    let campaign = match (period, day(&declared.from)?, day(&declared.to)?) {
        (Period::Campaign, Some(from), Some(to)) if from <= to => {
            Some((from, to.succ_opt().unwrap_or(to)))
        }
        (Period::Campaign, ..) => {
            return Err(source.defect(
                entry.span().start,
                detail!(
                    "活动须写明首日和末日：`from`、`to`",
                    "a campaign has its first and last day: `from`, `to`"
                ),
            ));
        }
        (_, None, None) => None,
        _ => {
            return Err(source.defect(
                entry.span().start,
                detail!(
                    "`from` 和 `to` 只用于活动",
                    "`from` and `to` are a campaign's"
                ),
            ));
        }
    };
    let complete = declared.complete.as_ref();
    let known = [
        ("any", Complete::Any),
        ("every_day", Complete::EveryDay),
        ("whole", Complete::Whole),
    ];
    let complete = complete
        .map(|entry| one_of(source, entry, &known))
        .transpose()?;
    Ok(Some(Gathering {
        complete: complete.unwrap_or_default(),
        campaign,
    }))
}

/// What the end of a year asks of a subject (事后门槛).
pub(super) fn year_end(
    source: Source<'_>,
    document: &MethodologyDocument,
    checker: &mut Checker<'_>,
) -> Loaded<Option<ApplicabilityCheck>> {
    let Some(entry) = &document.year_end else {
        return Ok(None);
    };
    let formula = parse_one(source, &entry.require)?;
    checker.in_year_end = true;
    let logic = checker.truth_formula(&formula);
    checker.in_year_end = false;
    let known = [("reverse", Verdict::Ineligible)];
    Ok(Some(ApplicabilityCheck {
        logic: logic?,
        text: formula.tree.to_string(),
        verdict: one_of(source, &entry.otherwise, &known)?,
        reason: entry.reason.clone(),
        zh: entry.zh.clone(),
        en: entry.en.clone(),
    }))
}

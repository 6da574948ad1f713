//! The life of a methodology document: filed as a draft, signed by reviewers, gone live.

use crate::domain::context::Ctx;
use crate::domain::methodology::{Blocker, Library, SignOffs};
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::wallet::ExchangeRule;
use crate::store::methodology::{
    ExchangeRuleRow, MethodologyRow, SignoffRow, document, documents, exchange_rule_rows, file,
    file_exchange_rule, next_id, set_state, sign, signoffs,
};
use crate::store::{StoreError, Tx};

use super::audit::{Change, record};
use super::{FlowError, FlowResult};

/// A document as it was filed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FiledAs {
    pub id: i32,
    pub code: String,
    pub version: String,
    pub hash: [u8; 32],
}

/// Files a document as a draft. Filing the same text again changes nothing.
///
/// # Errors
/// The text has a defect (the place is named), or the version is filed with another text.
pub fn file_document(tx: &mut Tx<'_>, ctx: &Ctx, text: &str) -> FlowResult<FiledAs> {
    let known = documents(tx)?;
    // A document meets its own other versions and the tables that it pins: its text names both.
    let mut texts: Vec<(&str, &str)> = known
        .iter()
        .filter(|row| text.contains(row.code.as_str()))
        .map(|row| ("filed", row.document.as_str()))
        .collect();
    if let Some(same) = known.iter().find(|row| row.document == text) {
        return filed_as(same);
    }
    texts.push(("document", text));
    // One that is only mentioned may lack its own tables here: what counts is whether this loads.
    let (library, defects) = Library::load_what_can_be(texts);
    let own = defects.iter().find(|defect| defect.file == "document");
    let (code, version, sha256) =
        newest(&library, text).map_err(|error| match own.or(defects.last()) {
            Some(defect) => Problem::at(Code::DocumentDefect, "document", defect.told()).into(),
            None => error,
        })?;
    let hash: [u8; 32] = hex::decode(&sha256)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(Code::Internal)?;
    let row = MethodologyRow {
        id: next_id(tx)?,
        code,
        version,
        hash: hash.to_vec(),
        document: text.to_owned(),
        state: "draft".to_owned(),
        submitted_by: ctx.actor.id.into(),
        added_at: ctx.now.into(),
        live_at: None,
    };
    file(tx, &row)?;
    let subject = format!("{}@{}", row.code, row.version);
    record(
        tx,
        ctx,
        "methodology.file",
        &subject,
        "filed as a draft",
        Change {
            before: None,
            after: Some(hash),
        },
    )?;
    filed_as(&row)
}

/// Code, version and hash of the document whose text this is.
fn newest(library: &Library, text: &str) -> FlowResult<(String, String, String)> {
    let methodology = library
        .methodologies()
        .find(|compiled| compiled.text() == text)
        .map(|compiled| {
            (
                compiled.code().to_owned(),
                compiled.version().to_owned(),
                compiled.sha256().to_owned(),
            )
        });
    let table = || {
        library
            .tables()
            .iter()
            .find(|table| table.text() == text)
            .map(|table| {
                (
                    table.code().to_owned(),
                    table.version().to_owned(),
                    table.sha256().to_owned(),
                )
            })
    };
    methodology
        .or_else(table)
        .ok_or_else(|| FlowError::from(Code::Internal))
}

fn filed_as(row: &MethodologyRow) -> FlowResult<FiledAs> {
    let hash = row.hash.as_slice().try_into();
    Ok(FiledAs {
        id: row.id,
        code: row.code.clone(),
        version: row.version.clone(),
        hash: hash.map_err(|_| StoreError::Corrupt("methodologies.hash".to_owned()))?,
    })
}

/// A named reviewer signs one item of a document, as the go-live gate names it.
///
/// # Errors
/// No such document, or the reviewer has signed the item already.
pub fn sign_off(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    code: &str,
    version: &str,
    item: &str,
    reviewer: &str,
    basis: &str,
) -> FlowResult<()> {
    let row = document(tx, code, version)?.ok_or(Code::NotFound)?;
    if reviewer.trim().is_empty() {
        let detail = detail!("审核人须具名", "a reviewer has a name");
        return Err(Problem::at(Code::InvalidField, "reviewer", detail).into());
    }
    sign(
        tx,
        &SignoffRow {
            methodology_id: row.id,
            parameter: item.to_owned(),
            reviewer: reviewer.to_owned(),
            basis: basis.to_owned(),
            signed_at: ctx.now.into(),
        },
    )?;
    record(
        tx,
        ctx,
        "methodology.sign_off",
        item,
        basis,
        Change::default(),
    )
}

/// Puts a draft in force, if the go-live gate lets it through.
///
/// # Errors
/// No such draft, the officer submitted it, or the gate names what is missing.
pub fn go_live(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    code: &str,
    version: &str,
    basis: &str,
) -> FlowResult<()> {
    let row = document(tx, code, version)?.ok_or(Code::NotFound)?;
    if row.submitted_by.0 == ctx.actor.id {
        return Err(Code::SelfApproval.into());
    }
    let known = documents(tx)?;
    let library = Library::load(known.iter().map(|row| ("filed", row.document.as_str())))
        .map_err(|defects| StoreError::Corrupt(defects[0].to_string()))?;
    let compiled = library.get(code, version).ok_or_else(|| {
        Problem::at(
            Code::DocumentBlocked,
            "code",
            detail!(
                "因子表由方法学引用，本身不上线",
                "a factor table is used, not put in force"
            ),
        )
    })?;
    let signed: SignOffs = signoffs(tx)?
        .into_iter()
        .map(|row| (row.parameter, row.reviewer))
        .collect();
    let blockers = compiled.blockers(&signed);
    if let Some(first) = blockers.first() {
        return Err(
            Problem::at(Code::DocumentBlocked, first.item.clone(), all_of(&blockers)).into(),
        );
    }
    if !set_state(tx, row.id, "draft", "live", ctx.now.into())? {
        let detail = detail!("文件不是草案", "it is not a draft");
        return Err(Problem::at(Code::DocumentBlocked, "state", detail).into());
    }
    let hash = row.hash.as_slice().try_into().ok();
    let change = Change {
        before: hash,
        after: hash,
    };
    record(
        tx,
        ctx,
        "methodology.go_live",
        &format!("{code}@{version}"),
        basis,
        change,
    )
}

/// Every blocker, in one sentence of each language.
fn all_of(blockers: &[Blocker]) -> Detail {
    let told: Vec<Detail> = blockers.iter().map(Blocker::told).collect();
    let zh: Vec<&str> = told.iter().map(Detail::zh).collect();
    let en: Vec<&str> = told.iter().map(Detail::en).collect();
    let count = blockers.len();
    Detail::told(
        format_args!("还有 {count} 项未满足：{}", zh.join(" | ")),
        format_args!("{count} to clear. {}", en.join(" | ")),
    )
}

/// Files an exchange rule. Filing the same text again changes nothing.
///
/// # Errors
/// The text has a defect, or the version is filed with another text.
pub fn file_rule(tx: &mut Tx<'_>, ctx: &Ctx, text: &str, basis: &str) -> FlowResult<i32> {
    let rows = exchange_rule_rows(tx)?;
    if let Some(same) = rows.iter().find(|row| row.document == text) {
        return Ok(same.id);
    }
    let rule = ExchangeRule::parse(text)
        .map_err(|error| Problem::at(Code::DocumentDefect, "document", error.into_detail()))?;
    let row = ExchangeRuleRow {
        id: rows.last().map_or(0, |row| row.id) + 1,
        code: rule.code,
        version: rule.version,
        hash: rule.hash.to_vec(),
        document: text.to_owned(),
        effective_from: rule.effective_from.into(),
    };
    file_exchange_rule(tx, &row)?;
    let change = Change {
        before: None,
        after: Some(rule.hash),
    };
    let subject = format!("{}@{}", row.code, row.version);
    record(tx, ctx, "exchange_rule.file", &subject, basis, change)?;
    Ok(row.id)
}

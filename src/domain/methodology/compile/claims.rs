//! What a document claims: its exclusivity keys, and which of its acts exclude each other in time.

use crate::domain::methodology::compiled::{ClaimPart, Overlap};
use crate::domain::methodology::defect::Source;
use crate::domain::methodology::document::MethodologyDocument;
use crate::domain::methodology::slots::{Loaded, one_of};
use crate::domain::problem::detail;

pub(super) fn claims(
    source: Source<'_>,
    document: &MethodologyDocument,
) -> Loaded<Vec<Vec<ClaimPart>>> {
    let mut claims = Vec::new();
    for template in &document.claims.exclusivity_keys {
        let mut parts = Vec::new();
        for name in template.get_ref() {
            parts.push(match name.as_str() {
                "subject" => ClaimPart::Subject,
                "day" => ClaimPart::Day,
                "month" => ClaimPart::Month,
                "year" => ClaimPart::Year,
                "from" => ClaimPart::From,
                other => match document.inputs.get(other) {
                    Some(input) if input.get_ref().form.get_ref() != "quantity" => {
                        ClaimPart::Attribute(other.to_owned())
                    }
                    _ => {
                        let message = detail!(
                            "`{other}` 不是本文件的属性，也不是 subject、day、month、year、from 之一", "`{other}` is no attribute of this document and none of subject, day, month, year, from"
                        );
                        return Err(source.defect(template.span().start, message));
                    }
                },
            });
        }
        claims.push(parts);
    }
    Ok(claims)
}

pub(super) fn overlap(
    source: Source<'_>,
    document: &MethodologyDocument,
) -> Loaded<Option<Overlap>> {
    let known = [("person-time", Overlap::PersonTime)];
    let entry = document.claims.overlap.as_ref();
    entry.map(|entry| one_of(source, entry, &known)).transpose()
}

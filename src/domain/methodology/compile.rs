//! From a methodology document to its compiled form: every slot checked, every formula compiled.

mod claims;
mod period;
mod tables;

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use toml::Spanned;

use super::calendar::calendars;
use super::check::{Checker, Formula, round_node};
use super::compiled::{ApplicabilityCheck, Compiled, Parameter, Verdict};
use super::defect::Source;
use super::dictionary::Dictionary;
use super::document::{MethodologyDocument, ParameterEntry};
use super::factor_table::{FactorTable, Window};
use super::formula::{self, Expression, Form};
use super::gwp;
use super::input::{Input, of_unit};
use super::net::{self, Net};
use super::program::{NodeId, Program};
use super::slots::{
    Loaded, compile_curves, decimal, inputs, one_of, quantity, several_to_claim, unit,
};
use super::table::{Note, Origin};
use crate::domain::problem::detail;
use crate::domain::unit::{Base, Conversion, Dimension, Rounding, Unit};

use claims::{claims, overlap};
use period::{gathering, period, year_end};
use tables::{compile_tables, pin, pinned_name};

/// Names that formulas read without the document declaring them.
const RESERVED: [&str; 2] = ["event_year", "event_month"];

/// Compiles one methodology; `tables` are the factor tables that it may pin.
pub(crate) fn compile(
    source: Source<'_>,
    document: MethodologyDocument,
    sha256: String,
    tables: &[FactorTable],
) -> Loaded<Compiled> {
    let window = Window::of(source, &document.effect)?;
    let formulas = parse_formulas(source, &document)?;
    let checks = parse_all(
        source,
        document.applicability.iter().map(|check| &check.require),
    )?;
    let pinned = pin(source, &document, tables)?;
    let period = period(source, &document)?;
    let gathering = gathering(source, &document, period)?;
    let dictionary = dictionary(&document, &formulas, &checks, &pinned);
    let mut inputs = inputs(source, &document, &dictionary)?;
    let mut parameters = parameters(source, &document)?;
    let net = Net::declare(source, &document, &dictionary, &mut inputs, &mut parameters)?;
    names_are_distinct(source, &document, &inputs)?;
    let claims = claims(source, &document)?;
    if gathering.is_some() {
        several_to_claim(&document, &claims, &mut inputs);
    }
    let program = Program {
        tables: compile_tables(source, &document, &pinned, &dictionary, window)?,
        curves: compile_curves(source, &document)?,
        calendars: calendars(source, document.calendars.iter(), &dictionary)?,
        ..Program::default()
    };
    gwp::check(source, &document, &pinned, &program.tables)?;
    let units: Vec<(String, Unit)> = parameters
        .iter()
        .map(|parameter| (parameter.name.clone(), parameter.unit.clone()))
        .collect();
    let mut checker = Checker::new(
        source,
        &inputs,
        &units,
        &document.sets,
        &formulas,
        &dictionary,
        program,
    );
    checker.period = period;
    checker.gathered = gathering.is_some();
    let mut applicability = Vec::with_capacity(checks.len());
    for (formula, entry) in checks.iter().zip(&document.applicability) {
        applicability.push(ApplicabilityCheck {
            logic: checker.truth_formula(formula)?,
            text: formula.tree.to_string(),
            verdict: verdict(source, &entry.otherwise)?,
            reason: entry.reason.clone(),
            zh: entry.zh.clone(),
            en: entry.en.clone(),
        });
    }
    let (result, result_unit) = reduction(source, &document, &mut checker, &formulas, &net)?;
    // Values that nothing reads are checked as well.
    for name in formulas.keys().filter(|name| *name != "reduction") {
        checker.unread(name)?;
    }
    let year_end = year_end(source, &document, &mut checker)?;
    let program = checker.program;
    let to_mg = to_milligrams(source, &document, &result_unit)?;
    let overlap = overlap(source, &document)?;
    let negative = negative(source, &document)?;
    let formula_text = formula_texts(&document);
    Ok(Compiled {
        file: source.file.to_owned(),
        text_of_file: source.text.to_owned(),
        sha256,
        window,
        inputs,
        parameter_values: parameters.iter().map(|parameter| parameter.value).collect(),
        parameters,
        pinned: pinned.iter().map(|(_, table)| pinned_name(table)).collect(),
        dictionary,
        program,
        applicability,
        result,
        result_unit,
        to_mg,
        negative,
        claims,
        overlap,
        period,
        gathering,
        year_end,
        formula_text,
        identity: document.identity,
        region: document.scope.region,
        scene: document.scope.scene,
        subject: document.scope.subject.into_inner(),
        quantity_kind: document.scope.quantity_kind.into_inner(),
        gwp_set: document.scope.gwp_set.into_inner(),
        prose: document.text,
        sources: document.sources,
        reviewers: document.go_live.reviewers.max(1),
        examples: document.examples,
    })
}

pub(super) fn parse_one<'d>(source: Source<'_>, entry: &'d Spanned<String>) -> Loaded<Formula<'d>> {
    let tree = formula::parse(entry.get_ref())
        .map_err(|fault| source.defect(source.inside(&entry.span(), fault.from), fault.message))?;
    Ok(Formula { entry, tree })
}

fn parse_all<'d>(
    source: Source<'_>,
    entries: impl Iterator<Item = &'d Spanned<String>>,
) -> Loaded<Vec<Formula<'d>>> {
    entries.map(|entry| parse_one(source, entry)).collect()
}

/// Derived values, and the named parts of the reduction, in one name space.
fn parse_formulas<'d>(
    source: Source<'_>,
    document: &'d MethodologyDocument,
) -> Loaded<BTreeMap<String, Formula<'d>>> {
    let formula = &document.formula;
    let parts = [
        ("baseline", &formula.baseline),
        ("project", &formula.project),
        ("leakage", &formula.leakage),
        ("discount", &formula.discount),
    ];
    let parts = parts
        .into_iter()
        .filter_map(|(name, entry)| Some((name, entry.as_ref()?)));
    let mut formulas = BTreeMap::new();
    for (name, entry) in document
        .derived
        .iter()
        .map(|(name, entry)| (name.as_str(), entry))
        .chain(parts)
        .chain([("reduction", &formula.reduction)])
    {
        if formulas
            .insert(name.to_owned(), parse_one(source, entry)?)
            .is_some()
        {
            let message = detail!(
                "`{name}` 是 [formula] 的一部分，不能同时是派生值",
                "`{name}` is a part of [formula] and cannot be derived as well"
            );
            return Err(source.defect(entry.span().start, message));
        }
    }
    Ok(formulas)
}

fn formula_texts(document: &MethodologyDocument) -> Vec<(String, String)> {
    let formula = &document.formula;
    let parts = [
        ("baseline", formula.baseline.as_ref()),
        ("project", formula.project.as_ref()),
        ("leakage", formula.leakage.as_ref()),
        ("discount", formula.discount.as_ref()),
        ("reduction", Some(&formula.reduction)),
    ];
    document
        .derived
        .iter()
        .map(|(name, entry)| (name.clone(), entry.get_ref().clone()))
        .chain(parts.into_iter().filter_map(|(name, entry)| {
            entry.map(|entry| (name.to_owned(), entry.get_ref().clone()))
        }))
        .chain(net::texts(document))
        .collect()
}

fn dictionary(
    document: &MethodologyDocument,
    formulas: &BTreeMap<String, Formula<'_>>,
    checks: &[Formula<'_>],
    pinned: &[(String, &FactorTable)],
) -> Dictionary {
    let mut words: Vec<String> = Vec::new();
    for input in document.inputs.values() {
        words.extend(input.get_ref().values.iter().cloned());
    }
    words.extend(document.sets.values().flatten().cloned());
    let own = document.tables.values().map(Spanned::get_ref);
    for entry in own.chain(pinned.iter().map(|(_, table)| &table.entry)) {
        words.extend(
            entry
                .rows
                .iter()
                .flat_map(|row| row.get_ref().key.iter().cloned()),
        );
        for (child, parent) in &entry.parents {
            words.extend([child.clone(), parent.clone()]);
        }
    }
    for calendar in document.calendars.values() {
        words.extend(calendar.get_ref().texts().map(str::to_owned));
    }
    if let Some(evidence) = &document.evidence {
        words.extend(evidence.get_ref().levels.keys().cloned());
    }
    for formula in formulas.values().chain(checks) {
        collect_texts(&formula.tree, &mut words);
    }
    Dictionary::new(words)
}

fn collect_texts(tree: &Expression, words: &mut Vec<String>) {
    match &tree.form {
        Form::Text(text) => words.push(text.clone()),
        Form::Case { arms, .. } => words.extend(arms.iter().map(|(key, _)| key.clone())),
        _ => {}
    }
    for child in tree.form.children() {
        collect_texts(child, words);
    }
}

fn parameters(source: Source<'_>, document: &MethodologyDocument) -> Loaded<Vec<Parameter>> {
    let entries = document.parameters.iter();
    entries
        .map(|(name, entry)| parameter(source, name, entry.get_ref()))
        .collect()
}

pub(super) fn parameter(
    source: Source<'_>,
    name: &str,
    entry: &ParameterEntry,
) -> Loaded<Parameter> {
    Ok(Parameter {
        name: name.to_owned(),
        value: entry
            .value
            .as_ref()
            .map(|value| decimal(source, value))
            .transpose()?,
        unit: unit(source, &entry.unit)?,
        origin: Origin {
            document: None,
            year: entry.year,
            source: entry.source.clone(),
            document_no: entry.document_no.clone(),
            grade: entry.grade,
            evidence_sha256: entry.evidence_sha256.clone(),
            note: Note::of(&entry.note_zh, &entry.note),
        },
    })
}

fn names_are_distinct(
    source: Source<'_>,
    document: &MethodologyDocument,
    inputs: &[Input],
) -> Loaded<()> {
    let mut seen: BTreeMap<&str, usize> = RESERVED.iter().map(|name| (*name, 0)).collect();
    let declared = (inputs.iter().map(|input| (input.name.as_str(), 0)))
        .chain(
            document
                .parameters
                .iter()
                .map(|(name, entry)| (name.as_str(), entry.span().start)),
        )
        .chain(
            document
                .tables
                .iter()
                .map(|(name, entry)| (name.as_str(), entry.span().start)),
        )
        .chain(
            document
                .curves
                .iter()
                .map(|(name, entry)| (name.as_str(), entry.span().start)),
        )
        .chain(
            document
                .calendars
                .iter()
                .map(|(name, entry)| (name.as_str(), entry.span().start)),
        )
        .chain(
            document
                .derived
                .iter()
                .map(|(name, entry)| (name.as_str(), entry.span().start)),
        );
    for (name, at) in declared {
        if seen.insert(name, at).is_some() {
            return Err(source.defect(
                at,
                detail!("`{name}` 重名", "`{name}` stands for two things"),
            ));
        }
    }
    Ok(())
}

fn verdict(source: Source<'_>, entry: &Spanned<String>) -> Loaded<Verdict> {
    let known = [
        ("ineligible", Verdict::Ineligible),
        ("needs_review", Verdict::NeedsReview),
    ];
    one_of(source, entry, &known)
}

/// The reduction in its declared unit, rounded as the document asks.
fn reduction(
    source: Source<'_>,
    document: &MethodologyDocument,
    checker: &mut Checker<'_>,
    formulas: &BTreeMap<String, Formula<'_>>,
    net: &Net<'_>,
) -> Loaded<(NodeId, Unit)> {
    let entry = &document.formula;
    let at = entry.reduction.span().start;
    let formula = formulas.get("reduction").ok_or_else(|| {
        source.defect(
            at,
            detail!("文件须有 reduction", "a document has a reduction"),
        )
    })?;
    let declared = unit(source, &entry.unit)?;
    let (node, own) = checker.number_formula(formula)?;
    let node = checker.bring(node, &own, &declared, formula)?;
    let node = net.apply(checker, node, &declared)?;
    let Some(round) = &entry.round else {
        return Ok((node, declared));
    };
    let modes = Rounding::ALL.map(|mode| (mode.as_str(), mode));
    let mode = one_of(source, &round.mode, &modes)?;
    let step = quantity(source, &round.place, &declared)?;
    if step <= Decimal::ZERO {
        return Err(source.defect(
            round.place.span().start,
            detail!("取整位数须大于零", "the place is more than zero"),
        ));
    }
    let rounded = round_node(node, mode, step, &declared);
    checker.program.nodes.push(rounded);
    let last = checker.program.nodes.len() - 1;
    Ok((NodeId(u32::try_from(last).unwrap_or(u32::MAX)), declared))
}

/// From the unit of the result to milligrams; the result must be of the declared kind.
fn to_milligrams(
    source: Source<'_>,
    document: &MethodologyDocument,
    result: &Unit,
) -> Loaded<Conversion> {
    let known = [
        ("co2", ("mgCO2", Base::Co2)),
        ("co2e", ("mgCO2e", Base::Co2e)),
        ("co2e_footprint", ("mgCO2e_footprint", Base::Co2eFootprint)),
    ];
    let (milligram, base) = one_of(source, &document.scope.quantity_kind, &known)?;
    let at = document.formula.unit.span().start;
    if result.dimension() != Dimension::of(base) {
        let message = detail!(
            "结果的单位是 `{result}`，而文件的 quantity_kind 是 {}",
            "the result is in `{result}`, and the document's quantity kind is {}",
            document.scope.quantity_kind.get_ref()
        );
        return Err(source.defect(at, message));
    }
    Unit::parse(milligram)
        .and_then(|milligram| result.conversion_to(&milligram))
        .map_err(|error| source.defect(at, of_unit(&error)))
}

fn negative(source: Source<'_>, document: &MethodologyDocument) -> Loaded<bool> {
    let known = [("refuse", false), ("allow", true)];
    let entry = document.formula.negative.as_ref();
    Ok(entry
        .map(|entry| one_of(source, entry, &known))
        .transpose()?
        .unwrap_or(false))
}

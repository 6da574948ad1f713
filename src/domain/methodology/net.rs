//! From the gross reduction to what is credited, as terms of their own: deductions (扣减), what
//! the evidence is worth (证据等级), the conservativeness discount (保守性折扣). In this order;
//! each is a named step of the explanation.

use rust_decimal::Decimal;
use toml::Spanned;

use super::check::{Checker, Formula};
use super::compile::{parameter, parse_one};
use super::compiled::Parameter;
use super::defect::Source;
use super::dictionary::{Dictionary, Word};
use super::document::MethodologyDocument;
use super::gather::{Combine, Gather};
use super::input::{Input, InputForm, of_unit};
use super::program::{Derived, KeyPart, Node, NodeId};
use super::slots::Loaded;
use crate::domain::problem::detail;
use crate::domain::unit::{Conversion, Unit};

/// The attribute by which a record says how it is evidenced.
const EVIDENCE: &str = "evidence";

/// Slot of the input, and for each level its word and its parameter.
type Levels = (usize, Vec<(Word, usize)>);

/// What stands between gross and net in one document.
pub(super) struct Net<'d> {
    deductions: Vec<(String, Formula<'d>)>,
    evidence: Option<Levels>,
    /// Slot of the parameter, and what brings it to a plain share.
    discount: Option<(usize, Conversion)>,
}

impl<'d> Net<'d> {
    /// Reads the slots; adds the input and the parameters that they bring along.
    pub fn declare(
        source: Source<'d>,
        document: &'d MethodologyDocument,
        dictionary: &Dictionary,
        inputs: &mut Vec<Input>,
        parameters: &mut Vec<Parameter>,
    ) -> Loaded<Net<'d>> {
        let mut deductions = Vec::with_capacity(document.deductions.len());
        for (name, entry) in &document.deductions {
            deductions.push((name.clone(), parse_one(source, &entry.get_ref().take)?));
        }
        let evidence = evidence(source, document, dictionary, inputs, parameters)?;
        let discount = match &document.conservativeness {
            None => None,
            Some(entry) => {
                let stated = parameter(source, "conservativeness", entry.get_ref())?;
                let share = share_of_one(source, entry.span().start, &stated)?;
                parameters.push(stated);
                Some((parameters.len() - 1, share))
            }
        };
        Ok(Net {
            deductions,
            evidence,
            discount,
        })
    }

    /// The net reduction, in the unit of the gross one.
    pub fn apply(&self, checker: &mut Checker<'_>, gross: NodeId, unit: &Unit) -> Loaded<NodeId> {
        let nothing =
            self.deductions.is_empty() && self.evidence.is_none() && self.discount.is_none();
        if nothing {
            return Ok(gross);
        }
        let gross = name(checker, "gross", gross, unit);
        let mut net = gross;
        for (of, formula) in &self.deductions {
            let (node, own) = checker.number_formula(formula)?;
            let node = match own == Unit::one() {
                true => push(checker, Node::Multiply(gross, node)),
                false => checker.bring(node, &own, unit, formula)?,
            };
            let taken = name(checker, &format!("deductions.{of}"), node, unit);
            net = push(checker, Node::Subtract(net, taken));
        }
        if let Some((slot, levels)) = &self.evidence {
            let arms: Vec<(Word, NodeId)> = levels
                .iter()
                .map(|(word, parameter)| (*word, push(checker, Node::Parameter(*parameter))))
                .collect();
            let level = Node::Case {
                of: KeyPart::Attribute(*slot),
                arms: arms.into_boxed_slice(),
                otherwise: None,
            };
            let level = push(checker, level);
            let level = name(checker, "evidence_level", level, &Unit::one());
            net = push(checker, Node::Multiply(net, level));
        }
        if let Some((parameter, share)) = &self.discount {
            let taken = push(checker, Node::Parameter(*parameter));
            let taken = match share.is_identity() {
                true => taken,
                false => push(checker, Node::Convert(taken, *share)),
            };
            let one = push(checker, Node::Constant(Decimal::ONE));
            let left = push(checker, Node::Subtract(one, taken));
            net = push(checker, Node::Multiply(net, left));
        }
        Ok(name(checker, "net", net, unit))
    }
}

/// The texts of the terms, for explanations.
pub(super) fn texts(document: &MethodologyDocument) -> Vec<(String, String)> {
    let mut texts: Vec<(String, String)> = document
        .deductions
        .iter()
        .map(|(name, entry)| {
            (
                format!("deductions.{name}"),
                entry.get_ref().take.get_ref().clone(),
            )
        })
        .collect();
    let mut net = "reduction".to_owned();
    for name in document.deductions.keys() {
        net.push_str(&format!(" - deductions.{name}"));
    }
    if !document.deductions.is_empty()
        && (document.evidence.is_some() || document.conservativeness.is_some())
    {
        net = format!("({net})");
    }
    if document.evidence.is_some() {
        net.push_str(" * evidence_level");
    }
    if document.conservativeness.is_some() {
        net.push_str(" * (1 - conservativeness)");
    }
    if net != "reduction" {
        texts.push(("net".to_owned(), net));
    }
    texts
}

fn evidence(
    source: Source<'_>,
    document: &MethodologyDocument,
    dictionary: &Dictionary,
    inputs: &mut Vec<Input>,
    parameters: &mut Vec<Parameter>,
) -> Loaded<Option<Levels>> {
    let Some(entry) = &document.evidence else {
        return Ok(None);
    };
    let at = entry.span().start;
    if document.inputs.contains_key(EVIDENCE) {
        return Err(source.defect(
            at,
            detail!(
                "有 [evidence] 时，不再把 `evidence` 声明为输入",
                "with [evidence], `evidence` is not declared as an input"
            ),
        ));
    }
    let mut levels = Vec::new();
    for (level, stated) in &entry.get_ref().levels {
        let stated_at = stated.span().start;
        let stated = parameter(source, &format!("{EVIDENCE}.{level}"), stated.get_ref())?;
        if !share_of_one(source, stated_at, &stated)?.is_identity() {
            return Err(source.defect(
                stated_at,
                detail!(
                    "等级须为纯比例，单位为 1",
                    "a level is a plain share, with the unit 1"
                ),
            ));
        }
        parameters.push(stated);
        levels.push((level.clone(), parameters.len() - 1));
    }
    // From best to worst; of several records the worst counts.
    levels.sort_by_key(|(_, slot)| {
        std::cmp::Reverse(parameters.get(*slot).and_then(|level| level.value))
    });
    let usual = entry.get_ref().default.as_ref().map(Spanned::get_ref);
    if let Some(usual) = usual.filter(|usual| !levels.iter().any(|(level, _)| level == *usual)) {
        return Err(source.defect(at, detail!("`{usual}` 不是等级", "`{usual}` is no level")));
    }
    let words = levels
        .iter()
        .map(|(level, _)| (level.clone(), dictionary.find(level)));
    inputs.push(Input {
        name: EVIDENCE.to_owned(),
        form: InputForm::Choice(words.collect()),
        required: true,
        zh: "证据等级".to_owned(),
        en: "Evidence level".to_owned(),
        evidence: String::new(),
        gather: Gather {
            combine: Combine::Worst,
            ..Gather::default()
        },
        usual: usual.map(|usual| dictionary.find(usual)),
    });
    let slots = levels
        .iter()
        .map(|(level, slot)| (dictionary.find(level), *slot));
    Ok(Some((inputs.len() - 1, slots.collect())))
}

/// A share from nothing to all, in a unit that is a plain number.
fn share_of_one(source: Source<'_>, at: usize, stated: &Parameter) -> Loaded<Conversion> {
    let share = stated
        .unit
        .conversion_to(&Unit::one())
        .map_err(|error| source.defect(at, of_unit(&error)))?;
    let value = stated.value.map(|value| share.apply(value));
    let sound = match value {
        None => true,
        Some(Some(value)) => (Decimal::ZERO..=Decimal::ONE).contains(&value),
        Some(None) => false,
    };
    match sound {
        true => Ok(share),
        false => Err(source.defect(
            at,
            detail!("比例须在 0 至 1 之间", "a share lies between 0 and 1"),
        )),
    }
}

fn push(checker: &mut Checker<'_>, node: Node) -> NodeId {
    checker.program.nodes.push(node);
    NodeId(u32::try_from(checker.program.nodes.len() - 1).unwrap_or(u32::MAX))
}

/// Makes a number a named step.
fn name(checker: &mut Checker<'_>, name: &str, node: NodeId, unit: &Unit) -> NodeId {
    checker.program.derived.push(Derived {
        name: name.to_owned(),
        node,
        unit: unit.clone(),
        looks_back: false,
    });
    let slot = checker.program.derived.len() - 1;
    push(checker, Node::Derived(slot))
}

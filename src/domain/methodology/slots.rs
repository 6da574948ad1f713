//! Single slots of a document: units, numbers, choices, inputs and curves.

use rust_decimal::Decimal;
use toml::Spanned;

use super::compiled::ClaimPart;
use super::curve::{Curve, Form as CurveForm};
use super::defect::{Defect, Source};
use super::dictionary::Dictionary;
use super::document::{CurveEntry, InputEntry, MethodologyDocument};
use super::gather::{AsOf, Combine, Gather};
use super::input::{Input, InputForm, QuantityInput, of_unit};
use super::table::{Note, Origin};
use crate::domain::problem::detail;
use crate::domain::unit::{Conversion, Unit, parse_quantity};

pub(super) type Loaded<T> = Result<T, Defect>;

pub(super) fn unit(source: Source<'_>, entry: &Spanned<String>) -> Loaded<Unit> {
    Unit::parse(entry.get_ref()).map_err(|error| source.defect(entry.span().start, of_unit(&error)))
}

pub(super) fn decimal(source: Source<'_>, entry: &Spanned<String>) -> Loaded<Decimal> {
    let text = entry.get_ref();
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-');
    Decimal::from_str_exact(text)
        .ok()
        .filter(|_| plain)
        .ok_or_else(|| {
            source.defect(
                entry.span().start,
                detail!(
                    "`{text}` 不是十进制数值",
                    "`{text}` is not a decimal number"
                ),
            )
        })
}

/// A quantity that a slot states in text, in the unit of the slot.
pub(super) fn quantity(source: Source<'_>, entry: &Spanned<String>, to: &Unit) -> Loaded<Decimal> {
    let (value, own) = parse_quantity(entry.get_ref())
        .map_err(|error| source.defect(entry.span().start, of_unit(&error)))?;
    let conversion = own
        .conversion_to(to)
        .map_err(|error| source.defect(entry.span().start, of_unit(&error)))?;
    conversion.apply(value).ok_or_else(|| {
        source.defect(
            entry.span().start,
            detail!("超出可表示的范围", "out of range"),
        )
    })
}

pub(super) fn inputs(
    source: Source<'_>,
    document: &MethodologyDocument,
    dictionary: &Dictionary,
) -> Loaded<Vec<Input>> {
    let mut inputs = Vec::new();
    for (name, entry) in &document.inputs {
        let form = input_form(source, entry, dictionary)?;
        let declared = entry.get_ref();
        let gather = gather(source, entry, &form)?;
        let input = |name: String| Input {
            name,
            form: form.clone(),
            required: declared.required,
            zh: declared.zh.clone(),
            en: declared.en.clone(),
            evidence: declared.evidence.clone(),
            gather,
            usual: usual(declared, &form, dictionary),
        };
        let calendar = |over: &Spanned<String>| {
            let mut calendars = document.calendars.iter();
            let slot = calendars.position(|(known, _)| known == over.get_ref())?;
            Some((slot, document.calendars.get(over.get_ref())?))
        };
        match &declared.over {
            None => inputs.push(input(name.clone())),
            Some(over) if calendar(over).is_some() => {
                let Some((slot, bands)) = calendar(over) else {
                    continue;
                };
                let mut words: Vec<&str> = bands.get_ref().texts().collect();
                words.sort_unstable();
                words.dedup();
                inputs.extend(words.into_iter().map(|word| {
                    let mut input = input(format!("{name}.{word}"));
                    input.gather.band = Some((slot, dictionary.find(word)));
                    input
                }));
            }
            Some(set) => {
                let members = document.sets.get(set.get_ref()).ok_or_else(|| {
                    source.defect(
                        set.span().start,
                        detail!("`{}` 不是集合", "`{}` is no set", set.get_ref()),
                    )
                })?;
                inputs.extend(
                    members
                        .iter()
                        .map(|member| input(format!("{name}.{member}"))),
                );
            }
        }
    }
    Ok(inputs)
}

/// A text that a key claims by, such as the meter, may take several values in one period where
/// everything else adds up over them: each is claimed. A document that wants one says `same`.
pub(super) fn several_to_claim(
    document: &MethodologyDocument,
    claims: &[Vec<ClaimPart>],
    inputs: &mut [Input],
) {
    let adds_up = |input: &Input| {
        !input.is_quantity() || input.gather.as_of.is_some() || input.gather.combine == Combine::Sum
    };
    if !inputs.iter().all(adds_up) {
        return;
    }
    for input in inputs {
        let named =
            |part: &ClaimPart| matches!(part, ClaimPart::Attribute(name) if *name == input.name);
        let stated = document.inputs.get(&input.name);
        let stated = stated.is_some_and(|entry| entry.get_ref().combine.is_some());
        if matches!(input.form, InputForm::Text) && !stated && claims.iter().flatten().any(named) {
            input.gather.combine = Combine::Each;
        }
    }
}

/// How the records of a period become one: quantities add up and texts agree, unless the document
/// says otherwise.
fn gather(source: Source<'_>, entry: &Spanned<InputEntry>, form: &InputForm) -> Loaded<Gather> {
    let declared = entry.get_ref();
    let measured = matches!(form, InputForm::Quantity(_));
    let known: &[(&str, Combine)] = match form {
        InputForm::Quantity(_) => &[
            ("sum", Combine::Sum),
            ("mean", Combine::Mean),
            ("min", Combine::Smallest),
            ("max", Combine::Largest),
            ("last", Combine::Last),
            ("same", Combine::Same),
        ],
        InputForm::Choice(_) => &[
            ("same", Combine::Same),
            ("last", Combine::Last),
            ("worst", Combine::Worst),
        ],
        InputForm::Text => &[
            ("same", Combine::Same),
            ("last", Combine::Last),
            ("each", Combine::Each),
        ],
        InputForm::Key => &[("same", Combine::Same), ("last", Combine::Last)],
    };
    let usual = if measured {
        Combine::Sum
    } else {
        Combine::Same
    };
    let slot = |entry: &Option<Spanned<String>>| {
        let stated = entry.as_ref();
        stated.map(|entry| one_of(source, entry, known)).transpose()
    };
    let spread = declared.spread.as_ref();
    let spread = spread.map(|entry| one_of(source, entry, &[("days", true)]));
    let spread = spread.transpose()?.unwrap_or(false);
    if spread && !measured {
        return Err(source.defect(
            entry.span().start,
            detail!(
                "只有数量可以按天分摊",
                "only a quantity is spread over days"
            ),
        ));
    }
    let as_of = declared.as_of.as_ref();
    let as_of =
        as_of.map(|entry| one_of(source, entry, &[("start", AsOf::Start), ("end", AsOf::End)]));
    Ok(Gather {
        combine: slot(&declared.combine)?.unwrap_or(usual),
        spread,
        as_of: as_of.transpose()?,
        band: None,
    })
}

fn usual(declared: &InputEntry, form: &InputForm, dictionary: &Dictionary) -> Option<u32> {
    match (form, &declared.default) {
        (InputForm::Choice(_), Some(text)) => Some(dictionary.find(text.get_ref())),
        _ => None,
    }
}

fn input_form(
    source: Source<'_>,
    entry: &Spanned<InputEntry>,
    dictionary: &Dictionary,
) -> Loaded<InputForm> {
    let declared = entry.get_ref();
    match declared.form.get_ref().as_str() {
        "quantity" => Ok(InputForm::Quantity(Box::new(quantity_input(
            source, entry,
        )?))),
        "enum" if declared.values.is_empty() => Err(source.defect(
            entry.span().start,
            detail!(
                "enum 输入须列出 `values`",
                "an enum input lists its `values`"
            ),
        )),
        "enum"
            if declared
                .default
                .as_ref()
                .is_some_and(|usual| !declared.values.contains(usual.get_ref())) =>
        {
            Err(source.defect(
                entry.span().start,
                detail!(
                    "缺省值须在 `values` 之内",
                    "the default is one of the `values`"
                ),
            ))
        }
        "enum" => {
            let values = declared.values.iter();
            let numbered = values.map(|value| (value.clone(), dictionary.find(value)));
            Ok(InputForm::Choice(numbered.collect()))
        }
        "key" => Ok(InputForm::Key),
        "text" => Ok(InputForm::Text),
        other => {
            let message = detail!(
                "`{other}` 不是输入类型；须为 quantity、enum、key 或 text",
                "`{other}` is no input type; it is quantity, enum, key or text"
            );
            Err(source.defect(declared.form.span().start, message))
        }
    }
}

fn quantity_input(source: Source<'_>, entry: &Spanned<InputEntry>) -> Loaded<QuantityInput> {
    let declared = entry.get_ref();
    let stated = declared.unit.as_ref().ok_or_else(|| {
        source.defect(
            entry.span().start,
            detail!("数量须写明 `unit`", "a quantity states its `unit`"),
        )
    })?;
    let own = unit(source, stated)?;
    let mut spellings = vec![(own.to_string(), Conversion::IDENTITY)];
    let mut accepts = Vec::new();
    for like in &declared.accepts {
        let accepted = unit(source, like)?;
        spellings.extend(like_spellings(&accepted));
        accepts.push(accepted);
    }
    spellings.extend(like_spellings(&own));
    let slot = |entry: &Option<Spanned<String>>| {
        entry
            .as_ref()
            .map(|entry| quantity(source, entry, &own))
            .transpose()
    };
    Ok(QuantityInput {
        spellings,
        accepts,
        default: slot(&declared.default)?,
        min: slot(&declared.min)?.unwrap_or(Decimal::ZERO),
        max: slot(&declared.max)?,
        unit: own,
    })
}

fn like_spellings(unit: &Unit) -> Vec<(String, Conversion)> {
    unit.like_spellings()
        .filter_map(|(spelling, like)| Some((spelling.to_owned(), like.conversion_to(unit).ok()?)))
        .collect()
}

pub(super) fn compile_curves(
    source: Source<'_>,
    document: &MethodologyDocument,
) -> Loaded<Vec<Curve>> {
    let entries = document.curves.iter();
    entries
        .map(|(name, entry)| curve(source, name, entry))
        .collect()
}

fn curve(source: Source<'_>, name: &str, entry: &Spanned<CurveEntry>) -> Loaded<Curve> {
    let at = entry.span().start;
    let entry = entry.get_ref();
    let closed = entry
        .closed
        .as_ref()
        .map(|closed| closed.get_ref().as_str());
    let form = match (entry.form.get_ref().as_str(), closed) {
        ("linear", None) => CurveForm::Linear,
        ("step", Some("lower")) => CurveForm::StepFromLower,
        ("step", Some("upper")) => CurveForm::StepToUpper,
        _ => {
            let message = detail!(
                "`form` 须为 linear，或为 step 并写明 `closed` = lower 或 upper",
                "`form` is linear, or step with `closed` = lower or upper"
            );
            return Err(source.defect(entry.form.span().start, message));
        }
    };
    let points = entry.points.iter();
    let points: Vec<(Decimal, Decimal)> = points
        .map(|[x, y]| Ok((decimal(source, x)?, decimal(source, y)?)))
        .collect::<Loaded<_>>()?;
    let rising = points
        .iter()
        .zip(points.iter().skip(1))
        .all(|(point, next)| point.0 < next.0);
    if points.is_empty() || !rising {
        return Err(source.defect(
            at,
            detail!(
                "曲线各点的第一个数须递增",
                "the points of a curve rise in their first number"
            ),
        ));
    }
    Ok(Curve {
        name: name.to_owned(),
        form,
        x_unit: unit(source, &entry.x_unit)?,
        y_unit: unit(source, &entry.y_unit)?,
        points,
        hold: one_of(source, &entry.ends, &[("refuse", false), ("hold", true)])?,
        origin: Origin {
            document: None,
            year: entry.year,
            source: entry.source.clone(),
            document_no: entry.document_no.clone(),
            grade: entry.grade,
            evidence_sha256: String::new(),
            note: Note::default(),
        },
    })
}

pub(super) fn one_of<T: Copy>(
    source: Source<'_>,
    entry: &Spanned<String>,
    known: &[(&str, T)],
) -> Loaded<T> {
    let found = known.iter().find(|(name, _)| name == entry.get_ref());
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let message = detail!(
            "`{}` 须为以下之一：{}",
            "`{}` is not one of {}",
            entry.get_ref(),
            names.join(", ")
        );
        source.defect(entry.span().start, message)
    })
}

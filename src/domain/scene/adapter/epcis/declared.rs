//! What a scene declares about its EPCIS events.

use toml::Value;

use super::subject::{FORMS_EN, FORMS_ZH, Subject};
use super::vocabulary::BIZ_STEP;
use crate::domain::problem::{Code, Detail, Problem, detail};
use crate::domain::scene::adapter::settings::{Settings, param};

/// Entries of one list or table.
const ENTRIES_MAX: usize = 1_000;

/// A scene's declarations, understood.
#[derive(Debug)]
pub(super) struct Declared {
    /// Which field names the person.
    pub(super) subject: Subject,
    /// The business steps that are taken; `None`: all.
    biz_steps: Option<Vec<String>>,
    /// Classes that are sold or collected by weight.
    weighed: Vec<Pattern>,
    materials: Vec<(Pattern, String)>,
}

impl Declared {
    /// # Errors
    /// `missing_field` at `settings.subject`, which has no default; `invalid_field` and
    /// `unknown_field` at the key.
    pub(super) fn read(settings: &Settings) -> Result<Declared, Problem> {
        settings.only(&["subject", "biz_steps", "weighed", "materials"])?;
        let subject = settings.text("subject")?.ok_or_else(|| {
            let detail = detail!(
                "请声明哪个字段指明用户：{FORMS_ZH}",
                "which field names the person: {FORMS_EN}"
            );
            Problem::at(Code::MissingField, param("subject"), detail)
        })?;
        let weighed = list(settings, "weighed")?.unwrap_or_default();
        Ok(Declared {
            subject: Subject::parse(subject)?,
            biz_steps: list(settings, "biz_steps")?.map(steps).transpose()?,
            weighed: weighed.iter().map(|text| Pattern::new(text)).collect(),
            materials: materials(settings)?,
        })
    }

    /// # Errors
    /// `ineligible`: the scene takes other business steps.
    pub(super) fn takes(&self, biz_step: Option<&str>) -> Result<(), Problem> {
        let Some(taken) = &self.biz_steps else {
            return Ok(());
        };
        let Some(step) = biz_step else {
            return Err(Problem::on(Code::MissingField, "bizStep"));
        };
        if taken.iter().any(|known| known == step) {
            return Ok(());
        }
        let detail = detail!(
            "{step:?} 不是 {} 之一",
            "{step:?} is none of {}",
            taken.join(", ")
        );
        Err(Problem::at(Code::Ineligible, "bizStep", detail))
    }

    pub(super) fn is_weighed(&self, class: &str) -> bool {
        self.weighed.iter().any(|pattern| pattern.fits(class))
    }

    /// Whether the scene says what its classes are made of.
    pub(super) fn names_materials(&self) -> bool {
        !self.materials.is_empty()
    }

    /// The material of a class or an object: the longest pattern that fits decides.
    pub(super) fn material(&self, class: &str) -> Option<&str> {
        let fitting = self.materials.iter().filter(|(p, _)| p.fits(class));
        let longest = fitting.max_by_key(|(pattern, _)| pattern.text.len());
        longest.map(|(_, material)| material.as_str())
    }
}

/// An EPC, a class, or the beginning of one followed by `*`.
#[derive(Debug)]
struct Pattern {
    text: String,
    open: bool,
}

impl Pattern {
    fn new(text: &str) -> Pattern {
        let begun = text.strip_suffix('*');
        Pattern {
            text: begun.unwrap_or(text).to_owned(),
            open: begun.is_some(),
        }
    }

    fn fits(&self, text: &str) -> bool {
        match self.open {
            true => text.starts_with(&self.text),
            false => text == self.text,
        }
    }
}

fn steps(words: Vec<String>) -> Result<Vec<String>, Problem> {
    words
        .iter()
        .map(|text| {
            BIZ_STEP.word(text).map(str::to_owned).ok_or_else(|| {
                let detail = detail!(
                    "{text:?} 既不是 CBV 的业务步骤，也不是 URI",
                    "{text:?} is neither a business step of CBV nor a URI"
                );
                Problem::at(Code::InvalidField, param("biz_steps"), detail)
            })
        })
        .collect()
}

fn materials(settings: &Settings) -> Result<Vec<(Pattern, String)>, Problem> {
    let Some(table) = settings.table("materials")? else {
        return Ok(Vec::new());
    };
    let refused = |detail: Detail| Problem::at(Code::InvalidField, param("materials"), detail);
    if table.len() > ENTRIES_MAX {
        return Err(refused(detail!(
            "超过 {ENTRIES_MAX} 项",
            "more than {ENTRIES_MAX}"
        )));
    }
    let read = |(class, material): (&String, &Value)| match material.as_str().map(str::trim) {
        Some(material) if !material.is_empty() && material.len() <= 64 => {
            Ok((Pattern::new(class), material.to_owned()))
        }
        _ => Err(refused(detail!(
            "{class}：应为 1 至 64 字节的文本",
            "{class}: 1 to 64 bytes of text"
        ))),
    };
    table.iter().map(read).collect()
}

/// An array of texts, or one text with commas between.
fn list(settings: &Settings, key: &str) -> Result<Option<Vec<String>>, Problem> {
    let refused = || {
        Problem::at(
            Code::InvalidField,
            param(key),
            detail!("应为文本列表", "a list of texts"),
        )
    };
    let words: Vec<String> = match settings.value(key) {
        None => return Ok(None),
        Some(Value::String(text)) => text.split(',').map(|w| w.trim().to_owned()).collect(),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().map(|text| text.trim().to_owned()))
            .collect::<Option<_>>()
            .ok_or_else(refused)?,
        Some(_) => return Err(refused()),
    };
    let sound = !words.is_empty() && words.len() <= ENTRIES_MAX;
    if sound && words.iter().all(|word| !word.is_empty()) {
        return Ok(Some(words));
    }
    Err(refused())
}

//! Where settings come from: a TOML file and the environment, joined under dotted names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::str::FromStr;

/// What every variable of this program begins with.
const PREFIX: &str = "TANPUHUI_";
/// Variables with the prefix that are not settings: those of the test suite, and of the command
/// line itself.
const NOT_SETTINGS: [&str; 3] = ["TANPUHUI_TEST_", "TANPUHUI_SHARED_DATA", "TANPUHUI_CONFIG"];

/// A setting that cannot be used; names it and says why.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{origin}: {reason}")]
    Value { origin: String, reason: String },
    #[error("{origin} is not a setting of this program")]
    Unknown { origin: String },
    #[error("the settings file {path} cannot be read: {reason}")]
    File { path: String, reason: String },
}

/// Raw settings by dotted name; remembers which were asked for, so that the rest can be refused.
#[derive(Default)]
pub struct Settings {
    values: BTreeMap<String, Value>,
    asked: BTreeSet<String>,
}

/// Text, and where it was found: `TANPUHUI_HTTP_LISTEN` or `http.listen in tanpuhui.toml`.
struct Value {
    text: String,
    origin: String,
}

impl Settings {
    /// The file, when one is named, and this process's environment over it.
    pub(super) fn of_process(file: Option<&Path>) -> Result<Settings, ConfigError> {
        let mut settings = Settings::default();
        if let Some(path) = file {
            let shown = path.display().to_string();
            let text = std::fs::read_to_string(path).map_err(|error| ConfigError::File {
                path: shown.clone(),
                reason: error.to_string(),
            })?;
            settings.add_toml(&text, &shown)?;
        }
        settings.add_variables(std::env::vars_os().filter_map(|(name, value)| {
            Some((
                name.into_string().ok()?,
                value.to_string_lossy().into_owned(),
            ))
        }));
        Ok(settings)
    }

    /// Adds the text of a TOML file: one table an area, plain values in it.
    ///
    /// # Errors
    /// The text is not TOML, or a value is neither text, number nor boolean.
    pub fn add_toml(&mut self, text: &str, file: &str) -> Result<(), ConfigError> {
        let refused = |reason: String| ConfigError::File {
            path: file.to_owned(),
            reason,
        };
        let table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| refused(error.to_string()))?;
        for (area, fields) in table {
            let toml::Value::Table(fields) = fields else {
                return Err(refused(format!("`{area}` stands outside a table")));
            };
            for (field, value) in fields {
                let name = format!("{area}.{field}");
                let text = match value {
                    toml::Value::String(text) => text,
                    toml::Value::Integer(number) => number.to_string(),
                    toml::Value::Boolean(truth) => truth.to_string(),
                    _ => return Err(refused(format!("`{name}` is not a plain value"))),
                };
                let origin = format!("{name} in {file}");
                self.values.insert(name, Value { text, origin });
            }
        }
        Ok(())
    }

    /// Adds environment variables; those without the prefix are none of our business.
    pub fn add_variables(&mut self, variables: impl Iterator<Item = (String, String)>) {
        for (variable, text) in variables {
            let Some(rest) = variable.strip_prefix(PREFIX) else {
                continue;
            };
            if NOT_SETTINGS.iter().any(|name| variable.starts_with(name)) {
                continue;
            }
            let name = rest.to_ascii_lowercase().replacen('_', ".", 1);
            self.values.insert(
                name,
                Value {
                    text,
                    origin: variable,
                },
            );
        }
    }

    /// The setting parsed, or `None` where nothing or an empty text is given.
    pub(super) fn get<T>(&mut self, name: &str) -> Result<Option<T>, ConfigError>
    where
        T: FromStr,
        T::Err: std::fmt::Display,
    {
        self.get_with(name, |text| {
            text.parse().map_err(|error: T::Err| error.to_string())
        })
    }

    /// As [`Settings::get`], with a rule of its own; `rule` says what is wrong.
    pub(super) fn get_with<T>(
        &mut self,
        name: &str,
        rule: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.asked.insert(name.to_owned());
        match self.values.get(name) {
            Some(value) if !value.text.is_empty() => match rule(&value.text) {
                Ok(parsed) => Ok(Some(parsed)),
                Err(reason) => Err(ConfigError::Value {
                    origin: value.origin.clone(),
                    reason,
                }),
            },
            _ => Ok(None),
        }
    }

    /// The names that were given and begin so, for settings that are named by the operator.
    pub(super) fn names(&self, prefix: &str) -> Vec<String> {
        let names = self.values.keys();
        names
            .filter(|name| name.len() > prefix.len() && name.starts_with(prefix))
            .cloned()
            .collect()
    }

    pub(super) fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let unknown = self
            .values
            .iter()
            .find(|(name, _)| !self.asked.contains(*name));
        match unknown {
            Some((_, value)) => Err(ConfigError::Unknown {
                origin: value.origin.clone(),
            }),
            None => Ok(()),
        }
    }
}

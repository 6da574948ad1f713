use std::borrow::Cow;
use std::fmt;

/// What exactly broke the rule, one sentence in each language, safe to publish: it may quote the
/// caller's own values and never what another sent. Made by `detail!`, which asks for both;
/// empty where the code says it all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail(Option<Box<Sentence>>);

/// Behind a pointer, so that results that may be a refusal stay small.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Sentence {
    zh: Cow<'static, str>,
    en: Cow<'static, str>,
}

impl Detail {
    /// A value that needs no words, the same in both languages: a time, a number, a list of names.
    pub fn value(value: impl fmt::Display) -> Detail {
        let text = value.to_string();
        Detail::of(text.clone().into(), text.into())
    }

    /// Both sentences; `detail!` calls it.
    pub fn told(zh: fmt::Arguments<'_>, en: fmt::Arguments<'_>) -> Detail {
        Detail::of(text(zh), text(en))
    }

    fn of(zh: Cow<'static, str>, en: Cow<'static, str>) -> Detail {
        Detail(Some(Box::new(Sentence { zh, en })))
    }

    pub fn zh(&self) -> &str {
        self.0.as_ref().map_or("", |sentence| &sentence.zh)
    }

    pub fn en(&self) -> &str {
        self.0.as_ref().map_or("", |sentence| &sentence.en)
    }

    /// Chinese and then English, or a value once.
    pub fn both(&self) -> Cow<'_, str> {
        match (self.zh(), self.en()) {
            (zh, en) if zh == en => Cow::Borrowed(en),
            (zh, en) => format!("{zh} · {en}").into(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.en().is_empty()
    }
}

/// A sentence without arguments is borrowed.
fn text(sentence: fmt::Arguments<'_>) -> Cow<'static, str> {
    match sentence.as_str() {
        Some(fixed) => fixed.into(),
        None => sentence.to_string().into(),
    }
}

/// For logs and the terminal of a developer; who is answered gets both languages.
impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.en())
    }
}

/// A [`Detail`] from a Chinese and an English sentence, with the arguments of `format!` for both:
/// `detail!("最多 {most} 天", "at most {most} days")`.
macro_rules! detail {
    ($zh:literal, $en:literal $(, $($argument:tt)*)?) => {
        $crate::domain::problem::Detail::told(
            format_args!($zh $(, $($argument)*)?),
            format_args!($en $(, $($argument)*)?),
        )
    };
}
pub(crate) use detail;

#[cfg(test)]
mod tests {
    use super::Detail;

    #[test]
    fn both_languages_are_told_with_the_same_arguments() {
        let most = 31;
        let told = detail!("最多 {most} 天", "at most {most} days");
        assert_eq!((told.zh(), told.en()), ("最多 31 天", "at most 31 days"));
        let told = detail!("{} 不是 {what}", "{} is no {what}", 7, what = "B");
        assert_eq!((told.zh(), told.en()), ("7 不是 B", "7 is no B"));
        assert_eq!(told.to_string(), "7 is no B");
    }

    #[test]
    fn a_value_needs_no_words() {
        let told = Detail::value(12);
        assert_eq!((told.zh(), told.en()), ("12", "12"));
        assert_eq!(told.both(), "12");
        assert_eq!(detail!("无", "none").both(), "无 · none");
        assert!(!told.is_empty() && Detail::default().is_empty());
    }
}

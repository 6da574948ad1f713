//! The `Link` field (RFC 8288), as far as the next page needs it.

/// The target of the first link whose relation is `next`.
pub fn next_link<'f>(fields: impl Iterator<Item = &'f str>) -> Option<&'f str> {
    fields.flat_map(links).find_map(|(target, parameters)| {
        split(parameters, ';')
            .filter_map(|parameter| parameter.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("rel"))
            .filter(|(_, value)| is_next(value))
            .map(|_| target)
    })
}

fn is_next(relations: &str) -> bool {
    let relations = relations.trim().trim_matches('"');
    let mut relations = relations.split_ascii_whitespace();
    relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

/// Targets, and the parameters behind each.
fn links(field: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = field;
    std::iter::from_fn(move || {
        let (_, after) = rest.split_once('<')?;
        // A comma in a target does not part it.
        let (target, behind) = after.split_once('>')?;
        let parameters = split(behind, ',').next().unwrap_or_default();
        rest = behind.get(parameters.len()..).unwrap_or_default();
        Some((target.trim(), parameters))
    })
}

/// As `str::split`, but for separators in quotes.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
}

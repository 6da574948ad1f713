//! Two documents that differ in one thing each.

use super::*;

fn load(texts: &[&str]) -> Library {
    let named = texts.iter().map(|text| ("document.toml", *text));
    Library::load(named).expect("sound documents")
}

const FACTORS: &str = r#"
    format = 1
    kind = "factor-table"
    identity = { code = "factors", version = "VERSION", title_zh = "因子", title_en = "Factors" }
    effect = { from = "2024-01-01", zone = "Asia/Shanghai" }
    [table]
    keys = ["region"]
    unit = "kgCO2/kWh"
    grade = "D"
    source = "made for a test"
    rows = [{ key = ["CN"], value = "0.5" }, { key = ["CN-GD"], value = "GUANGDONG" }]
"#;

const DOCUMENT: &str = r#"
    format = 1
    kind = "methodology"
    effect = { from = "2024-01-01", zone = "Asia/Shanghai" }
    [identity]
    code = "saving"
    version = "VERSION"
    title_zh = "节电"
    title_en = "Saving"
    [scope]
    region = "CN"
    scene = "test"
    subject = "person"
    quantity_kind = "co2"
    period = "event"
    [inputs.kwh]
    type = "quantity"
    unit = "kWh"
    [inputs.region]
    type = "key"
    [parameters.share]
    value = "SHARE"
    unit = "1"
    grade = "D"
    source = "made for a test"
    [tables.grid]
    from = "factors"
    versions = ["VERSION"]
    [[applicability]]
    require = "kwh > 1 kWh"
    otherwise = "ineligible"
    reason = "too_little"
    [formula]
    reduction = "share * kwh * grid[region]"
    unit = "kgCO2"
"#;

fn pair(version: &str, share: &str, guangdong: &str) -> (Library, String) {
    let table = FACTORS
        .replace("VERSION", version)
        .replace("GUANGDONG", guangdong);
    let document = DOCUMENT.replace("VERSION", version).replace("SHARE", share);
    (load(&[&table, &document]), version.to_owned())
}

fn between(a: &(Library, String), b: &(Library, String)) -> Vec<Difference> {
    let of = |(library, version): &(Library, String)| {
        library
            .get("saving", version)
            .cloned()
            .expect("it is loaded")
    };
    differences((&a.0, &of(a)), (&b.0, &of(b)))
}

#[test]
fn a_document_does_not_differ_from_itself() {
    let one = pair("1.0", "0.80", "0.4");
    assert_eq!(between(&one, &one), []);
}

#[test]
fn a_parameter_and_a_row_of_a_pinned_table_are_told_with_their_change() {
    let (old, new) = (pair("1.0", "0.80", "0.4"), pair("2.0", "0.60", "0.5"));
    let moved: Vec<_> = between(&old, &new)
        .into_iter()
        .filter(|difference| difference.part == Part::Factor)
        .map(|it| {
            (
                it.slot,
                it.before,
                it.after,
                it.percent.map(|p| p.to_string()),
            )
        })
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        moved,
        [
            (
                "parameters.share.value".to_owned(),
                text("0.80"),
                text("0.60"),
                text("-25")
            ),
            (
                "tables.grid.versions".to_owned(),
                text("1.0"),
                text("2.0"),
                None
            ),
            (
                "tables.grid[CN-GD, 2024-01-01].value".to_owned(),
                text("0.4"),
                text("0.5"),
                text("25")
            ),
        ]
    );
}

#[test]
fn the_next_years_row_is_compared_with_this_years() {
    let of = |version: &str, from: &str, guangdong: &str, parent: &str| {
        let table = FACTORS
            .replace("VERSION", version)
            .replace("2024-01-01", from)
            .replace("GUANGDONG", guangdong);
        let table = format!("{table}\n[table.parents]\nCN-440300 = \"{parent}\"\n");
        let document = DOCUMENT.replace("VERSION", version).replace("SHARE", "0.8");
        (load(&[&table, &document]), version.to_owned())
    };
    let (old, new) = (
        of("1.0", "2024-01-01", "0.4", "CN-GD"),
        of("2.0", "2025-01-01", "0.5", "CN"),
    );
    let all = between(&old, &new);
    let said: Vec<_> = all
        .iter()
        .filter(|it| it.part == Part::Factor)
        .map(|it| {
            format!(
                "{} {:?} {:?} {:?}",
                it.slot, it.before, it.after, it.percent
            )
        })
        .collect();
    assert_eq!(
        said,
        [
            r#"tables.grid.versions Some("1.0") Some("2.0") None"#,
            r#"tables.grid[CN-GD, 2024-01-01 → 2025-01-01].value Some("0.4") Some("0.5") Some(25)"#,
            r#"tables.grid.parents.CN-440300 Some("CN-GD") Some("CN") None"#,
        ]
    );
}

#[test]
fn what_is_new_and_what_is_gone_has_one_side() {
    let (old, mut new) = (pair("1.0", "0.8", "0.4"), pair("2.0", "0.8", "0.4"));
    let table = FACTORS
        .replace("VERSION", "2.0")
        .replace("GUANGDONG", "0.4");
    let document = DOCUMENT.replace("VERSION", "2.0").replace("SHARE", "0.8");
    let document = document.replace("\"too_little\"", "\"too_small\"");
    new.0 = load(&[&table, &document]);
    let conditions: Vec<_> = between(&old, &new)
        .into_iter()
        .filter(|it| it.slot.ends_with(".require"))
        .map(|it| (it.slot, it.before.is_some(), it.after.is_some(), it.part))
        .collect();
    assert_eq!(
        conditions,
        [
            (
                "applicability[too_little].require".to_owned(),
                true,
                false,
                Part::Formula
            ),
            (
                "applicability[too_small].require".to_owned(),
                false,
                true,
                Part::Formula
            ),
        ]
    );
}

#[test]
fn every_built_in_document_can_be_compared_and_tried_at_any_time() {
    let library = Library::embedded().expect("sound documents");
    for one in library.methodologies() {
        assert_eq!(
            differences((&library, one), (&library, one)),
            [],
            "{}",
            one.name()
        );
        let text = at_any_time(one.text()).expect("TOML");
        let tables = library
            .tables()
            .iter()
            .map(|table| (table.file(), table.text()));
        let tried = Library::load(tables.chain([("tried.toml", text.as_str())]));
        let tried = tried.unwrap_or_else(|defects| panic!("{}: {}", one.name(), defects[0]));
        let tried = tried.get(one.code(), one.version()).expect("it is loaded");
        assert!(
            tried.window().contains(chrono::DateTime::UNIX_EPOCH),
            "{}",
            one.name()
        );
        assert!(tried.window().to.is_none(), "{}", one.name());
    }
}

//! Warming potentials (GWP): gases become CO₂ equivalent only through a pinned table, and the
//! document's `gwp_set` says which.

use toml::Spanned;

use super::defect::Source;
use super::document::MethodologyDocument;
use super::factor_table::FactorTable;
use super::slots::{Loaded, unit};
use super::table::Table;
use crate::domain::problem::{Detail, detail};

/// The code of the tables of warming potentials; their versions are AR4, AR5, AR6.
const CODE: &str = "gwp";

#[cfg(test)]
const GASES: [&str; 15] = [
    "CO2", "CH4", "N2O", "SF6", "NF3", "HFC23", "HFC32", "HFC125", "HFC134a", "HFC143a", "HFC152a",
    "HFC227ea", "HFC245fa", "CF4", "C2F6",
];

pub(super) fn only_pinned() -> Detail {
    detail!(
        "气体只能用所引用的 `gwp` 表换算为二氧化碳当量，不得有其他换算方式",
        "a gas becomes CO2 equivalent only by a pinned `gwp` table, and nothing else in any other way"
    )
}

/// Checks that `gwp_set` names the one table of warming potentials that is pinned, that a document
/// which reads masses of other gases pins one, that no parameter or table of its own is a
/// warming potential, and that no input and no curve passes one gas off as something else.
/// Products and quotients are the formula checker's: there too a gas goes only by its potential.
pub(super) fn check(
    source: Source<'_>,
    document: &MethodologyDocument,
    pinned: &[(String, &FactorTable)],
    tables: &[Table],
) -> Loaded<()> {
    let stated = &document.scope.gwp_set;
    let at = stated.span().start;
    let mut sets = pinned
        .iter()
        .map(|(_, table)| *table)
        .filter(|table| table.code() == CODE);
    match (sets.next(), sets.next()) {
        (_, Some(_)) => {
            return Err(source.defect(
                at,
                detail!(
                    "引用了两套全球变暖潜势",
                    "two sets of warming potentials are pinned"
                ),
            ));
        }
        (Some(set), None) if *stated.get_ref() != set.name() => {
            let message = detail!(
                "`gwp_set` 须为所引用的表“{}”",
                "`gwp_set` is \"{}\", the table that is pinned",
                set.name()
            );
            return Err(source.defect(at, message));
        }
        (None, None) if stated.get_ref().starts_with("gwp@") => {
            let message = detail!(
                "没有引用表 `{}`",
                "`{}` is not pinned by any table",
                stated.get_ref()
            );
            return Err(source.defect(at, message));
        }
        (None, None) => no_gas(source, document)?,
        _ => {}
    }
    no_own_potential(source, document, tables)?;
    no_passing_off(source, document)
}

fn no_passing_off(source: Source<'_>, document: &MethodologyDocument) -> Loaded<()> {
    for entry in document.inputs.values() {
        let Some(own) = &entry.get_ref().unit else {
            continue;
        };
        let own = unit(source, own)?.dimension();
        for accepted in &entry.get_ref().accepts {
            let gas = unit(source, accepted)?.dimension();
            if gas.has_gas() && !gas.same_gases(own) {
                return Err(source.defect(accepted.span().start, only_pinned()));
            }
        }
    }
    for entry in document.curves.values() {
        let (x, y) = (&entry.get_ref().x_unit, &entry.get_ref().y_unit);
        let read = unit(source, x)?.dimension();
        let given = unit(source, y)?.dimension();
        if given.is_warming() || (read.has_gas() && !read.same_gases(given)) {
            return Err(source.defect(y.span().start, only_pinned()));
        }
    }
    Ok(())
}

fn no_gas(source: Source<'_>, document: &MethodologyDocument) -> Loaded<()> {
    for entry in stated_units(document) {
        if unit(source, entry)?.dimension().has_gas() {
            let message = detail!(
                "读取气体质量的文件须引用 `gwp` 表",
                "a document that reads masses of gases pins a `gwp` table"
            );
            return Err(source.defect(entry.span().start, message));
        }
    }
    Ok(())
}

fn no_own_potential(
    source: Source<'_>,
    document: &MethodologyDocument,
    tables: &[Table],
) -> Loaded<()> {
    for entry in stated_units(document) {
        if unit(source, entry)?.dimension().is_warming() {
            return Err(source.defect(entry.span().start, only_pinned()));
        }
    }
    for table in tables {
        let warming = table.rows.iter().find(|row| {
            let from_set = table.origins.get(row.origin).is_some_and(|origin| {
                origin
                    .document
                    .as_ref()
                    .is_some_and(|(code, ..)| code == CODE)
            });
            let warming = table
                .unit_of(row)
                .is_some_and(|unit| unit.dimension().is_warming());
            warming && !from_set
        });
        if warming.is_some() {
            let entry = document.tables.get(&table.name);
            let at = entry.map_or(0, |entry| entry.span().start);
            return Err(source.defect(at, only_pinned()));
        }
    }
    Ok(())
}

/// The units of inputs and parameters.
fn stated_units(document: &MethodologyDocument) -> impl Iterator<Item = &Spanned<String>> {
    let inputs = document.inputs.values();
    let parameters = document.parameters.values();
    (inputs.filter_map(|entry| entry.get_ref().unit.as_ref()))
        .chain(parameters.map(|entry| &entry.get_ref().unit))
}

#[cfg(test)]
mod tests {
    use crate::domain::methodology::Library;
    use crate::domain::methodology::tests::{document, load};

    /// Masses of two gases, made CO2 equivalent by `formula`; `set` is the scope's `gwp_set`.
    fn gases(set: &str, pinned: &str, formula: &str) -> String {
        let slots = format!(
            r#"[inputs.methane]
type = "quantity"
unit = "kgCH4"
[inputs.laughing]
type = "quantity"
unit = "gN2O"
{pinned}
[formula]
reduction = '''{formula}'''
unit = "kgCO2e"
[[examples]]
name = "2 kg of methane and 1 kg of nitrous oxide"
at = "2024-01-01"
inputs = {{ methane = "2 kgCH4", laughing = "1 kgN₂O" }}
result = "321.0 kgCO2e"
"#
        );
        let kind = format!("quantity_kind = \"co2e\"\ngwp_set = \"{set}\"");
        document(&slots).replace("quantity_kind = \"co2\"", &kind)
    }

    const AR5: &str = "[tables.gwp]\nfrom = \"gwp\"\nversions = [\"AR5\"]";
    const SUM: &str = r#"methane * gwp["CH4"] + laughing * gwp["N2O"]"#;

    #[test]
    fn a_pinned_table_converts_each_gas() {
        let library = load(&gases("gwp@AR5", AR5, SUM)).unwrap_or_else(|all| panic!("{}", all[0]));
        let document = library.get("test", "1").unwrap();
        assert!(document.run_examples().iter().all(|example| example.passed));
    }

    #[test]
    fn gases_are_never_added_nor_converted_otherwise() {
        let own = "[parameters.g]\nvalue = \"28\"\nunit = \"kgCO2e/kgCH4\"\ngrade = \"D\"";
        let own_table = "[tables.g]\nkeys = [\"gas\"]\nunit = \"kgCO2e/kgCH4\"\nrows = [{ key = [\"CH4\"], value = \"28\" }]";
        let two = AR5.replace("[\"AR5\"]", "[\"AR4\", \"AR5\"]");
        for (set, pinned, formula, part) in [
            ("gwp@AR5", AR5, "methane + laughing", "gN2O"),
            ("gwp@AR5", AR5, r#"methane * gwp["N2O"]"#, "kgN2O"),
            ("gwp@AR5", AR5, r#"(methane + 1 kg) * gwp["CH4"]"#, "kgCH4"),
            (
                "gwp@AR5",
                AR5,
                "methane * 28 kgCO2e/kgCH4",
                "only by a pinned",
            ),
            (
                "gwp@AR5",
                &format!("{AR5}\n{own}"),
                "methane * g",
                "only by a pinned",
            ),
            (
                "gwp@AR5",
                &format!("{AR5}\n{own_table}"),
                "methane * g[\"CH4\"]",
                "only by a pinned",
            ),
            ("gwp@AR4", AR5, SUM, "gwp@AR5"),
            ("", AR5, SUM, "gwp@AR5"),
            ("gwp@AR5", "", "1 kgCO2e", "not pinned"),
            ("", "", "1 kgCO2e", "pins a `gwp` table"),
            (
                "gwp@AR9",
                &AR5.replace("AR5", "AR9"),
                SUM,
                "gwp@AR9` is not here",
            ),
            ("gwp@AR5", &two, SUM, "two "),
        ] {
            let defects = load(&gases(set, pinned, formula)).unwrap_err();
            assert!(
                defects[0].message.contains(part),
                "{formula}: {}",
                defects[0]
            );
        }
    }

    /// Whatever the units, a number that is written here is no warming potential.
    #[test]
    fn no_detour_around_the_pinned_table() {
        for formula in [
            "methane / 1 kgCH4 * 28 kgCO2e",
            "28 kgCO2e * methane / 1 kgCH4",
            "methane * (28 kgCO2e / 1 kgCH4)",
            "28 kgCO2e / (1 kgCH4 / methane)",
            "methane / laughing * 1 kgN2O / 1 kgCH4 * 28 kgCO2e",
            // By way of plain mass, of volume and of CO2.
            "methane * 1 kg / 1 kgCH4 * 28 kgCO2e/kg",
            "methane / 0.7 kgCH4/Nm3 * 20 kgCO2e/Nm3",
            "methane * 44 kgCO2 / 16 kgCH4 * gwp[\"CO2\"]",
            // One gas at the potential of another.
            "methane * 1 kgN2O / 1 kgCH4 * gwp[\"N2O\"]",
            "gwp[\"N2O\"] * methane / 1 kgCH4 * 1 kgN2O",
            "gwp[\"N2O\"] * 1 kgN2O / 1 kgCH4 * methane",
            "methane * (gwp[\"N2O\"] / gwp[\"CH4\"]) * 1 kgCH4 / 1 kgN2O * gwp[\"CH4\"]",
            "1 kgCO2 * (28 kgCO2e / 1 kgCO2)",
            "hidden * 28 kgCO2e",
        ] {
            let slots = format!("{AR5}\n[derived]\nhidden = \"methane / 1 kgCH4\"");
            let defects = load(&gases("gwp@AR5", &slots, formula)).unwrap_err();
            let told = &defects[0].message;
            assert!(told.contains("only by a pinned"), "{formula}: {told}");
        }
        let curve = "[curves.potential]\nform = \"linear\"\nx_unit = \"kgCH4\"\ny_unit = \"kgCO2e\"\nends = \"hold\"\npoints = [[\"0\", \"0\"], [\"1\", \"28\"]]";
        let curve = format!("{AR5}\n{curve}");
        let passed_off = gases("gwp@AR5", AR5, "methane * gwp[\"CH4\"]").replace(
            "unit = \"gN2O\"",
            "unit = \"kgCO2e\"\naccepts = [\"kgN2O\"]",
        );
        for text in [gases("gwp@AR5", &curve, "potential(methane)"), passed_off] {
            let defects = load(&text).unwrap_err();
            assert!(defects[0].message.contains("pinned"), "{}", defects[0]);
        }
    }

    /// What chemistry, volumes and shares need stays possible.
    #[test]
    fn gases_come_of_carbon_volumes_and_shares() {
        for formula in [
            "1 kgC * 16 kgCH4 / 12 kgC * gwp[\"CH4\"] + methane * gwp[\"CH4\"] * 0.9",
            "1 Nm3 * 0.717 kgCH4/Nm3 * gwp[\"CH4\"]",
            "clamp(methane, 0 kgCH4, 5 kgCH4) * gwp[\"CH4\"] / 2",
            "if methane > laughing * 1 kgCH4/kgN2O then 1 kgCO2e else 0 kgCO2e",
        ] {
            let loaded = load(&gases("gwp@AR5", AR5, formula));
            // The last compares unlike gases by way of a literal, which loses one of them.
            assert_eq!(loaded.is_err(), formula.starts_with("if"), "{formula}");
        }
    }

    #[test]
    fn every_set_knows_every_gas_that_has_a_unit() {
        let library = Library::embedded().unwrap();
        for version in ["AR4", "AR5", "AR6"] {
            let table = library.table("gwp", version).unwrap();
            for gas in super::GASES {
                assert!(table.value(&[gas]).is_some(), "{gas} of {version}");
                let text = format!("kgCO2e/kg{gas}");
                let unit = crate::domain::unit::Unit::parse(&text).unwrap();
                assert!(unit.dimension().is_warming(), "{text}");
            }
        }
    }
}

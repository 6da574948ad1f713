//! Warming potentials (GWP): gases become CO₂ equivalent only through a pinned table, and the
//! document's `gwp_set` says which.

use toml::Spanned;

use super::defect::Source;
use super::document::MethodologyDocument;
use super::factor_table::FactorTable;
use super::slots::{Loaded, unit};
use super::table::Table;

/// The code of the tables of warming potentials; their versions are AR4, AR5, AR6.
const CODE: &str = "gwp";

#[cfg(test)]
const GASES: [&str; 15] = [
    "CO2", "CH4", "N2O", "SF6", "NF3", "HFC23", "HFC32", "HFC125", "HFC134a", "HFC143a", "HFC152a",
    "HFC227ea", "HFC245fa", "CF4", "C2F6",
];

pub(super) const ONLY_PINNED: &str = "a gas becomes CO2 equivalent only by a pinned `gwp` table";

/// Checks that `gwp_set` names the one table of warming potentials that is pinned, that a document
/// which reads masses of other gases pins one, and that no parameter or table of its own is a
/// warming potential.
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
        (_, Some(_)) => return Err(source.defect(at, "two sets of warming potentials are pinned")),
        (Some(set), None) if *stated.get_ref() != set.name() => {
            let message = format!("`gwp_set` is \"{}\", the table that is pinned", set.name());
            return Err(source.defect(at, message));
        }
        (None, None) if stated.get_ref().starts_with("gwp@") => {
            let message = format!("`{}` is not pinned by any table", stated.get_ref());
            return Err(source.defect(at, message));
        }
        (None, None) => no_gas(source, document)?,
        _ => {}
    }
    no_own_potential(source, document, tables)
}

fn no_gas(source: Source<'_>, document: &MethodologyDocument) -> Loaded<()> {
    for entry in stated_units(document) {
        if unit(source, entry)?.dimension().has_gas() {
            let message = "a document that reads masses of gases pins a `gwp` table";
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
            return Err(source.defect(entry.span().start, ONLY_PINNED));
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
            return Err(source.defect(at, ONLY_PINNED));
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

//! What officers write, and header fields.

use super::{Case, repeated};
use crate::documents;

const TABLE: &str = "format = 1\nkind = \"factor-table\"\n[identity]\ncode = \"t\"\nversion = \"1\"\ntitle_zh = \"表\"\ntitle_en = \"T\"\n[effect]\nfrom = \"1990-01-01\"\nzone = \"UTC\"\n";

pub(super) fn cases() -> Vec<Case> {
    let of = |what: &str, run: fn(&[u8]), make: fn(usize) -> Vec<u8>| Case {
        name: what.to_owned(),
        make: Box::new(make),
        run: Box::new(run),
    };
    let load = documents::only_load as fn(&[u8]);
    let scene = scene as fn(&[u8]);
    let pull = documents::pulled as fn(&[u8]);
    let import = documents::import_source as fn(&[u8]);
    let sign = documents::judge_signature as fn(&[u8]);
    vec![
        of("methodology: dotted keys", load, |size| {
            repeated(size, "a", |_| ".a".to_owned(), " = 1\n")
        }),
        of("methodology: tables within each other", load, |size| {
            repeated(size, "[a", |_| ".a".to_owned(), "]\n")
        }),
        of("methodology: arrays within each other", load, |size| {
            repeated(size, "a = ", |_| "[".to_owned(), "")
        }),
        of(
            "methodology: inline tables within each other",
            load,
            |size| repeated(size, "a = ", |_| "{a=".to_owned(), ""),
        ),
        of("methodology: keys", load, |size| {
            repeated(size, "", |n| format!("k{n} = 1\n"), "")
        }),
        of("methodology: one key again and again", load, |size| {
            repeated(size, "", |_| "[[a]]\n[a.b]\nc = 1\n".to_owned(), "")
        }),
        of("methodology: a long text", load, |size| {
            repeated(size, "a = \"\"\"", |_| "x\n".to_owned(), "\"\"\"")
        }),
        of("methodology: rows of a table", load, |size| {
            let head = format!(
                "{TABLE}[table]\nkeys = [\"a\"]\nunit = \"kg\"\nyear = 2021\ngrade = \"S\"\nsource = \"x\"\nrows = [\n"
            );
            repeated(
                size,
                &head,
                |n| format!("{{ key = [\"k{n}\"], value = \"1\" }},\n"),
                "]\n",
            )
        }),
        of("methodology: rows of one key", load, |size| {
            let head = format!(
                "{TABLE}[table]\nkeys = [\"a\"]\nunit = \"kg\"\nyear = 2021\ngrade = \"S\"\nsource = \"x\"\nrows = [\n"
            );
            repeated(
                size,
                &head,
                |_| "{ key = [\"k\"], value = \"1\" },\n".to_owned(),
                "]\n",
            )
        }),
        of("methodology: units of a table", load, |size| {
            let head = format!(
                "{TABLE}[table]\nkeys = [\"a\"]\nyear = 2021\ngrade = \"S\"\nsource = \"x\"\nrows = [\n"
            );
            repeated(
                size,
                &head,
                |n| format!("{{ key = [\"k{n}\"], value = \"1\", unit = \"kgX{n}\" }},\n"),
                "]\n",
            )
        }),
        of("methodology: parents of a table", load, |size| {
            let head = format!(
                "{TABLE}[table]\nkeys = [\"a\"]\nunit = \"kg\"\nyear = 2021\ngrade = \"S\"\nsource = \"x\"\nrows = []\n[table.parents]\n"
            );
            repeated(size, &head, |n| format!("k{} = \"k{n}\"\n", n + 1), "")
        }),
        of("settings of a table: attributes", scene, |size| {
            let head = ">format = 'csv'\nzone = 'UTC'\n[columns]\nid = 'a'\nsubject = 'b'\nat = 'c'\n[time]\nformat = 'local'\n[quantities.count]\ncolumn = 'd'\nunit = 'item'\n[attributes]\n";
            repeated(size, head, |n| format!("a{n} = 'c{n}'\n"), "")
        }),
        of("settings of a table: words", scene, |size| {
            let head = ">format = 'csv'\nzone = 'UTC'\n[columns]\nid = 'a'\nsubject = 'b'\nat = 'c'\n[time]\nformat = 'local'\n[quantities.count]\ncolumn = 'd'\nunit = 'item'\n[only]\na = [\n";
            repeated(size, head, |n| format!("'w{n}',\n"), "]\n")
        }),
        of("settings of EPCIS: materials", scene, |size| {
            repeated(
                size,
                ";subject = 'epc'\n[materials]\n",
                |n| format!("'urn:{n}*' = 'x'\n"),
                "",
            )
        }),
        of("settings of taps: columns", scene, |size| {
            repeated(size, "1columns = 'card_no", |_| ",-".to_owned(), "'")
        }),
        of("pull feed: places", pull, |size| {
            repeated(size, "0url = 'https://a/", |_| "{page}".to_owned(), "'")
        }),
        of("pull feed: links", pull, |size| {
            repeated(size, "1", |_| "<a>;rel=\"x\",".to_owned(), "")
        }),
        of("pull feed: links without commas", pull, |size| {
            repeated(size, "1", |_| "<a>".to_owned(), "")
        }),
        of("pull feed: parameters of a link", pull, |size| {
            repeated(size, "1<a>", |_| ";rel=x".to_owned(), "")
        }),
        of("pull feed: lines of links", pull, |size| {
            repeated(size, "1", |_| "<\n".to_owned(), "")
        }),
        of("pull feed: a cursor of many steps", pull, |size| {
            repeated(
                size / 2,
                "2",
                |_| "/a".to_owned(),
                &format!("\n{}", "{\"a\":".repeat(size / 10)),
            )
        }),
        of("pull feed: distances", pull, |size| {
            repeated(size, "3from,to,km\n", |n| format!("s{n},t{n},1\n"), "")
        }),
        of("signature: members", sign, |size| {
            repeated(
                size,
                "",
                |n| format!("s{n}=(\"@method\");keyid=\"k\","),
                "\nsig=:AA==:\n\n",
            )
        }),
        of("signature: components", sign, |size| {
            repeated(
                size,
                "s=(",
                |n| format!("\"x{n}\" "),
                ");keyid=\"k\"\ns=:AA==:\n\n",
            )
        }),
        of("signature: parameters", sign, |size| {
            repeated(
                size,
                "s=(\"@method\")",
                |n| format!(";p{n}=1"),
                "\ns=:AA==:\n\n",
            )
        }),
        of("signature: digests", sign, |size| {
            repeated(size, "\n\n", |n| format!("d{n}=:AA==:,"), "\n")
        }),
        of("signature: query parameters", sign, |size| {
            repeated(
                size,
                "s=(\"@query-param\";name=\"z\" \"@query-param\";name=\"y\");keyid=\"k\";created=1795248000\ns=:AA==:\n\n/?",
                |n| format!("a{n}=1&"),
                "",
            )
        }),
        of("import: groups", import, |size| {
            repeated(
                size,
                "0ID,Scope,Level 1,Level 2,Level 3,Level 4,Column Text,UOM,GHG/Unit,GHG Conversion Factor 2023\n",
                |n| format!("1_1,Scope 1,Fuels,Gas,B{n},,,tonnes,kg CO2e,3033.38067\n"),
                "",
            )
        }),
        of("import: regions of nobody", import, |size| {
            repeated(
                size,
                "1[",
                |n| format!("{{\"region\":\"x{n}\",\"value\":0.5}},"),
                "{\"region\":\"全国\",\"value\":0.5}]",
            )
        }),
        of("import: text", import, |size| {
            repeated(size, "1", |n| format!("全国 0.5000 甲{n} 0.4\n"), "")
        }),
        of("formula: brackets", documents::formula, |size| {
            repeated(size, "", |_| "(".to_owned(), "")
        }),
    ]
}

fn scene(bytes: &[u8]) {
    std::hint::black_box(documents::scene(bytes).is_some());
}

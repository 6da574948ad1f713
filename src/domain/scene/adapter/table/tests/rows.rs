//! Rows of text tables.

use super::*;

#[test]
fn a_row_becomes_a_record() {
    let text = "card,kind,no,start,used\nC1,公交,17,1/2/2026 08:00,3.170\n";
    let [record] = records(MAPPING, text).try_into().expect("one");
    assert_eq!(
        (record.source_id.as_str(), record.subject.as_str()),
        ("17", "C1")
    );
    assert_eq!(
        spans(std::slice::from_ref(&record)),
        [(
            "2026-02-01T13:00:00+00:00".to_owned(),
            "2026-02-01T14:00:00+00:00".to_owned()
        )]
    );
    let quantity = record.quantity("electricity").expect("a quantity");
    assert_eq!(
        (quantity.value.to_string().as_str(), quantity.unit.as_ref()),
        ("3.170", "kWh")
    );
    assert_eq!(record.attribute("mode"), Some("bus"));
    assert_eq!(record.attribute("evidence"), Some("meter"));
    let (gbk, _, _) = encoding_rs::GBK.encode(text);
    let (_, from_gbk) = read(MAPPING, &gbk).expect("readable");
    assert_eq!(from_gbk, outcomes(MAPPING, text));
}

#[test]
fn each_fault_of_a_row_is_refused_with_line_and_column() {
    let mapping = MAPPING.replace("unit = \"kWh\"", "unit = \"kWh\"\nmax = 1000");
    let good = "17,C1,1/2/2026 08:00,3.17,公交\n";
    let bad: &[(String, &str, &str)] = &[
        (good.replace("17,C1", ",C1"), "missing_field", "no"),
        (good.replace("C1", ""), "missing_field", "card"),
        (
            good.replace("C1", &"x".repeat(129)),
            "invalid_field",
            "card",
        ),
        (good.replace("C1", "a\u{1}b"), "invalid_field", "card"),
        (good.replace("1/2/2026 08:00", ""), "missing_field", "start"),
        (
            good.replace("1/2/2026 08:00", "2026-02-01"),
            "time_invalid",
            "start",
        ),
        (
            good.replace("1/2/2026 08:00", "8/3/2026 02:30"),
            "time_invalid",
            "start",
        ),
        (
            good.replace("1/2/2026 08:00", "1/11/2026 01:30"),
            "time_invalid",
            "start",
        ),
        (good.replace("3.17", ""), "missing_field", "used"),
        (good.replace("3.17", "3;17"), "invalid_field", "used"),
        (
            good.replace("3.17", "-3.17"),
            "quantity_out_of_range",
            "used",
        ),
        (
            good.replace("3.17", "1000.01"),
            "quantity_out_of_range",
            "used",
        ),
        (good.replace("公交", "出租"), "invalid_field", "kind"),
        (good.replace(",3.17", ""), "row_malformed", ""),
        (good.replace("C1", "\"C1"), "row_malformed", ""),
    ];
    let rows: String = bad.iter().map(|(row, _, _)| row.as_str()).collect();
    let outcomes = outcomes(&mapping, &format!("no,card,start,used,kind\n{rows}{good}"));
    let expected: Vec<_> = (2..)
        .zip(bad)
        .map(|(line, (_, code, param))| {
            (
                format!("line {line}"),
                (*code).to_owned(),
                (*param).to_owned(),
            )
        })
        .collect();
    assert_eq!(refusals(&outcomes), expected);
    assert!(matches!(
        outcomes.last(),
        Some(Outcome::Record(Place::Line(17), _))
    ));
}

#[test]
fn files_without_the_columns_are_refused_whole() {
    let code = |text: &str| read(MAPPING, text.as_bytes()).expect_err(text);
    for text in [
        "",
        "no,card,start,used\n",
        "no,card,start,used,kind,kind\n",
        "a;b\n1;2\n",
    ] {
        assert_eq!(code(text).code, Code::FormatMismatch, "{text}");
    }
    let untitled = code("no,card,start,used\n").detail;
    assert_eq!(
        (untitled.zh(), untitled.en()),
        ("没有 \"kind\" 列", "no column \"kind\"")
    );
    let torn = code("no,card,start,used,kind\n1,2");
    assert_eq!(torn.code, Code::FileTruncated);
    let below = MAPPING.replace("zone =", "header = 3\nzone =");
    let (seen, outcomes) = read(
        &below,
        "report\n\nno,card,start,used,kind\n1,C,1/1/2026 0:00,1,地铁\n".as_bytes(),
    )
    .expect("readable");
    assert_eq!((seen.counts, outcomes.len()), (vec![("rows", 1)], 1));
}

#[test]
fn letters_and_places_name_columns_where_there_is_no_header() {
    let mapping = MAPPING
        .replace("zone =", "header = 0\ndelimiter = 'tab'\nzone =")
        .replace("\"no\"", "['A', 'C']")
        .replace("\"card\"", "2")
        .replace("\"start\"", "\"c\"")
        .replace("\"used\"", "\"D\"")
        .replace("\"kind\"", "\"E\"");
    let [record] = records(&mapping, "7|%\tC1\t1/2/2026 08:00\t1\t公交\n")
        .try_into()
        .expect("one");
    assert_eq!(record.source_id, "7%7C%25|1/2/2026 08:00");
    assert_eq!(record.subject, "C1");
    let (_, wide) = read(&mapping, b"7\tC\t1/2/2026 08:00\n").expect("readable");
    assert_eq!(refusals(&wide)[0].2, "D");
}

#[test]
fn numbers_are_read_in_their_own_signs_and_scaled_exactly() {
    let mapping = MAPPING
        .replace(
            "zone =",
            "delimiter = ';'\ndecimal = ','\nthousands = '.'\nzone =",
        )
        .replace("unit = \"kWh\"", "unit = 'kg'\nscale = '907.18474'");
    let records = records(
        &mapping,
        "no;card;start;used;kind\n1;C;1/1/2026 0:00;3.258,3;地铁\n",
    );
    assert_eq!(
        values(&records, "electricity"),
        [Some("2955880.038342".to_owned())]
    );
}

#[test]
fn blanks_are_not_zero() {
    let two = "[quantities.mass]\ncolumn = 'kg'\nunit = 'kg'\n[attributes]";
    let skip = MAPPING
        .replace("zone =", "blank = 'skip'\nblank_words = ['n/a']\nzone =")
        .replace("[attributes]", two);
    let text = "no,card,start,used,kind,kg\n1,C,1/1/2026 0:00,,,5\n2,C,1/1/2026 0:00,n/a,,0\n\
                3,C,1/1/2026 0:00,,,n/a\n,,,,,\n";
    let (seen, outcomes) = read(&skip, text.as_bytes()).expect("readable");
    assert_eq!(seen.counts, [("rows", 4), ("blank", 2)]);
    assert_eq!(outcomes.len(), 2);
    let refuse = skip.replace("'skip'", "'refuse'");
    let (seen, outcomes) = read(&refuse, text.as_bytes()).expect("readable");
    assert_eq!(seen.counts, [("rows", 4), ("blank", 1)]);
    assert_eq!(refusals(&outcomes).len(), 3);
}

#[test]
fn rows_that_are_not_meant_are_left_out_and_counted() {
    let mapping = format!("{MAPPING}[only]\nkind = ['公交']\n");
    let text = "no,card,start,used,kind\n1,C,1/1/2026 0:00,1,地铁\n2,C,1/1/2026 0:00,1,公交\n";
    let (seen, outcomes) = read(&mapping, text.as_bytes()).expect("readable");
    assert_eq!(seen.counts, [("rows", 2), ("left_out", 1)]);
    assert_eq!(outcomes.len(), 1);
}

#[test]
fn a_distance_may_be_the_great_circle_of_four_columns() {
    let mapping = "format = 'csv'\ndatum = 'wgs84'\nzone = 'UTC'\n[columns]\nid = 'id'\nsubject = 'id'\nat = 't'\n\
        revises = 'old'\nstated_at = 't'\n[time]\nformat = 'unix'\n[constants]\nid = 'x'\n\
        [quantities.distance]\ngreat_circle = ['a', 'b', 'c', 'd']\nunit = 'km'\nmax = 200\n";
    let text = "id,t,a,b,c,d,old\n2,1637676000,0,1,1,1,1\n3,1637676000,0,1,91,1,\n4,1637676000,0,1,,1,\n5,1637676000,0,1,9,1,\n";
    let read = outcomes(mapping, text);
    let Some(Outcome::Record(_, record)) = read.first() else {
        panic!("{read:?}")
    };
    assert_eq!(
        values(std::slice::from_ref(record), "distance"),
        [Some("111.19508".to_owned())]
    );
    assert_eq!(record.revises.as_deref(), Some("x:1"));
    assert_eq!(
        record.attribute("stated_at"),
        Some("2021-11-23T14:00:00.000000Z")
    );
    let found: Vec<_> = refusals(&read)
        .into_iter()
        .map(|(_, code, param)| format!("{code} {param}"))
        .collect();
    assert_eq!(
        found,
        [
            "invalid_field c",
            "missing_field c",
            "quantity_out_of_range a"
        ]
    );
    // A kilometre in the city, whose degrees mean something else on a Chinese map.
    let city = "id,t,a,b,c,d,old\n2,1637676000,22.54,114.05,22.5489932,114.05,\n";
    let [wgs84, gcj02, bd09] = ["wgs84", "gcj02", "bd09"].map(|datum| {
        match outcomes(&mapping.replace("'wgs84'", &format!("'{datum}'")), city).pop() {
            Some(Outcome::Record(_, record)) => values(&[record], "distance"),
            other => panic!("{other:?}"),
        }
    });
    assert_eq!(wgs84, [Some("1".to_owned())]);
    assert!(wgs84 != gcj02 && gcj02 != bd09 && bd09 != wgs84);
}

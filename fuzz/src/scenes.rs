//! What scenes declare. One byte of the input chooses, so that every branch can be reached from
//! the bytes alone; `'0'` is the first choice, so that seeds can be written by hand.

use std::sync::{Arc, OnceLock};

use tanpuhui::domain::scene::adapter::{Adapter, DistanceTable, Options, Settings, all};

const STATIONS: &str =
    "from,to,km\n罗湖,老街,2.5\n老街,罗湖,2.6\na,b,1\n1,2,0.000001\n440305,441900,72.5\n";

/// The adapter that a byte names.
pub fn adapter(choice: u8) -> Adapter {
    let place = usize::from(choice.wrapping_sub(b'0')) % all().len();
    *all().get(place).expect("within the list")
}

/// The declarations that a byte names, and a table of distances.
pub fn options(name: &str, choice: u8) -> Options {
    let scenes = declared(name);
    let place = usize::from(choice.wrapping_sub(b'0')) % scenes.len();
    let (zone, settings) = scenes.get(place).expect("within the list");
    Options {
        zone: zone.parse().ok(),
        distances: Some(stations()),
        settings: Settings::parse(settings).expect("TOML"),
    }
}

fn stations() -> Arc<DistanceTable> {
    static TABLE: OnceLock<Arc<DistanceTable>> = OnceLock::new();
    let read = || Arc::new(DistanceTable::read(&mut STATIONS.as_bytes()).expect("a table"));
    Arc::clone(TABLE.get_or_init(read))
}

/// Zone (`""`: the adapter's own) and settings.
fn declared(name: &str) -> &'static [(&'static str, &'static str)] {
    match name {
        "citibike-csv" => &[("", ""), ("Australia/Lord_Howe", ""), ("Asia/Shanghai", "")],
        "shenzhen-tong" => &[
            ("", ""),
            ("", "money = 'yuan'\nz_times = 'utc'"),
            ("", "columns = 'card_no,deal_date,-,deal_type,station'"),
            (
                "America/New_York",
                "columns = 'equ_no,station,deal_type,deal_money,deal_date,card_no,car_no'\nmoney = 'yuan'",
            ),
        ],
        "sz-bike-order" => &[
            ("", "datum = 'wgs84'"),
            ("", "datum = 'gcj02'"),
            ("", "datum = 'bd09'\nmax_speed_kmh = '100'"),
            ("America/New_York", "datum = 'gcj02'"),
        ],
        "mds-trips" => &[
            ("", ""),
            (
                "",
                "subject_field = 'user'\nmode = 'bike'\nmax_speed_kmh = '60'",
            ),
            (
                "",
                "mode = 'car'\nmin_distance_m = 1\nround_trips = 'accept'",
            ),
        ],
        "gpx" => &[
            ("", "subject = 'one'\nmode = 'bike'"),
            ("", ""),
            (
                "",
                "subject_field = 'track_name'\nmode = 'walk'\nmax_gap_s = 3600",
            ),
        ],
        "green-button" => &[("", ""), ("", "summaries = 'billing_periods'")],
        "ocpi-cdr" => &[("", ""), ("", "country_code = 'CN'\nparty_id = 'SZX'")],
        "gbt-32960" => &[
            ("", ""),
            (
                "America/New_York",
                "mileage = 'km'\nunknown_run_mode = 'electric'",
            ),
        ],
        "csg-household" => &[
            ("", ""),
            ("", "kind = 'daily'"),
            ("", "kind = 'bills'\nbilling_day = 28"),
            ("America/Santiago", "billing_day = 1"),
        ],
        "freight-waybill" => &[
            ("", ""),
            (
                "",
                "mass_unit = 't'\nplate_salt = '0123456789abcdef0123456789abcdef'",
            ),
        ],
        "epcis" => &[
            ("", "subject = 'source:possessing_party'"),
            (
                "",
                "subject = 'epc'\nweighed = ['urn:epc:class:*', '*']\n[materials]\n'*' = 'plastic'\n'urn:epc:*' = 'paper'",
            ),
            (
                "",
                "subject = 'ilmd:example:resident'\nbiz_steps = ['collecting']",
            ),
            ("", "subject = 'extension:example:resident'"),
            ("", "subject = 'bizTransaction:po'"),
            ("", "subject = 'readPoint'"),
            ("", "subject = 'parentID'"),
        ],
        "recycling-weigh" => &[
            (
                "",
                "unit = 'g'\nmass = 'drop'\ndrop_max_kg = '30'\ntare = '120'\n[tares]\nB-17 = '1500'",
            ),
            (
                "",
                "unit = 'kg'\nmass = 'cumulative_day'\nday_start = 'first_row'\ndrop_max_kg = '30'",
            ),
            (
                "America/New_York",
                "unit = 'g'\nmass = 'cumulative_day'\nday_start = 'zero'\ndrop_max_kg = '30'\n[columns]\nuser = 'who'\n[materials]\nPET = 'plastic'",
            ),
        ],
        "ileap-tad" => &[("", ""), ("", "subject = 'one'")],
        "table" => TABLES,
        _ => &[("", "")],
    }
}

const TABLES: &[(&str, &str)] = &[
    (
        "",
        "format = 'csv'\nzone = 'America/New_York'\n[columns]\nid = 'a'\nsubject = 'b'\nat = 'c'\n\
         [time]\nformat = ['local', 'unix', 'rfc3339']\n[quantities.count]\ncolumn = 'd'\nunit = 'item'",
    ),
    (
        "Asia/Seoul",
        "format = 'csv'\ndelimiter = ';'\nheader = 0\ndecimal = ','\nthousands = '.'\nblank = 'skip'\n\
         [columns]\nid = ['A', 'C']\nsubject = 'B'\nto = 'C'\n\
         [time]\nformat = '%d/%m/%Y %H:%M'\nlength = 'PT15M'\nmidnight = 'ends_day'\n\
         [quantities.electricity]\ncolumn = 'D'\nunit = 'kWh'\nscale = '0.001'\nmax = '1000'\n[constants]\nid = 'm'",
    ),
    (
        "America/New_York",
        "format = 'csv'\nheader = 2\nblank_words = ['-', 'nan']\ndatum = 'wgs84'\n\
         [columns]\nid = 'a'\nsubject = ['b', 'e']\nfrom = 'c'\nrevises = 'f'\nstated_at = 'g'\n\
         [time]\nformat = ['local', 'excel', 'unix_ms', '%Y%m%d%H%M']\nuntil = 'next_row'\nrepeated = 'in_order'\n\
         [quantities.distance]\ngreat_circle = ['h', 'i', 'j', 'k']\nunit = 'km'\n\
         [attributes]\nmode = { column = 'e', values = { '公交' = 'bus', 'x' = 'metro' }, other = 'keep' }\nline = 'd'\n\
         [only]\nl = ['1']",
    ),
    (
        "Africa/Casablanca",
        "format = 'csv'\ndelimiter = 'tab'\n[columns]\nid = 1\nsubject = 2\nfrom = 3\nto = 4\n\
         [time]\nformat = ['%Y-%m-%d', '%d.%m.%Y']\nlast = 'included'\nrepeated = 'earlier'\n\
         [quantities.mass]\ncolumn = 5\nunit = 'kg'\n[quantities.count]\nvalue = '1'\nunit = 'item'",
    ),
    (
        "",
        "format = 'xlsx'\nzone = 'UTC'\nblank = 'skip'\n[columns]\nid = ['a', 'b']\nsubject = 'a'\nfrom = 'a'\n\
         [time]\nformat = ['excel', 'local']\nlength = 'P1M'\n[quantities.electricity]\ncolumn = 'b'\nunit = 'kWh'\n\
         [constants]\nevidence = 'meter'",
    ),
    (
        "",
        "format = 'xlsx'\nzone = 'Asia/Shanghai'\nsheet = 'Data'\nheader = 0\n[columns]\nid = 'A'\nsubject = 'B'\nat = 'A'\n\
         [time]\nformat = ['excel1904', 'unix', 'rfc3339']\n[quantities.electricity]\ncolumn = 'B'\nunit = 'kWh'\nscale = '1000'",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_is_a_scene_that_opens() {
        for adapter in all() {
            for choice in 0..declared(adapter.name).len() {
                let choice = b'0' + u8::try_from(choice).unwrap();
                let options = options(adapter.name, choice);
                assert_eq!(
                    (adapter.check)(&options),
                    Ok(()),
                    "{} {choice}",
                    adapter.name
                );
            }
        }
    }
}

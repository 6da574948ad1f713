//! Feeds of lines.

use super::{Case, file, repeated};

const RIDES: &str = "tripduration,starttime,stoptime,start station id,start station name,start station latitude,start station longitude,end station id,end station name,end station latitude,end station longitude,bikeid,usertype,birth year,gender\n";
const TAPS: &str = "卡号,交易日期时间,交易类型,交易金额,公司名称,线路站点,车牌号\n";
const METER: &str = "100,NEM12,202601310900,MDP,RET\r\n200,NMI0000001,E1B1,1,E1,N1,S-7,kWh,60,\r\n";

/// Adapter, scene and header, for shapes that suit all of them.
const TABLES: &[(&str, u8, &str)] = &[
    ("citibike-csv", 0, RIDES),
    ("shenzhen-tong", 0, TAPS),
    (
        "gbt-32960",
        0,
        "vin,time,vehicleStatus,chargeStatus,runMode,speed,mileage,soc\n",
    ),
    ("nem12", 0, METER),
    ("recycling-weigh", 0, "id,user,bin,type,weight,time\n"),
    ("table", 0, "a,b,c,d\n"),
];

pub(super) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = TABLES.iter().flat_map(of_table).collect();
    cases.extend(trips());
    cases.extend(meters());
    cases.extend(tables());
    cases
}

fn of_table(&(name, scene, head): &(&'static str, u8, &'static str)) -> Vec<Case> {
    let line = move |what: &str, line: &str| {
        let line = line.to_owned();
        file(name, scene, what, move |size| {
            repeated(size, head, |_| line.clone(), "")
        })
    };
    vec![
        line("empty lines", "\n"),
        line("lines of one byte", "x\n"),
        line("lines of commas", &format!("{}\n", ",".repeat(64_000))),
        line("lines of quotes", &format!("{}\n", "\"\"".repeat(32_000))),
        line(
            "lines of quoted fields",
            &format!("{}x\n", "\"a\",".repeat(16_000)),
        ),
        line("open quotes", &format!("\"{}\n", "a".repeat(64_000))),
        line(
            "lines of digits",
            &format!("{},{}\n", "9".repeat(32_000), "9".repeat(32_000)),
        ),
        file(name, scene, "header of many columns", |size| {
            repeated(size, "", |n| format!("c{n},"), "\n")
        }),
        file(name, scene, "GBK after much ASCII", move |size| {
            let mut bytes = repeated(size, head, |_| "x\n".to_owned(), "");
            bytes.extend([0xc9, 0xee, 0xdb, 0xda, b'\n']);
            bytes
        }),
    ]
}

fn trips() -> Vec<Case> {
    vec![
        file("citibike-csv", 0, "one ride again and again", |size| {
            repeated(
                size,
                RIDES,
                |_| {
                    "60,2015-07-01 01:30:00,2015-07-01 01:31:00,1,A,40.70,-74.00,2,C,40.71,-74.00,77,Customer,,0\n".to_owned()
                },
                "",
            )
        }),
        file("citibike-csv", 0, "rides at all times", |size| {
            repeated(
                size,
                RIDES,
                |n| {
                    let (year, day) = (n % 9_000 + 1_000, n % 28 + 1);
                    format!(
                        "60,{year}-07-{day:02} 01:30:00,{year}-07-{day:02} 01:31:00,1,A,40.70,-74.00,2,C,40.71,-74.00,{n},x,,0\n"
                    )
                },
                "",
            )
        }),
        file("shenzhen-tong", 0, "one card, one second", |size| {
            repeated(
                size,
                TAPS,
                |n| format!("1,20180901080500,地铁入站,0,a,s{},c\n", n % 60_000),
                "",
            )
        }),
        file("shenzhen-tong", 0, "a card a tap", |size| {
            repeated(
                size,
                TAPS,
                |n| format!("{n},20180901080500,地铁入站,0,a{n},s{n},c\n"),
                "",
            )
        }),
        file("shenzhen-tong", 0, "pairs the wrong way round", |size| {
            repeated(
                size,
                TAPS,
                |n| {
                    let second = 99_999 - n % 99_999;
                    format!(
                        "1,201809{:02}{:02}{:02}{:02},地铁{}站,0,a,罗湖,c\n",
                        second / 86_400 + 1,
                        second / 3_600 % 24,
                        second / 60 % 60,
                        second % 60,
                        if n % 2 == 0 { "出" } else { "入" }
                    )
                },
                "",
            )
        }),
        file("gbt-32960", 0, "a vehicle a row", |size| {
            repeated(
                size,
                TABLES[2].2,
                |n| format!("V{n},2026-05-01 08:00:00,1,3,1,300,100000,80\n"),
                "",
            )
        }),
        file("gbt-32960", 0, "one vehicle backwards", |size| {
            repeated(
                size,
                TABLES[2].2,
                |n| {
                    let left = 999_999 - n % 999_999;
                    format!(
                        "V,20{:02}-{:02}-{:02} 08:{:02}:00,1,3,1,300,{left},80\n",
                        left % 100,
                        left / 100 % 12 + 1,
                        left / 1_200 % 28 + 1,
                        left % 60
                    )
                },
                "",
            )
        }),
        file("recycling-weigh", 1, "a bin a row", |size| {
            repeated(
                size,
                "user,bin,type,weight,time\n",
                |n| format!("u,B{n},3,1,2026-05-01 08:30:00\n"),
                "",
            )
        }),
        file("recycling-weigh", 0, "the same again", |size| {
            repeated(
                size,
                "id,user,bin,type,weight,time\n",
                |_| "W,u,B,3,1,2026-05-01 08:30:00\n".to_owned(),
                "",
            )
        }),
    ]
}

fn meters() -> Vec<Case> {
    let day = |date: &str, value: &str| {
        format!(
            "300,{date},{}A,,,20260121020000,\r\n",
            format!("{value},").repeat(24)
        )
    };
    vec![
        file("nem12", 0, "one day again and again", move |size| {
            repeated(size, METER, |_| day("20260120", "1"), "900\r\n")
        }),
        file("nem12", 0, "days", move |size| {
            repeated(
                size,
                METER,
                |n| {
                    day(
                        &format!(
                            "{:04}{:02}{:02}",
                            1_000 + n / 336 % 8_000,
                            n / 28 % 12 + 1,
                            n % 28 + 1
                        ),
                        "1",
                    )
                },
                "900\r\n",
            )
        }),
        file("nem12", 0, "channels", |size| {
            repeated(
                size,
                "100,NEM12,202601310900,A,B\r\n",
                |n| format!("200,NMI{n:07},E1,1,E1,N1,S,kWh,5,\r\n"),
                "900\r\n",
            )
        }),
        file("nem12", 0, "qualities of one day", move |size| {
            let head = format!("{METER}{}", day("20260120", "1").replace("A,,,", "V,,,"));
            repeated(
                size,
                &head,
                |n| format!("400,{0},{0},S52,{1},x\r\n", n % 24 + 1, n % 999),
                "900\r\n",
            )
        }),
        file("nem12", 0, "readings of registers", |size| {
            repeated(
                size,
                "100,NEM13,202601310900,A,B\r\n",
                |n| {
                    format!(
                        "250,N{n:09},11,1,11,11,S-7,E,1,20251005093055,A,,,2,20260107100333,A,,,1,kWh,20260407,20260108100333,\r\n"
                    )
                },
                "900",
            )
        }),
        file("nem12", 0, "values of many digits", move |size| {
            repeated(
                size,
                METER,
                |_| day("20260120", &"9".repeat(2_500)),
                "900\r\n",
            )
        }),
    ]
}

fn tables() -> Vec<Case> {
    vec![
        file("table", 0, "sound rows", |size| {
            repeated(
                size,
                "a,b,c,d\n",
                |n| format!("{n},u,2015-09-21 14:53,3\n"),
                "",
            )
        }),
        file("table", 0, "skipped hours", |size| {
            repeated(
                size,
                "a,b,c,d\n",
                |n| format!("{n},u,2015-03-08 02:30,3\n"),
                "",
            )
        }),
        file("table", 0, "far times", |size| {
            repeated(
                size,
                "a,b,c,d\n",
                |n| {
                    format!(
                        "{n},u,99999999999999,3\n{n},u,9999-12-31 23:59,3\n{n},u,0000-01-01 00:00,3\n"
                    )
                },
                "",
            )
        }),
        file("table", 0, "wide rows", |size| {
            let row = format!("1,u,2015-09-21 14:53,3{}\n", ",x".repeat(30_000));
            repeated(size, "a,b,c,d\n", |_| row.clone(), "")
        }),
        file("table", 1, "rows of letters", |size| {
            repeated(
                size,
                "",
                |n| format!("m{n};u;21/09/2026 00:15;1.234,5\n"),
                "",
            )
        }),
        file("table", 2, "until the next row", |size| {
            repeated(
                size,
                "\na,b,c,d,e,f,g,h,i,j,k,l\n",
                |n| {
                    format!(
                        "{n},u,2015-09-21 14:53,L1,公交,,2015-09-22 00:00,22.5,114,22.6,114.1,1\n"
                    )
                },
                "",
            )
        }),
        file("table", 3, "whole days", |size| {
            repeated(
                size,
                "a\tb\tc\td\te\n",
                |n| format!("{n}\tu\t2015-09-21\t9999-12-31\t1.5\n"),
                "",
            )
        }),
        file("table", 0, "long texts", |size| {
            let row = format!("1,{0},{0},{0}\n", "x".repeat(20_000));
            repeated(size, "a,b,c,d\n", |_| row.clone(), "")
        }),
    ]
}

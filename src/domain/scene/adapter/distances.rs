//! The distances that a scene supplies: between stations (站间里程), or between the administrative
//! divisions that waybills name (行政区划代码).

use std::collections::HashMap;
use std::io::BufRead;

use rust_decimal::Decimal;

use super::encoding::Decoded;
use super::lines::{Fields, Lines};
use crate::domain::problem::{Code, Problem, detail};

/// A network of 1,000 stations has half a million pairs.
const PAIRS_MAX: usize = 1_000_000;

/// No road of the country is longer; no metro comes near.
const KM_MAX: i64 = 10_000;

/// Bytes of a name, as in the feeds that are looked up here.
const NAME_MAX: usize = 64;

/// Kilometres between two stations or divisions, in either direction unless both are given.
#[derive(Debug, Clone, Default)]
pub struct DistanceTable {
    kilometres: HashMap<String, HashMap<String, Decimal>>,
}

impl DistanceTable {
    /// Reads CSV with the header `from,to,km`; a trailing 站 on a name is ignored.
    ///
    /// # Errors
    /// The first line that is not a pair and a distance, or that contradicts an earlier one.
    pub fn read(source: &mut dyn BufRead) -> Result<DistanceTable, Problem> {
        let mut lines = Lines::new(Decoded::new(source));
        let mut fields = Fields::default();
        let mut table = DistanceTable::default();
        let mut pairs = 0;
        while let Some((number, line)) = lines.next()? {
            fields.split(line)?;
            if number == 1 && fields.iter().eq(["from", "to", "km"]) {
                continue;
            }
            pairs += 1;
            let kept = pairs <= PAIRS_MAX && table.insert(&fields).is_some();
            if !kept {
                let detail = detail!(
                    "应为 from,to,km，每对只出现一次",
                    "from,to,km is expected, each pair once"
                );
                return Err(Problem::at(
                    Code::FormatMismatch,
                    format!("line {number}"),
                    detail,
                ));
            }
        }
        Ok(table)
    }

    fn insert(&mut self, fields: &Fields) -> Option<()> {
        let (from, to) = (plain(fields.get(0)), plain(fields.get(1)));
        let km = Decimal::from_str_exact(fields.get(2)).ok()?.normalize();
        let sound = fields.len() == 3
            && [from, to]
                .iter()
                .all(|name| (1..=NAME_MAX).contains(&name.len()))
            && km >= Decimal::ZERO
            && km <= Decimal::from(KM_MAX)
            && km.scale() <= 6;
        if !sound {
            return None;
        }
        let row = self.kilometres.entry(from.to_owned()).or_default();
        let before = row.insert(to.to_owned(), km);
        (before.is_none() || before == Some(km)).then_some(())
    }

    /// The distance from one station to another; none known is not 0. A station is 0 from itself.
    pub fn between(&self, from: &str, to: &str) -> Option<Decimal> {
        let (from, to) = (plain(from), plain(to));
        if from == to {
            return Some(Decimal::ZERO);
        }
        let of = |a: &str, b: &str| self.kilometres.get(a).and_then(|row| row.get(b)).copied();
        of(from, to).or_else(|| of(to, from))
    }
}

/// Feeds write 南山 and 南山站 for one station.
fn plain(station: &str) -> &str {
    match station.strip_suffix('站') {
        Some("") | None => station,
        Some(name) => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<DistanceTable, Problem> {
        DistanceTable::read(&mut text.as_bytes())
    }

    #[test]
    fn pairs_hold_both_ways_unless_both_are_given() {
        let table =
            table("from,to,km\n罗湖,国贸,1.05\n国贸站,老街,0.9\n老街,国贸,1\n").expect("a table");
        let of = |a, b| table.between(a, b).map(|km| km.to_string());
        assert_eq!(of("罗湖站", "国贸").as_deref(), Some("1.05"));
        assert_eq!(of("国贸", "罗湖").as_deref(), Some("1.05"));
        assert_eq!(of("国贸", "老街").as_deref(), Some("0.9"));
        assert_eq!(of("老街", "国贸").as_deref(), Some("1"));
        assert_eq!(of("罗湖", "老街"), None);
        assert_eq!(of("塘尾", "塘尾站").as_deref(), Some("0"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        for (text, line) in [
            ("a,b,-1\n", 1),
            ("a,b,1\na,b,2\n", 2),
            ("a,b\n", 1),
            ("a,,1\n", 1),
            ("a,b,1e3", 1),
            ("a,b,10001", 1),
            (&format!("a,{},1", "b".repeat(65)), 1),
        ] {
            let problem = table(text).expect_err("refused");
            assert_eq!(problem.param, Some(format!("line {line}")), "{text}");
        }
    }
}

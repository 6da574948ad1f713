//! Trying a methodology (试算) on behaviour that was counted by another, without counting it.

use chrono::{Datelike, NaiveDate};
use chrono_tz::Tz;

use super::compiled::{Compiled, Refusal};
use super::gather::Span;
use super::look_back::Series;
use super::program::Scratch;
use crate::domain::behaviour::Record;
use crate::domain::problem::Code;

/// What one act or one period would earn: milligrams, or why nothing.
pub type Tried = Result<i64, String>;

/// A methodology that is tried on one subject after another; its memory is used again.
#[derive(Debug)]
pub struct Trial<'m> {
    methodology: &'m Compiled,
    series: Series,
    scratch: Scratch,
}

impl<'m> Trial<'m> {
    pub fn of(methodology: &'m Compiled) -> Trial<'m> {
        Trial {
            methodology,
            series: Series::default(),
            scratch: Scratch::default(),
        }
    }

    /// What one subject would earn for acts and whole periods that begin from `span.first` and, as
    /// for periods, end by `span.out`. `records` are in order and reach back as far as the
    /// methodology looks; `statements` are those of all time. A year's end excludes where the whole
    /// calendar year lies within. An act's day is that of `zone`, so that two methodologies are
    /// tried on the same acts; a period's are those of the methodology.
    pub fn run(
        &mut self,
        records: &[Record],
        statements: &[Record],
        span: Span,
        zone: Tz,
    ) -> Vec<Tried> {
        match self.methodology.gathers() {
            true => self.periods(records, statements, span),
            false => self.acts(records, span, zone),
        }
    }

    fn acts(&mut self, records: &[Record], span: Span, zone: Tz) -> Vec<Tried> {
        let within = records.iter().filter(|record| {
            let day = record.from.with_timezone(&zone).date_naive();
            span.first <= day && day < span.out
        });
        within
            .map(|record| {
                let quantified = self.methodology.quantify(record, &mut self.scratch);
                told(quantified.map(|quantified| quantified.reduction_mg.0))
            })
            .collect()
    }

    fn periods(&mut self, records: &[Record], statements: &[Record], span: Span) -> Vec<Tried> {
        let gathered = self.methodology.gather(records, statements);
        // A period that cannot be gathered is no history either.
        let sound: Vec<Record> = gathered
            .iter()
            .filter_map(|(_, period)| period.clone().ok())
            .collect();
        self.methodology.open_series(&sound, &mut self.series);
        let (mut place, mut tried) = (0, Vec::new());
        for (own, period) in gathered {
            let at = place;
            place += usize::from(period.is_ok());
            if own.first < span.first || own.out > span.out {
                continue;
            }
            let result = match period {
                Err(problem) => Err(Refusal::Problem(problem)),
                Ok(_) => self.whole(&sound, at),
            };
            tried.push((own, told(result)));
        }
        self.exclude_years(&sound, span, &mut tried);
        tried.into_iter().map(|(_, tried)| tried).collect()
    }

    fn whole(&mut self, periods: &[Record], at: usize) -> Result<i64, Refusal> {
        let all = self.methodology.has_all(periods, at);
        all.map_err(Refusal::Problem)?;
        let quantified = self
            .methodology
            .quantify_in(periods, at, &mut self.series)?;
        Ok(quantified.reduction_mg.0)
    }

    fn exclude_years(&mut self, periods: &[Record], span: Span, tried: &mut [(Span, Tried)]) {
        if !self.methodology.has_year_end() {
            return;
        }
        let zone = self.methodology.window().zone;
        for year in span.first.year()..=span.out.year() {
            let bounds = NaiveDate::from_ymd_opt(year, 1, 1)
                .zip(NaiveDate::from_ymd_opt(year + 1, 1, 1))
                .filter(|(first, out)| span.first <= *first && *out <= span.out);
            if bounds.is_none() {
                continue;
            }
            let own: Vec<Record> = periods
                .iter()
                .filter(|period| period.from.with_timezone(&zone).year() == year)
                .cloned()
                .collect();
            let judged = self.methodology.year_verdict(&own, &mut self.series);
            if let Err(refusal) = judged {
                let of_year = tried.iter_mut().filter(|(own, _)| own.first.year() == year);
                of_year.for_each(|(_, tried)| *tried = Err(refusal.reason().to_owned()));
            }
        }
    }
}

fn told(result: Result<i64, Refusal>) -> Tried {
    match result {
        Ok(mg) if mg < 0 => Err(Code::NegativeReduction.as_str().to_owned()),
        Ok(mg) => Ok(mg),
        Err(refusal) => Err(refusal.reason().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::methodology::{Library, parse_time};

    const DOCUMENT: &str = r#"
        format = 1
        kind = "methodology"
        identity = { code = "ride", version = "1", title_zh = "骑行", title_en = "Ride" }
        effect = { from = "2024-01-01", zone = "America/New_York" }
        scope = { region = "CN", scene = "ride", subject = "person", quantity_kind = "co2", gwp_set = "none: CO2 only", period = "event" }
        [inputs.distance]
        type = "quantity"
        unit = "km"
        [formula]
        reduction = "distance * 1 kgCO2/km"
        unit = "kgCO2"
    "#;

    #[test]
    fn acts_of_a_day_are_the_scenes_day_whatever_the_documents_zone() {
        let library = Library::load([("m.toml", DOCUMENT)]).unwrap();
        let methodology = library.get("ride", "1").unwrap();
        let day = |day| NaiveDate::from_ymd_opt(2026, 11, day).unwrap();
        let span = Span {
            first: day(5),
            out: day(6),
        };
        let shanghai = chrono_tz::Asia::Shanghai;
        let acts: Vec<Record> = ["04T23:59", "05T00:00", "05T08:00", "05T23:59", "06T00:00"]
            .iter()
            .map(|at| {
                let at = parse_time(&format!("2026-11-{at}:00+08:00"), shanghai).unwrap();
                methodology.record(at, [("distance", "1 km")]).unwrap()
            })
            .collect();
        let tried = Trial::of(methodology).run(&acts, &[], span, shanghai);
        assert_eq!(tried, [Ok(1_000_000), Ok(1_000_000), Ok(1_000_000)]);
    }
}

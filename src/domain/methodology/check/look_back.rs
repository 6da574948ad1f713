//! Look-backs: which function, over what, how far, and with how little it is content.

use std::ops::Range;

use super::{Checked, Checker, Typed};
use crate::domain::methodology::compiled::Period;
use crate::domain::methodology::formula::{Expression, Form};
use crate::domain::methodology::look_back::{LookBack, monthly};
use crate::domain::methodology::program::Node;
use crate::domain::methodology::reach::Reach;
use crate::domain::problem::detail;

/// The farthest look-back, in periods.
const MOST: i64 = 400;

/// The functions, and the names of their arguments.
const FUNCTIONS: [(&str, &[&str]); 4] = [
    (
        "trailing_mean",
        &[
            "days",
            "months",
            "exclude_current",
            "min_count",
            "max_count",
            "only",
        ],
    ),
    ("history_mean", &["min_months", "max_months"]),
    ("same_month_last_year", &[]),
    ("year_sum", &[]),
];

pub(super) fn is_look_back(name: &str) -> bool {
    FUNCTIONS.iter().any(|(known, _)| *known == name)
}

impl Checker<'_> {
    pub(super) fn look_back(
        &mut self,
        name: &str,
        arguments: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        if !self.gathered {
            return Err(self.refuse(
                span,
                detail!(
                    "`{name}` 需要 [period]：记录归集于周期，周期才有前期可回看",
                    "`{name}` needs [period]: records are gathered, and periods know those before"
                ),
            ));
        }
        if self.looking {
            return Err(self.refuse(
                span,
                detail!(
                    "回看之内不能再回看",
                    "a look-back cannot look back from within another"
                ),
            ));
        }
        let Some((of, options)) = arguments.split_first() else {
            return Err(self.refuse(
                span,
                detail!("`{name}` 须有一个值", "`{name}` takes a value"),
            ));
        };
        let (reach, least) = self.reach(name, options, span)?;
        let most = self.whole(options, "max_count")?;
        let most = most.map_or(usize::MAX, |most| most as usize);
        if most < least {
            let message = detail!(
                "`max_count` 不能小于 `min_count`",
                "`max_count` is not below `min_count`"
            );
            return Err(self.refuse(span, message));
        }
        let (looked, looking) = (self.looked, std::mem::replace(&mut self.looking, true));
        self.looked = false;
        let checked = self.number(of);
        let only = self.option(options, "only").map(|only| self.truth(only));
        let nested = std::mem::replace(&mut self.looked, true);
        self.looking = looking;
        let (node, unit) = checked?;
        let only = only.transpose()?;
        if nested {
            self.looked = looked;
            return Err(self.refuse(
                &of.span,
                detail!(
                    "回看之内不能再回看",
                    "a look-back cannot look back from within another"
                ),
            ));
        }
        let text = Expression {
            form: Form::Call(name.to_owned(), arguments.to_vec()),
            span: span.clone(),
            depth: 0,
        }
        .to_string();
        let look = LookBack {
            reads: self.program.inputs_of(node, only),
            most,
            only,
            text,
            of: node,
            unit: unit.clone(),
            reach,
            least,
        };
        let same = |known: &LookBack| known.text == look.text;
        let slot = match self.program.look_backs.iter().position(same) {
            Some(slot) => slot,
            None => {
                self.program.look_backs.push(look);
                self.program.look_backs.len() - 1
            }
        };
        Ok(Typed::Number(self.node(Node::LookBack(slot), span)?, unit))
    }

    fn reach(
        &self,
        name: &str,
        options: &[Expression],
        span: &Range<usize>,
    ) -> Checked<(Reach, usize)> {
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name);
        let known = known.map_or(&[][..], |(_, known)| known);
        for option in options {
            match &option.form {
                Form::Named(key, _) if known.contains(&key.as_str()) => {}
                _ => {
                    let message = detail!(
                        "`{name}` 的参数为一个值，以及 {}",
                        "`{name}` takes a value and {}",
                        known.join(", ")
                    );
                    return Err(self.refuse(&option.span, message));
                }
            }
        }
        let months_only = |wanted: &str| match monthly(self.period) {
            true => Ok(()),
            false => Err(self.refuse(
                span,
                detail!(
                    "`{wanted}` 只用于按月或按账期核算的文件",
                    "`{wanted}` needs a document whose periods are months or bills"
                ),
            )),
        };
        match name {
            "trailing_mean" => {
                let days = self.whole(options, "days")?;
                let months = self.whole(options, "months")?;
                let current = !self
                    .truth_option(options, "exclude_current")?
                    .unwrap_or(true);
                let (reach, most) = match (days, months) {
                    (Some(days), None) if self.period == Period::Day => {
                        (Reach::Days { days, current }, days)
                    }
                    (None, Some(months)) => {
                        months_only("months")?;
                        (Reach::Months { months, current }, months)
                    }
                    _ => {
                        let message = detail!(
                            "按日核算的文件写 `days = n`，按月或按账期的写 `months = n`",
                            "a document of days says `days = n`, one of months or bills `months = n`"
                        );
                        return Err(self.refuse(span, message));
                    }
                };
                let least = self.whole(options, "min_count")?.unwrap_or(most);
                self.within(least, most, span)?;
                Ok((reach, least as usize))
            }
            "history_mean" => {
                months_only(name)?;
                let most = self.whole(options, "max_months")?.unwrap_or(12);
                let least = self.whole(options, "min_months")?.unwrap_or(3);
                self.within(least, most, span)?;
                Ok((Reach::Run { most }, least as usize))
            }
            "same_month_last_year" => {
                months_only(name)?;
                Ok((Reach::SameMonthLastYear, 1))
            }
            _ if self.in_year_end => Ok((Reach::Year, 1)),
            _ => Err(self.refuse(
                span,
                detail!(
                    "`year_sum` 到年末才可知：须写在 [year_end] 之下",
                    "`year_sum` is known at the year's end: it stands under [year_end]"
                ),
            )),
        }
    }

    fn within(&self, least: u32, most: u32, span: &Range<usize>) -> Checked<()> {
        match (1..=most).contains(&least) {
            true => Ok(()),
            false => Err(self.refuse(
                span,
                detail!(
                    "周期数须在 1 至 {most} 之间",
                    "at least 1 and at most {most} periods can be asked for"
                ),
            )),
        }
    }

    fn option<'e>(&self, options: &'e [Expression], key: &str) -> Option<&'e Expression> {
        options.iter().find_map(|option| match &option.form {
            Form::Named(name, value) if name == key => Some(&**value),
            _ => None,
        })
    }

    fn whole(&self, options: &[Expression], key: &str) -> Checked<Option<u32>> {
        let Some(value) = self.option(options, key) else {
            return Ok(None);
        };
        let number = match &value.form {
            Form::Number(number, None) if number.is_integer() => {
                i64::try_from(number.mantissa()).ok()
            }
            _ => None,
        };
        let number = number.filter(|number| (1..=MOST).contains(number));
        match number.and_then(|number| u32::try_from(number).ok()) {
            Some(number) => Ok(Some(number)),
            None => Err(self.refuse(
                &value.span,
                detail!(
                    "`{key}` 须为 1 至 {MOST} 的整数",
                    "`{key}` is a whole number from 1 to {MOST}"
                ),
            )),
        }
    }

    fn truth_option(&self, options: &[Expression], key: &str) -> Checked<Option<bool>> {
        match self
            .option(options, key)
            .map(|value| (&value.form, &value.span))
        {
            None => Ok(None),
            Some((Form::Truth(truth), _)) => Ok(Some(*truth)),
            Some((_, span)) => Err(self.refuse(
                span,
                detail!("`{key}` 须为 true 或 false", "`{key}` is true or false"),
            )),
        }
    }
}

//! Calls, look-ups and sums.

use std::ops::Range;

use rust_decimal::Decimal;

use super::{CellForm, Checked, Checker, Typed, round_node};
use crate::domain::methodology::formula::{Expression, Form};
use crate::domain::methodology::program::{KeyPart, Logic, Node, NodeId};
use crate::domain::problem::detail;
use crate::domain::unit::{Rounding, Unit};

impl Checker<'_> {
    pub(super) fn call(
        &mut self,
        name: &str,
        arguments: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        match (name, arguments) {
            ("min" | "max", [_, ..]) => self.extreme(name, arguments, span),
            ("clamp", [of, low, high]) => {
                let (of, unit) = self.number(of)?;
                let low = self.bound(low, &unit)?;
                let high = self.bound(high, &unit)?;
                Ok(Typed::Number(
                    self.node(Node::Clamp(of, low, high), span)?,
                    unit,
                ))
            }
            ("floor", [of]) => {
                let (of, unit) = self.number(of)?;
                Ok(Typed::Number(
                    self.node(Node::Floor(of, Decimal::ONE, Box::new(unit.clone())), span)?,
                    unit,
                ))
            }
            ("floor", [of, place]) => {
                let (of, step, unit) = self.placed(of, place)?;
                Ok(Typed::Number(
                    self.node(Node::Floor(of, step, Box::new(unit.clone())), span)?,
                    unit,
                ))
            }
            ("round", [of, mode, place]) => self.round(of, mode, place, span),
            ("present", [of]) => self.present(of),
            (look, _) if super::look_back::is_look_back(look) => {
                self.look_back(look, arguments, span)
            }
            (curve, [of]) if self.program.curves.iter().any(|known| known.name == curve) => {
                self.curve(curve, of, span)
            }
            ("min" | "max" | "clamp" | "floor" | "round" | "present", _) => Err(self.refuse(
                span,
                detail!(
                    "`{name}` 的参数个数不对",
                    "`{name}` takes another number of arguments"
                ),
            )),
            _ => Err(self.refuse(
                span,
                detail!(
                    "`{name}` 不是函数，也不是本文件的曲线",
                    "`{name}` is no function and no curve of this document"
                ),
            )),
        }
    }

    fn bound(&mut self, tree: &Expression, unit: &Unit) -> Checked<NodeId> {
        let (node, own) = self.number(tree)?;
        let what = detail!(
            "`{own}` 不能作为 `{unit}` 的界限",
            "`{own}` cannot bound `{unit}`"
        );
        self.converted(node, &own, unit, &tree.span, &what)
    }

    fn extreme(
        &mut self,
        name: &str,
        arguments: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let mut unit: Option<Unit> = None;
        let mut nodes = Vec::with_capacity(arguments.len());
        for argument in arguments {
            let (node, own) = self.number(argument)?;
            let unit = unit.get_or_insert_with(|| own.clone()).clone();
            let what = detail!(
                "`{unit}` 不能与 `{own}` 比较",
                "`{unit}` cannot be compared with `{own}`"
            );
            nodes.push(self.converted(node, &own, &unit, &argument.span, &what)?);
        }
        let nodes = nodes.into_boxed_slice();
        let node = if name == "min" {
            Node::Smallest(nodes)
        } else {
            Node::Largest(nodes)
        };
        Ok(Typed::Number(
            self.node(node, span)?,
            unit.unwrap_or_else(Unit::one),
        ))
    }

    /// A value and the step to which it is rounded: both in the unit of the step.
    fn placed(&mut self, of: &Expression, place: &Expression) -> Checked<(NodeId, Decimal, Unit)> {
        let (node, own) = self.number(of)?;
        let Form::Number(step, unit) = &place.form else {
            return Err(self.refuse(
                &place.span,
                detail!(
                    "取整位数须直接写成数值，如 `0.01 kg`",
                    "the place is written as a number, such as `0.01 kg`"
                ),
            ));
        };
        if step.is_zero() {
            return Err(self.refuse(
                &place.span,
                detail!("取整位数不能为零", "the place is not zero"),
            ));
        }
        let unit = match unit {
            Some(unit) => self.unit(unit, &place.span)?,
            None => Unit::one(),
        };
        let what = detail!(
            "`{own}` 不能按 `{unit}` 的位数取整",
            "`{own}` cannot be rounded to a place of `{unit}`"
        );
        let node = self.converted(node, &own, &unit, &place.span, &what)?;
        Ok((node, *step, unit))
    }

    fn round(
        &mut self,
        of: &Expression,
        mode: &Expression,
        place: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let mode = match &mode.form {
            Form::Name(name) => Rounding::parse(name),
            _ => None,
        }
        .ok_or_else(|| {
            let known = Rounding::ALL.map(Rounding::as_str).join(", ");
            self.refuse(
                &mode.span,
                detail!(
                    "取整方式须为以下之一：{known}",
                    "a rounding mode is one of {known}"
                ),
            )
        })?;
        let (of, step, unit) = self.placed(of, place)?;
        let node = round_node(of, mode, step, &unit);
        Ok(Typed::Number(self.node(node, span)?, unit))
    }

    fn present(&mut self, of: &Expression) -> Checked<Typed> {
        let slot = match &of.form {
            Form::Name(name) => self.inputs.iter().position(|input| input.name == *name),
            _ => None,
        };
        let slot = slot.ok_or_else(|| {
            self.refuse(
                &of.span,
                detail!("`present` 的参数须为输入", "`present` asks about an input"),
            )
        })?;
        Ok(Typed::Truth(self.logic(Logic::Present(slot), &of.span)?))
    }

    fn curve(&mut self, name: &str, of: &Expression, span: &Range<usize>) -> Checked<Typed> {
        let found = self
            .program
            .curves
            .iter()
            .position(|known| known.name == name);
        let units = found.and_then(|slot| {
            let curve = self.program.curves.get(slot)?;
            Some((slot, curve.x_unit.clone(), curve.y_unit.clone()))
        });
        let Some((slot, x_unit, y_unit)) = units else {
            return Err(self.refuse(span, detail!("未知的曲线", "unknown curve")));
        };
        let (node, own) = self.number(of)?;
        let what = detail!(
            "曲线 `{name}` 的自变量单位是 `{x_unit}`，不是 `{own}`",
            "curve `{name}` is read at `{x_unit}`, not at `{own}`"
        );
        let node = self.converted(node, &own, &x_unit, &of.span, &what)?;
        Ok(Typed::Number(
            self.node(Node::Curve(slot, node), span)?,
            y_unit,
        ))
    }

    pub(super) fn index(
        &mut self,
        name: &str,
        keys: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let Some(slot) = self
            .program
            .tables
            .iter()
            .position(|table| table.name == name)
        else {
            return self.indexed_input(name, keys, span);
        };
        let columns = self
            .program
            .tables
            .get(slot)
            .map(|table| table.columns.clone())
            .unwrap_or_default();
        if columns.len() != keys.len() {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            return Err(self.refuse(
                span,
                detail!(
                    "表 `{name}` 的键为 [{}]",
                    "table `{name}` has the keys [{}]",
                    names.join(", ")
                ),
            ));
        }
        let mut parts = Vec::with_capacity(keys.len());
        for (column, key) in columns.iter().zip(keys) {
            let part = match self.typed(key)? {
                Typed::Cell(part, form) if !column.whole => {
                    self.reachable(slot, &form, &key.span)?;
                    part
                }
                Typed::Number(node, unit) if column.whole && unit == Unit::one() => {
                    KeyPart::Whole(node)
                }
                _ => {
                    let name = &column.name;
                    let message = match column.whole {
                        true => detail!(
                            "键 `{name}` 须为没有单位的整数",
                            "key `{name}` is a whole number without unit"
                        ),
                        false => detail!("键 `{name}` 须为文本", "key `{name}` is a text"),
                    };
                    return Err(self.refuse(&key.span, message));
                }
            };
            parts.push(part);
        }
        let unit = self.unit_of_look_up(slot, name, &parts, span)?;
        let node = self.node(Node::LookUp(slot, parts.into_boxed_slice()), span)?;
        Ok(Typed::Number(node, unit))
    }

    /// The unit that every row has which the look-up may reach.
    fn unit_of_look_up(
        &self,
        slot: usize,
        name: &str,
        parts: &[KeyPart],
        span: &Range<usize>,
    ) -> Checked<Unit> {
        let Some(table) = self.program.tables.get(slot) else {
            return Err(self.refuse(span, detail!("未知的表", "unknown table")));
        };
        let known: Vec<Option<u32>> = parts
            .iter()
            .map(|part| match part {
                KeyPart::Word(word) => Some(*word),
                _ => None,
            })
            .collect();
        match table.reachable_units(&known).as_slice() {
            [] if table.rows.is_empty() => {
                Ok(table.units.first().cloned().unwrap_or_else(Unit::one))
            }
            [] => Err(self.refuse(
                span,
                detail!(
                    "表 `{name}` 中没有这些键的行",
                    "no row of table `{name}` has these keys"
                ),
            )),
            [unit] => Ok((*unit).clone()),
            [one, other, ..] => {
                let message = detail!(
                    "此处可能读到的表 `{name}` 的行，单位有 `{one}` 也有 `{other}`",
                    "rows of table `{name}` that this may read are in `{one}` and in `{other}`"
                );
                Err(self.refuse(span, message))
            }
        }
    }

    /// A key that is written out must be in the table.
    fn reachable(&self, slot: usize, form: &CellForm, span: &Range<usize>) -> Checked<()> {
        let CellForm::Literal(text) = form else {
            return Ok(());
        };
        let word = self.dictionary.find(text);
        let found = self
            .program
            .tables
            .get(slot)
            .is_some_and(|table| table.rows.iter().any(|row| row.key.contains(&word)));
        if found {
            Ok(())
        } else {
            Err(self.refuse(
                span,
                detail!(
                    "该表没有键为“{text}”的行",
                    "no row of the table has the key \"{text}\""
                ),
            ))
        }
    }

    fn indexed_input(
        &mut self,
        name: &str,
        keys: &[Expression],
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let [key] = keys else {
            return Err(self.refuse(
                span,
                detail!(
                    "`{name}` 不是本文件的表",
                    "`{name}` is no table of this document"
                ),
            ));
        };
        let Typed::Cell(_, CellForm::Literal(member)) = self.typed(key)? else {
            return Err(self.refuse(
                span,
                detail!(
                    "`{name}` 不是本文件的表",
                    "`{name}` is no table of this document"
                ),
            ));
        };
        let full = format!("{name}.{member}");
        match self.inputs.iter().position(|input| input.name == full) {
            Some(slot) => self.input(slot, span),
            None => Err(self.refuse(
                span,
                detail!(
                    "没有表 `{name}`，也没有输入 `{full}`",
                    "there is no table `{name}` and no input `{full}`"
                ),
            )),
        }
    }

    pub(super) fn sum(
        &mut self,
        variable: &str,
        set: &str,
        body: &Expression,
        span: &Range<usize>,
    ) -> Checked<Typed> {
        let sets = self.sets;
        let members = sets
            .get(set)
            .filter(|members| !members.is_empty())
            .ok_or_else(|| {
                self.refuse(
                    span,
                    detail!(
                        "`{set}` 不是本文件的集合，或为空",
                        "`{set}` is no set of this document, or is empty"
                    ),
                )
            })?;
        let mut unit: Option<Unit> = None;
        let mut nodes = Vec::with_capacity(members.len());
        for member in members {
            self.bound.push((variable.to_owned(), member.clone()));
            let node = self.arm(body, &mut unit);
            self.bound.pop();
            nodes.push(node?);
        }
        let node = self.node(Node::Sum(nodes.into_boxed_slice()), span)?;
        Ok(Typed::Number(node, unit.unwrap_or_else(Unit::one)))
    }
}

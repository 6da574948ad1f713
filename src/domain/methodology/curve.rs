//! Step tables and piecewise-linear curves of one variable.

use rust_decimal::Decimal;

use super::table::Origin;
use crate::domain::unit::Unit;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A point's value holds from its x, included, to the next x.
    StepFromLower,
    /// A point's value holds from the previous x to its own x, included.
    StepToUpper,
    Linear,
}

#[derive(Debug, Clone)]
pub(crate) struct Curve {
    pub name: String,
    pub form: Form,
    pub x_unit: Unit,
    pub y_unit: Unit,
    /// Rising in x; at least one.
    pub points: Vec<(Decimal, Decimal)>,
    /// Outside the points: hold the outermost value, or refuse.
    pub hold: bool,
    pub origin: Origin,
}

/// Why a curve has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    Outside,
    Overflow,
}

impl Curve {
    pub fn at(&self, x: Decimal) -> Result<Decimal, Gap> {
        match self.form {
            Form::StepFromLower => {
                let above = self.points.partition_point(|point| point.0 <= x);
                // The last band has no end of its own.
                self.point(above.checked_sub(1))
            }
            Form::StepToUpper => {
                let below = self.points.partition_point(|point| point.0 < x);
                let inside = (below < self.points.len()).then_some(below);
                match (inside, self.hold) {
                    (None, true) => self.point(self.points.len().checked_sub(1)),
                    (inside, _) => {
                        inside.map_or(Err(Gap::Outside), |place| self.point(Some(place)))
                    }
                }
            }
            Form::Linear => self.between(x),
        }
    }

    fn point(&self, place: Option<usize>) -> Result<Decimal, Gap> {
        let place = match place {
            None if self.hold => 0,
            None => return Err(Gap::Outside),
            Some(place) => place,
        };
        self.points
            .get(place)
            .map(|point| point.1)
            .ok_or(Gap::Outside)
    }

    fn between(&self, x: Decimal) -> Result<Decimal, Gap> {
        let after = self.points.partition_point(|point| point.0 <= x);
        let left = after
            .checked_sub(1)
            .and_then(|place| self.points.get(place));
        match (left, self.points.get(after)) {
            (Some(left), _) if left.0 == x => Ok(left.1),
            (Some(left), Some(right)) => interpolate(*left, *right, x).ok_or(Gap::Overflow),
            (Some(edge), None) | (None, Some(edge)) if self.hold => Ok(edge.1),
            _ => Err(Gap::Outside),
        }
    }
}

/// Multiplies before it divides, so that one rounding (half to even, 28th digit) occurs at most.
fn interpolate(left: (Decimal, Decimal), right: (Decimal, Decimal), x: Decimal) -> Option<Decimal> {
    let rise = right.1.checked_sub(left.1)?;
    let run = right.0.checked_sub(left.0)?;
    let along = x.checked_sub(left.0)?;
    left.1
        .checked_add(rise.checked_mul(along)?.checked_div(run)?)
}

#[cfg(test)]
mod tests {
    use rust_decimal::dec;

    use super::*;

    fn curve(form: Form, hold: bool) -> Curve {
        Curve {
            name: "c".to_owned(),
            form,
            x_unit: Unit::one(),
            y_unit: Unit::one(),
            points: vec![
                (dec!(1), dec!(10)),
                (dec!(3), dec!(30)),
                (dec!(5), dec!(20)),
            ],
            hold,
            origin: Origin::default(),
        }
    }

    #[test]
    fn bands_close_at_the_end_they_declare() {
        let lower = curve(Form::StepFromLower, false);
        assert_eq!(lower.at(dec!(1)), Ok(dec!(10)));
        assert_eq!(lower.at(dec!(2.99)), Ok(dec!(10)));
        assert_eq!(lower.at(dec!(3)), Ok(dec!(30)));
        assert_eq!(lower.at(dec!(99)), Ok(dec!(20)));
        assert_eq!(lower.at(dec!(0.5)), Err(Gap::Outside));
        let upper = curve(Form::StepToUpper, false);
        assert_eq!(upper.at(dec!(0.5)), Ok(dec!(10)));
        assert_eq!(upper.at(dec!(3)), Ok(dec!(30)));
        assert_eq!(upper.at(dec!(3.01)), Ok(dec!(20)));
        assert_eq!(upper.at(dec!(5.01)), Err(Gap::Outside));
        assert_eq!(curve(Form::StepToUpper, true).at(dec!(9)), Ok(dec!(20)));
    }

    #[test]
    fn lines_meet_their_points() {
        let line = curve(Form::Linear, false);
        assert_eq!(line.at(dec!(1)), Ok(dec!(10)));
        assert_eq!(line.at(dec!(2)), Ok(dec!(20)));
        assert_eq!(line.at(dec!(4.5)), Ok(dec!(22.5)));
        assert_eq!(line.at(dec!(5)), Ok(dec!(20)));
        assert_eq!(line.at(dec!(5.1)), Err(Gap::Outside));
        assert_eq!(curve(Form::Linear, true).at(dec!(-7)), Ok(dec!(10)));
    }
}

//! Station and line names, held once.

use std::collections::HashMap;

use crate::domain::problem::{Code, Problem, detail};

/// Station and line names, numbered as they come; at most 65,536 of at most 64 bytes.
#[derive(Default)]
pub(super) struct Names {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u16>,
}

impl Names {
    pub(super) fn number(&mut self, name: &str, field: &str) -> Result<u16, Problem> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let next = u16::try_from(self.names.len())
            .ok()
            .filter(|_| name.len() <= 64);
        let number = next.ok_or_else(|| {
            Problem::at(
                Code::InvalidField,
                field,
                detail!(
                    "超过 64 字节，或名称过多",
                    "longer than 64 bytes, or one name too many"
                ),
            )
        })?;
        self.names.push(name.into());
        self.numbers.insert(name.into(), number);
        Ok(number)
    }

    pub(super) fn name(&self, number: u16) -> &str {
        self.names.get(usize::from(number)).map_or("", |name| name)
    }
}

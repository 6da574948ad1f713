//! Files of any size that are made to be slow or large; `examples/crafted.rs` measures them.

use std::io::BufReader;

use tanpuhui::domain::scene::adapter::{Envelope, Outcome, by_name};

use crate::scenes;

mod documents;
mod json;
mod rows;
mod workbooks;
mod xml;

/// One shape of file.
pub struct Case {
    pub name: String,
    /// About so many bytes of it.
    pub make: Box<dyn Fn(usize) -> Vec<u8>>,
    pub run: Box<dyn Fn(&[u8])>,
}

/// Every shape.
pub fn cases() -> Vec<Case> {
    let mut cases = json::cases();
    cases.extend(rows::cases());
    cases.extend(xml::cases());
    cases.extend(workbooks::cases());
    cases.extend(documents::cases());
    cases
}

/// A file for an adapter, in the scene of that number.
fn file(
    adapter: &'static str,
    scene: u8,
    what: &str,
    make: impl Fn(usize) -> Vec<u8> + 'static,
) -> Case {
    let run = move |bytes: &[u8]| read(Envelope::None, adapter, scene, bytes);
    Case {
        name: format!("{adapter} {scene}: {what}"),
        make: Box::new(make),
        run: Box::new(run),
    }
}

/// `head`, as many `part`s as make up the size, and `tail`.
fn repeated(size: usize, head: &str, part: impl Fn(usize) -> String, tail: &str) -> Vec<u8> {
    let mut text = String::with_capacity(size + 128 * 1024);
    text.push_str(head);
    let mut number = 0;
    while text.len() < size {
        text.push_str(&part(number));
        number += 1;
    }
    text.push_str(tail);
    text.into_bytes()
}

/// Rows of nearly 64 KB, `inner` many times between `open` and `close` in each.
fn long_rows(
    size: usize,
    head: &str,
    [open, inner, close, between]: [&str; 4],
    tail: &str,
) -> Vec<u8> {
    let row = format!(
        "{open}{}{close}{between}",
        inner.repeat((64_000 - open.len() - close.len()) / inner.len())
    );
    repeated(size, head, |_| row.clone(), tail)
}

/// Reads as the server does, and drops each outcome.
fn read(envelope: Envelope, name: &str, scene: u8, bytes: &[u8]) {
    let adapter = by_name(name).expect("an adapter");
    let options = scenes::options(name, b'0' + scene);
    let mut source = BufReader::with_capacity(64 * 1024, bytes);
    let read = envelope.read(&adapter, &mut source, &options, &mut |outcome: Outcome| {
        std::hint::black_box(&outcome);
    });
    if std::env::var_os("CRAFTED_SHOW").is_some() {
        eprintln!("{:.300}", format!("{read:?}"));
    }
}

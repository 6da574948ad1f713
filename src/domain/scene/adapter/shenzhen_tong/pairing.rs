//! From taps to trips: an entry and the exit that follows it on the same card.
//!
//! Files are not in time order, so taps wait in a window, are sorted by card and time, and an
//! entry is paired with the card's next tap if that is an exit within [`SPAN_MAX_S`]. The window
//! holds [`WINDOW`] taps: a file with fewer is paired exactly; of a longer one the unpaired taps
//! wait on, the latest half a window of them, and the rest are held.

use super::super::Place;
use super::Layout;

/// Taps that wait at once: about 42 MB.
const WINDOW: usize = 800_000;

/// The room that is asked for at first; a file with more taps is given the whole window at once,
/// because a vector that grows by copying needs its memory twice.
const SMALL: usize = 4_096;

/// The longest stay between entry and exit that is one trip: 6 hours. Shenzhen Metro asks for an
/// extra fare after 210 minutes (its notice of April 2023), Guangzhou after 270.
const SPAN_MAX_S: u32 = 6 * 3_600;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Entry,
    Exit,
}

/// A card number without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Card {
    bytes: [u8; Card::MAX],
    length: u8,
}

impl Card {
    pub(super) const MAX: usize = 32;

    /// One to 32 visible ASCII characters.
    pub(super) fn new(text: &str) -> Option<Card> {
        let sound = !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let mut bytes = [0; Card::MAX];
        bytes
            .get_mut(..text.len())?
            .copy_from_slice(text.as_bytes());
        let length = u8::try_from(text.len()).ok()?;
        sound.then_some(Card { bytes, length })
    }

    pub(super) fn as_str(&self) -> &str {
        let text = self
            .bytes
            .get(..usize::from(self.length))
            .unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }

    /// FNV-1a; distinct cards are counted by it.
    pub(super) fn hash(&self) -> u64 {
        self.bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}

/// One metro tap; ordered by card and time, at one time exits first (who leaves and enters in
/// one second left first).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) card: Card,
    /// Unix seconds.
    pub(super) at: u32,
    pub(super) kind: Kind,
    /// Numbers in the reader's list of names.
    pub(super) station: u16,
    pub(super) line: u16,
    /// Fare in fen.
    pub(super) fare: u32,
    /// Index or line in the file.
    pub(super) row: u32,
    /// Already part of a trip, or said to be repeated.
    pub(super) settled: bool,
}

impl Tap {
    fn order(&self) -> (Card, u32, std::cmp::Reverse<Kind>, u32) {
        (self.card, self.at, std::cmp::Reverse(self.kind), self.row)
    }

    pub(super) fn place(&self, layout: Layout) -> Place {
        layout.place(u64::from(self.row))
    }
}

/// What became of waiting taps.
pub(super) enum Settled {
    Trip(Tap, Tap),
    Unpaired(Tap),
    /// The same card, time, gate direction and station twice.
    Repeated(Tap),
}

pub(super) struct Window {
    taps: Vec<Tap>,
    limit: usize,
}

impl Window {
    pub(super) fn new() -> Window {
        Window::holding(WINDOW)
    }

    fn holding(limit: usize) -> Window {
        Window {
            taps: Vec::with_capacity(limit.min(SMALL)),
            limit,
        }
    }

    pub(super) fn add(&mut self, tap: Tap, sink: &mut dyn FnMut(Settled)) {
        if self.taps.len() >= self.limit {
            self.make_room(sink);
        }
        if self.taps.len() == self.taps.capacity() {
            self.taps
                .reserve_exact(self.limit.saturating_sub(self.taps.len()));
        }
        self.taps.push(tap);
    }

    /// At the end of the file: whoever still waits is unpaired.
    pub(super) fn finish(mut self, sink: &mut dyn FnMut(Settled)) {
        self.pair(sink);
        for tap in self.taps {
            sink(Settled::Unpaired(tap));
        }
    }

    fn make_room(&mut self, sink: &mut dyn FnMut(Settled)) {
        self.pair(sink);
        let excess = self.taps.len().saturating_sub(self.limit / 2);
        if excess == 0 {
            return;
        }
        self.taps.sort_unstable_by_key(|tap| tap.row);
        for tap in self.taps.drain(..excess) {
            sink(Settled::Unpaired(tap));
        }
    }

    /// Hands out every pair and keeps the taps that have none.
    fn pair(&mut self, sink: &mut dyn FnMut(Settled)) {
        self.taps.sort_unstable_by_key(Tap::order);
        let mut before: Option<&mut Tap> = None;
        for tap in &mut self.taps {
            match &mut before {
                Some(last) if repeats(last, tap) => {
                    tap.settled = true;
                    sink(Settled::Repeated(*tap));
                    continue;
                }
                Some(last) if follows(last, tap) => {
                    last.settled = true;
                    tap.settled = true;
                    sink(Settled::Trip(**last, *tap));
                }
                _ => {}
            }
            before = Some(tap);
        }
        self.taps.retain(|tap| !tap.settled);
    }
}

fn repeats(last: &Tap, tap: &Tap) -> bool {
    (last.card, last.at, last.kind, last.station) == (tap.card, tap.at, tap.kind, tap.station)
}

fn follows(entry: &Tap, exit: &Tap) -> bool {
    entry.card == exit.card
        && (entry.kind, exit.kind) == (Kind::Entry, Kind::Exit)
        && exit.at - entry.at <= SPAN_MAX_S
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tap(card: &str, at: u32, kind: Kind, row: u32) -> Tap {
        let card = Card::new(card).expect("a card");
        Tap {
            card,
            at,
            kind,
            station: 0,
            line: 0,
            fare: 0,
            row,
            settled: false,
        }
    }

    fn settled(window: Window, taps: &[Tap]) -> Vec<String> {
        let mut said = Vec::new();
        let mut sink = |settled: Settled| {
            said.push(match settled {
                Settled::Trip(a, b) => format!("{}-{}", a.row, b.row),
                Settled::Unpaired(tap) => format!("{}?", tap.row),
                Settled::Repeated(tap) => format!("{}=", tap.row),
            });
        };
        let mut window = window;
        for tap in taps {
            window.add(*tap, &mut sink);
        }
        window.finish(&mut sink);
        said.sort();
        said
    }

    #[test]
    fn an_exit_pairs_with_the_entry_just_before_it_in_time() {
        use Kind::{Entry, Exit};
        let taps = [
            tap("A", 900, Exit, 0),
            tap("A", 100, Exit, 1),
            tap("A", 300, Entry, 2),
            tap("A", 200, Entry, 3),
            tap("B", 901, Exit, 4),
            tap("A", 900, Exit, 5),
            tap("C", 0, Entry, 6),
            tap("C", SPAN_MAX_S + 1, Exit, 7),
        ];
        // 1 has no entry, 3 is followed by an entry, 2-0 is the trip, 5 repeats 0, 6 and 7 are
        // too far apart.
        let said = settled(Window::new(), &taps);
        assert_eq!(said, ["1?", "2-0", "3?", "4?", "5=", "6?", "7?"]);
        // An entry whose exit is lost does not take the exit of a later trip.
        let twice = [
            tap("A", 1, Entry, 0),
            tap("A", 1, Entry, 1),
            tap("A", 3, Exit, 2),
        ];
        assert_eq!(settled(Window::new(), &twice), ["0-2", "1="]);
        let later = [
            tap("A", 1, Entry, 0),
            tap("A", 2, Entry, 1),
            tap("A", 3, Exit, 2),
            tap("A", 4, Exit, 3),
        ];
        assert_eq!(settled(Window::new(), &later), ["0?", "1-2", "3?"]);
    }

    #[test]
    fn a_small_window_pairs_what_it_can_and_holds_the_oldest() {
        use Kind::{Entry, Exit};
        let cards = ["A", "B", "C", "D", "E", "F"];
        let mut taps: Vec<Tap> = cards
            .iter()
            .zip(0..)
            .map(|(c, row)| tap(c, row, Entry, row))
            .collect();
        taps.push(tap("F", 50, Exit, 6));
        taps.push(tap("A", 60, Exit, 7));
        let said = settled(Window::holding(4), &taps);
        assert_eq!(said, ["0?", "1?", "2?", "3?", "4?", "5-6", "7?"]);
        let said = settled(Window::holding(100), &taps);
        assert_eq!(said, ["0-7", "1?", "2?", "3?", "4?", "5-6"]);
    }
}

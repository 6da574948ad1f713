//! Progress: bars where a person watches, one line a stage where none does. All of it on stderr.

use std::fmt::Display;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Where stages are shown.
pub struct Screen {
    bars: Option<MultiProgress>,
}

/// One stage while it runs.
pub struct Stage {
    title: String,
    bar: Option<ProgressBar>,
}

impl Screen {
    pub fn of_process() -> Screen {
        let watched = std::io::stderr().is_terminal();
        Screen {
            bars: watched.then(MultiProgress::new),
        }
    }

    /// Begins a stage of so many steps.
    pub fn stage(&self, title: &str, steps: usize) -> Stage {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(ProgressBar::new(steps as u64));
            bar.set_style(running());
            bar.set_message(title.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Stage {
            title: title.to_owned(),
            bar,
        }
    }
}

impl Stage {
    pub fn step(&self) {
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
    }

    /// Ends the stage and says what it came to.
    pub fn done(self, outcome: impl Display) {
        let line = format!("✓ {} — {outcome}", self.title);
        match self.bar {
            Some(bar) => {
                bar.set_style(ended());
                bar.finish_with_message(line);
            }
            None => eprintln!("{line}"),
        }
    }
}

fn running() -> ProgressStyle {
    ProgressStyle::with_template("{spinner} {msg} {bar:24} {pos}/{len}")
        .unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn ended() -> ProgressStyle {
    ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar())
}

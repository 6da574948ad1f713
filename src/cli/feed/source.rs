//! The files, and how they are read.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono_tz::Tz;
use indicatif::{ProgressBar, ProgressStyle};

use crate::domain::problem::{Code, Problem, detail};
use crate::domain::scene::adapter::{self, Adapter, DistanceTable, Options, Settings};

/// Bytes read at once; holds several rows of the longest kind.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a scene declares about its feed.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct OptionArgs {
    /// IANA zone of times without an offset; the adapter's own by default
    #[arg(long, value_name = "IANA")]
    pub(super) zone: Option<Tz>,
    /// Distances between stations or divisions, CSV `from,to,km` (shenzhen-tong, freight-waybill)
    #[arg(long, value_name = "FILE")]
    pub(super) distances: Option<PathBuf>,
    /// What the scene declares about its feed, TOML; each adapter's page says what it asks for
    #[arg(long, value_name = "FILE")]
    pub(super) settings: Option<PathBuf>,
    /// One declaration, over those of the file
    #[arg(long, value_name = "KEY=VALUE", value_parser = declaration)]
    pub(super) set: Vec<(String, String)>,
}

fn declaration(text: &str) -> Result<(String, String), &'static str> {
    let (key, value) = text.split_once('=').ok_or("must be KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

impl OptionArgs {
    /// Reads the tables that are named.
    pub(super) fn open(&self, adapter: Adapter) -> Result<Options, FileRefused> {
        let table = |path| with_file(path, |file| DistanceTable::read(file));
        let distances = self.distances.as_deref().map(table).transpose()?;
        let settings = |path| {
            with_file(path, |file| {
                let mut text = String::new();
                file.read_to_string(&mut text).map_err(|error| {
                    let detail = detail!("无法读取：{error}", "{error}");
                    Problem::at(Code::InvalidField, "settings", detail)
                })?;
                Settings::parse(&text)
            })
        };
        let settings = self.settings.as_deref().map(settings).transpose()?;
        let mut options = Options {
            zone: self.zone,
            distances: distances.map(Arc::new),
            settings: settings.unwrap_or_default(),
        };
        for (key, value) in &self.set {
            options.settings.set(key, value);
        }
        (adapter.check)(&options).map_err(|problem| FileRefused {
            file: PathBuf::from(adapter.name),
            problem,
        })?;
        Ok(options)
    }
}

/// The adapter's names, for the argument's parser.
pub(super) fn adapter_names() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(adapter::all().iter().map(|a| a.name))
}

pub(super) fn adapter_of(name: &str) -> Result<Adapter, FileRefused> {
    adapter::by_name(name).ok_or_else(|| FileRefused {
        file: PathBuf::from(name),
        problem: Problem::new(Code::NotFound),
    })
}

/// A file as a whole cannot be read.
#[derive(Debug)]
pub(super) struct FileRefused {
    pub(super) file: PathBuf,
    pub(super) problem: Problem,
}

impl FileRefused {
    /// On stderr, in both languages.
    pub(super) fn complain(&self) {
        let FileRefused { file, problem } = self;
        eprintln!("{}: {}", file.display(), problem.zh());
        eprintln!("{}: {problem}", file.display());
    }
}

pub(super) fn with_file<T>(
    path: &Path,
    read: impl FnOnce(&mut BufReader<File>) -> Result<T, Problem>,
) -> Result<T, FileRefused> {
    let refused = |problem| FileRefused {
        file: path.to_owned(),
        problem,
    };
    let file = open(path).map_err(refused)?;
    read(&mut BufReader::with_capacity(BUFFER_BYTES, file)).map_err(refused)
}

pub(super) fn open(path: &Path) -> Result<File, Problem> {
    File::open(path).map_err(|error| {
        let detail = detail!("无法打开：{error}", "{error}");
        Problem::at(Code::NotFound, "file", detail)
    })
}

/// A file whose reading is shown, and can be ended from elsewhere.
pub(super) struct Watched {
    file: File,
    progress: ProgressBar,
    stop: Arc<AtomicBool>,
}

impl Watched {
    pub(super) fn open(
        path: &Path,
        progress: ProgressBar,
        stop: Arc<AtomicBool>,
    ) -> Result<BufReader<Watched>, Problem> {
        let file = open(path)?;
        let watched = Watched {
            file,
            progress,
            stop,
        };
        Ok(BufReader::with_capacity(BUFFER_BYTES, watched))
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(io::Error::other("the reading was ended"));
        }
        let count = self.file.read(buffer)?;
        self.progress.inc(u64::try_from(count).unwrap_or(0));
        Ok(count)
    }
}

/// A bar on stderr for `bytes`; hidden where nobody looks.
pub(super) fn progress_bar(what: &str, bytes: u64) -> ProgressBar {
    let style = ProgressStyle::with_template(
        "{prefix} {bar:24} {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}",
    )
    .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(bytes).with_style(style);
    bar.with_prefix(what.to_owned())
}

//! Progress in words or as a bar, and the log.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Zoned;

use crate::console;
use crate::time::rfc3339;

/// How often a line is printed where there is no terminal: the longer it takes, the rarer. Behind a
/// time there is a line every so often.
const LINES_EVERY: [(Duration, Duration); 3] = [
    (Duration::from_secs(1200), Duration::from_secs(600)),
    (Duration::from_secs(60), Duration::from_secs(60)),
    (Duration::ZERO, Duration::from_secs(10)),
];

/// How often the times beside the bar are brought up to date.
const TICK: Duration = Duration::from_millis(500);

/// Whoever watches an analysis.
pub(crate) trait Watcher {
    /// Hears something.
    fn say(&mut self, message: &str);

    /// Hears what was skipped or assumed.
    fn warn(&mut self, warning: &str) {
        self.say(warning);
    }

    /// Hears how much there is to do, and how much of it is done.
    fn start(&mut self, units: u64, done: u64);

    /// Hears that one layer and step more is done.
    fn advance(&mut self);

    /// Hears that no more will be done.
    fn finish(&mut self);
}

/// Tells a watcher how far the analysis is, and keeps the log.
pub(crate) struct Reporter<'a> {
    watcher: &'a mut dyn Watcher,
    started: Instant,
    log: String,
}

impl<'a> Reporter<'a> {
    /// One whose clock starts now.
    pub(crate) fn new(watcher: &'a mut dyn Watcher) -> Self {
        Self {
            watcher,
            started: Instant::now(),
            log: String::new(),
        }
    }

    /// Says something to the watcher and the log.
    pub(crate) fn say(&mut self, message: &str) {
        self.note(message);
        self.watcher.say(message);
    }

    /// Writes something into the log only.
    pub(crate) fn note(&mut self, message: &str) {
        let _ = writeln!(self.log, "{} {message}", rfc3339(&Zoned::now()));
    }

    /// Something that was skipped or assumed.
    pub(crate) fn warn(&mut self, message: &str) {
        let warning = format!("warning: {message}");
        self.note(&warning);
        self.watcher.warn(&warning);
    }

    /// How much there is to do, and how much of it is done.
    pub(crate) fn start(&mut self, units: u64, done: u64) {
        self.watcher.start(units, done);
    }

    /// One layer and step more is done.
    pub(crate) fn advance(&mut self) {
        self.watcher.advance();
    }

    /// No more will be done.
    pub(crate) fn finish(&mut self) {
        self.watcher.finish();
    }

    /// Time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Everything that was said, with times.
    pub(crate) fn log(&self) -> &str {
        &self.log
    }
}

/// A person at the command line: sees a bar on a terminal, plain lines otherwise.
pub(crate) struct Terminal {
    bar: Option<ProgressBar>,
    is_quiet: bool,
    started: Instant,
    last_line: Instant,
    units: u64,
    done: u64,
}

impl Terminal {
    /// Standard error; a quiet one says warnings only.
    pub(crate) fn new(is_quiet: bool) -> Self {
        let shows_bar = !is_quiet && std::io::stderr().is_terminal();
        let bar = shows_bar.then(|| {
            let style = ProgressStyle::with_template(
                "{bar:30} {pos}/{len} layer-steps, {elapsed} elapsed, {eta} left",
            );
            // Hidden until it is known how much there is to do.
            ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden())
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            is_quiet,
            started: Instant::now(),
            last_line: Instant::now(),
            units: 0,
            done: 0,
        }
    }

    /// Speaks to the person from another thread.
    pub(crate) fn speaker(&self) -> Speaker {
        Speaker(self.bar.clone())
    }
}

impl Watcher for Terminal {
    fn say(&mut self, message: &str) {
        if !self.is_quiet {
            self.speaker().say(message);
        }
    }

    fn warn(&mut self, warning: &str) {
        self.speaker().say(warning);
    }

    fn start(&mut self, units: u64, done: u64) {
        (self.units, self.done) = (units, done);
        if let Some(bar) = &self.bar {
            bar.set_length(units);
            bar.set_position(done);
            bar.set_draw_target(ProgressDrawTarget::stderr());
            bar.enable_steady_tick(TICK);
        }
    }

    fn advance(&mut self) {
        self.done += 1;
        match &self.bar {
            Some(bar) => bar.set_position(self.done),
            None if !self.is_quiet && self.last_line.elapsed() >= line_every(self.started) => {
                self.last_line = Instant::now();
                console::say(&format!("{} of {} layer-steps", self.done, self.units));
            }
            None => {}
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Bytes that come to a disk, as a person at the command line sees them.
pub(crate) struct Transfer {
    bar: Option<ProgressBar>,
    started: Instant,
    last_line: Instant,
    all: u64,
    here: u64,
}

impl Transfer {
    /// Of so many bytes, some of which are there already.
    pub(crate) fn begin(all: u64, here: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(
                "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            );
            ProgressBar::new(all)
                .with_position(here)
                .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        Self {
            bar,
            started: Instant::now(),
            last_line: Instant::now(),
            all,
            here,
        }
    }

    /// So many more are there.
    pub(crate) fn add(&mut self, count: u64) {
        self.here += count;
        match &self.bar {
            Some(bar) => bar.set_position(self.here),
            None if self.last_line.elapsed() >= line_every(self.started) => {
                self.last_line = Instant::now();
                let (here, all) = (bytes(self.here), bytes(self.all));
                console::say(&format!("{here} of {all} are fetched"));
            }
            None => {}
        }
    }

    /// No more will come.
    pub(crate) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// How long it is from one line to the next by now.
fn line_every(started: Instant) -> Duration {
    let elapsed = started.elapsed();
    let mut every = LINES_EVERY.iter();
    let now = every.find(|(behind, _)| elapsed >= *behind);
    now.map_or(Duration::ZERO, |(_, every)| *every)
}

/// Says something above the bar, where there is one.
pub(crate) struct Speaker(Option<ProgressBar>);

impl Speaker {
    /// Says it.
    pub(crate) fn say(&self, message: &str) {
        match &self.0 {
            Some(bar) => bar.suspend(|| console::say(message)),
            None => console::say(message),
        }
    }
}

/// Bytes as people write them.
pub(crate) fn bytes(count: u64) -> String {
    HumanBytes(count).to_string()
}

/// A time as people write it.
pub(crate) fn duration(time: Duration) -> String {
    if time < Duration::from_secs(60) {
        format!("{:.2} s", time.as_secs_f64())
    } else {
        HumanDuration(time).to_string()
    }
}

//! Named steps with durations, and the sum of their tests.

use std::process::Command;
use std::time::Instant;

use anyhow::{Result, bail};

use crate::process;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that passed.
    pub passed: u64,
    /// Tests that failed.
    pub failed: u64,
}

/// What a step came to.
pub(crate) enum Outcome {
    /// It did what it should.
    Done,
    /// It ran tests.
    Tested(Counts),
    /// It could not be done here, for this reason.
    Skipped(String),
}

/// Steps failed, and that was said where they did.
#[derive(Debug)]
pub(crate) struct AlreadyReported;

impl std::fmt::Display for AlreadyReported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("some steps failed")
    }
}

impl std::error::Error for AlreadyReported {}

/// What the steps so far came to.
pub(crate) struct Report {
    start: Instant,
    counts: Counts,
    lines: Vec<String>,
    failed: Vec<String>,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            counts: Counts::default(),
            lines: Vec::new(),
            failed: Vec::new(),
        }
    }
}

impl std::ops::Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }
}

impl Counts {
    /// The sum of the `test result:` lines of cargo test or wasm-bindgen's test runner.
    pub(crate) fn of(output: &str) -> Self {
        let results = output
            .lines()
            .filter(|line| line.trim_start().starts_with("test result:"));
        let counted = results.map(|line| Self {
            passed: number_before(line, " passed"),
            failed: number_before(line, " failed"),
        });
        counted.fold(Self::default(), |sum, counts| sum + counts)
    }
}

impl Report {
    /// Runs one step; a failure is shown with `advice` and kept, and later steps still run.
    pub(crate) fn step(
        &mut self,
        name: &str,
        advice: &str,
        action: impl FnOnce() -> Result<Outcome>,
    ) {
        println!("\n== {name}");
        let (seconds, outcome) = timed(action);
        self.note(name, advice, seconds, outcome);
    }

    /// Keeps what a step came to that was run elsewhere, and so many seconds.
    pub(crate) fn note(
        &mut self,
        name: &str,
        advice: &str,
        seconds: f64,
        outcome: Result<Outcome>,
    ) {
        let what = match outcome {
            Ok(Outcome::Done) => "ok".to_owned(),
            Ok(Outcome::Skipped(reason)) => format!("skipped: {reason}"),
            Ok(Outcome::Tested(counts)) => self.count(name, counts),
            Err(error) => {
                println!("{error:#}");
                self.counts.failed += 1;
                self.failed.push(name.to_owned());
                "FAILED".to_owned()
            }
        };
        if self.failed.last().is_some_and(|last| last == name) {
            println!("   what to do: {advice}");
        }
        println!("== {name}: {what} ({seconds:.1} s)");
        self.lines.push(line(name, seconds, &what));
    }

    fn count(&mut self, name: &str, counts: Counts) -> String {
        self.counts = self.counts + counts;
        if counts.failed > 0 {
            self.failed.push(name.to_owned());
        }
        format!("{} passed, {} failed", counts.passed, counts.failed)
    }

    /// Whether no step failed so far.
    pub(crate) fn is_good(&self) -> bool {
        self.failed.is_empty()
    }

    /// Prints all steps with their times, and which failed.
    pub(crate) fn finish(self) -> Result<()> {
        println!();
        for line in &self.lines {
            println!("{line}");
        }
        println!("{}", line("all", self.start.elapsed().as_secs_f64(), ""));
        if self.failed.is_empty() {
            return Ok(());
        }
        println!("\nfailed: {}", self.failed.join(", "));
        Err(AlreadyReported.into())
    }

    /// The same, and as the very last line the sum of all tests. A step that failed without saying
    /// how many tests failed counts as one.
    pub(crate) fn finish_with_sum(self) -> Result<()> {
        let Counts { passed, failed } = self.counts;
        let finished = self.finish();
        println!("\n{passed} passed, {failed} failed");
        finished
    }
}

/// What an action came to, and the seconds that it took.
pub(crate) fn timed<T>(action: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let outcome = action();
    (start.elapsed().as_secs_f64(), outcome)
}

fn line(name: &str, seconds: f64, what: &str) -> String {
    format!("{name:<16} {seconds:>7.1} s  {what}")
}

/// Runs a program that prints `test result:` lines; what it came to, as a step.
pub(crate) fn run_tests(command: &mut Command) -> Result<Outcome> {
    Ok(Outcome::Tested(count_tests(command)?))
}

/// Runs a program that prints `test result:` lines. One that fails without a failed test (it did
/// not compile, it was killed) is an error.
pub(crate) fn count_tests(command: &mut Command) -> Result<Counts> {
    let (success, output) = process::run_and_read(command)?;
    let counts = Counts::of(&output);
    if !success && counts.failed == 0 {
        bail!("{} failed outside of tests", process::shown(command));
    }
    Ok(counts)
}

/// The whole number that stands right before `word` in `line`, or 0.
fn number_before(line: &str, word: &str) -> u64 {
    let Some((before, _)) = line.split_once(word) else {
        return 0;
    };
    let digits = before
        .rsplit(|c: char| !c.is_ascii_digit())
        .next()
        .unwrap_or_default();
    digits.parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn sums_every_result_line() {
        let output = "running 2 tests\n\
            test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured\n\
            test result: FAILED. 3 passed; 2 failed; 0 ignored\n";
        assert_eq!(
            Counts::of(output),
            Counts {
                passed: 15,
                failed: 2
            }
        );
    }

    #[test]
    fn other_lines_do_not_count() {
        assert_eq!(Counts::of("7 passed; 1 failed\n"), Counts::default());
    }
}

//! `worker compare`: several analyses as one.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;
use ckptscope_analysis::results::complete;
use ckptscope_results::compare::{ComparedRow, Comparison};
use ckptscope_results::{SeriesId, layer_in_words};

use crate::analysis::counted;
use crate::arguments::CompareArguments;
use crate::identity::PROGRAM;
use crate::locked_file::LockedFile;
use crate::{Misuse, Outcome, console, journal, output, parquet, report, results_file};

/// The table.
const TABLE: &str = "compare.csv";

/// What a comparison writes.
pub(crate) const FILES: [&str; 4] = [
    results_file::FILE_NAME,
    TABLE,
    parquet::COMPARISON,
    report::FILE_NAME,
];

/// Runs the command.
pub(crate) fn run(arguments: &CompareArguments) -> Result<Outcome> {
    let (analyses, names) = (arguments.results.len(), arguments.names.len());
    if names > 0 && names != analyses {
        let told = format!("{analyses} analyses and {names} names: give each its --name, or none");
        return Err(Misuse(told).into());
    }
    if arguments.names.iter().any(|name| name.trim().is_empty()) {
        return Err(Misuse("--name is empty: it is what a column is called by".to_owned()).into());
    }
    let mut runs = Vec::new();
    for (index, path) in arguments.results.iter().enumerate() {
        let mut results = results_file::read(path)?;
        complete(&mut results);
        runs.push((arguments.names.get(index).cloned(), results));
    }
    let compared = Comparison::of(runs).map_err(|error| Misuse(error.to_string()));
    let mut comparison = compared?;
    comparison.merged.program = PROGRAM.to_owned();
    let _lock = LockedFile::in_folder(&arguments.out, journal::FILE_NAME)?;
    refuse_others(&arguments.out)?;
    // One after the other: of half a million numbers a table is tens of megabytes.
    let table = arguments.out.join(TABLE);
    output::write_by(&table, |file| {
        let mut file = BufWriter::new(file);
        comparison.write_csv(&mut file)?;
        Ok(file.flush()?)
    })?;
    let merged = arguments.out.join(results_file::FILE_NAME);
    output::write(&merged, &comparison.merged.to_json()?)?;
    let columns = arguments.out.join(parquet::COMPARISON);
    output::write(&columns, &parquet::of_comparison(&comparison)?)?;
    let report = arguments.out.join(report::FILE_NAME);
    report::write(&comparison.merged, &report)?;
    for warning in &comparison.merged.warnings {
        console::say(&format!("warning: {}", console::printable(warning)));
    }
    console::print(&summary(&comparison))?;
    console::say(&format!("the table: {}", table.display()));
    console::say(&format!("the report: {}", report.display()));
    Ok(Outcome::Done)
}

/// A comparison takes the place of another one only.
fn refuse_others(folder: &Path) -> Result<()> {
    let file = folder.join(results_file::FILE_NAME);
    let of = match results_file::read(&file) {
        _ if !file.is_file() => return Ok(()),
        Ok(results) if !results.runs.is_empty() => return Ok(()),
        Ok(_) => "holds the results of an analysis",
        Err(_) => "has a results.json that cannot be read",
    };
    let shown = folder.display();
    Err(Misuse(format!("{shown} {of}: choose another folder with --out")).into())
}

/// How the last run differs from the first, a line per metric and component.
fn summary(comparison: &Comparison) -> String {
    let (first, last) = (comparison.names.first(), comparison.names.last());
    let name = |name: Option<&String>| console::printable(name.map_or("", String::as_str));
    let mut text = format!("{} less {}\n", name(last), name(first));
    // In the order of the table.
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut parts: Vec<(String, Part)> = Vec::new();
    for one in &comparison.matches {
        let shown = named(&one.id);
        let place = *places.entry(shown.clone()).or_insert(parts.len());
        if place == parts.len() {
            parts.push((shown, Part::default()));
        }
        if let Some((_, part)) = parts.get_mut(place) {
            one.rows().for_each(|row| part.add(row));
        }
    }
    for (shown, part) in parts {
        let _ = writeln!(
            text,
            "  {}: {}",
            console::printable(&shown),
            part.in_words()
        );
    }
    text
}

/// `per_val  o_proj weights`, `top_k_values_val  o_proj.top_k_mean weights`.
fn named(id: &SeriesId) -> String {
    let dot = if id.output.is_empty() { "" } else { "." };
    let (component, output) = (&id.component, &id.output);
    format!("{}  {component}{dot}{output} {}", id.entry.stem(), id.kind)
}

/// The differences of one metric and component.
#[derive(Default)]
struct Part<'a> {
    differences: u64,
    /// Mean so far.
    mean: f64,
    largest: Option<(f64, ComparedRow<'a>)>,
    /// Rows that one of the two lacks.
    alone: u64,
    /// Rows of heads that are not the same in both.
    of_other_heads: u64,
    /// Rows of both in which a number is undefined.
    undefined: u64,
}

impl<'a> Part<'a> {
    fn add(&mut self, row: ComparedRow<'a>) {
        let Some(difference) = row.difference() else {
            match (row.points.first(), row.points.last()) {
                (Some(Some(_)), Some(Some(_))) if row.is_of_other_heads => self.of_other_heads += 1,
                (Some(Some(_)), Some(Some(_))) => self.undefined += 1,
                _ => self.alone += 1,
            }
            return;
        };
        self.differences += 1;
        // Their difference may be beyond the largest number.
        let count = self.differences as f64;
        self.mean += difference / count - self.mean / count;
        if self
            .largest
            .as_ref()
            .is_none_or(|(largest, _)| difference.abs() > largest.abs())
        {
            self.largest = Some((difference, row));
        }
    }

    fn in_words(&self) -> String {
        let mut rest = String::new();
        if self.undefined > 0 {
            rest += &format!("; {} undefined", self.undefined);
        }
        if self.of_other_heads > 0 {
            rest += &format!("; {} of other heads", self.of_other_heads);
        }
        if self.alone > 0 {
            rest += &format!("; {} that one of them lacks", self.alone);
        }
        let Some((largest, row)) = &self.largest else {
            return format!("nothing to subtract{rest}");
        };
        if *largest == 0.0 {
            let numbers = counted(self.differences, "number");
            return format!("{numbers}, all equal{rest}");
        }
        let (layer, step) = (layer_in_words(row.id.layer), row.step);
        let numbered = |what, number: Option<u64>| {
            number.map_or_else(String::new, |number| format!(" {what} {number}"))
        };
        let (expert, head) = (
            numbered("expert", row.id.expert),
            numbered("head", row.id.head),
        );
        format!(
            "{} numbers, on average {:+.4e}, at most {largest:+.4e} (step {step}, {layer}{expert}{head}){rest}",
            self.differences, self.mean
        )
    }
}

//! The table of kernels: on one core and on all, in a browser, and beside numpy and torch.

use std::collections::BTreeMap;
use std::process::Command;
use std::thread;

use anyhow::Result;

use crate::process;
use crate::python;
use crate::workspace::Workspace;

/// Widths of models; a browser gets those that fit its memory and an hour.
const WIDTHS: &str = "64,128,256,512,1024,2048,4096";
const WIDTHS_IN_BROWSER: &str = "64,128,256,512,1024,2048";

/// Best and median milliseconds of each line.
type Times = BTreeMap<String, (f64, f64)>;

/// Times everything whose line contains the filter, one after the other, and prints it side by side.
pub(super) fn print(workspace: &Workspace, filter: &str) -> Result<()> {
    let cores = thread::available_parallelism()?.get();
    let python = python::with_packages(
        workspace,
        "kernels",
        &["numpy", "torch"],
        "import torch, numpy",
    )?;
    let others = |threads: usize| {
        let mut command = Command::new(&python);
        command.arg(workspace.root.join("crates/metrics/benches/others.py"));
        times_of(command.args([&threads.to_string(), WIDTHS, filter]))
    };
    let (order, one) = natively(workspace, 1, filter)?;
    let (_, other) = others(1)?;
    let (_, all) = natively(workspace, cores, filter)?;
    let (_, other_all) = others(cores)?;
    let mut command = super::in_browser(workspace, "ckptscope-metrics", "kernels", filter)?;
    let tab = times_of(command.env("CKPTSCOPE_BENCH_SIZES", WIDTHS_IN_BROWSER));
    let tab = tab.map(|(_, tab)| tab).unwrap_or_else(|error| {
        // The others took an hour.
        println!("the browser's column is empty: {error:#}");
        Times::default()
    });
    println!();
    println!(
        "| milliseconds, {cores} cores | one core | spread | all cores | torch, one | ratio | torch, all | ratio | a web worker |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for line in order {
        let best = |times: &Times| times.get(&line).map(|(best, _)| *best);
        let spread = one.get(&line).map(|(best, median)| median / best);
        let ratio = |ours: &Times, theirs: &Times| Some(best(ours)? / best(theirs)?);
        println!(
            "| {line} | {} | {} | {} | {} | {} | {} | {} | {} |",
            shown(best(&one)),
            shown(spread),
            shown(best(&all)),
            shown(best(&other)),
            shown(ratio(&one, &other)),
            shown(best(&other_all)),
            shown(ratio(&all, &other_all)),
            shown(best(&tab)),
        );
    }
    Ok(())
}

fn natively(workspace: &Workspace, cores: usize, filter: &str) -> Result<(Vec<String>, Times)> {
    let mut command = workspace.cargo();
    command.args([
        "bench",
        "-p",
        "ckptscope-metrics",
        "--bench",
        "kernels",
        "--",
        filter,
    ]);
    command.env("CKPTSCOPE_BENCH_SIZES", WIDTHS);
    times_of(command.env("CKPTSCOPE_BENCH_CORES", cores.to_string()))
}

/// The lines that a benchmark printed, in their order and with their times.
fn times_of(command: &mut Command) -> Result<(Vec<String>, Times)> {
    println!("$ {}", process::shown(command));
    let (succeeded, printed) = process::run_and_read(command)?;
    anyhow::ensure!(succeeded, "{} failed", process::shown(command));
    let lines = printed.lines().filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (name, [best, median]) = words.split_last_chunk()?;
        Some((name.join(" "), (best.parse().ok()?, median.parse().ok()?)))
    });
    let lines: Vec<(String, (f64, f64))> = lines.collect();
    let order = lines.iter().map(|(name, _)| name.clone()).collect();
    Ok((order, lines.into_iter().collect()))
}

/// Three digits that say something.
fn shown(number: Option<f64>) -> String {
    match number {
        None => "–".to_owned(),
        Some(number) if number >= 100.0 => format!("{number:.0}"),
        Some(number) if number >= 10.0 => format!("{number:.1}"),
        Some(number) => format!("{number:.2}"),
    }
}

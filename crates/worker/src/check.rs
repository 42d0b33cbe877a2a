//! `worker check`: whether a config fits a run, and what it would cost.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Result;
use jiff::Zoned;
use serde_json::json;

use crate::analysis::{Analysis, Misfit, Request};
use crate::arguments::CheckArguments;
use crate::executor::Executor;
use crate::place::Address;
use crate::progress::{bytes, duration};
use crate::{Outcome, analyze, console, hardware};

/// Runs the command. A config that does not fit is told as JSON too, where that is asked for.
pub(crate) fn run(arguments: &CheckArguments) -> Result<Outcome> {
    let checked = check(arguments);
    let misfit = checked
        .as_ref()
        .err()
        .and_then(|it| it.downcast_ref::<Misfit>());
    if let Some(misfit) = misfit.filter(|_| arguments.json) {
        let told = json!({
            "run": Address::of_argument(&arguments.run).shown(),
            "problems": misfit.problems,
            "fits": false,
        });
        console::print(&format!("{}\n", serde_json::to_string_pretty(&told)?))?;
    }
    checked
}

fn check(arguments: &CheckArguments) -> Result<Outcome> {
    let executor = Executor::start(Arc::new(AtomicBool::new(false)))?;
    let config = analyze::read_config(&arguments.config)?;
    let address = Address::of_argument(&arguments.run);
    let request = Request {
        started: Zoned::now(),
        config,
        config_name: analyze::config_name(&arguments.config),
        given: address.shown(),
        source: address.name(),
        address,
        name: String::new(),
        // Nothing is written.
        folder: PathBuf::new(),
        threads: arguments
            .threads
            .map_or_else(hardware::cores, NonZeroUsize::get),
    };
    let Some(analysis) = Analysis::plan(request, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    let text = if arguments.json {
        as_json(&analysis)?
    } else {
        in_words(&analysis)
    };
    console::print(&text)?;
    Ok(Outcome::Done)
}

fn in_words(analysis: &Analysis) -> String {
    let cost = analysis.cost();
    let request = analysis.request();
    // Reading over a network is not counted.
    let seconds = cost.seconds(&hardware::crew(request.threads));
    let mut text = format!(
        "{} fits {}\n  {}\n  about {} on this machine ({:.2e} operations), {} of memory for each thread\n",
        request.config_name,
        console::printable(&request.given),
        analysis.plan_in_words(),
        duration(Duration::from_secs_f64(seconds)),
        cost.work.operations(),
        bytes(cost.peak_bytes),
    );
    for warning in analysis.plan_warnings() {
        text += &format!("warning: {}\n", console::printable(warning));
    }
    text
}

fn as_json(analysis: &Analysis) -> Result<String> {
    let cost = analysis.cost();
    let crew = hardware::crew(analysis.request().threads);
    let checked = json!({
        "run": analysis.request().given,
        "layer_steps": analysis.units(),
        "numbers": cost.numbers,
        "read_bytes": cost.read_bytes,
        "flops": cost.work.operations(),
        "work": cost.work,
        "rates": crew.rates,
        "seconds": cost.seconds(&crew),
        "peak_bytes_per_thread": cost.peak_bytes,
        "warnings": analysis.plan_warnings(),
        "fits": true,
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&checked)?))
}

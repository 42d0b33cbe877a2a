//! `worker analyze`: a config and a run to numbers.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, anyhow};
use ckptscope_analysis::config::Monitoring;
use ckptscope_analysis::plan::Catalogs;
use ckptscope_analysis::proposal::{Budget, within};
use ckptscope_analysis::{Config, Registry, Survey};
use ckptscope_checkpoint::text::decode;
use ckptscope_results::Results;
use jiff::Zoned;

use crate::analysis::{Analysis, Misfit, NothingRead, Request, counted, outcome_of, write_log};
use crate::arguments::AnalyzeArguments;
use crate::earlier_results::{
    EarlierResults, NewAnalysis, WITH_CONFIG, WITHOUT_CONFIG, name_for_run, paths_of,
};
use crate::executor::Executor;
use crate::find::overview;
use crate::journal::{self, Earlier, Journal, Resume};
use crate::locked_file::LockedFile;
use crate::pico_labs;
use crate::place::{Address, as_file_name};
use crate::progress::{Reporter, Terminal};
use crate::wandb::{self, Home};
use crate::{INTERRUPTED, Misuse, Outcome, console, results_file, signals};

/// What stands for the standard input where a file is asked for.
const STANDARD_INPUT: &str = "-";

/// Where W&B's own tools put runs, and look for them.
const HERE: &str = ".";

/// Runs the command.
pub(crate) fn run(arguments: &AnalyzeArguments) -> Result<Outcome> {
    let mut terminal = Terminal::new(arguments.quiet);
    let executor = Executor::start(stop_on_signal(&terminal)?)?;
    let mut reporter = Reporter::new(&mut terminal);
    let Some(request) = request(arguments, &mut reporter, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    let Some(mut analysis) = Analysis::plan(request, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    wandb::prepare(&analysis.request().config, Path::new(HERE))?;
    if analysis.request().config.analysis_name.is_none() {
        analysis.take_free_folder()?;
    }
    let folder = &analysis.request().folder;
    // Nothing is looked at before: another program may be writing it.
    let file = LockedFile::in_folder(folder, journal::FILE_NAME)?;
    let resume = match (arguments.resume, arguments.restart) {
        (true, _) => Resume::OrRefuse,
        (false, true) => Resume::Never,
        (false, false) => Resume::RefuseToDiscard,
    };
    let advice = match arguments.config {
        Some(_) => WITH_CONFIG,
        None => WITHOUT_CONFIG,
    };
    let new = NewAnalysis::of(&analysis, advice);
    let mut earlier = EarlierResults::to_be_replaced(folder, &new, arguments.overwrite)?;
    let is_done = |earlier: &EarlierResults| !arguments.overwrite && earlier.are_those_of(&new);
    if arguments.resume && file.bytes()? == 0 && earlier.as_ref().is_some_and(is_done) {
        return already_done(&analysis, arguments, &mut reporter);
    }
    let mut journal = analysis.journal_in(file, resume)?;
    if let Some(replaced) = earlier.take_if(|_| arguments.overwrite) {
        replaced.remove(&BTreeSet::new())?;
    }
    let computed = compute(&analysis, &mut journal, arguments, &mut reporter, &executor);
    let outcome = computed.and_then(|results| {
        if let Some(results) = &results {
            // Before anybody hears of the new ones: who is killed meanwhile leaves one analysis.
            let replaced = earlier.map(|replaced| replaced.remove(&paths_of(results)));
            replaced.transpose()?;
            send(&analysis, results, &mut reporter, &executor);
        }
        Ok(results)
    });
    if let Err(error) = &outcome {
        reporter.note(&format!("error: {error:#}"));
    }
    let log = write_log(&analysis.request().folder, &reporter, journal.earlier);
    let results = outcome?;
    log?;
    let Some(results) = results else {
        return Ok(Outcome::Interrupted);
    };
    journal.remove()?;
    console::print(&came_of_it(&results, &analysis, arguments)?)?;
    outcome_of(&results)
}

/// Sends the results to whom the config names.
fn send(analysis: &Analysis, results: &Results, reporter: &mut Reporter<'_>, executor: &Executor) {
    let home = Home {
        folder: Path::new(HERE),
        id: None,
    };
    wandb::save(analysis.request(), results, &home, reporter, executor);
    pico_labs::send(&analysis.request().config, results, reporter, executor);
}

/// Leaves the results of the same config and the same files as they are.
fn already_done(
    analysis: &Analysis,
    arguments: &AnalyzeArguments,
    reporter: &mut Reporter<'_>,
) -> Result<Outcome> {
    let folder = &analysis.request().folder;
    let (all, shown) = (analysis.units(), folder.display());
    reporter.say(&format!(
        "all {all} layer-steps are done, and the files have not changed since: {shown}"
    ));
    let results = results_file::read(folder)?;
    console::print(&came_of_it(&results, analysis, arguments)?)?;
    outcome_of(&results)
}

/// What scripts read: the folder, or what came of the analysis as JSON.
fn came_of_it(
    results: &Results,
    analysis: &Analysis,
    arguments: &AnalyzeArguments,
) -> Result<String> {
    let folder = analysis.request().folder.display().to_string();
    if !arguments.json {
        return Ok(format!("{folder}\n"));
    }
    let steps: Vec<u64> = results.unreadable_steps.iter().map(|it| it.step).collect();
    let mut told = serde_json::json!({
        "folder": folder,
        "analysis_name": results.analysis_name,
        "run": results.source,
        "numbers": results.series.numbers(),
        "undefined": results.series.undefined(),
        "steps": results.steps.len(),
        "missing_steps": results.missing_steps,
        "unreadable_steps": steps,
        "warnings": results.warnings,
    });
    if arguments.config.is_none() {
        told["proposed_config"] = analysis.request().config.text.as_str().into();
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&told)?))
}

/// Runs the analysis, with words on what came before and what to do where it stops; none where the
/// person stopped it.
fn compute(
    analysis: &Analysis,
    journal: &mut Journal,
    arguments: &AnalyzeArguments,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) -> Result<Option<Results>> {
    analysis.say_plan(reporter);
    say_earlier(analysis, arguments, journal.earlier, reporter);
    let advice = advice(&analysis.request().config);
    let results = analysis.run(journal, reporter, executor);
    let results = results.map_err(|error| match error.is::<NothingRead>() {
        true => error,
        false => anyhow!("{error:#}\n{advice}"),
    })?;
    if results.is_none() {
        let (done, all) = (journal.finished.len(), analysis.units());
        reporter.say(&format!(
            "interrupted after {done} of {all} layer-steps; {advice}"
        ));
    }
    Ok(results)
}

/// What the arguments ask for; none where the person stopped it.
fn request(
    arguments: &AnalyzeArguments,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) -> Result<Option<Request>> {
    let started = Zoned::now();
    let (config, config_name, address) = match &arguments.config {
        Some(path) => {
            let config = read_config(path)?;
            (config, config_name(path), Address::of(&arguments.source)?)
        }
        None => {
            let address = Address::of(&arguments.source)?;
            let name = format!("{}-overview", as_file_name(&address.file_name()));
            let parent = output_folder(arguments, &Monitoring::default());
            let budget = Budget {
                name: name_for_run(&name, &parent, &address.place()),
                seconds: arguments.budget,
                slowness: match address {
                    Address::Path(_) | Address::Within(..) => 1.0,
                    Address::Hub(_) => 10.0,
                },
            };
            let proposed = first_config(&address, &budget, executor)?;
            let Some(config) = proposed else {
                return Ok(None);
            };
            reporter.say(&format!("the proposed config:\n\n{}", config.text));
            (config, "the proposed config".to_owned(), address)
        }
    };
    let name = analysis_name(&config, arguments, &address, &started)?;
    let folder = output_folder(arguments, &config.monitoring).join(&name);
    Ok(Some(Request {
        started,
        config,
        config_name,
        given: address.shown(),
        source: address.name(),
        address,
        name,
        folder,
        threads: threads(arguments),
    }))
}

/// The config of the analysis to begin with; none where the person stopped it.
fn first_config(address: &Address, budget: &Budget, executor: &Executor) -> Result<Option<Config>> {
    let registry = Registry::default();
    let proposed = executor.block_on(async {
        let (run, place) = overview(address, executor).await?;
        let survey = Survey::of(&run, place.tree(), &Catalogs::default()).await;
        let proposal = within(budget, &run, &survey, place.tree(), &registry).await;
        let proposal = proposal.map_err(|reason| {
            let given = address.shown();
            Misuse(format!(
                "no analysis of {given} can be proposed, give one with --config: {reason}"
            ))
        })?;
        anyhow::Ok(proposal.text)
    });
    let Some(text) = proposed.transpose()? else {
        return Ok(None);
    };
    Ok(Some(Config::parse(&text, &registry)?))
}

fn say_earlier(
    analysis: &Analysis,
    arguments: &AnalyzeArguments,
    earlier: Earlier,
    reporter: &mut Reporter<'_>,
) {
    match earlier {
        Earlier::Nothing if arguments.resume => {
            reporter.say("nothing to resume here; starting from the beginning");
        }
        Earlier::Nothing => {}
        Earlier::Discarded => reporter.say("starting over: an unfinished analysis was here"),
        Earlier::TakenOver { kept, outdated } => {
            let all = analysis.units();
            reporter.say(&format!("{kept} of {all} layer-steps are done already"));
            if outdated > 0 {
                let outdated = counted(outdated as u64, "finished layer-step");
                reporter.warn(&format!(
                    "{outdated} outdated: the files have changed since"
                ));
            }
        }
    }
}

/// What to do about an analysis that stopped.
const fn advice(config: &Config) -> &'static str {
    if config.analysis_name.is_some() {
        "what is done is kept: go on with --resume"
    } else {
        "give the config an analysis_name, so that --resume can go on with what is done"
    }
}

/// What messages call a config.
pub(crate) fn config_name(path: &Path) -> String {
    if path == Path::new(STANDARD_INPUT) {
        "the config".to_owned()
    } else {
        path.display().to_string()
    }
}

/// Reads a config from a file, or from the standard input.
///
/// # Errors
/// [`Misuse`] where there is none, [`Misfit`] where it is not valid.
pub(crate) fn read_config(path: &Path) -> Result<Config> {
    let shown = config_name(path);
    let unreadable =
        |error: &dyn std::error::Error| Misuse(format!("cannot read the config {shown}: {error}"));
    let bytes = if path == Path::new(STANDARD_INPUT) {
        let mut bytes = Vec::new();
        io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        fs::read(path)
    };
    let bytes = bytes.map_err(|error| unreadable(&error))?;
    let text = decode(&bytes).map_err(|error| unreadable(&error))?;
    let config = Config::parse(&text, &Registry::default());
    config.map_err(|errors| {
        let invalid = Misfit {
            message: format!("{shown} is not a valid config:\n{errors}"),
            problems: errors.0,
            is_misuse: true,
        };
        invalid.into()
    })
}

/// The config's name; else the run's and the time.
fn analysis_name(
    config: &Config,
    arguments: &AnalyzeArguments,
    address: &Address,
    now: &Zoned,
) -> Result<String> {
    if let Some(name) = &config.analysis_name {
        return Ok(name.clone());
    }
    if arguments.resume {
        return Err(Misuse(
            "--resume needs an analysis_name in the config: without one every analysis has a folder of its own"
                .to_owned(),
        )
        .into());
    }
    let run = address.file_name();
    Ok(format!("{run}-{}", now.strftime("%Y%m%d-%H%M%S")))
}

fn output_folder(arguments: &AnalyzeArguments, monitoring: &Monitoring) -> PathBuf {
    arguments
        .output_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&monitoring.output_dir))
}

fn threads(arguments: &AnalyzeArguments) -> usize {
    let available = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.threads.map_or_else(available, NonZeroUsize::get)
}

/// The first Ctrl-C asks the lanes to stop, the second ends the program. The journal may end in
/// half a line then, which is passed over when it is gone on with.
fn stop_on_signal(terminal: &Terminal) -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let speaker = terminal.speaker();
    signals::on_end(move || {
        if flag.load(Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        // Before anybody hears of it, and says how it ended.
        speaker.say("stopping; Ctrl-C again ends at once");
        flag.store(true, Ordering::Relaxed);
    })?;
    Ok(stop)
}

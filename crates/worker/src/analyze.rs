//! `worker analyze`: a config and a run to numbers.

use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use ckptscope_analysis::{Config, Registry};
use ckptscope_checkpoint::text::decode;
use jiff::Zoned;

use crate::analysis::{Analysis, Request, counted};
use crate::arguments::AnalyzeArguments;
use crate::executor::Executor;
use crate::journal::{self, Earlier, Journal, Resume};
use crate::output;
use crate::pico_labs;
use crate::place::Address;
use crate::progress::{Reporter, Terminal};
use crate::wandb::{self, Home};
use crate::{INTERRUPTED, Misuse, Outcome};

/// Where W&B's own tools put runs, and look for them.
const HERE: &str = ".";

/// Runs the command.
pub(crate) fn run(arguments: &AnalyzeArguments) -> Result<Outcome> {
    let mut terminal = Terminal::new();
    let executor = Executor::start(stop_on_signal(&terminal)?)?;
    let mut reporter = Reporter::new(&mut terminal);
    let Some(analysis) = Analysis::plan(request(arguments)?, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    wandb::prepare(&analysis.request().config, Path::new(HERE))?;
    let folder = &analysis.request().folder;
    output::prepare(folder)?;
    let resume = match arguments.resume {
        true => Resume::OrRefuse,
        false => Resume::Never,
    };
    let mut journal = analysis.open_journal(&folder.join(journal::FILE_NAME), resume)?;
    let outcome = compute(&analysis, &mut journal, arguments, &mut reporter, &executor);
    if let Err(error) = &outcome {
        reporter.note(&format!("error: {error:#}"));
    }
    let log = analysis.write_log(&reporter, journal.earlier);
    let outcome = outcome?;
    log?;
    if outcome == Outcome::Done {
        journal.remove()?;
    }
    Ok(outcome)
}

/// Runs the analysis, with words on what came before and what to do where it stops.
fn compute(
    analysis: &Analysis,
    journal: &mut Journal,
    arguments: &AnalyzeArguments,
    reporter: &mut Reporter<'_>,
    executor: &Executor,
) -> Result<Outcome> {
    analysis.say_plan(reporter);
    say_earlier(analysis, arguments, journal.earlier, reporter);
    let advice = advice(&analysis.request().config);
    let results = analysis.run(journal, reporter, executor);
    let results = results.map_err(|error| anyhow!("{error:#}\n{advice}"))?;
    let Some(results) = results else {
        let (done, all) = (journal.finished.len(), analysis.units());
        reporter.say(&format!(
            "interrupted after {done} of {all} layer-steps; {advice}"
        ));
        return Ok(Outcome::Interrupted);
    };
    let home = Home {
        folder: Path::new(HERE),
        id: None,
    };
    wandb::save(analysis.request(), &results, &home, reporter, executor);
    pico_labs::send(&analysis.request().config, &results, reporter, executor);
    Ok(Outcome::Done)
}

/// What the arguments ask for.
fn request(arguments: &AnalyzeArguments) -> Result<Request> {
    let started = Zoned::now();
    let config = read_config(&arguments.config)?;
    let address = Address::of(&arguments.source)?;
    let name = analysis_name(&config, arguments, &address, &started)?;
    let folder = output_folder(arguments, &config).join(&name);
    Ok(Request {
        started,
        config,
        config_name: arguments.config.display().to_string(),
        source: address.shown(),
        address,
        name,
        folder,
        threads: threads(arguments),
    })
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
        Earlier::Discarded => reporter.warn(
            "starting over: an unfinished analysis was here (--resume would have gone on with it)",
        ),
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

fn read_config(path: &Path) -> Result<Config> {
    let shown = path.display();
    let unreadable =
        |error: &dyn std::error::Error| Misuse(format!("cannot read the config {shown}: {error}"));
    let bytes = fs::read(path).map_err(|error| unreadable(&error))?;
    let text = decode(&bytes).map_err(|error| unreadable(&error))?;
    let config = Config::parse(&text, &Registry::default())
        .map_err(|errors| Misuse(format!("{shown} is not a valid config:\n{errors}")))?;
    Ok(config)
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

fn output_folder(arguments: &AnalyzeArguments, config: &Config) -> PathBuf {
    arguments
        .output_dir
        .clone()
        .unwrap_or_else(|| PathBuf::from(&config.monitoring.output_dir))
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
    ctrlc::set_handler(move || {
        if flag.load(Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        // Before anybody hears of it, and says how it ended.
        speaker.say("stopping; Ctrl-C again ends at once");
        flag.store(true, Ordering::Relaxed);
    })
    .context("cannot listen for Ctrl-C")?;
    Ok(stop)
}

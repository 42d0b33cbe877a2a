//! `worker submit`: plans once, deals the lanes to shards, and writes the folder that they share.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use ckptscope_analysis::{Lane, Plan};
use ckptscope_checkpoint::http::client::REQUESTS_AT_ONCE;
use ckptscope_checkpoint::hub::HubAddress;
use ckptscope_results::{SeriesSet, layer_in_words};
use jiff::Zoned;

use super::fetch::{self, Fetching};
use super::folder::Folder;
use super::index::MOST;
use super::plan_file::{LAYOUT, Outline, PlanFile, PlannedUnit, Settings};
use super::shard_file::recorded;
use super::submissions::Batch;
use super::tree::Source;
use super::{again, engine, kubernetes, resources, shard_file};
use crate::analysis::{Analysis, Request, counted};
use crate::arguments::{EngineArgument, SlurmArguments, SubmitArguments};
use crate::executor::Executor;
use crate::identity::{PROGRAM, Unit};
use crate::place::{Address, Place, as_file_name};
use crate::progress::{bytes, duration};
use crate::time::rfc3339;
use crate::{INTERRUPTED, Misuse, Outcome, analyze, console, identity, signals, wandb};

/// Runs the command.
pub(crate) fn run(arguments: &SubmitArguments) -> Result<Outcome> {
    if let Some(folder) = &arguments.again {
        return again::run(&Folder::at(folder)?, arguments);
    }
    let wanted = Wanted::of(arguments)?;
    if wanted.engine == EngineArgument::Kubernetes {
        kubernetes::check(wanted.out, arguments.volume.as_ref())?;
    }
    let request = request(&wanted)?;
    if arguments.fetch {
        fetch::check(&request.address)?;
    }
    // Whoever fetches nothing is ended at once by the system.
    let stop = arguments.fetch.then(stop_on_signal).transpose()?;
    let executor = Executor::start(stop.unwrap_or_default())?;
    let Some(analysis) = Analysis::plan(request, &executor)? else {
        return Ok(Outcome::Interrupted);
    };
    let warnings = analysis.plan_warnings().iter().cloned();
    for warning in warnings.chain(advice(&analysis, arguments)) {
        console::say(&format!("warning: {}", console::printable(&warning)));
    }
    let threads = threads(&analysis, arguments.threads.get(), arguments.memory_limit)?;
    say_threads(threads, arguments);
    let folder = Folder::make(wanted.out)?;
    if arguments.fetch {
        fetch::begin(&folder)?;
    }
    wandb::prepare(&analysis.request().config, &folder.results())?;
    let plan = write(
        &folder,
        &analysis,
        wanted.shards,
        threads,
        settings(&wanted),
    )?;
    say(&analysis, &plan, wanted.shards);
    if arguments.fetch && fetch(&folder, &analysis, &executor)?.is_none() {
        return Ok(Outcome::Interrupted);
    }
    let all: Vec<usize> = (0..plan.shards.len()).collect();
    let batches: Vec<Batch> = Batch::of(&plan, all).into_iter().collect();
    engine::hand_over(&folder, &plan, &batches, arguments.no_submit)?;
    console::print(&format!("{}\n", folder.path().display()))?;
    Ok(Outcome::Done)
}

/// The first request to end stops a plan or a fetch under way; the second ends the program.
///
/// # Errors
/// When the machine has no thread or handler left.
pub(super) fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    signals::on_end(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(i32::from(INTERRUPTED));
        }
        console::say("stopping; Ctrl-C again ends at once");
    })?;
    Ok(stop)
}

/// Brings what the shards read of a repository to their folder; none where the person stopped it.
fn fetch(folder: &Folder, analysis: &Analysis, executor: &Executor) -> Result<Option<()>> {
    let Place::Hub(tree) = analysis.files() else {
        return Ok(Some(()));
    };
    let lanes = analysis.as_planned().lanes.as_slice();
    Fetching::of(folder, [(&**tree, lanes)]).run(executor)
}

/// What to do about a run that shards would read over the network.
fn advice(analysis: &Analysis, arguments: &SubmitArguments) -> Option<String> {
    let network = over_network(&analysis.request().address).filter(|_| !arguments.fetch)?;
    Some(format!(
        "{network}: with --fetch what they read ({}) is fetched to the folder of --out first",
        bytes(analysis.cost().read_bytes)
    ))
}

/// Deals an analysis to shards, and writes all that they share: `plan.json` last.
///
/// # Errors
/// Where the folder cannot be written.
pub(super) fn write(
    folder: &Folder,
    analysis: &Analysis,
    shards: usize,
    threads: usize,
    settings: Settings,
) -> Result<PlanFile> {
    let shards = analysis.as_planned().shards(shards);
    let lanes_at_once = match analysis.files() {
        Place::Hub(_) if !fetch::is_begun(folder) => threads.max(REQUESTS_AT_ONCE),
        Place::Hub(_) | Place::Folder(_) | Place::Confined(_) => threads,
    };
    let plan = plan_file(analysis, &shards, threads, lanes_at_once, settings);
    for (index, lanes) in shards.iter().enumerate() {
        let source = Source::of(analysis.files(), lanes)?;
        shard_file::write(folder, index, lanes, source, &plan)?;
    }
    engine::write_scripts(folder, &plan)?;
    plan.write(folder)?;
    Ok(plan)
}

/// What to know of a run that shards read over the network; nothing of one on a disk.
pub(crate) fn of_network(address: &Address) -> Option<String> {
    let Address::Hub(HubAddress { repository, .. }) = address else {
        return None;
    };
    let network = over_network(address)?;
    Some(format!(
        "{network}: where they have none, download the run to a folder that they see (hf download \
         {repository} --local-dir DIR), and analyze it there"
    ))
}

fn over_network(address: &Address) -> Option<String> {
    let Address::Hub(HubAddress { repository, .. }) = address else {
        return None;
    };
    Some(format!(
        "shards read {repository} over the network, which compute nodes often do not have"
    ))
}

/// What is there where nothing is submitted again.
struct Wanted<'a> {
    arguments: &'a SubmitArguments,
    config: &'a Path,
    engine: EngineArgument,
    shards: usize,
    out: &'a Path,
}

impl<'a> Wanted<'a> {
    fn of(arguments: &'a SubmitArguments) -> Result<Self> {
        let needs = |what: &str| Misuse(format!("give {what}; see `worker submit --help`"));
        Ok(Self {
            arguments,
            config: arguments.config.as_deref().ok_or_else(|| needs("CONFIG"))?,
            engine: arguments.engine.ok_or_else(|| needs("--engine"))?,
            shards: arguments.shards.ok_or_else(|| needs("--shards"))?,
            out: arguments.out.as_deref().ok_or_else(|| needs("--out"))?,
        })
    }
}

fn settings(wanted: &Wanted<'_>) -> Settings {
    let arguments = wanted.arguments;
    let SlurmArguments {
        time,
        partition,
        account,
    } = arguments.slurm.clone();
    Settings {
        engine: wanted.engine,
        partition,
        account,
        time,
        image: arguments.image.clone(),
        volume: arguments.volume.clone(),
        memory_limit: arguments.memory_limit,
        is_followed: false,
    }
}

/// What the arguments ask for.
fn request(wanted: &Wanted<'_>) -> Result<Request> {
    let started = Zoned::now();
    let config = analyze::read_config(wanted.config)?;
    let address = Address::of(&wanted.arguments.source())?;
    let of_now = || {
        let run = as_file_name(&address.file_name());
        format!("{run}-{}", started.strftime("%Y%m%d-%H%M%S"))
    };
    let name = config.analysis_name.clone().unwrap_or_else(of_now);
    Ok(Request {
        folder: wanted.out.join("results").join(&name),
        config_name: analyze::config_name(wanted.config),
        given: address.shown(),
        source: address.name(),
        threads: wanted.arguments.threads.get(),
        started,
        config,
        address,
        name,
    })
}

/// Threads of a shard: as many as were asked for, or fewer where their lanes do not fit into the
/// memory of one machine together.
///
/// # Errors
/// [`Misuse`] where not even one lane fits.
pub(super) fn threads(analysis: &Analysis, wanted: usize, limit: Option<u64>) -> Result<usize> {
    let lanes = &analysis.as_planned().lanes;
    let Some((limit, (lane, peak))) = limit.zip(resources::widest(lanes)) else {
        return Ok(wanted);
    };
    let fit = resources::lanes_that_fit(peak, limit);
    let (layer, peak, limit) = (layer_in_words(lane.layer), bytes(peak), bytes(limit));
    if fit == 0 {
        return Err(Misuse(format!(
            "{layer} needs {peak} of memory by itself, and a machine has {limit}: ask for smaller \
             components or cheaper metrics of it, or for machines with more (--memory-limit; \
             --memory of `worker serve`)"
        ))
        .into());
    }
    Ok(wanted.min(fit))
}

/// Says that there are fewer threads than were asked for, and why.
fn say_threads(threads: usize, arguments: &SubmitArguments) {
    let (wanted, limit) = (arguments.threads.get(), arguments.memory_limit);
    if let Some(limit) = limit.filter(|_| threads < wanted) {
        console::say(&format!(
            "shards have {} instead of {wanted}: more layers at a time do not fit into {} of memory",
            counted(threads as u64, "thread"),
            bytes(limit)
        ));
    }
}

/// Everything about the shards but their lanes.
fn plan_file(
    analysis: &Analysis,
    shards: &[Vec<Lane>],
    threads: usize,
    lanes_at_once: usize,
    settings: Settings,
) -> PlanFile {
    let planned = analysis.as_planned();
    let request = analysis.request();
    let crew = resources::crew(threads);
    let outline = |lanes: &Vec<Lane>| {
        let cost = Plan::cost_of(lanes);
        let seconds = resources::seconds(&cost, &crew);
        Outline {
            units: lanes.iter().flat_map(recorded).count() as u64,
            cost,
            memory_bytes: resources::memory_bytes(cost.peak_bytes, lanes_at_once),
            seconds: seconds.ceil() as u64,
        }
    };
    let places: BTreeMap<Unit, usize> = (0..)
        .zip(shards)
        .flat_map(|(shard, lanes)| lanes.iter().flat_map(recorded).map(move |it| (it, shard)))
        .collect();
    let units = identity::of_units(planned, analysis.files()).into_iter();
    PlanFile {
        layout: LAYOUT,
        program: PROGRAM.to_owned(),
        config: identity::of_config(&request.config),
        config_name: request.config_name.clone(),
        made_of: analysis.made_of(),
        given: request.given.clone(),
        place: analysis.place(),
        submitted: rfc3339(&request.started),
        settings,
        threads,
        cost: planned.cost,
        shards: shards.iter().map(outline).collect(),
        results: analysis.results(SeriesSet::default()),
        units: units
            .filter_map(|((layer, step), made_of)| {
                Some(PlannedUnit {
                    layer,
                    step,
                    made_of,
                    shard: *places.get(&(layer, step))?,
                })
            })
            .collect(),
    }
}

/// Says what there is to do, and what it costs.
fn say(analysis: &Analysis, plan: &PlanFile, wanted: usize) {
    console::say(&analysis.plan_in_words());
    let count = plan.shards.len();
    let (Some(memory), Some(seconds)) = (
        plan.shards.iter().map(|it| it.memory_bytes).max(),
        plan.shards.iter().map(|it| it.seconds).max(),
    ) else {
        return console::say("there is nothing to compute: `worker merge` writes what there is");
    };
    if count < wanted {
        let all = counted(analysis.units(), "layer-step");
        console::say(&format!(
            "{count} shards instead of {wanted}: there are {all}"
        ));
    }
    let all: u64 = plan.shards.iter().map(|it| it.seconds).sum();
    let cores = all * plan.threads as u64;
    console::say(&format!(
        "{}, each with {} and {} of memory, about {} on a machine like this; {:.1} core-hours together",
        counted(count as u64, "shard"),
        counted(plan.threads as u64, "thread"),
        bytes(memory),
        duration(std::time::Duration::from_secs(seconds)),
        cores as f64 / 3600.0,
    ));
}

/// That so many shards may be.
pub(crate) fn parse_shards(text: &str) -> Result<usize, String> {
    let number: Option<usize> = text.parse().ok();
    let number = number.filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| format!("{text:?} is no number of shards; give one from 1 to {MOST}"))
}

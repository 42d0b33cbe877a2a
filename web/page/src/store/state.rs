//! What the page knows, as signals.

use ckptscope_plot::Theme;
use ckptscope_protocol::tab::Opened;
use ckptscope_results::Results;
use leptos::prelude::*;
use web_sys::Blob;

use super::address::{self, REPOSITORY_MARK};
use super::analysis::Analysis;
use super::arrival::Arrival;
use super::ask::Ask;
use super::audit::Audit;
use super::explore::Explore;
use super::given::Given;
use super::kept::{Kept, config_of};
use super::native_worker::NativeConnection;
use super::native_worker::sending::Sending;
use super::open_request::{DEMO, OpenRequest};
use super::view::View;
use super::web_workers::WebWorkers;
use crate::browser;
use crate::link::LinkSource;
use crate::run_place::RunPlace;

/// Opens what is asked for.
pub(crate) type Open = fn(State, OpenTask, OpenRequest);

/// Everything that is shown. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct State {
    /// How far the page is with opening something.
    pub stage: RwSignal<Stage>,
    /// What came with the page's address.
    pub arrival: Arrival,
    /// The run that is open; none where there is none, or results alone.
    pub opened: RwSignal<Option<Opened>>,
    /// Which tab of the workbench's side is shown.
    pub side: RwSignal<Side>,
    /// What is looked at in the run.
    pub explore: Explore,
    /// What is odd about its steps.
    pub audit: Audit,
    /// What is asked of the run.
    pub ask: Ask,
    /// What is being computed, or was.
    pub analysis: Analysis,
    /// How it is shown.
    pub view: View,
    pub theme: ReadSignal<Theme>,
    /// The workers.
    pub web_workers: WebWorkers,
    /// The native worker, where there is one.
    pub native_worker: NativeConnection,
    /// What is on its way to it.
    pub sending: Sending,
    /// What shows what is open; none before the part of the program that opens things is there.
    pub workbench: StoredValue<Option<WorkbenchViews>>,
    /// What was given for a run that is not on this machine.
    pub given: Given,
    /// What the shown results are of, where a link or the native worker brought them.
    pub origin: StoredValue<Option<LinkSource>>,
    /// What this browser keeps.
    pub kept: Kept,
    /// The address of what is shown, behind `#`; none where it has none.
    named: StoredValue<Option<String>>,
    /// Opens things: the page's part that knows how.
    open: Open,
    /// Counts what was to be opened, so that what an earlier task still brings is passed over.
    tasks: StoredValue<u64>,
}

/// What that part of the program shows which opens things.
#[derive(Clone, Copy)]
pub(crate) struct WorkbenchViews {
    /// What is open.
    pub main: fn() -> AnyView,
    /// What the bar says of it, and the ways to another.
    pub bar: fn() -> AnyView,
    /// What came with the address.
    pub arrival: fn() -> AnyView,
    /// What a message names to choose from.
    pub choices: fn() -> AnyView,
}

/// How far the page is with opening something.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// Nothing is open.
    Landing,
    /// Something is on its way: what, and bytes so far of so many where that is known.
    Opening {
        what: String,
        bytes: Option<(u64, u64)>,
    },
    /// It could not be opened; in words.
    Failed(String),
    /// A run or results are open.
    Open,
}

/// The name of a tab of the workbench's side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Side(pub &'static str);

/// Those that others than the tabs themselves go to.
impl Side {
    /// What was found.
    pub(crate) const EXPLORE: Self = Self("explore");
    /// What is asked, as a form.
    pub(crate) const ASK: Self = Self("ask");
    /// What is asked, as YAML.
    pub(crate) const YAML: Self = Self("yaml");
}

impl State {
    /// Nothing is open. What is opened later is opened by `open`.
    pub(crate) fn new(open: Open) -> Self {
        let (web_workers, sending) = (WebWorkers::new(), Sending::new());
        let kept = Kept::new();
        let analysis = Analysis::new(web_workers, kept);
        let native_worker = NativeConnection::new(sending, web_workers);
        Self {
            kept,
            origin: analysis.origin,
            named: StoredValue::new(None),
            stage: RwSignal::new(Stage::Landing),
            arrival: Arrival::new(),
            opened: web_workers.opened,
            side: RwSignal::new(Side::ASK),
            explore: Explore::new(web_workers, native_worker),
            audit: Audit::new(web_workers),
            ask: Ask::new(web_workers),
            analysis,
            view: View::new(),
            theme: browser::theme(),
            web_workers,
            native_worker,
            sending,
            workbench: StoredValue::new(None),
            given: Given::new(),
            open,
            tasks: StoredValue::new(0),
        }
    }

    /// The state of the page that the caller is part of.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// Whether a run is open; whoever asks hears when that changes.
    pub(crate) fn is_run_open(self) -> bool {
        self.opened.with(Option::is_some)
    }

    /// Whether the workbench has something to show.
    pub(crate) fn has_content(self) -> bool {
        self.is_run_open()
            || self.analysis.results.with(Option::is_some)
            || self.analysis.is_on_worker()
    }

    /// Opens something; what was on its way is given up.
    pub(crate) fn open(self, request: OpenRequest) {
        self.named.set_value(request.address());
        let task = self.begin_opening(&request.name());
        (self.open)(self, task, request);
    }

    /// Begins to open something; what was on its way is given up. What is open stays until
    /// something else is.
    pub(crate) fn begin_opening(self, what: &str) -> OpenTask {
        self.web_workers.stop_opening();
        self.tasks.update_value(|tasks| *tasks += 1);
        let task = OpenTask {
            number: self.tasks.get_value(),
            state: self,
        };
        task.tell(what.to_owned(), None);
        task
    }

    /// Gives up what is being opened, or puts its failure away.
    pub(crate) fn settle(self) {
        self.web_workers.stop_opening();
        self.tasks.update_value(|tasks| *tasks += 1);
        self.stage.set(if untrack(|| self.has_content()) {
            Stage::Open
        } else {
            Stage::Landing
        });
    }

    /// Back to the beginning.
    pub(crate) fn close(self) {
        self.analysis.clear();
        self.sending.forget();
        self.web_workers.stop();
        self.arrival.leave();
        self.opened.set(None);
        self.settle();
    }

    /// Back to the beginning, as a person asks.
    pub(crate) fn leave(self) {
        self.close();
        self.is_named(None);
    }

    /// The address says what is shown from now on, or nothing.
    pub(crate) fn show_address(self) {
        address::show(self.named.get_value().as_deref());
    }

    /// What is shown has this address from now on.
    pub(crate) fn is_named(self, address: Option<String>) {
        self.named.set_value(address);
        self.show_address();
    }

    /// Shows results that were not computed here; a run that is open is closed.
    pub(crate) fn show_results(self, results: Results) {
        self.close();
        begin_at_top();
        self.analysis.show(results);
        self.settle();
        self.show_address();
    }

    async fn show_run(self, opened: Opened, config: Option<String>) {
        begin_at_top();
        self.analysis.clear();
        self.sending.forget();
        let proposed = opened.proposals.first().map(|first| first.text.clone());
        self.explore.begin(&opened.run);
        self.audit.cancel();
        self.side.set(if config.is_some() || proposed.is_some() {
            Side::ASK
        } else {
            Side::EXPLORE
        });
        let draft = config_of(&opened.run.name);
        self.opened.set(Some(opened));
        self.stage.set(Stage::Open);
        self.show_address();
        let is_ordered = config.is_some();
        if !is_ordered {
            self.find_left();
        }
        let text = config.or(draft).or(proposed);
        self.ask.begin(text.unwrap_or_default()).await;
        let checked = self.ask.checked;
        if is_ordered && checked.with_untracked(|checked| checked.too_large.is_none()) {
            self.run();
        }
    }

    /// Computes what is asked in this tab, as a person asks: an address that leads to results leads
    /// to others.
    pub(crate) fn run_anew(self) {
        let named = self.named.get_value();
        if named.is_some_and(|named| !named.starts_with(REPOSITORY_MARK)) {
            self.is_named(None);
        }
        self.run();
    }

    /// Computes what is asked in this tab, or what is left of it.
    pub(crate) fn run(self) {
        let text = self.ask.text.get_untracked();
        let run = self.identity();
        let earlier = self.kept.take_wanted(&text, &run);
        self.analysis.start(text, run, earlier);
    }
}

/// Something that a person wants opened. It tells the page nothing any more once another is.
#[derive(Clone, Copy)]
pub(crate) struct OpenTask {
    number: u64,
    state: State,
}

impl OpenTask {
    /// Whether it is still wanted.
    pub(crate) fn is_wanted(self) -> bool {
        self.state.tasks.get_value() == self.number
    }

    /// Says what is on its way, and bytes so far of so many where that is known.
    pub(crate) fn tell(self, what: String, bytes: Option<(u64, u64)>) {
        if self.is_wanted() {
            self.state.stage.set(Stage::Opening { what, bytes });
        }
    }

    /// Says that it could not be opened; what is open stays.
    pub(crate) fn fail(self, reason: &impl ToString) {
        if self.is_wanted() {
            self.state.stage.set(Stage::Failed(reason.to_string()));
        }
    }

    /// Opens the demo run and computes the analysis of a config, or its own.
    pub(crate) async fn open_demo(self, config: Option<String>) {
        let progress = move |bytes, of| self.tell(DEMO.to_owned(), Some((bytes, of)));
        progress(0, crate::demo::bytes());
        let fetched = async {
            let files = crate::demo::run(progress).await?;
            let config = match config {
                Some(config) => config,
                None => crate::demo::config().await?,
            };
            Ok::<_, crate::fetch::FetchError>((files, config))
        };
        match fetched.await {
            Ok((files, config)) => self.open(RunPlace::Files(files), Some(config)).await,
            Err(error) => self.fail(&error),
        }
    }

    /// Opens a run. With a config, its analysis is computed at once; else one is proposed.
    pub(crate) async fn open(self, place: RunPlace, config: Option<String>) {
        if !self.is_wanted() {
            return;
        }
        let name = place.name().to_owned();
        self.tell(name.clone(), None);
        match self.state.web_workers.open(place).await {
            Ok(opened) => self.state.show_run(*opened, config).await,
            Err(message) if message.is_empty() => {}
            Err(message) => self.fail(&format!("{name} could not be opened: {message}")),
        }
    }

    /// Opens a run on the Hub or at an address. With a config, its analysis is computed at once.
    pub(crate) async fn open_remote(self, place: String, config: Option<String>) {
        self.state.given.give(place, config);
        self.open_given().await;
    }

    /// Opens what was given.
    pub(crate) async fn open_given(self) {
        match self.state.given.remote() {
            Ok((remote, config)) => self.open(RunPlace::Remote(Box::new(remote)), config).await,
            Err(reason) => self.fail(&reason),
        }
    }

    /// Shows the results in a results file; a run that is open is closed.
    pub(crate) async fn show(self, file: &Blob) {
        let answer = self.state.web_workers.read_results(file).await;
        if !self.is_wanted() {
            return;
        }
        match answer {
            Ok(results) => self.state.show_results(results),
            Err(message) => self.fail(&message),
        }
    }
}

/// What was scrolled belonged to what is gone.
fn begin_at_top() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

//! Every state of the page: what is looked at, audited, and must fit on a narrow screen.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use ckptscope_fake_hub::example::{PRIVATE, REVISIONS};
use ckptscope_fake_hub::suite::{SUITE, suite};
use ckptscope_fake_hub::{FakeHub, Fault, Origin, Rule, example};

use super::companion::{self, connect, show_analyses, unfold};
use super::native_worker::{NativeWorker, Options as WorkerOptions, Workers};
use super::sending::states::Place as Sending;
use super::visit::{self, choose};
use super::{PageTest, Site, checkpoints};
use crate::browser::{Screen, Tab};
use crate::given::RUN;
use ckptscope_loopback::Served;

pub(super) const TESTS: &[PageTest] = page_tests![
    no_state_has_barriers_and_all_fit_when_the_window_shrinks,
    no_state_is_wider_than_a_narrow_screen,
];

/// A state and the way to it.
pub(crate) struct State {
    /// What it is called.
    pub name: &'static str,
    /// The way to it, from anywhere.
    pub reach: fn(&Tab, &Surroundings) -> Result<()>,
}

impl State {
    const fn of(name: &'static str, reach: fn(&Tab, &Surroundings) -> Result<()>) -> Self {
        Self { name, reach }
    }
}

/// What the ways to states need.
pub(crate) struct Surroundings {
    address: String,
    run: PathBuf,
    /// With a file that is cut off.
    folder: tempfile::TempDir,
    fake: FakeHub,
    /// The page that names it.
    hub_page: String,
    /// A native worker with some analyses, started when the first state needs it.
    worker: OnceCell<NativeWorker>,
    /// Another one, that wants a token.
    closed_worker: OnceCell<NativeWorker>,
    /// Workers and runs for what is sent, made when the first state needs them.
    sending: OnceCell<Sending>,
    workers: Workers,
}

/// All of them.
pub(crate) const STATES: &[State] = &[
    State::of("landing", |tab, at| visit::open(tab, &at.address)),
    State::of("loading", loading),
    State::of("error", error),
    State::of("hub-fields", |tab, at| at.hub(tab, "")),
    State::of("hub-listing", hub_listing),
    State::of("hub-error", hub_error),
    State::of("hub-run", hub_run),
    State::of("open-menu", open_menu),
    State::of("explorer", explorer),
    State::of("troubled", troubled),
    State::of("suite", suite_opened),
    State::of("audit", audited),
    State::of("ask", ask),
    State::of("yaml-error", yaml_error),
    State::of("running", running),
    State::of("lines", |tab, at| visit::finish_demo(tab, &at.address)),
    State::of("heatmap", |tab, at| view(tab, at, "Heatmap")),
    State::of("heads", |tab, at| view(tab, at, "Heads")),
    State::of("spread", |tab, at| view(tab, at, "Spread")),
    State::of("table", |tab, at| view(tab, at, "Table")),
    State::of("enlarged", enlarged),
    State::of("kept", kept),
    State::of("aside", aside),
    State::of("share", |tab, at| share(tab, at).map(drop)),
    State::of("link", link),
    State::of("worker-none", worker_none),
    State::of("worker-landing", worker_landing),
    State::of("worker-menu", worker_menu),
    State::of("worker-token", worker_token),
    State::of("worker-lost", worker_lost),
    State::of("worker-open-menu", worker_open_menu),
    State::of("worker-analyses", worker_analyses),
    State::of("worker-compared", worker_compared),
    State::of("worker-share", worker_share),
    State::of("too-much", |tab, at| {
        at.sending()?.too_much(tab, &at.address)
    }),
    State::of("worker-cost", |tab, at| at.sending()?.cost(tab)),
    State::of("worker-proposed", |tab, at| at.sending()?.proposed(tab)),
    State::of("worker-agreement", |tab, at| at.sending()?.agreement(tab)),
    State::of("worker-copying", |tab, at| at.sending()?.copying(tab)),
    State::of("worker-queued", |tab, at| at.sending()?.queued(tab)),
    State::of("worker-running", |tab, at| at.sending()?.running(tab)),
    State::of("worker-connection-lost", |tab, at| at.sending()?.lost(tab)),
];

impl Surroundings {
    /// The page at an address, and the bundled run.
    pub(crate) fn new(workers: &Workers, address: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let whole = checkpoints::write_whole(folder.path())?;
        checkpoints::cut(&whole, &folder.path().join("cut.safetensors"))?;
        let given = workers.given();
        let mut repositories = example::examples(&given.root.join(RUN))?;
        repositories.push(suite());
        let fake = FakeHub::start(repositories)?;
        let served = Served {
            hub: Some(fake.endpoint().to_owned()),
            ..Served::folder(given.dist())
        };
        Ok(Self {
            hub_page: served.start(0)?,
            fake,
            worker: OnceCell::new(),
            closed_worker: OnceCell::new(),
            sending: OnceCell::new(),
            workers: workers.clone(),
            address: address.to_owned(),
            run: given.root.join(RUN),
            folder,
        })
    }

    fn cut_file(&self) -> PathBuf {
        self.folder.path().join("cut.safetensors")
    }

    /// The page with the fields for a repository unfolded, or with one on its way.
    fn hub(&self, tab: &Tab, place: &str) -> Result<()> {
        visit::open(tab, &self.hub_page)?;
        if place.is_empty() {
            return tab.click("[data-test=remote-more]");
        }
        tab.click("[data-test=remote-place]")?;
        tab.type_text(place)?;
        tab.press("Enter")
    }

    /// The native worker: what it has are two analyses that are done.
    fn worker(&self) -> Result<&NativeWorker> {
        if let Some(worker) = self.worker.get() {
            return Ok(worker);
        }
        let worker = companion::worker(&self.workers, WorkerOptions::default())?;
        for name in ["baseline", "higher learning rate"] {
            companion::analyse(self.workers.given(), &worker, name)?;
        }
        Ok(self.worker.get_or_init(|| worker))
    }

    fn closed_worker(&self) -> Result<&NativeWorker> {
        if let Some(worker) = self.closed_worker.get() {
            return Ok(worker);
        }
        let options = WorkerOptions {
            token: Some("token".to_owned()),
            ..WorkerOptions::default()
        };
        let worker = companion::worker(&self.workers, options)?;
        Ok(self.closed_worker.get_or_init(|| worker))
    }

    fn sending(&self) -> Result<&Sending> {
        if let Some(sending) = self.sending.get() {
            return Ok(sending);
        }
        let sending = Sending::new(&self.workers)?;
        Ok(self.sending.get_or_init(|| sending))
    }

    fn open_run(&self, tab: &Tab) -> Result<()> {
        visit::drop_run(tab, &self.address, &[Path::new(&self.run)])
    }
}

fn hub_listing(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.fake.inject(Rule {
        origin: Origin::Hub,
        contains: "/refs".to_owned(),
        skip: 0,
        times: 1,
        fault: Fault::Silence,
    });
    at.hub(tab, REVISIONS)?;
    tab.wait_for_words("[data-test=listing]", "listed")
}

fn hub_error(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.hub(tab, PRIVATE)?;
    tab.wait_until_shown("[data-test=state-failed]")?;
    // The browser tells its console that the hub refused.
    tab.complaints().map(drop)
}

fn hub_run(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.hub(tab, REVISIONS)?;
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;
    tab.click("[data-test=tab-explore]")?;
    tab.wait_until_shown("[data-test=network]")
}

fn open_menu(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.open_run(tab)?;
    tab.click("[data-test=open-menu]")?;
    tab.click("[data-test=remote-more]")
}

fn loading(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::open_with_worker_control(tab, &at.address)?;
    tab.run("workerControl.held = ['open']")?;
    tab.drop_files("main", &[&at.run])?;
    tab.wait_for("the question", "workerControl.asked.open")?;
    tab.wait_until_shown("[data-test=opening]")
}

fn error(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::open(tab, &at.address)?;
    tab.drop_files("main", &[&at.cut_file()])?;
    tab.wait_until_shown("[data-test=state-failed]")
}

fn explorer(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.open_run(tab)?;
    tab.click("[data-test=tab-explore]")?;
    tab.click_when_shown("[data-test=tensor-group]")?;
    tab.click_when_shown("[data-test=tensor]")?;
    tab.wait_until_shown("[data-test=tensor-spectrum] svg")
}

/// A run in which much is wrong, at a step that turns out to be broken when it is read.
fn troubled(tab: &Tab, at: &Surroundings) -> Result<()> {
    let run = at.folder.path().join("troubled");
    checkpoints::write_troubled(&run)?;
    visit::drop_run(tab, &at.address, &[&run])?;
    tab.click("[data-test=tab-explore]")?;
    tab.choose_option("[data-test=explore-step]", "500")?;
    tab.wait_until_shown("[data-test=tensors-failed]")
}

fn suite_opened(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.hub(tab, SUITE)?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=tab-explore]")?;
    tab.wait_until_shown("[data-test=audit-begin]")
}

fn audited(tab: &Tab, at: &Surroundings) -> Result<()> {
    suite_opened(tab, at)?;
    tab.click("[data-test=audit-begin]")?;
    tab.wait_until_shown("[data-test=audit-summary]")
}

fn ask(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.open_run(tab)?;
    tab.click_when_shown("[data-test=metric-fold]")?;
    tab.wait_until_shown("[data-test=metric-name]")
}

fn yaml_error(tab: &Tab, at: &Surroundings) -> Result<()> {
    at.open_run(tab)?;
    tab.click("[data-test=tab-yaml]")?;
    tab.click_when_shown("[data-test=yaml]")?;
    tab.press("Control+Home")?;
    tab.type_text("metricks: 7")?;
    tab.press("Enter")?;
    tab.wait_until_shown("[data-test=problem]")
}

fn running(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::open_with_worker_control(tab, &at.address)?;
    tab.run("workerControl.lanesLetThrough = 2")?;
    tab.click("[data-test=demo]")?;
    visit::wait_until_drawn(tab)
}

fn view(tab: &Tab, at: &Surroundings, mode: &str) -> Result<()> {
    visit::finish_demo(tab, &at.address)?;
    choose(tab, "view", mode)
}

fn enlarged(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::finish_demo(tab, &at.address)?;
    tab.click("[data-test=card] [data-test=enlarge]")?;
    tab.wait_until_shown("[data-test=enlarged] [data-test=drawing] svg")
}

/// Gives the link.
fn share(tab: &Tab, at: &Surroundings) -> Result<String> {
    visit::finish_demo(tab, &at.address)?;
    tab.click("[data-test=share]")?;
    tab.wait_until_shown("[data-test=share-link]")?;
    tab.value("[data-test=share-link]")
}

fn link(tab: &Tab, at: &Surroundings) -> Result<()> {
    let address = share(tab, at)?;
    visit::open(tab, &address)?;
    visit::wait_until_drawn(tab)
}

fn worker_none(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::open(tab, &at.address)?;
    unfold(tab)
}

fn worker_landing(tab: &Tab, at: &Surroundings) -> Result<()> {
    companion::open_connected(tab, &at.worker()?.address())?;
    tab.wait_until_shown("[data-test=worker-run]")
}

fn worker_menu(tab: &Tab, at: &Surroundings) -> Result<()> {
    worker_landing(tab, at)?;
    unfold(tab)
}

fn worker_token(tab: &Tab, at: &Surroundings) -> Result<()> {
    let worker = at.closed_worker()?;
    visit::open(tab, &format!("{}#token=wrong", worker.address()))?;
    tab.wait_for_words("[data-test=worker-menu]", "wants a token")?;
    unfold(tab)?;
    tab.wait_until_shown("[data-test=worker-refused]")
}

fn worker_lost(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::open(tab, &at.address)?;
    unfold(tab)?;
    // Nobody listens there.
    connect(tab, "127.0.0.1:9", "")?;
    tab.wait_until_shown("[data-test=worker-lost]")?;
    // The browser tells its console.
    tab.complaints().map(drop)
}

fn worker_open_menu(tab: &Tab, at: &Surroundings) -> Result<()> {
    worker_landing(tab, at)?;
    // As long as the menu was open, the lost worker was asked for.
    tab.complaints()?;
    tab.click("[data-test=worker-run]")?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=open-menu]")?;
    tab.wait_until_shown("[data-test=worker-run]")
}

fn worker_analyses(tab: &Tab, at: &Surroundings) -> Result<()> {
    let worker = at.worker()?;
    companion::open_connected(tab, &worker.address())?;
    show_analyses(tab)?;
    tab.wait_until_shown("[data-test=analysis]")?;
    tab.click("[data-test=analysis] [data-test=analysis-pick]:enabled")?;
    tab.click("[data-test=analysis]:last-of-type [data-test=analysis-remove]")
}

fn worker_compared(tab: &Tab, at: &Surroundings) -> Result<()> {
    companion::open_connected(tab, &at.worker()?.address())?;
    show_analyses(tab)?;
    tab.wait_until_shown("[data-test=analysis]")?;
    for place in [1, 2] {
        tab.click(&format!(
            "[data-test=analysis]:nth-of-type({place}) [data-test=analysis-pick]"
        ))?;
    }
    tab.click("[data-test=history-compare]")?;
    visit::wait_until_drawn(tab)
}

fn worker_share(tab: &Tab, at: &Surroundings) -> Result<()> {
    companion::open_connected(tab, &at.worker()?.address())?;
    show_analyses(tab)?;
    tab.click_when_shown("[data-test=analysis-open]")?;
    visit::wait_until_drawn(tab)?;
    tab.click("[data-test=share]")?;
    tab.wait_until_shown("[data-test=share-short-link]")
}

/// In both colour schemes. What is open stays open when the window shrinks.
fn no_state_has_barriers_and_all_fit_when_the_window_shrinks(tab: &Tab, site: &Site) -> Result<()> {
    let at = Surroundings::new(&site.workers, &site.page)?;
    let mut found = Vec::new();
    for state in STATES {
        tab.show_on(screen(1280, false))?;
        (state.reach)(tab, &at).with_context(|| state.name)?;
        for dark in [false, true] {
            tab.show_on(screen(1280, dark))?;
            tab.wait_until_still()?;
            let barriers = tab.audit()?;
            let scheme = if dark { "dark" } else { "light" };
            found.extend(
                barriers
                    .iter()
                    .map(|barrier| format!("{}, {scheme}: {barrier}", state.name)),
            );
        }
        tab.show_on(screen(400, false))?;
        tab.wait_until_still()?;
        found.extend(too_wide(tab, 400)?.map(|wide| format!("{}: {wide}", state.name)));
    }
    ensure!(found.is_empty(), "{}", found.join("\n    "));
    // The last one is of a worker that is lost.
    visit::leave(tab)
}

/// Reached on a narrow screen.
fn no_state_is_wider_than_a_narrow_screen(tab: &Tab, site: &Site) -> Result<()> {
    let at = Surroundings::new(&site.workers, &site.page)?;
    tab.show_on(screen(400, true))?;
    let mut found = Vec::new();
    for state in STATES {
        (state.reach)(tab, &at).with_context(|| state.name)?;
        tab.wait_until_still()?;
        found.extend(too_wide(tab, 400)?.map(|wide| format!("{}: {wide}", state.name)));
    }
    ensure!(found.is_empty(), "{}", found.join("\n    "));
    // The last one is of a worker that is lost.
    visit::leave(tab)
}

const fn screen(width: u32, dark: bool) -> Screen {
    Screen {
        width,
        height: 900,
        dark,
    }
}

/// What sticks out of a window of this width, in words; nothing where all fits. What is fixed to the
/// window makes the page no wider, and is looked at by itself.
fn too_wide(tab: &Tab, width: u64) -> Result<Option<String>> {
    let found = tab.run(&format!(
        "const out = [...document.body.querySelectorAll('*')]\
           .filter(element => element.getBoundingClientRect().right > {width} + 1);\
         const isFixed = element => getComputedStyle(element).position === 'fixed';\
         const wide = document.documentElement.scrollWidth;\
         return wide > {width} ? [wide, ...out.slice(-3).map(it => it.outerHTML.slice(0, 120))] \
           : out.filter(isFixed).map(it => it.outerHTML.slice(0, 120))"
    ))?;
    let found = found.as_array().map(Vec::as_slice).unwrap_or_default();
    let words: Vec<String> = found.iter().map(ToString::to_string).collect();
    Ok((!words.is_empty()).then(|| format!("what sticks out: {}", words.join(" | "))))
}

/// The opening page, with an analysis that the browser kept.
fn kept(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::finish_demo(tab, &at.address)?;
    tab.run_async("setTimeout(done, 1000)")?;
    visit::open(tab, &at.address)?;
    tab.wait_until_shown("[data-test=kept-analysis]")
}

/// Results, and others that they took the place of.
fn aside(tab: &Tab, at: &Surroundings) -> Result<()> {
    visit::finish_demo(tab, &at.address)?;
    visit::run_proposal(tab)?;
    tab.wait_until_shown("[data-test=aside]")
}

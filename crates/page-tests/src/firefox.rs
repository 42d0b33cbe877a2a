//! The page in Firefox: the main path, from opening it to files and links.

mod window;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use ckptscope_results::Results;
use serde_json::json;

use crate::given::Given;
use crate::page_tests::{conclude, told, with_policy, write_whole};
use window::Window;

/// How long a download may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A path that a visitor takes.
struct Visit {
    name: &'static str,
    run: fn(&Window, &Place) -> Result<()>,
}

/// Where things are.
struct Place {
    page: String,
    /// A folder of this test's own, in which downloads arrive.
    folder: PathBuf,
}

const VISITS: &[Visit] = &[
    Visit {
        name: "firefox_the_demo_run_ends_in_charts_files_and_links",
        run: demo,
    },
    Visit {
        name: "firefox_a_dropped_checkpoint_is_asked_and_computed",
        run: dropped,
    },
    Visit {
        name: "firefox_the_form_asks_for_other_steps",
        run: asked,
    },
];

/// `firefox [NAME]`: tests the page that is in `dist/` in the Firefox that `FIREFOX` names.
pub(crate) fn run(given: &Given, only: &str) -> Result<ExitCode> {
    let program = env::var_os("FIREFOX").context("FIREFOX is not set")?;
    let page = with_policy(given)?.start(0)?;
    let visits = VISITS.iter().filter(|visit| visit.name.contains(only));
    let outcomes = visits.map(|visit| {
        let start = Instant::now();
        let result = in_a_window(Path::new(&program), &page, visit);
        told(visit.name, start, &result)
    });
    Ok(conclude(&outcomes.collect::<Vec<_>>()))
}

/// Firefox and its profile are the visitor's alone. Its console must have no complaint.
fn in_a_window(program: &Path, page: &str, visit: &Visit) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = Place {
        page: page.to_owned(),
        folder: folder.path().to_owned(),
    };
    let window = Window::open(program, folder.path())?;
    window.show_on(1280, 900)?;
    (visit.run)(&window, &place)?;
    let complaints = window.complaints();
    ensure!(
        complaints.is_empty(),
        "the console says: {}",
        complaints.join("; ")
    );
    Ok(())
}

fn demo(window: &Window, place: &Place) -> Result<()> {
    window.go(&place.page)?;
    window.click("[data-test=demo]")?;
    wait_until_drawn(window)?;
    // Results as a file, with every number.
    window.click("[data-test=save-menu] summary")?;
    window.click("[data-test=save-menu] [data-test=save-results]")?;
    let saved = downloaded(&place.folder.join("demo.ckptscope.json"))?;
    let results = Results::parse(&saved)?;
    let numbers = results.series.numbers();
    ensure!(numbers > 1000, "only {numbers} numbers were saved");
    // And as a link, which shows the same charts.
    let charts = "document.querySelectorAll('[data-test=card]').length";
    let computed = window.evaluate(charts)?;
    window.click("[data-test=share]")?;
    window.click("[data-test=share-with]")?;
    window.wait_until_shown("[data-test=share-link]")?;
    let link = window.evaluate("document.querySelector('[data-test=share-link]').value")?;
    let link = link.as_str().context("there is no link")?;
    ensure!(link.contains("#a="), "the link is {link}");
    window.go("about:blank")?;
    window.go(link)?;
    wait_until_drawn(window)?;
    ensure!(
        window.evaluate(charts)? == computed,
        "the link shows other charts"
    );
    Ok(())
}

fn dropped(window: &Window, place: &Place) -> Result<()> {
    let checkpoint = write_whole(&place.folder)?;
    window.go(&place.page)?;
    window.wait_until_shown("main")?;
    // A drop carries files as an input has them.
    window.evaluate(
        "document.body.append(Object.assign(document.createElement('input'), {type: 'file', id: 'held'}))",
    )?;
    window.choose("#held", &[&checkpoint])?;
    window.evaluate(
        "(() => {\
           const dataTransfer = new DataTransfer();\
           dataTransfer.items.add(document.querySelector('#held').files[0]);\
           document.querySelector('#held').remove();\
           const main = document.querySelector('main');\
           for (const kind of ['dragenter', 'dragover', 'drop'])\
             main.dispatchEvent(new DragEvent(kind, {dataTransfer, bubbles: true, cancelable: true}));\
         })()",
    )?;
    wait_until_opened(window)?;
    window.click("[data-test=run]")?;
    wait_until_drawn(window)
}

fn asked(window: &Window, place: &Place) -> Result<()> {
    window.go(&place.page)?;
    window.click("[data-test=demo]")?;
    wait_until_drawn(window)?;
    // What is typed is kept as it is typed, and asked.
    window.click("[data-test=steps-some]")?;
    window.wait_until_shown("[data-test=steps-list]")?;
    window.evaluate("(() => { const field = document.querySelector('[data-test=steps-list]'); field.focus(); field.select() })()")?;
    window.type_text("0, 1000")?;
    window.wait_for(
        "two steps",
        "document.querySelector('[data-test=steps-count]')?.innerText === '2 steps'",
    )?;
    wait_until_opened(window)?;
    window.click("[data-test=run]")?;
    wait_until_drawn(window)?;
    window.click("[data-test=tab-yaml]")?;
    window.wait_for(
        "the steps in the YAML",
        &format!(
            "document.querySelector('[data-test=yaml]')?.value.includes({})",
            json!("steps: [0, 1000]")
        ),
    )
}

/// A file that Firefox saves. It makes an empty one first, and another beside it that grows.
fn downloaded(path: &Path) -> Result<String> {
    let part = path.with_extension("json.part");
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        if !text.is_empty() && !part.exists() {
            return Ok(text);
        }
        ensure!(
            start.elapsed() < PATIENCE,
            "{} does not come",
            path.display()
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// A run is open, and what it would cost is known.
fn wait_until_opened(window: &Window) -> Result<()> {
    window.wait_for(
        "an opened run",
        "document.querySelector('[data-test=run]:enabled') \
         && document.querySelector('[data-test=cost]')?.textContent",
    )
}

fn wait_until_drawn(window: &Window) -> Result<()> {
    window.wait_for(
        "charts with all numbers",
        "document.querySelector('[data-test=state-done]') \
         && document.querySelector('[data-test=drawing] .series :is(polyline, circle)') \
         && !document.querySelector('[data-test=results][aria-busy=true]')",
    )
}

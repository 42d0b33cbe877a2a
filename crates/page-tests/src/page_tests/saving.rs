//! What can be taken along: drawings, pictures, tables, results, the config.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::drawing::Drawing;
use super::visit;
use super::{PageTest, Site, numbers};
use crate::browser::{Screen, Tab, wait_for_download};
use crate::process;

pub(super) const TESTS: &[PageTest] = page_tests![
    a_saved_drawing_says_what_it_shows,
    a_saved_picture_has_the_drawing_s_size,
    saved_tables_have_the_expected_numbers,
    saved_results_open_again,
    a_saved_report_is_the_one_that_the_worker_writes,
    the_saved_config_is_the_text,
];

/// All charts of the demo run are near the window of this size.
pub(super) const TALL: Screen = Screen {
    width: 1280,
    height: 9000,
    dark: false,
};

/// Milliseconds between two files: Chromium drops what a page saves beyond ten files a second,
/// which no hand does.
const SAVING_PACE: f64 = 150.0;

/// Saves something from the menu of files, and gives where it is.
pub(super) fn save(tab: &Tab, folder: &Path, what: &str, name: &str) -> Result<PathBuf> {
    tab.click("[data-test=save-menu] summary")?;
    tab.click(&format!("[data-test=save-menu] [data-test={what}]"))?;
    wait_for_download(folder, name)
}

/// The file that a download brings into an empty folder.
pub(super) fn only_file(folder: &Path) -> Result<PathBuf> {
    let start = Instant::now();
    loop {
        let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        let files = files.collect::<Result<Vec<_>>>()?;
        let is_under_way = |path: &PathBuf| path.extension().is_some_and(|end| end == "crdownload");
        match files.as_slice() {
            [file] if !is_under_way(file) => return Ok(file.clone()),
            _ if start.elapsed() > Duration::from_secs(60) => bail!("nothing was saved: {files:?}"),
            _ => thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn a_saved_drawing_says_what_it_shows(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let text = saved_drawing(tab)?;
    let title = tab.words("[data-test=card] [data-test=title]")?;
    let drawing = Drawing::read(&text)?;
    ensure!(
        text.starts_with("<svg") && drawing.lines.len() == 12,
        "{} lines",
        drawing.lines.len()
    );
    let says = |words: &str| drawing.words.iter().any(|said| said.contains(words));
    ensure!(
        says(&title),
        "the drawing does not say {title}: {:?}",
        drawing.words
    );
    for (name, _) in &drawing.lines {
        ensure!(says(name), "the legend has no {name}: {:?}", drawing.words);
    }
    Ok(())
}

fn saved_drawing(tab: &Tab) -> Result<String> {
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    tab.click("[data-test=card] [data-test=save-svg]")?;
    Ok(fs::read_to_string(only_file(folder.path())?)?)
}

fn a_saved_picture_has_the_drawing_s_size(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let svg = saved_drawing(tab)?;
    let document = roxmltree::Document::parse(&svg)?;
    let length = |name: &str| document.root_element().attribute(name)?.parse::<u32>().ok();
    let size = length("width")
        .zip(length("height"))
        .context("the drawing has no size")?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    tab.click("[data-test=card] [data-test=save-png]")?;
    let bytes = fs::read(only_file(folder.path())?)?;
    ensure!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"), "it is no PNG");
    let number = |at: usize| {
        let field = bytes.get(at..at + 4).unwrap_or_default();
        field
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte))
    };
    let found = (number(16), number(20));
    ensure!(
        found == (2 * size.0, 2 * size.1),
        "{found:?} for a drawing of {size:?}"
    );
    ensure!(bytes.len() > 20_000, "{} bytes are no chart", bytes.len());
    Ok(())
}

fn saved_tables_have_the_expected_numbers(tab: &Tab, site: &Site) -> Result<()> {
    let expected = numbers::expected(site.given)?;
    tab.show_on(TALL)?;
    visit::finish_demo(tab, &site.page)?;
    let cards = tab.count("[data-test=card]")?;
    ensure!(cards >= 10, "there are {cards} charts");
    let mut compared = 0;
    for number in 1..=cards {
        let folder = tempfile::tempdir()?;
        tab.download_to(folder.path())?;
        let start = tab.now()?;
        tab.click(&format!(
            "[data-test=card]:nth-of-type({number}) [data-test=save-csv]"
        ))?;
        let path = only_file(folder.path())?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let metric = name
            .strip_prefix("demo_")
            .and_then(|name| name.split_once("_val_"));
        let (metric, _) = metric.with_context(|| format!("which metric is {name}?"))?;
        compared += numbers::agree(&numbers::rows(&path)?, metric, "val", &expected)?;
        tab.wait_for(
            "the next file's turn",
            &format!("performance.now() > {}", start + SAVING_PACE),
        )?;
    }
    ensure!(compared > 2000, "only {compared} numbers were saved");
    Ok(())
}

fn saved_results_open_again(tab: &Tab, site: &Site) -> Result<()> {
    tab.show_on(TALL)?;
    visit::finish_demo(tab, &site.page)?;
    let before = visit::drawings(tab)?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&saved])?;
    visit::wait_until_drawn(tab)?;
    let after = visit::drawings(tab)?;
    ensure!(
        before.len() >= 10 && before == after,
        "{} charts became {}",
        before.len(),
        after.len()
    );
    Ok(())
}

fn a_saved_report_is_the_one_that_the_worker_writes(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let results = save(tab, folder.path(), "save-results", "demo.ckptscope.json")?;
    let saved = save(tab, folder.path(), "save-report", "demo.html")?;
    let written = folder.path().join("written.html");
    let mut command = Command::new(&site.given.worker);
    process::run(
        command
            .arg("report")
            .arg(&results)
            .arg("--out")
            .arg(&written),
    )?;
    let (saved, written) = (fs::read(saved)?, fs::read(written)?);
    ensure!(saved.len() > 500_000, "{} bytes are no report", saved.len());
    ensure!(
        saved == written,
        "the page's report has {} bytes, the worker's {}",
        saved.len(),
        written.len()
    );
    Ok(())
}

fn the_saved_config_is_the_text(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_until_shown("[data-test=yaml]")?;
    let text = tab.value("[data-test=yaml]")?;
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    let saved = save(tab, folder.path(), "save-config", "demo.yaml")?;
    ensure!(
        fs::read_to_string(&saved)? == text,
        "the saved results' config is not the text"
    );
    tab.click("aside [data-test=save-config]")?;
    let saved = wait_for_download(folder.path(), "config.yaml")?;
    ensure!(
        fs::read_to_string(saved)? == text,
        "the saved config is not the text"
    );
    let own = fs::read_to_string(site.given.root.join(crate::given::CONFIG))?;
    ensure!(json!(text) == json!(own), "the demo's config was rewritten");
    Ok(())
}

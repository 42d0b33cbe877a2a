//! What tests of the page rely on: that files, keys, mouse, downloads, audits and lists of requests
//! are what they seem. The page here is `fixtures/tab.html`.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{PageTest, Site};
use crate::browser::{Point, Screen, Tab, wait_for_download};
use crate::given::RUN;

pub(super) const TESTS: &[PageTest] = page_tests![
    tab_chooses_files_and_folders,
    tab_drops_files_and_folders,
    tab_receives_downloads,
    tab_presses_keys_and_moves_the_mouse,
    tab_audits_and_times,
    tab_notices_requests_to_other_hosts,
    tab_hides_the_number_of_processors,
    tab_takes_pictures,
];

fn open(tab: &Tab, site: &Site) -> Result<()> {
    tab.go(&format!("{}tab.html", site.fixtures))
}

fn tab_chooses_files_and_folders(tab: &Tab, site: &Site) -> Result<()> {
    open(tab, site)?;
    let config = site.given.root.join("configs/demo.yaml");
    let manifest = site.given.root.join("Cargo.toml");
    tab.choose("#files", &[&config, &manifest])?;
    tab.wait_for("the files", "window.filesChosen")?;
    let chosen = tab.run("return filesChosen")?;
    ensure!(chosen == json!(["Cargo.toml", "demo.yaml"]), "{chosen}");
    tab.choose("#folder", &[&site.given.root.join(RUN)])?;
    tab.wait_for("the folder", "window.folderChosen")?;
    has_training_config(&tab.run("return folderChosen")?, "pico-decoder-micro-1/")
}

fn tab_drops_files_and_folders(tab: &Tab, site: &Site) -> Result<()> {
    open(tab, site)?;
    let config = site.given.root.join("configs/demo.yaml");
    tab.drop_files("#drop", &[&config, &site.given.root.join(RUN)])?;
    tab.wait_for("the files", "window.dropped")?;
    let dropped = tab.run("return dropped")?;
    ensure!(list(&dropped).contains(&"/demo.yaml"), "{dropped}");
    has_training_config(&dropped, "/pico-decoder-micro-1/")
}

/// The bundled run has this file at its top and others in folders.
fn has_training_config(paths: &Value, folder: &str) -> Result<()> {
    let paths = list(paths);
    let top = format!("{folder}training_config.yaml");
    let nested = paths
        .iter()
        .any(|path| path.starts_with(folder) && path.matches('/').count() > 2);
    ensure!(nested && paths.contains(&top.as_str()), "{paths:?}");
    Ok(())
}

fn list(paths: &Value) -> Vec<&str> {
    let paths = paths.as_array().map(Vec::as_slice).unwrap_or_default();
    paths.iter().filter_map(Value::as_str).collect()
}

fn tab_receives_downloads(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    tab.download_to(folder.path())?;
    open(tab, site)?;
    tab.click("#save")?;
    let path = wait_for_download(folder.path(), "saved.txt")?;
    let text = fs::read_to_string(path)?;
    ensure!(text == "saved", "the file says {text}");
    Ok(())
}

fn tab_presses_keys_and_moves_the_mouse(tab: &Tab, site: &Site) -> Result<()> {
    open(tab, site)?;
    tab.click("#text")?;
    tab.type_text("ab")?;
    tab.press("Shift+Home")?;
    tab.press("c")?;
    let text = tab.run("return document.getElementById('text').value")?;
    ensure!(text == "c", "the field says {text}");
    tab.run("happened.length = 0")?;
    tab.drag(Point { x: 10.0, y: 10.0 }, Point { x: 20.0, y: 10.0 })?;
    let happened = tab.run("return happened")?;
    let expected = json!(["mousemove", "mousedown", "mousemove", "mouseup"]);
    ensure!(happened == expected, "{happened}");
    Ok(())
}

fn tab_audits_and_times(tab: &Tab, site: &Site) -> Result<()> {
    open(tab, site)?;
    let found = tab.audit()?;
    ensure!(found.is_empty(), "{}", found.join("; "));
    let start = tab.now()?;
    tab.run_async(
        "document.body.append(new Image());\
         setTimeout(() => {\
           const end = performance.now() + 120; while (performance.now() < end); done();\
         }, 0)",
    )?;
    let found = tab.audit()?;
    ensure!(
        found.len() == 1 && found[0].starts_with("image-alt:"),
        "{}",
        found.join("; ")
    );
    let longest = tab.longest_task_since(start)?;
    ensure!(longest >= 120.0, "a task of 120 ms took {longest} ms");
    let rest = tab.longest_task_since(tab.now()?)?;
    ensure!(rest == 0.0, "a task of {rest} ms when nothing happened");
    Ok(())
}

fn tab_notices_requests_to_other_hosts(tab: &Tab, site: &Site) -> Result<()> {
    open(tab, site)?;
    tab.run_async(
        "const code = `fetch('https://in-worker.invalid/').catch(() => postMessage(0))`;\
         const worker = new Worker(URL.createObjectURL(new Blob([code])));\
         worker.onmessage = done;\
         fetch('http://example.invalid/a').catch(() => {})",
    )?;
    let strangers = tab.strangers().join(" ");
    ensure!(
        strangers.contains("http://example.invalid/a")
            && strangers.contains("CONNECT in-worker.invalid:443"),
        "{strangers}"
    );
    // The browser told the console of both failures.
    tab.complaints().map(drop)
}

fn tab_hides_the_number_of_processors(tab: &Tab, site: &Site) -> Result<()> {
    tab.hide_processors()?;
    open(tab, site)?;
    let processors = tab.run("return String(navigator.hardwareConcurrency)")?;
    ensure!(processors == "undefined", "there are {processors}");
    Ok(())
}

fn tab_takes_pictures(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    tab.show_on(Screen {
        width: 640,
        height: 480,
        dark: false,
    })?;
    open(tab, site)?;
    let (screen, page) = (folder.path().join("a.png"), folder.path().join("b.png"));
    tab.picture_of_screen(&screen)?;
    tab.picture(&page)?;
    ensure!(
        height(&screen)? == 480,
        "the screen is {} high",
        height(&screen)?
    );
    ensure!(height(&page)? > 2000, "the page is {} high", height(&page)?);
    Ok(())
}

/// The height in a PNG's header.
fn height(path: &std::path::Path) -> Result<u32> {
    let bytes = fs::read(path)?;
    let field = bytes.get(20..24).context("not a PNG")?;
    Ok(field
        .iter()
        .fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

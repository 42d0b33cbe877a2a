//! What took more than seconds to make or type goes only by a person's decision.

use std::collections::BTreeSet;

use anyhow::{Result, bail, ensure};
use serde_json::json;

use super::native_worker::Options;
use super::{PageTest, Site, USUAL, companion, visit, watching};
use crate::browser::Tab;
use crate::given::RUN;

pub(super) const TESTS: &[PageTest] = page_tests![
    an_analysis_that_was_left_goes_on_after_a_reload,
    finished_results_are_found_again,
    files_that_are_dropped_again_go_on_where_they_were_left,
    a_browser_that_is_killed_goes_on_behind_the_last_finished_unit,
    a_run_of_this_machine_opens_again_with_one_click,
    replaced_results_can_be_brought_back,
    the_browser_asks_before_work_is_lost,
    the_page_opens_without_a_network_once_it_was_visited,
    a_config_survives_a_reload,
];

/// Of the browser's database: how many layer steps are kept of the newest analysis.
const KEPT_UNITS: &str = "const open = indexedDB.open('ckptscope', 1);\
    open.onerror = () => done(-1);\
    open.onsuccess = () => {\
      const all = open.result.transaction('analyses').objectStore('analyses').getAll();\
      all.onsuccess = () => { open.result.close(); done(JSON.parse(all.result.at(-1) ?? '{}').units ?? 0) };\
    }";

/// Holds later lanes back, until what the first ones found is kept.
fn leave_in_the_middle(tab: &Tab) -> Result<()> {
    for _ in 0..200 {
        let kept = tab.run_async(KEPT_UNITS)?.as_i64().unwrap_or_default();
        if kept > 0 {
            // What was told last may still be on its way.
            return tab.run_async("setTimeout(done, 700)").map(drop);
        }
        tab.run_async("setTimeout(done, 50)")?;
    }
    bail!("nothing is kept")
}

/// Waits until an analysis goes on, of which no lane was computed in this page yet: what is there
/// was there before.
fn goes_on_from_what_was_kept(tab: &Tab) -> Result<()> {
    tab.wait_for(
        "what was computed before",
        "/(^| )[1-9]\\d* of \\d+ layer steps/.test(document.querySelector('[data-test=progress]')?.textContent) \
         && !document.querySelector('[data-test=state-planning]')",
    )?;
    ensure!(!tab.has("[data-test=state-done]")?, "it did not wait");
    tab.run("workerControl.release()")?;
    visit::wait_until_done(tab)?;
    visit::wait_until_drawn(tab)
}

fn an_analysis_that_was_left_goes_on_after_a_reload(tab: &Tab, site: &Site) -> Result<()> {
    visit::open_with_worker_control(tab, &site.page)?;
    tab.run("workerControl.lanesLetThrough = 2")?;
    tab.click_when_shown("[data-test=demo]")?;
    leave_in_the_middle(tab)?;
    tab.before_load("workerControl.lanesLetThrough = 0")?;
    // The same address again, in the same tab: a reload.
    tab.go("about:blank")?;
    tab.go(&site.page)?;
    goes_on_from_what_was_kept(tab)?;
    watching::all_numbers_agree(tab, site)
}

fn finished_results_are_found_again(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    tab.run_async("setTimeout(done, 1500)")?;
    // In another tab of the same browser, so to say.
    visit::open(tab, &site.page)?;
    tab.click_when_shown("[data-test=kept-open]")?;
    visit::wait_until_drawn(tab)?;
    watching::all_numbers_agree(tab, site)?;
    // A reload shows them again without a click.
    tab.go("about:blank")?;
    tab.go(&site.page)?;
    visit::wait_until_drawn(tab)?;
    visit::open(tab, &site.page)?;
    tab.click_when_shown("[data-test=forget-all]")?;
    tab.click_when_shown("[data-test=forget-yes]")?;
    tab.wait_until_gone("[data-test=kept]")?;
    visit::open(tab, &site.page)?;
    tab.run_async("setTimeout(done, 500)")?;
    ensure!(!tab.has("[data-test=kept]")?, "something is still kept");
    Ok(())
}

fn files_that_are_dropped_again_go_on_where_they_were_left(tab: &Tab, site: &Site) -> Result<()> {
    let run = site.given.root.join(RUN);
    visit::open_with_worker_control(tab, &site.page)?;
    tab.drop_files("main", &[&run])?;
    visit::wait_until_opened(tab)?;
    tab.run("workerControl.lanesLetThrough = 2")?;
    tab.click("[data-test=run]")?;
    leave_in_the_middle(tab)?;
    tab.before_load("workerControl.lanesLetThrough = 0")?;
    visit::open(tab, &site.page)?;
    tab.wait_until_shown("[data-test=kept-analysis]")?;
    tab.drop_files("main", &[&run])?;
    tab.click_when_shown("[data-test=go-on]")?;
    goes_on_from_what_was_kept(tab)
}

/// How often each layer step was told as finished since the page was opened.
const COUNTED: &str = "\
    window.finished = [];\
    const Own = window.Worker;\
    window.Worker = class extends Own {\
      constructor(...given) {\
        super(...given);\
        this.addEventListener('message', ({data}) => {\
          const told = typeof data === 'string' ? JSON.parse(data).news?.lane : undefined;\
          for (const {layer, step, recorded} of told?.finished ?? [])\
            if (recorded) window.finished.push(`${layer} ${step}`);\
        });\
      }\
    };";

/// Of the browser's database: the layer steps that are kept of the newest analysis.
const KEPT_FINISHED: &str = "const open = indexedDB.open('ckptscope', 1);\
    open.onsuccess = () => {\
      const all = open.result.transaction('numbers').objectStore('numbers').getAll();\
      all.onsuccess = () => {\
        open.result.close();\
        const lines = all.result.flatMap(text => text.split('\\n')).map(line => JSON.parse(line));\
        const finished = lines.flatMap(line => line.finished).filter(it => it.recorded);\
        done(finished.map(({layer, step}) => `${layer} ${step}`));\
      };\
    }";

fn a_browser_that_is_killed_goes_on_behind_the_last_finished_unit(
    _: &Tab,
    site: &Site,
) -> Result<()> {
    let profile = tempfile::tempdir()?;
    let first = Tab::open_in(site.given, profile.path())?;
    visit::open_with_worker_control(&first, &site.page)?;
    first.run("workerControl.lanesLetThrough = 2")?;
    first.click_when_shown("[data-test=demo]")?;
    leave_in_the_middle(&first)?;
    first.kill()?;
    let tab = &Tab::open_in(site.given, profile.path())?;
    tab.show_on(USUAL)?;
    tab.before_load(COUNTED)?;
    visit::open(tab, &site.page)?;
    tab.wait_until_shown("[data-test=kept-go-on]")?;
    let kept: BTreeSet<String> = serde_json::from_value(tab.run_async(KEPT_FINISHED)?)?;
    ensure!(!kept.is_empty(), "nothing is kept");
    tab.click("[data-test=kept-go-on]")?;
    visit::wait_until_done(tab)?;
    visit::wait_until_drawn(tab)?;
    let computed: Vec<String> = serde_json::from_value(tab.run("return window.finished")?)?;
    let again: Vec<&String> = computed
        .iter()
        .filter(|unit| kept.contains(*unit))
        .collect();
    ensure!(again.is_empty(), "computed again: {again:?}");
    println!("    {} were kept, {} computed", kept.len(), computed.len());
    watching::all_numbers_agree(tab, site)
}

/// Files of the bundled run, in a folder of the browser's own file system: a folder whose handle is
/// as real as that of a folder of this machine.
const FILL: &str = "(async () => {\
    const top = await navigator.storage.getDirectory();\
    const run = await top.getDirectoryHandle('my-run', {create: true});\
    for (const path of PATHS) {\
      const parts = path.split('/'), name = parts.pop();\
      let folder = run;\
      for (const part of parts) folder = await folder.getDirectoryHandle(part, {create: true});\
      const file = await (await folder.getFileHandle(name, {create: true})).createWritable();\
      await file.write(await (await fetch(`demo/pico-decoder-micro-1/${path}`)).blob());\
      await file.close();\
    }\
  })().then(() => done('filled'), error => done(String(error)))";

/// A picker in which that folder is chosen. Whether it may be read is asked as of any other folder:
/// after a reload the browser wants to be asked with a click.
const PICKER: &str = "\
    if (location.protocol !== 'about:') {\
    window.showDirectoryPicker = async () =>\
      (await navigator.storage.getDirectory()).getDirectoryHandle('my-run');\
    window.asked = [];\
    let answer = sessionStorage.getItem('was-here') ? 'prompt' : 'granted';\
    FileSystemHandle.prototype.queryPermission = async () => answer;\
    FileSystemHandle.prototype.requestPermission = async function () {\
      window.asked.push([this.name, navigator.userActivation.isActive]);\
      return answer = 'granted';\
    };\
    }";

fn a_run_of_this_machine_opens_again_with_one_click(tab: &Tab, site: &Site) -> Result<()> {
    let paths: Vec<String> = [0, 16, 2000]
        .iter()
        .map(|step| format!("checkpoints/step_{step}/learning_dynamics/val_weights.pt"))
        .collect();
    tab.before_load(PICKER)?;
    visit::open(tab, &site.page)?;
    let filled = tab.run_async(&FILL.replace("PATHS", &json!(paths).to_string()))?;
    ensure!(filled == "filled", "{filled}");
    tab.click_when_shown("[data-test=pick-folder]")?;
    visit::wait_until_opened(tab)?;
    ensure!(
        tab.words("header .source")?.contains("my-run"),
        "another run"
    );
    visit::run_proposal(tab)?;
    let numbers = tab.words("[data-test=progress]")?;
    // Opened twice, it is one run.
    tab.run("document.querySelector('[data-test=pick-folder]').click()")?;
    tab.wait_until_shown("[data-test=aside]")?;
    visit::wait_until_opened(tab)?;
    tab.run("sessionStorage.setItem('was-here', 'yes')")?;
    visit::open(tab, &site.page)?;
    tab.wait_until_shown("[data-test=remembered-run]")?;
    ensure!(
        tab.count("[data-test=remembered-run]")? == 1,
        "it is remembered twice"
    );
    ensure!(
        tab.run("return window.asked")? == json!([]),
        "the person was asked before any click"
    );
    tab.click("[data-test=open-again]")?;
    visit::wait_until_opened(tab)?;
    ensure!(
        tab.run("return window.asked")? == json!([["my-run", true]]),
        "the person was not asked once, with a click"
    );
    visit::run_proposal(tab)?;
    let again = tab.words("[data-test=progress]")?;
    let counted = |words: &str| {
        words
            .split(" · ")
            .take(4)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    ensure!(
        counted(&again) == counted(&numbers),
        "{again}, not {numbers}"
    );
    // A folder that is gone is told, and forgotten by a click.
    visit::open(tab, &site.page)?;
    tab.run_async("navigator.storage.getDirectory().then(top => top.removeEntry('my-run', {recursive: true})).then(done)")?;
    tab.click_when_shown("[data-test=open-again]")?;
    tab.wait_for_words("[data-test=state-failed]", "could not be read")?;
    tab.click("[data-test=forget-run]")?;
    tab.wait_until_gone("[data-test=remembered-run]")?;
    visit::open(tab, &site.page)?;
    tab.wait_until_shown("[data-test=kept-analysis]")?;
    ensure!(!tab.has("[data-test=remembered-run]")?, "it came back");
    Ok(())
}

fn replaced_results_can_be_brought_back(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let before = visit::drawings(tab)?;
    tab.drop_files("main", &[&site.given.root.join(RUN)])?;
    tab.click_when_shown("[data-test=bring-back]")?;
    visit::wait_until_drawn(tab)?;
    ensure!(visit::drawings(tab)? == before, "other charts came back");
    tab.wait_until_gone("[data-test=aside]")
}

fn the_browser_asks_before_work_is_lost(tab: &Tab, site: &Site) -> Result<()> {
    let asks = || -> Result<bool> {
        let asked = tab.run(
            "const leave = new Event('beforeunload', {cancelable: true});\
             dispatchEvent(leave); return leave.defaultPrevented",
        )?;
        Ok(asked == true)
    };
    visit::open_with_worker_control(tab, &site.page)?;
    ensure!(!asks()?, "there is nothing to lose yet");
    tab.run("workerControl.lanesLetThrough = 2")?;
    tab.click_when_shown("[data-test=demo]")?;
    tab.wait_for("a lane", "workerControl.asked.lane > 0")?;
    ensure!(asks()?, "it is computing, and nobody is asked");
    tab.run("workerControl.release()")?;
    visit::wait_until_done(tab)?;
    ensure!(!asks()?, "the results are kept, and somebody is asked");
    // A browser that keeps nothing.
    tab.before_load("Object.defineProperty(window, 'indexedDB', {value: undefined})")?;
    visit::finish_demo(tab, &site.page)?;
    ensure!(asks()?, "the results are nowhere, and nobody is asked");
    tab.click("[data-test=save-menu] summary")?;
    tab.click_when_shown("[data-test=save-results]")?;
    tab.run_async("setTimeout(done, 500)")?;
    ensure!(!asks()?, "they are saved as a file");
    Ok(())
}

fn a_config_survives_a_reload(tab: &Tab, site: &Site) -> Result<()> {
    let run = site.given.root.join(RUN);
    visit::drop_run(tab, &site.page, &[&run])?;
    tab.click("[data-test=tab-yaml]")?;
    tab.wait_until_shown("[data-test=yaml]")?;
    tab.click("[data-test=yaml]")?;
    tab.press("Control+End")?;
    tab.type_text("# not to be lost")?;
    let written = tab.value("[data-test=yaml]")?;
    tab.go("about:blank")?;
    tab.go(&site.page)?;
    tab.wait_until_shown("main")?;
    tab.drop_files("main", &[&run])?;
    tab.click_when_shown("[data-test=tab-yaml]")?;
    tab.wait_until_shown("[data-test=yaml]")?;
    let found = tab.value("[data-test=yaml]")?;
    ensure!(found == written, "the YAML is now:\n{found}");
    visit::wait_until_opened(tab)
}

fn the_page_opens_without_a_network_once_it_was_visited(tab: &Tab, site: &Site) -> Result<()> {
    let mut host = companion::worker(&site.workers, Options::default())?;
    let address = host.address();
    visit::open(tab, &address)?;
    tab.run_async("navigator.serviceWorker.ready.then(() => done(true))")?;
    tab.wait_for("the whole page to be kept", "window.isKept ??= false, \
        navigator.serviceWorker.getRegistration().then(it => { window.isKept = Boolean(it?.active) }), window.isKept")?;
    host.kill();
    tab.go("about:blank")?;
    tab.go(&address)?;
    tab.wait_until_shown("[data-test=demo]")?;
    // A part that nobody has asked for yet comes from there, too.
    tab.click("[data-test=worker-menu]")?;
    tab.wait_until_shown("[data-test=worker-lost], [data-test=worker-command]")?;
    visit::leave(tab)
}

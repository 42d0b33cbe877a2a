//! The page as a static site: anywhere, on its own, under its policy.

use anyhow::{Result, ensure};

use super::{PageTest, Site, visit};
use crate::browser::Tab;

pub(super) const TESTS: &[PageTest] = page_tests![
    the_page_works_in_any_folder,
    the_policy_forbids_inline_scripts_and_evaluation,
    the_page_keeps_no_cookies,
    every_file_beside_the_page_is_named_after_its_content,
    a_part_that_cannot_be_fetched_is_told_and_asked_for_again,
];

/// Keeps the page from its workbench while `window.isOffline` is true.
const WITHOUT_WORKBENCH: &str = "\
    const fetched = window.fetch;\
    window.isOffline = true;\
    window.fetch = (what, ...rest) =>\
      window.isOffline && String(what).includes('split_workbench')\
        ? Promise.reject(new TypeError('offline'))\
        : fetched(what, ...rest);";

fn the_page_works_in_any_folder(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.nested)
}

/// The policy of the page itself, from a host that sends none.
fn the_policy_forbids_inline_scripts_and_evaluation(tab: &Tab, site: &Site) -> Result<()> {
    tab.go(&site.plain)?;
    let broken = tab.run_async(
        "const broken = [];\
         document.addEventListener('securitypolicyviolation', ({effectiveDirective}) => {\
           broken.push(effectiveDirective);\
           if (broken.length === 3) done(broken.sort().join());\
         });\
         const script = document.createElement('script');\
         script.textContent = 'window.ran = true';\
         document.head.append(script);\
         document.body.setAttribute('style', 'color: red');\
         const image = new Image();\
         image.src = 'https://example.invalid/image.png';",
    )?;
    ensure!(
        broken == "img-src,script-src-elem,style-src-attr",
        "the policy forbade {broken}"
    );
    // The browser told the console of each.
    let told = tab.complaints()?.len();
    ensure!(told == 3, "the console has {told} messages of three");
    Ok(())
}

fn the_page_keeps_no_cookies(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let cookies = tab.run("return document.cookie")?;
    ensure!(cookies == "", "the page keeps the cookie {cookies}");
    Ok(())
}

/// The page says what to do, and goes on when the connection is there again.
fn a_part_that_cannot_be_fetched_is_told_and_asked_for_again(tab: &Tab, site: &Site) -> Result<()> {
    tab.before_load(WITHOUT_WORKBENCH)?;
    visit::start_demo(tab, &site.page)?;
    tab.wait_for(
        "a failure",
        "document.querySelector('[data-test=state-failed]')",
    )?;
    let words = tab.words("[data-test=state-failed]")?;
    ensure!(
        words.contains("could not be fetched"),
        "the page says: {words}"
    );
    ensure!(!tab.complaints()?.is_empty(), "the console was not told");
    tab.run("window.isOffline = false")?;
    tab.click("[data-test=demo]")?;
    visit::wait_until_done(tab)
}

/// What the page fetched: itself, the demo run, and files with hashes.
fn every_file_beside_the_page_is_named_after_its_content(tab: &Tab, site: &Site) -> Result<()> {
    visit::finish_demo(tab, &site.page)?;
    let fetched =
        tab.run("return performance.getEntriesByType('resource').map(({name}) => name)")?;
    let fetched: Vec<String> = serde_json::from_value(fetched)?;
    let own = fetched
        .iter()
        .filter_map(|address| address.strip_prefix(&site.page));
    let files = own.filter(|path| !path.starts_with("demo/"));
    let files: Vec<&str> = files.collect();
    ensure!(files.len() >= 4, "the page fetched only {files:?}");
    for file in files {
        let stem = file.split('.').next().unwrap_or_default();
        let hash = stem.rsplit('-').next().unwrap_or_default();
        let is_hash = hash.len() == 16 && hash.chars().all(|digit| digit.is_ascii_hexdigit());
        ensure!(is_hash, "{file} has no hash in its name");
    }
    Ok(())
}

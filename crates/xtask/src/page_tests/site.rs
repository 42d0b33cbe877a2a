//! The page as a static site: anywhere, on its own, under its policy.

use anyhow::{Result, ensure};

use super::{PageTest, Site, demo_run};
use crate::browser::Tab;

pub(super) const TESTS: &[PageTest] = &[
    PageTest {
        name: "the_page_works_in_any_folder",
        run: nested,
    },
    PageTest {
        name: "the_policy_forbids_inline_scripts_and_evaluation",
        run: strict_policy,
    },
    PageTest {
        name: "the_page_keeps_no_cookies",
        run: no_cookies,
    },
];

fn nested(tab: &Tab, site: &Site) -> Result<()> {
    demo_run::finish(tab, &site.nested)
}

/// The policy of the page itself, from a host that sends none.
fn strict_policy(tab: &Tab, site: &Site) -> Result<()> {
    tab.go(&site.nested)?;
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

fn no_cookies(tab: &Tab, site: &Site) -> Result<()> {
    demo_run::finish(tab, &site.page)?;
    let cookies = tab.run("return document.cookie")?;
    ensure!(cookies == "", "the page keeps the cookie {cookies}");
    Ok(())
}

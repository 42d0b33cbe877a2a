//! `cargo xtask screenshots`: pictures of the built page, to look at.

use anyhow::{Context, Result, ensure};

use crate::browser::{Screen, Tab};
use crate::page_tests::demo_run;
use crate::serve::Served;
use crate::setup::Chromium;
use crate::workspace::Workspace;

const WIDTHS: &[(u32, u32)] = &[(1280, 900), (400, 800)];

/// `cargo xtask screenshots`.
pub(crate) fn run(workspace: &Workspace, mut arguments: lexopt::Parser) -> Result<()> {
    if let Some(argument) = arguments.next()? {
        return Err(argument.unexpected().into());
    }
    ensure!(
        workspace.dist().join("index.html").is_file(),
        "there is no page yet: `cargo xtask build`"
    );
    let folder = workspace.root.join("target/screenshots");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let tab = Tab::open(&Chromium::find_or_install()?)?;
    let address = Served::folder(workspace.dist()).start(0)?;
    for &(width, height) in WIDTHS {
        for dark in [false, true] {
            let scheme = if dark { "dark" } else { "light" };
            tab.show_on(Screen {
                width,
                height,
                dark,
            })?;
            tab.go(&address)?;
            tab.wait_for(
                "the demo button",
                "document.querySelector('[data-test=demo]')",
            )?;
            tab.picture(&folder.join(format!("open-{width}-{scheme}.png")))?;
            demo_run::finish(&tab, &address)?;
            tab.picture(&folder.join(format!("demo-{width}-{scheme}.png")))?;
        }
    }
    println!("written to {}", folder.display());
    Ok(())
}

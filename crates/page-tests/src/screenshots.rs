//! `cargo xtask screenshots`: pictures of every state of the built page, to look at.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use lexopt::prelude::*;

use crate::browser::{Screen, Tab};
use crate::given::Given;
use crate::page_tests::native_worker::Workers;
use crate::page_tests::states::{STATES, State, Surroundings};
use ckptscope_loopback::Served;

const SIZES: &[(u32, u32)] = &[(1280, 900), (400, 800)];

/// Higher pages are cut off: nobody looks at more.
const MOST_HEIGHT: u32 = 6000;

/// `cargo xtask screenshots [--window] [--forced] [--print] [STATE]...`: all of each state, or what
/// a window shows of it; in forced colours; and on paper.
pub(crate) fn run(given: &Given, mut arguments: lexopt::Parser) -> Result<ExitCode> {
    let (mut wanted, mut window_only) = (Vec::new(), false);
    let (mut is_forced, mut is_printed) = (false, false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("window") => window_only = true,
            Long("forced") => is_forced = true,
            Long("print") => is_printed = true,
            Value(name) => wanted.push(find(&name.string()?)?),
            _ => return Err(argument.unexpected().into()),
        }
    }
    if wanted.is_empty() {
        wanted = STATES.iter().collect();
    }
    ensure!(
        given.dist().join("index.html").is_file(),
        "there is no page yet: `cargo xtask build`"
    );
    let folder = given.root.join("target/screenshots");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let at = Surroundings::new(&Workers::of(given), &Served::folder(given.dist()).start(0)?)?;
    for &(width, height) in SIZES {
        for dark in [false, true] {
            let tab = Tab::open(given)?;
            let scheme = if dark { "dark" } else { "light" };
            for state in &wanted {
                tab.show_on(Screen {
                    width,
                    height,
                    dark,
                })?;
                (state.reach)(&tab, &at).with_context(|| state.name)?;
                tab.wait_until_still()?;
                let name = format!("{}-{width}-{scheme}", state.name);
                if is_printed {
                    tab.print(&folder.join(format!("{name}.pdf")))?;
                }
                if !window_only {
                    show_all_of_it(&tab, width, height, dark)?;
                }
                if is_forced {
                    tab.force_colours()?;
                    tab.wait_until_still()?;
                }
                tab.picture_of_screen(&folder.join(format!("{name}.png")))?;
            }
        }
    }
    println!("written to {}", folder.display());
    Ok(ExitCode::SUCCESS)
}

/// Makes the window as high as the page, so that what sticks to its edges and what is drawn only
/// when it is near stands where it belongs. A dialog is seen in the window that it opened in.
fn show_all_of_it(tab: &Tab, width: u32, height: u32, dark: bool) -> Result<()> {
    if tab.has("dialog[open]")? {
        return Ok(());
    }
    tab.run("scrollTo(0, 0)")?;
    for _ in 0..2 {
        let whole = tab.run("return document.documentElement.scrollHeight")?;
        let whole = u32::try_from(whole.as_u64().unwrap_or(0))?;
        let height = whole.clamp(height, MOST_HEIGHT);
        tab.show_on(Screen {
            width,
            height,
            dark,
        })?;
        tab.wait_until_still()?;
    }
    Ok(())
}

fn find(name: &str) -> Result<&'static State> {
    let found = STATES.iter().find(|state| state.name == name);
    found.with_context(|| {
        let names: Vec<_> = STATES.iter().map(|state| state.name).collect();
        format!("there is no state {name}; there are {}", names.join(", "))
    })
}

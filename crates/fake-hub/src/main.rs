//! `fake-hub`: a Hub to try things with, which has the bundled run. `cargo xtask fake-hub` runs it.
//! It first prints what clients want to find in their environment, and runs until it is ended.

use std::error::Error;
use std::path::Path;
use std::thread;
use std::time::Duration;

use ckptscope_fake_hub::{Options, example};
use lexopt::prelude::*;

/// The bundled run.
const RUN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../tests/data/pico-decoder-micro-1"
);

fn main() -> Result<(), Box<dyn Error>> {
    let hub = example::hub(Path::new(RUN), options()?)?;
    let (endpoint, branch) = (hub.endpoint(), example::PICO_BRANCH);
    println!("HF_ENDPOINT={endpoint}");
    println!("\nThis is a hub; its file host is {}.", hub.file_host());
    println!(
        "\n    HF_ENDPOINT={endpoint} worker inspect {}@{branch}",
        example::PICO
    );
    for name in [example::REVISIONS, example::FOLDERS, example::GATED] {
        println!("    HF_ENDPOINT={endpoint} worker inspect {name}");
    }
    let (private, token) = (example::PRIVATE, example::TOKEN);
    println!("    HF_ENDPOINT={endpoint} HF_TOKEN={token} worker inspect {private}");
    println!("\n    cargo xtask demo --quick --hub {endpoint}");
    println!("\nCtrl-C ends it.");
    loop {
        thread::park();
    }
}

/// `[--port N] [--file-host-port N] [--delay-ms N] [--page-entries N]`.
fn options() -> Result<Options, lexopt::Error> {
    let mut arguments = lexopt::Parser::from_env();
    let mut options = Options::default();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("port") => options.hub_port = arguments.value()?.parse()?,
            Long("file-host-port") => options.file_host_port = arguments.value()?.parse()?,
            Long("page-entries") => options.page_entries = arguments.value()?.parse()?,
            Long("delay-ms") => {
                options.delay = Duration::from_millis(arguments.value()?.parse()?);
            }
            _ => return Err(argument.unexpected()),
        }
    }
    Ok(options)
}

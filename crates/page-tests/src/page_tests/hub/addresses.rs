//! What else the field takes: addresses of branches and files, and of files at any server.

use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, ensure};
use ckptscope_fake_hub::example::{PICO, PICO_BRANCH, REVISIONS};
use ckptscope_fake_hub::{FakeHub, Fault, Options, Origin, Repository, Rule, example};

use super::{World, says};
use crate::browser::Tab;
use crate::given::RUN;
use crate::page_tests::{PageTest, Site, checkpoints, visit};

pub(in crate::page_tests) const TESTS: &[PageTest] = page_tests![
    hub_addresses_out_of_a_browser_are_understood,
    hub_a_branch_may_have_a_slash,
    hub_a_file_at_any_server_is_read_by_ranges,
    hub_a_server_that_ignores_ranges_is_said_to,
    hub_a_server_without_cors_is_said_to_have_none,
    hub_what_cannot_be_opened_is_said_with_what_to_try,
];

fn hub_addresses_out_of_a_browser_are_understood(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let hub = world.fake.endpoint();
    for (place, steps) in [
        (format!("{hub}/{PICO}/tree/{PICO_BRANCH}"), "15 steps"),
        (format!("{hub}/{REVISIONS}"), "15 steps"),
        (
            format!("{hub}/{REVISIONS}/blob/step2000/model.safetensors"),
            "1 step",
        ),
        (
            format!("{hub}/{REVISIONS}/resolve/step2000/model.safetensors?download=true"),
            "1 step",
        ),
    ] {
        world.open(tab, &place)?;
        says(&tab.words("header .source")?, &[steps])?;
    }
    visit::run_proposal(tab)
}

fn hub_a_branch_may_have_a_slash(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let model = std::fs::read(checkpoints::write_whole(folder.path())?)?;
    let mut repository = Repository::new("a/b");
    repository.commit(
        "feature/one",
        "Upload",
        [("model.safetensors", Some(model))],
    );
    let fake = FakeHub::start(vec![repository])?;
    let page = site.page_for_hub(fake.endpoint())?;
    let world = World { fake, page };
    let hub = world.fake.endpoint();
    for place in [
        "a/b@feature/one".to_owned(),
        format!("{hub}/a/b/tree/feature%2Fone"),
        format!("{hub}/a/b/tree/feature/one"),
        format!("{hub}/a/b/blob/feature/one/model.safetensors"),
    ] {
        world.open(tab, &place)?;
        says(&tab.words("header .source")?, &["1 step"])?;
    }
    Ok(())
}

/// A hub that the page does not know as one: redirects, ranges, and no `Content-Range` to read.
fn elsewhere(site: &Site) -> Result<(FakeHub, String)> {
    let other = example::hub(&site.given.root.join(RUN), Options::default())?;
    let address = format!(
        "{}/{REVISIONS}/resolve/step2000/model.safetensors",
        other.endpoint()
    );
    Ok((other, address))
}

fn hub_a_file_at_any_server_is_read_by_ranges(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let (other, address) = elsewhere(site)?;
    world.open(tab, &address)?;
    visit::run_proposal(tab)?;
    let log = other.take_log();
    let whole = log
        .iter()
        .find(|request| request.status == 200 && request.body_bytes > 500_000);
    // A request without a range says how long the file is; its body is not waited for.
    let ranges = log.iter().filter(|request| request.status == 206).count();
    ensure!(ranges > 2, "{ranges} ranges were read, and {whole:?}");
    ensure!(
        !log.iter().any(|request| request.authorized),
        "a token was sent"
    );
    Ok(())
}

fn hub_a_server_that_ignores_ranges_is_said_to(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let (other, address) = elsewhere(site)?;
    other.inject(Rule {
        origin: Origin::FileHost,
        contains: String::new(),
        skip: 0,
        times: usize::MAX,
        fault: Fault::IgnoreRange,
    });
    let said = world.refusal(tab, &address)?;
    says(&said, &["ignores ranges", "download the file"])
}

fn hub_a_server_without_cors_is_said_to_have_none(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    let file = format!(
        "{}demo/pico-decoder-micro-1/checkpoints/step_0/model.safetensors",
        site.plain
    );
    let said = world.refusal(tab, &file)?;
    says(&said, &["(CORS)", "Download the file"])?;
    let nobody = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let said = world.refusal(tab, &format!("http://{nobody}/model.safetensors"))?;
    says(&said, &["cannot be reached", "Check the address"])
}

fn hub_what_cannot_be_opened_is_said_with_what_to_try(tab: &Tab, site: &Site) -> Result<()> {
    let world = World::new(site)?;
    for (place, words) in [
        ("nothing", "OWNER/NAME"),
        ("a/none", "or it is private"),
        (
            &*format!("{PICO}@none"),
            "it has main, pico-decoder-micro-1",
        ),
        (PICO, "pico-decoder-micro-1"),
    ] {
        says(&world.refusal(tab, place)?, &[words])?;
    }
    // The page is usable afterwards.
    super::open_place(tab, REVISIONS)?;
    visit::wait_until_opened(tab)
}

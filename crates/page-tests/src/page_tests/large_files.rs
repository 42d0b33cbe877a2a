//! Files of many gigabytes: opened at once, read where they have to be, never held in memory.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::checkpoints::{self, Tensor};
use super::companion;
use super::native_worker::Options;
use super::visit;
use super::{PageTest, Site};
use crate::browser::Tab;

pub(super) const TESTS: &[PageTest] = page_tests![
    a_file_of_six_gigabytes_opens_at_once,
    long_singular_values_are_estimated_and_exact_ones_can_be_stopped,
];

/// Rows of the embedding before the layers: 6 GB.
const ROWS: u64 = 1_500_000;
const COLUMNS: u64 = 1024;

/// Memory that everything together may take, in bytes.
const MEMORY: u64 = 300_000_000;

fn a_file_of_six_gigabytes_opens_at_once(tab: &Tab, site: &Site) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("large.safetensors");
    checkpoints::write(&file, &tensors())?;
    if takes_space(&file)? {
        println!(
            "    skipped: the file system of {} has no sparse files",
            folder.path().display()
        );
        return Ok(());
    }
    visit::open(tab, &site.page)?;
    let before = tab.resident_bytes();
    let start = Instant::now();
    tab.drop_files("main", &[&file])?;
    visit::wait_until_opened(tab)?;
    let opening = start.elapsed();
    ensure!(
        opening < Duration::from_secs(10),
        "it took {opening:?} to open"
    );
    sees_last_tensor(tab)?;
    tab.click("[data-test=tab-ask]")?;
    visit::wait_until_opened(tab)?;
    visit::run_proposal(tab)?;
    let grown = before
        .zip(tab.resident_bytes())
        .map(|(before, after)| after.saturating_sub(before));
    println!(
        "    opened in {opening:.2?}; memory grew by {:?} MB",
        grown.map(|bytes| bytes / 1_000_000)
    );
    ensure!(
        grown.is_none_or(|grown| grown < MEMORY),
        "memory grew by {grown:?} bytes"
    );
    Ok(())
}

/// Rows and columns of a matrix whose singular values nobody gets unasked.
const WIDE: u64 = 2500;

fn long_singular_values_are_estimated_and_exact_ones_can_be_stopped(
    tab: &Tab,
    site: &Site,
) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("wide.safetensors");
    let wide = Tensor {
        name: "model.layers.0.self_attn.v_proj.weight".to_owned(),
        shape: vec![WIDE, WIDE],
        entries: Some((0..WIDE * WIDE).map(scattered).collect()),
    };
    checkpoints::write(&file, &[wide])?;
    visit::open(tab, &site.page)?;
    tab.drop_files("main", &[&file])?;
    visit::wait_until_opened(tab)?;
    tab.click("[data-test=tab-explore]")?;
    tab.click_when_shown("[data-test=tensor-group]")?;
    tab.click_when_shown("[data-test=tensor]")?;
    tab.wait_until_shown("[data-test=tensor-statistics]")?;
    tab.wait_for_words("[data-test=spectrum-caption]", "An estimate")?;
    tab.wait_for_words("[data-test=spectrum-numbers]", " to ")?;
    tab.click_when_shown("[data-test=decompose]")?;
    tab.click_when_shown("[data-test=decompose-stop]")?;
    tab.wait_until_shown("[data-test=decompose]")?;
    // Whoever looks at it again is answered as before.
    tab.click_when_shown("[data-test=tensor]")?;
    tab.wait_until_shown("[data-test=decompose]")?;
    on_a_worker(tab, site)
}

/// The same by a worker that is connected meanwhile: it is sent the tensor, which it does not see.
fn on_a_worker(tab: &Tab, site: &Site) -> Result<()> {
    let estimated = tab.words("[data-test=spectrum-numbers]")?;
    let origins = vec![site.page.trim_end_matches('/').to_owned()];
    let worker = site.workers.start(Options {
        origins,
        token: Some("a-long-secret-of-a-test".to_owned()),
        ..Options::default()
    })?;
    companion::unfold(tab)?;
    companion::connect(tab, &worker.address(), "a-long-secret-of-a-test")?;
    companion::wait_until_connected(tab)?;
    tab.wait_for_words("[data-test=decompose-worker]", &worker.host())?;
    tab.click_when_shown("[data-test=decompose-worker]")?;
    let is_exact = "![...document.querySelectorAll('[data-test=spectrum-caption]')].every(it => /estimate/.test(it.textContent))";
    tab.wait_for("exact singular values", is_exact)?;
    let exact = tab.words("[data-test=spectrum-numbers]")?;
    ensure!(
        exact != estimated && !exact.contains(" to "),
        "the exact numbers are {exact}, the estimated ones {estimated}"
    );
    Ok(())
}

/// Numbers without a pattern, between -1 and 1: fractional parts of squares times the golden ratio.
fn scattered(index: u64) -> f32 {
    let index = index as f64;
    ((index * 0.618_033_988_749_894_9 * index).fract() * 2.0 - 1.0) as f32
}

/// Layers behind a hole of 6 GB. The last tensor is twice the identity.
fn tensors() -> Vec<Tensor> {
    let embedding = Tensor {
        name: "model.embed_tokens.weight".to_owned(),
        shape: vec![ROWS, COLUMNS],
        entries: None,
    };
    let layers = checkpoints::llama().into_iter().skip(1);
    let last = Tensor {
        name: "model.layers.2.self_attn.v_proj.weight".to_owned(),
        shape: vec![32, 32],
        entries: Some(
            (0..1024)
                .map(|at| if at % 33 == 0 { 2.0 } else { 0.0 })
                .collect(),
        ),
    };
    std::iter::once(embedding)
        .chain(layers)
        .chain([last])
        .collect()
}

/// Whether the hole is no hole.
#[cfg(unix)]
fn takes_space(file: &Path) -> Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(file)?.blocks() * 512 > 1_000_000_000)
}

/// Nobody asks elsewhere.
#[cfg(not(unix))]
fn takes_space(_: &Path) -> Result<bool> {
    Ok(true)
}

/// The explorer's numbers for the last tensor: entries 0 and 2, Frobenius norm 2 times the root of 32.
fn sees_last_tensor(tab: &Tab) -> Result<()> {
    tab.click("[data-test=tab-explore]")?;
    tab.click_when_shown("[data-test=tensor-search]")?;
    tab.type_text("layers.2.")?;
    tab.wait_for_words("[data-test=tensor-count]", "1 of ")?;
    tab.click_when_shown("[data-test=tensor]")?;
    tab.wait_until_shown("[data-test=tensor-statistics]")?;
    let says = tab.words("[data-test=tensor-statistics]")?;
    for (name, value) in [
        ("entries", "1,024"),
        ("largest", "2"),
        ("Frobenius norm", "11.31"),
        ("exact zeros", "992"),
    ] {
        let mut lines = says.lines().skip_while(|line| !line.contains(name));
        let shown = lines.find(|line| line.contains(value));
        ensure!(shown.is_some(), "{name} is not {value}: {says}");
    }
    tab.wait_until_shown("[data-test=tensor-spectrum] svg")
}

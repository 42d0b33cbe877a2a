//! Ways to the states of an analysis that goes to a native worker.

use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use super::copying::{DIALOG, copy_until_down};
use super::network::Network;
use super::slow_run::SlowRun;
use super::too_much::{ADVICE, write_wide};
use super::{LOST, SEND, start_slow, wait_for_units};
use crate::browser::Tab;
use crate::page_tests::native_worker::{NativeWorker, Options, Workers};
use crate::page_tests::visit;

/// A worker that does not see the run, and a run that takes it long.
pub(in crate::page_tests) struct Place {
    run: SlowRun,
    /// With a file that is too much for a tab.
    wide: TempDir,
    /// It sees the slow run and the wide file.
    seeing: NativeWorker,
    /// It sees nothing.
    blind: NativeWorker,
}

impl Place {
    pub(in crate::page_tests) fn new(workers: &Workers) -> Result<Self> {
        let run = SlowRun::write()?;
        let wide = tempfile::tempdir()?;
        write_wide(&wide.path().join("wide.safetensors"))?;
        let mut options = run.options();
        options.arguments = vec!["--memory".to_owned(), "64G".to_owned()];
        Ok(Self {
            seeing: workers.start(options)?,
            blind: workers.start(Options::default())?,
            run,
            wide,
        })
    }

    fn wide_file(&self) -> PathBuf {
        self.wide.path().join("wide.safetensors")
    }

    /// A run that fits into a tab, and a worker.
    pub(in crate::page_tests) fn cost(&self, tab: &Tab) -> Result<()> {
        visit::drop_run(tab, &self.seeing.address(), &[&self.run.folder()])?;
        tab.wait_until_shown(SEND)
    }

    pub(in crate::page_tests) fn too_much(&self, tab: &Tab, address: &str) -> Result<()> {
        visit::open(tab, address)?;
        tab.drop_files("main", &[&self.wide_file()])?;
        tab.wait_until_shown(ADVICE)
    }

    pub(in crate::page_tests) fn proposed(&self, tab: &Tab) -> Result<()> {
        self.too_much(tab, &self.seeing.address())
    }

    pub(in crate::page_tests) fn agreement(&self, tab: &Tab) -> Result<()> {
        visit::drop_run(tab, &self.blind.address(), &[&self.run.folder()])?;
        tab.click_when_shown(SEND)?;
        tab.wait_until_shown(DIALOG)?;
        tab.click(&format!("{DIALOG} summary"))
    }

    pub(in crate::page_tests) fn copying(&self, tab: &Tab) -> Result<()> {
        let network = Network::to(self.blind.host())?;
        copy_until_down(tab, &self.run, &network)?;
        // The browser tells its console of connections that it lost.
        tab.complaints().map(drop)
    }

    pub(in crate::page_tests) fn running(&self, tab: &Tab) -> Result<()> {
        self.end_all(tab)?;
        start_slow(tab, &self.run, &self.seeing.address())?;
        wait_for_units(tab, 4)
    }

    pub(in crate::page_tests) fn queued(&self, tab: &Tab) -> Result<()> {
        self.running(tab)?;
        tab.click(SEND)?;
        tab.wait_for_words("[data-test=state-planning]", "Queued")
    }

    pub(in crate::page_tests) fn lost(&self, tab: &Tab) -> Result<()> {
        self.end_all(tab)?;
        let network = Network::to(self.seeing.host())?;
        start_slow(tab, &self.run, network.address())?;
        wait_for_units(tab, 4)?;
        network.take_down();
        tab.wait_for_words(LOST, "in 8 s")?;
        tab.complaints().map(drop)
    }

    /// What others left running would be before it.
    fn end_all(&self, tab: &Tab) -> Result<()> {
        tab.go("about:blank")?;
        self.seeing.cancel_all()
    }
}

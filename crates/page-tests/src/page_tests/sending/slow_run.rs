//! A run that takes a worker some seconds, so that something can happen meanwhile.

use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use tempfile::TempDir;

use crate::page_tests::checkpoints::{self, Tensor};
use crate::page_tests::native_worker::Options;

const NAME: &str = "slow-run";
const LAYERS: u64 = 2;
const STEPS: u64 = 40;

/// Rows and columns of every matrix: its singular values take some tens of milliseconds.
const WIDTH: u64 = 320;

const CONFIG: &str = "analysis_name: slow\n\
metrics:\n\
\x20 - metric_name: condition_number\n\
\x20   data_split: val\n\
\x20   components:\n\
\x20     - {component_name: simple, data_type: weights, layer_suffixes: self_attn.o_proj, layers: all}\n\
\x20     - {component_name: simple, data_type: weights, layer_suffixes: self_attn.v_proj, layers: all}\n\
steps: all\n";

/// A folder of runs with the slow one in it.
pub(super) struct SlowRun(TempDir);

impl SlowRun {
    pub(super) fn write() -> Result<Self> {
        let run = Self(tempfile::tempdir()?);
        let whole = run.checkpoint("0");
        for step in 0..STEPS {
            let path = run.checkpoint(&step.to_string());
            fs::create_dir_all(path.parent().unwrap_or(&path))?;
            if step == 0 {
                checkpoints::write(&whole, &tensors(&["o_proj", "v_proj"]))?;
            } else {
                // All steps are the same, which is nobody's business here.
                fs::hard_link(&whole, &path)?;
            }
        }
        fs::write(run.config(), CONFIG)?;
        Ok(run)
    }

    /// Its name.
    pub(super) const fn name(&self) -> &'static str {
        NAME
    }

    /// The run's folder.
    pub(super) fn folder(&self) -> PathBuf {
        self.0.path().join("runs").join(NAME)
    }

    /// A file with the config of a slow analysis.
    pub(super) fn config(&self) -> PathBuf {
        self.0.path().join("slow.yaml")
    }

    /// A worker that takes its time with it.
    pub(super) fn options(&self) -> Options {
        Options {
            roots: vec![self.0.path().join("runs")],
            threads: Some(1),
            ..Options::default()
        }
    }

    /// Layer-steps of the analysis.
    pub(super) const fn units(&self) -> u64 {
        LAYERS * STEPS
    }

    /// Leaves out a matrix that the config names.
    pub(super) fn lose_a_matrix(&self) -> Result<()> {
        for step in 0..STEPS {
            let path = self.checkpoint(&step.to_string());
            fs::remove_file(&path)?;
            checkpoints::write(&path, &tensors(&["v_proj"]))?;
        }
        Ok(())
    }

    fn checkpoint(&self, step: &str) -> PathBuf {
        let folder = self.folder().join(format!("checkpoint-{step}"));
        folder.join("model.safetensors")
    }
}

fn tensors(parts: &[&str]) -> Vec<Tensor> {
    let layer = |layer: u64| {
        parts.iter().enumerate().map(move |(number, part)| {
            let name = format!("model.layers.{layer}.self_attn.{part}.weight");
            let seed = layer * 10 + number as u64;
            Tensor::noise(&name, [WIDTH, WIDTH], seed)
        })
    };
    (0..LAYERS).flat_map(layer).collect()
}

//! What the engine tells whoever listens: page, terminal, HTTP client, result files.

use ckptscope_results::{Number, Numbers};
use serde::{Deserialize, Serialize};

/// What a lane tells.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A number, or why there is none.
    Number(Number),
    /// The lane finished a step: all its numbers were told.
    Finished(Progress),
}

/// What a lane told since it last was asked: numbers, and the steps it finished. Messages carry it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LaneUpdate {
    /// In the order in which they were found.
    pub numbers: Numbers,
    /// All numbers of these steps were told, here or before.
    pub finished: Vec<Progress>,
}

impl LaneUpdate {
    /// Takes in what the lane tells next.
    pub fn add(&mut self, event: Event) {
        match event {
            Event::Number(number) => self.numbers.0.push(number),
            Event::Finished(progress) => self.finished.push(progress),
        }
    }

    /// Whether nothing was told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.numbers.0.is_empty() && self.finished.is_empty()
    }
}

/// What an analysis costs, known from the catalogs alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Lanes.
    pub lanes: u64,
    /// Units of progress: one lane at one step.
    pub units: u64,
    /// Numbers that will come.
    #[serde(alias = "records")]
    pub numbers: u64,
    /// Tensor bytes to read.
    pub read_bytes: u64,
    /// Reads of files of one machine: neighbours of a step's file are read at once.
    #[serde(default)]
    pub reads: u64,
    /// Floating-point operations.
    pub flops: f64,
    /// Memory of one lane at its widest.
    pub peak_bytes: u64,
}

/// How far one lane got since it last said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The layer; none of tensors outside of layers.
    pub layer: Option<u64>,
    /// The step it finished.
    pub step: u64,
    /// Whether its numbers were asked for; a target outside the chosen steps is only read.
    pub recorded: bool,
    /// Tensor bytes it read for it.
    pub read_bytes: u64,
}

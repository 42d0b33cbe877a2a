//! What the engine tells whoever listens: page, terminal, HTTP client, result files.

use ckptscope_results::{Number, Numbers};
use ckptscope_vocabulary::{Rates, Work};
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
    /// What there is to compute.
    #[serde(default)]
    pub work: Work,
    /// Of the unit that takes longest, what there is to compute. No two threads share one, but for
    /// its products.
    #[serde(default)]
    pub longest: Work,
    /// Memory of one lane at its widest.
    pub peak_bytes: u64,
}

/// Who computes lanes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Crew {
    /// Lanes that are computed at once, at most.
    pub threads: u64,
    /// Cores that compute; fewer than threads where some of these wait for a network.
    pub cores: u64,
    /// Whether cores without a lane help others with products of large matrices.
    pub shares_products: bool,
    /// How fast one core is, with the others at work.
    pub rates: Rates,
}

impl Cost {
    /// How long computing takes, in seconds. Lanes are split by steps, so that threads end about
    /// together: none computes more than one unit more than another. Where there are fewer units
    /// than cores, these help with products. Nothing ends before the longest unit does.
    #[must_use]
    pub fn seconds(&self, crew: &Crew) -> f64 {
        let cores = crew.threads.min(crew.cores).max(1);
        let at_once = cores.min(self.units.max(1));
        let units = self.units.max(1);
        let even = self.work * (as_float(units.div_ceil(at_once)) / as_float(units));
        let (even_seconds, own_seconds) =
            (even.seconds(&crew.rates), self.longest.seconds(&crew.rates));
        let last = if own_seconds > even_seconds {
            self.longest
        } else {
            even
        };
        let products = Work {
            products: last.products,
            ..Work::default()
        };
        let helped = match crew.shares_products {
            true => 1.0 - as_float(at_once) / as_float(cores),
            false => 0.0,
        };
        last.seconds(&crew.rates) - helped * products.seconds(&crew.rates)
    }
}

#[allow(clippy::cast_precision_loss)] // numbers of cores
const fn as_float(count: u64) -> f64 {
    count as f64
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

#[cfg(test)]
mod tests {
    use super::{Cost, Crew, Rates, Work};

    const CREW: Crew = Crew {
        threads: 4,
        cores: 4,
        shares_products: true,
        rates: Rates {
            products: 1e9,
            vectors: 1e9,
            turns: 1e9,
            comparisons: 1e9,
            entries: 1e9,
            widened: 1e9,
        },
    };

    fn cost(units: u64, products: f64, turns: f64) -> Cost {
        let work = |share: f64| Work {
            products: products * share * 1e9,
            turns: turns * share * 1e9,
            ..Work::default()
        };
        Cost {
            units,
            work: work(1.0),
            longest: work(1.0 / units as f64),
            ..Cost::default()
        }
    }

    #[test]
    fn threads_share_what_there_is() {
        assert_eq!(cost(8, 8.0, 8.0).seconds(&CREW), 4.0);
        let two = Crew { cores: 2, ..CREW };
        assert_eq!(cost(8, 8.0, 8.0).seconds(&two), 8.0);
    }

    #[test]
    fn units_are_not_cut() {
        assert_eq!(cost(5, 5.0, 5.0).seconds(&CREW), 4.0);
        let many = cost(4001, 4001.0, 0.0).seconds(&CREW);
        assert_eq!(many.round(), 1001.0);
    }

    #[test]
    fn cores_without_a_lane_help_with_products_only() {
        let one = cost(1, 8.0, 8.0);
        assert_eq!(one.seconds(&CREW), 8.0 + 2.0);
        let alone = Crew {
            shares_products: false,
            ..CREW
        };
        assert_eq!(one.seconds(&alone), 16.0);
    }

    #[test]
    fn nothing_ends_before_the_longest_unit() {
        let uneven = Cost {
            longest: cost(1, 0.0, 3.0).work,
            ..cost(8, 4.0, 4.0)
        };
        assert_eq!(uneven.seconds(&CREW), 3.0);
    }

    #[test]
    fn what_an_older_version_wrote_is_read() {
        let older =
            r#"{"lanes":1,"units":2,"records":3,"read_bytes":4,"flops":5.0,"peak_bytes":6}"#;
        let cost: Cost = serde_json::from_str(older).unwrap();
        assert_eq!((cost.units, cost.work), (2, Work::default()));
        let again = serde_json::to_string(&cost).unwrap();
        assert_eq!(serde_json::from_str::<Cost>(&again).unwrap(), cost);
    }
}

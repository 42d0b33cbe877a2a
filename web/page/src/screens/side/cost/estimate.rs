//! What an analysis takes, here and on the native worker, and which of the two is proposed.

use ckptscope_protocol::service::Machine;
use ckptscope_protocol::{Cost, Crew};
use leptos::prelude::*;

use crate::screens::readout;
use crate::store::State;

/// Memory of one lane that a tab had better not be asked for.
const MOST_BYTES: u64 = 2_000_000_000;

/// A web worker with others beside it does so much of what it does alone, as it is measured: 0.6
/// where two share a core's arithmetic, 1 where they share nothing.
const BESIDE_OTHERS: f64 = 0.75;

/// What it takes to hand an analysis over, and to hear of it.
const HANDING_SECONDS: f64 = 1.0;

/// Seconds above which a machine that nobody has to watch is the better place.
const LONG_SECONDS: f64 = 300.0;

/// Where an analysis is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In this tab.
    Here,
    /// On the native worker.
    Worker,
}

/// What a place has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Power {
    /// Who computes; rates are not known of a worker of an older version.
    crew: Crew,
    /// Of one read, however small.
    seconds_per_read: f64,
    /// Memory for analyses; none where it does not say.
    pub memory_bytes: Option<u64>,
}

impl Power {
    /// Of this tab.
    pub(super) fn here(state: State) -> Self {
        let alone = state.web_workers.rates.get();
        let seconds_per_read = state
            .opened
            .with(|opened| opened.as_ref().map(|it| it.seconds_per_read));
        let threads = state.web_workers.pool_size.get() as u64;
        let is_alone = threads < 2;
        Self {
            crew: Crew {
                threads,
                cores: state.web_workers.threads as u64,
                shares_products: false,
                rates: alone * if is_alone { 1.0 } else { BESIDE_OTHERS },
            },
            seconds_per_read: seconds_per_read.unwrap_or_default(),
            memory_bytes: None,
        }
    }

    /// Of the native worker; none where none can be used.
    pub(super) fn of_worker(state: State) -> Option<Self> {
        state.native_worker.machine().map(Self::of)
    }

    fn of(machine: Machine) -> Self {
        Self {
            crew: machine.crew(),
            seconds_per_read: 0.0,
            memory_bytes: Some(machine.memory_bytes),
        }
    }

    /// Lanes that are computed at once.
    pub(super) fn lanes_at_once(&self, cost: &Cost) -> u64 {
        self.crew.threads.clamp(1, cost.units.max(1))
    }

    /// How long reading and computing take; none where the speed is not known.
    pub(super) fn seconds(&self, cost: &Cost) -> Option<f64> {
        // Web workers read by turns: the browser has one process for files.
        let reading = self.seconds_per_read * cost.reads as f64;
        let is_known = self.crew.rates.are_known();
        is_known.then(|| cost.seconds(&self.crew) + reading)
    }

    /// Memory that it takes at most.
    pub(super) fn peak_bytes(&self, cost: &Cost) -> u64 {
        cost.peak_bytes.saturating_mul(self.lanes_at_once(cost))
    }

    /// Whether there is as much memory.
    pub(super) fn has_memory(&self, cost: &Cost) -> bool {
        self.memory_bytes
            .is_none_or(|memory| self.peak_bytes(cost) <= memory)
    }
}

/// Why a tab is not the place for an analysis, with the figure.
pub(super) fn too_much(cost: &Cost, here: &Power) -> Option<String> {
    if cost.peak_bytes > MOST_BYTES {
        return Some(format!(
            "One layer needs {} of memory, and a tab has about {}.",
            readout::bytes(cost.peak_bytes),
            readout::bytes(MOST_BYTES)
        ));
    }
    let seconds = here.seconds(cost)?;
    (seconds > LONG_SECONDS).then(|| {
        format!(
            "This takes {} in a tab that has to stay open.",
            about(seconds)
        )
    })
}

/// Where it is better computed: where it is done sooner, as far as that can be told.
pub(super) fn proposed(cost: &Cost, here: &Power, worker: Option<&Power>, has_run: bool) -> Place {
    let Some(worker) = worker.filter(|worker| worker.has_memory(cost)) else {
        return Place::Here;
    };
    let times = here.seconds(cost).zip(worker.seconds(cost));
    // What the worker lacks has to be copied to it first.
    let is_sooner = times.is_some_and(|(here, worker)| has_run && worker + HANDING_SECONDS < here);
    if is_sooner || too_much(cost, here).is_some() {
        Place::Worker
    } else {
        Place::Here
    }
}

/// Of a short analysis the operations say little: starting workers and reading take longer.
pub(super) fn about(seconds: f64) -> String {
    if seconds < 1.0 {
        "a second or two".to_owned()
    } else {
        format!("about {}", readout::duration(seconds))
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use ckptscope_protocol::{Rates, Work};

    use super::*;

    const RATES: Rates = Rates {
        products: 1e9,
        vectors: 1e9,
        turns: 1e9,
        comparisons: 1e9,
        entries: 1e9,
        widened: 1e9,
    };

    const TAB: Power = Power {
        crew: Crew {
            threads: 2,
            cores: 2,
            shares_products: false,
            rates: RATES,
        },
        seconds_per_read: 0.002,
        memory_bytes: None,
    };

    fn turns(turns: f64) -> Work {
        Work {
            turns,
            ..Work::default()
        }
    }

    fn worker(threads: u64, memory_bytes: u64) -> Power {
        Power::of(Machine {
            threads,
            rates: RATES * 4.0,
            memory_bytes,
            ..Machine::default()
        })
    }

    #[test]
    fn what_a_tab_cannot_do_is_said() {
        let small = Cost {
            lanes: 12,
            units: 12,
            work: turns(4e9),
            ..Cost::default()
        };
        assert_eq!(too_much(&small, &TAB), None);
        let wide = Cost {
            peak_bytes: 3_100_000_000,
            ..small
        };
        assert!(too_much(&wide, &TAB).is_some_and(|words| words.contains("3.1 GB")));
        let long = Cost {
            work: turns(14_400e9),
            ..small
        };
        assert!(too_much(&long, &TAB).is_some_and(|words| words.contains("2.0 hours")));
    }

    #[test]
    fn the_worker_is_proposed_where_a_tab_is_not_the_place() {
        let wide = Cost {
            lanes: 12,
            units: 12,
            peak_bytes: 3_100_000_000,
            ..Cost::default()
        };
        let small = Cost::default();
        let (large, little) = (worker(8, 64_000_000_000), worker(8, 8_000_000_000));
        let proposed = |cost, worker| proposed(cost, &TAB, worker, true);
        assert_eq!(proposed(&wide, Some(&large)), Place::Worker);
        assert_eq!(proposed(&wide, Some(&little)), Place::Here);
        assert_eq!(proposed(&wide, None), Place::Here);
        assert_eq!(proposed(&small, Some(&large)), Place::Here);
    }

    #[test]
    fn the_faster_of_the_two_is_proposed() {
        let cost = Cost {
            lanes: 8,
            units: 8,
            work: turns(40e9),
            ..Cost::default()
        };
        let large = worker(8, 64_000_000_000);
        assert_eq!(proposed(&cost, &TAB, Some(&large), true), Place::Worker);
        assert_eq!(proposed(&cost, &TAB, Some(&large), false), Place::Here);
        let short = Cost {
            work: turns(1e9),
            ..cost
        };
        assert_eq!(proposed(&short, &TAB, Some(&large), true), Place::Here);
    }

    #[test]
    fn every_read_takes_its_time() {
        let cost = Cost {
            lanes: 2,
            units: 2,
            work: turns(2e9),
            reads: 12_000,
            ..Cost::default()
        };
        assert_eq!(TAB.seconds(&cost), Some(25.0));
    }

    #[test]
    fn no_more_lanes_are_computed_than_there_are() {
        let cost = Cost {
            lanes: 3,
            units: 3,
            work: turns(24e9),
            peak_bytes: 1000,
            ..Cost::default()
        };
        let worker = worker(8, 2999);
        assert_eq!(worker.seconds(&cost), Some(2.0));
        assert_eq!(worker.peak_bytes(&cost), 3000);
        assert!(!worker.has_memory(&cost));
    }
}

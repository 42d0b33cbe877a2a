//! What there is to know of kept analyses, and which of them are too many.

use std::collections::BTreeSet;

use ckptscope_protocol::LaneUpdate;
use ckptscope_results::{Results, SeriesSet};
use js_sys::Array;
use serde::{Deserialize, Serialize};

use crate::link::LinkSource;

/// So many characters are kept, of all analyses together.
const MOST_CHARACTERS: u64 = 200_000_000;
/// So many analyses are kept.
const MOST_ANALYSES: usize = 50;

/// What there is to know of a kept analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct KeptInfo {
    /// Its key. Later ones come later in order.
    pub id: String,
    pub name: String,
    /// The run's name.
    pub run: String,
    /// Where the run lies.
    pub place: LinkSource,
    /// Of files, as [`crate::files::FileHandles::mark`]; else empty.
    pub mark: String,
    /// Whether there are handles of the files.
    pub has_handles: bool,
    pub config: String,
    /// When it was begun, in milliseconds since 1970.
    pub begun: u64,
    /// Layer steps that are finished, and of how many.
    pub units: u64,
    pub of_units: u64,
    /// Tensor bytes that were read for them.
    pub read_bytes: u64,
    pub numbers: u64,
    /// Characters that it takes.
    pub characters: u64,
    /// How often numbers were appended.
    pub pieces: u64,
    /// Whether nothing more will come.
    pub is_over: bool,
}

/// A run of which the browser has handles.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RememberedRun {
    /// Its key. Later ones come later in order.
    pub(super) key: String,
    pub name: String,
    /// When it was opened, in milliseconds since 1970.
    pub opened: f64,
}

/// The run that an analysis is of, so that it can be found again.
#[derive(Clone, Debug)]
pub(crate) struct RunIdentity {
    pub place: LinkSource,
    /// As [`KeptInfo::mark`].
    pub mark: String,
    pub handles: Option<Array>,
}

/// A kept analysis with its numbers.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub info: KeptInfo,
    /// What was planned, without numbers.
    pub results: Results,
    pub series: SeriesSet,
    /// Layers and steps that are finished.
    pub finished: BTreeSet<(Option<u64>, u64)>,
}

impl KeptInfo {
    /// Whether it was left before its end.
    pub(crate) const fn is_left(&self) -> bool {
        !self.is_over && self.units < self.of_units
    }

    /// Whether it is of a run: of the same files, as far as can be told without reading them.
    pub(crate) fn is_of(&self, run: &RunIdentity) -> bool {
        let is_known = !self.mark.is_empty() || !matches!(self.place, LinkSource::Files { .. });
        is_known && self.place == run.place && self.mark == run.mark
    }

    /// Whether its run can be had without the person looking for it.
    pub(crate) const fn has_run(&self) -> bool {
        !matches!(self.place, LinkSource::Files { .. }) || self.has_handles
    }
}

impl Record {
    pub(super) fn take_in(&mut self, update: LaneUpdate) {
        self.series.extend(update.numbers.0);
        let finished = update.finished.into_iter();
        let recorded = finished.filter(|progress| progress.recorded);
        self.finished
            .extend(recorded.map(|progress| (progress.layer, progress.step)));
    }

    /// The results as far as they are there.
    pub(crate) fn into_results(self) -> Results {
        let mut results = self.results;
        results.series = self.series;
        results
    }
}

/// Of one piece of an analysis' numbers.
pub(super) fn key_of(id: &str, piece: u64) -> String {
    format!("{id}/{piece:08}")
}

/// The oldest of those, newest first, that are too many.
pub(super) fn surplus(all: &[KeptInfo]) -> Vec<String> {
    let mut characters = 0;
    let is_kept = |(place, info): (usize, &KeptInfo)| {
        characters += info.characters;
        // The newest stays, however large it is: it may be under way.
        place == 0 || (place < MOST_ANALYSES && characters <= MOST_CHARACTERS)
    };
    let kept = all.iter().enumerate().map(is_kept).take_while(|is| *is);
    let kept = kept.count();
    all.iter().skip(kept).map(|info| info.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn info(id: usize, characters: u64) -> KeptInfo {
        KeptInfo {
            id: id.to_string(),
            name: String::new(),
            run: String::new(),
            place: LinkSource::Demo,
            mark: String::new(),
            has_handles: false,
            config: String::new(),
            begun: 0,
            units: 1,
            of_units: 2,
            read_bytes: 0,
            numbers: 0,
            characters,
            pieces: 0,
            is_over: false,
        }
    }

    #[test]
    fn the_oldest_go_first() {
        let large = MOST_CHARACTERS / 2;
        let all = [info(4, 1), info(3, large), info(2, large), info(1, 1)];
        assert_eq!(surplus(&all), ["2", "1"]);
        assert_eq!(surplus(&[info(1, MOST_CHARACTERS * 2)]), [""; 0]);
        let many: Vec<_> = (0..MOST_ANALYSES + 2).map(|id| info(id, 1)).collect();
        assert_eq!(surplus(&many), ["50", "51"]);
    }
}

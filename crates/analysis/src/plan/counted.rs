//! Which tensors are counted as they are read, and never held.
//!
//! Of a tensor of at most 16 bits, sums, order and quantiles follow from how often each value
//! occurs. A job whose matrix is the tensor itself takes them from that tally, whatever else is
//! asked of it: no number depends on its neighbours. Where nobody asks for more, the entries
//! themselves are never there.

use ckptscope_checkpoint::StoredTensor;
use ckptscope_metrics::Needs;

use super::{Inputs, Job, LaneStep};

/// Memory of a tally while it is made: tables of counts, a piece of the file, the values.
pub(super) const TALLY_BYTES: u64 = 6 * 1024 * 1024;

impl Job {
    /// Whether sums or the order of its tensor's entries are asked for.
    pub(crate) fn asks_for_tally(&self) -> bool {
        let needs = self.metrics.iter();
        let needs = needs.map(|metric| metric.metric.needs(&metric.parameters));
        let needs = needs.fold(Needs::default(), Needs::and);
        self.is_its_tensor()
            && (needs.magnitude_sums || needs.sorted_magnitudes || needs.sorted_entries)
    }

    /// Whether nothing else is asked for.
    pub(crate) fn asks_only_for_tally(&self) -> bool {
        let mut metrics = self.metrics.iter();
        self.is_its_tensor()
            && metrics.all(|metric| metric.metric.ignores_places(&metric.parameters))
    }

    fn is_its_tensor(&self) -> bool {
        self.component.is_its_tensor() && self.assembly.is_none()
    }
}

impl LaneStep {
    /// Whether one of its tensors is counted and never held: it can be, and none of these jobs
    /// asks for more.
    pub(crate) fn counts_only(&self, jobs: &[Job], tensor: usize) -> bool {
        let can_be = self
            .tensors
            .get(tensor)
            .is_some_and(StoredTensor::can_be_counted);
        let mut readers = jobs.iter().zip(&self.inputs);
        can_be && readers.all(|(job, inputs)| !reads(inputs, tensor) || job.asks_only_for_tally())
    }

    /// Whether one of its tensors is counted, for one of these jobs at least.
    pub(crate) fn counts(&self, jobs: &[Job], tensor: usize) -> bool {
        let can_be = self
            .tensors
            .get(tensor)
            .is_some_and(StoredTensor::can_be_counted);
        let mut readers = jobs.iter().zip(&self.inputs);
        can_be && readers.any(|(job, inputs)| reads(inputs, tensor) && job.asks_for_tally())
    }
}

fn reads(inputs: &Inputs, tensor: usize) -> bool {
    inputs.tensors().contains(&tensor)
}

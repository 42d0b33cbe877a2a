//! Which tensors are counted as they are read, and never held.
//!
//! Of a tensor of at most 16 bits, sums, order and quantiles follow from how often each value
//! occurs. A job whose matrix is the tensor itself takes them from that tally, whatever else is
//! asked of it: no number depends on its neighbours. Where nobody asks for more, the entries
//! themselves are never there.
//!
//! Of a tensor of float32 the same follows from its entries by their bits, two bytes for each at
//! the most. A matrix of float32 in memory takes sums and order from there by itself.

use ckptscope_checkpoint::{StoredTensor, TensorEntry};
use ckptscope_metrics::Needs;
use ckptscope_metrics::float32::SUITABLE;

use super::{Job, LaneStep};

/// Memory of a tally while it is made: tables of counts, a piece of the file, the values.
pub(super) const TALLY_BYTES: u64 = 6 * 1024 * 1024;

/// Memory of an entry of float32 while entries are put in order: its bytes, which are held of a far
/// file, and the lower half of them.
const ORDERED_FLOAT32_BYTES: u64 = 6;

impl Job {
    /// Whether sums or the order of its tensor's entries are asked for.
    pub(crate) fn asks_for_tally(&self) -> bool {
        let needs = self.needs();
        self.is_its_tensor() && (needs.magnitude_sums || needs.wants_order())
    }

    /// What its metrics need.
    pub(super) fn needs(&self) -> Needs {
        let needs = self.metrics.iter();
        let needs = needs.map(|metric| metric.metric.needs(&metric.parameters));
        needs.fold(Needs::default(), Needs::and)
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
        let stored = self.tensors.get(tensor);
        let can_be = stored.is_some_and(|it| it.can_be_counted() || float32_entry(it).is_some());
        can_be && self.readers(jobs, tensor).all(Job::asks_only_for_tally)
    }

    /// Whether one of its tensors is counted, for one of these jobs at least.
    pub(crate) fn counts(&self, jobs: &[Job], tensor: usize) -> bool {
        let stored = self.tensors.get(tensor);
        let can_be = stored.is_some_and(StoredTensor::can_be_counted);
        can_be && self.readers(jobs, tensor).any(Job::asks_for_tally)
    }

    /// Whether one of these jobs asks for the order of the entries of one of its tensors.
    pub(crate) fn orders(&self, jobs: &[Job], tensor: usize) -> bool {
        let mut readers = self.readers(jobs, tensor);
        readers.any(|job| job.needs().wants_order())
    }

    /// Memory of one of its tensors that is counted and never held.
    pub(super) fn counted_bytes(&self, jobs: &[Job], tensor: usize) -> u64 {
        let float32 = self.tensors.get(tensor).and_then(float32_entry);
        let ordered = float32.filter(|_| self.orders(jobs, tensor));
        let of_order = ordered.map_or(0, |entry| entry.elements() * ORDERED_FLOAT32_BYTES);
        TALLY_BYTES + of_order
    }

    fn readers<'a>(&'a self, jobs: &'a [Job], tensor: usize) -> impl Iterator<Item = &'a Job> {
        let all = jobs.iter().zip(&self.inputs);
        let of_it = all.filter(move |(_, inputs)| inputs.tensors().contains(&tensor));
        of_it.map(|(job, _)| job)
    }
}

/// Where a tensor's elements are float32 that can be counted by their bits: its entry in its file.
pub(crate) fn float32_entry(tensor: &StoredTensor) -> Option<&TensorEntry> {
    let entry = tensor.float32_entry()?;
    SUITABLE.contains(&entry.elements()).then_some(entry)
}

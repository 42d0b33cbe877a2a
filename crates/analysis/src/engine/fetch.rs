//! The bytes of a portion, on their way.
//!
//! A computation cannot be interrupted to poll a future. So the fetcher asks the source to start
//! the next read by itself before the engine computes. A source that cannot, such as a file of this
//! machine, reads when the engine waits for it. Dropping the lane drops the read, which ends its
//! task.

use std::collections::{BTreeMap, VecDeque};
use std::future::poll_fn;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;

use ckptscope_checkpoint::read::{Fetch, PatternCounts, TensorBytes, count_from};
use ckptscope_checkpoint::{ReadError, Source, TensorEntry, Tree};
use ckptscope_metrics::Float32Entries;

use super::float32;
use crate::plan::{Job, Lane, LaneStep, Portion, float32_entry};

/// Fetches a lane's portions in their order, and the next one ahead.
pub(super) struct Fetcher<'a> {
    tree: &'a dyn Tree,
    jobs: &'a [Job],
    portions: VecDeque<(&'a LaneStep, Portion)>,
    /// What is fetched of the first of them.
    ahead: Option<PortionFetch>,
    /// The files of the step that was asked for last.
    sources: BTreeMap<&'a str, Rc<dyn Source>>,
    step: Option<u64>,
}

/// The tensors of a portion, as the step numbers them.
type Fetched = Result<Vec<(usize, FetchedTensor)>, ReadError>;

/// What was fetched of a tensor.
pub(super) enum FetchedTensor {
    /// The bytes of its extents.
    Bytes(Vec<TensorBytes>),
    /// Nothing: its elements were counted on the way.
    Counts(PatternCounts),
    /// The same of float32.
    Float32(Float32Entries),
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(lane: &'a Lane, tree: &'a dyn Tree) -> Self {
        let portions = |step| Portion::of(step, &lane.jobs).into_iter();
        let of_step = |step| portions(step).map(move |it| (step, it));
        Self {
            tree,
            jobs: &lane.jobs,
            portions: lane.steps.iter().flat_map(of_step).collect(),
            ahead: None,
            sources: BTreeMap::new(),
            step: None,
        }
    }

    /// The jobs of the next portion of a step and their tensors; none when it has no more. The
    /// portion that follows is under way then.
    pub(super) async fn next_of(&mut self, step: &LaneStep) -> Option<(Range<usize>, Fetched)> {
        let is_of_it = |(of, _): &mut (&LaneStep, Portion)| std::ptr::eq(*of, step);
        let (step, portion) = self.portions.pop_front_if(is_of_it)?;
        let fetch = match self.ahead.take() {
            Some(fetch) => fetch,
            None => self.start(step, &portion).await,
        };
        let fetched = fetch.finish().await;
        if fetched.is_ok() {
            self.start_ahead().await;
        }
        Some((portion.jobs, fetched))
    }

    async fn start_ahead(&mut self) {
        if let Some((step, portion)) = self.portions.pop_front() {
            if portion.is_fetched_ahead() {
                self.ahead = Some(self.start(step, &portion).await);
                give_way().await;
            }
            self.portions.push_front((step, portion));
        }
    }

    async fn start(&mut self, step: &'a LaneStep, portion: &Portion) -> PortionFetch {
        if self.step.replace(step.step) != Some(step.step) {
            self.sources.clear();
        }
        let mut by_file: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        let mut entries = BTreeMap::new();
        let mut counted = Vec::new();
        for &tensor in &portion.tensors {
            if portion.counted.contains(&tensor) {
                counted.push((tensor, self.start_count(step, tensor).await));
                continue;
            }
            for (extent, found) in step.tensors[tensor].extents().enumerate() {
                by_file
                    .entry(found.path)
                    .or_default()
                    .push((tensor, extent));
                entries.insert((tensor, extent), found.entry);
            }
        }
        let mut files = Vec::with_capacity(by_file.len());
        for (path, places) in by_file {
            let of_file: Vec<_> = places
                .iter()
                .filter_map(|it| entries.get(it).copied())
                .collect();
            let fetch = match self.source(path).await {
                Ok(source) => Fetch::start(source, &of_file),
                Err(error) => Err(error),
            };
            files.push((places, fetch));
        }
        PortionFetch { files, counted }
    }

    /// The file of a tensor, and how it is counted.
    async fn start_count(&mut self, step: &'a LaneStep, tensor: usize) -> Result<Count, ReadError> {
        let stored = &step.tensors[tensor];
        let counting = match (PatternCounts::of(stored), float32_entry(stored)) {
            (Some(counts), _) => Counting::Patterns(counts),
            (None, Some(entry)) => Counting::Float32 {
                entry: entry.clone(),
                ordered: step.orders(self.jobs, tensor),
            },
            (None, None) => return Ok(None),
        };
        let path = stored.extents().next().map_or("", |extent| extent.path);
        Ok(Some((self.source(path).await?, counting)))
    }

    async fn source(&mut self, path: &'a str) -> Result<Rc<dyn Source>, ReadError> {
        if let Some(source) = self.sources.get(path) {
            return Ok(Rc::clone(source));
        }
        let source = self.tree.open(path).await?;
        self.sources.insert(path, Rc::clone(&source));
        Ok(source)
    }
}

/// A portion that is being fetched. What went wrong with it is told when somebody waits for it:
/// it may be of a later step than the one at hand, and never be waited for.
struct PortionFetch {
    files: Vec<FileFetch>,
    /// What is read only while somebody waits, because it is counted then.
    counted: Vec<(usize, Result<Count, ReadError>)>,
}

/// A file, and what is counted of it.
type Count = Option<(Rc<dyn Source>, Counting)>;

/// How a tensor is counted.
enum Counting {
    Patterns(PatternCounts),
    Float32 {
        /// The tensor.
        entry: TensorEntry,
        /// Whether the order of its entries is wanted.
        ordered: bool,
    },
}

/// A tensor as the step numbers it, and which of its extents.
type Place = (usize, usize);

/// What is read of one file, and the reads.
type FileFetch = (Vec<Place>, Result<Fetch, ReadError>);

impl PortionFetch {
    async fn finish(self) -> Fetched {
        let mut extents: BTreeMap<Place, TensorBytes> = BTreeMap::new();
        for (places, fetch) in self.files {
            extents.extend(places.into_iter().zip(fetch?.finish().await?));
        }
        let mut of_tensors: BTreeMap<usize, Vec<TensorBytes>> = BTreeMap::new();
        for ((tensor, _), bytes) in extents {
            of_tensors.entry(tensor).or_default().push(bytes);
        }
        let held = of_tensors.into_iter();
        let mut fetched: Vec<_> = held
            .map(|(tensor, bytes)| (tensor, FetchedTensor::Bytes(bytes)))
            .collect();
        for (tensor, count) in self.counted {
            let Some((source, counting)) = count? else {
                continue;
            };
            let counted = match counting {
                Counting::Patterns(mut counts) => {
                    count_from(&*source, &mut counts).await?;
                    FetchedTensor::Counts(counts)
                }
                Counting::Float32 { entry, ordered } => {
                    FetchedTensor::Float32(float32::read(&*source, &entry, ordered).await?)
                }
            };
            fetched.push((tensor, counted));
        }
        Ok(fetched)
    }
}

/// Lets other tasks of the same thread begin: in a browser the read that was started is one, and
/// would wait until the computation is over.
async fn give_way() {
    let mut has_waited = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_waited, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

//! Analyses that were asked for: which waits, which runs, and how far each is.
//!
//! One analysis runs at a time, on all cores: two would each take twice as long. With Slurm several
//! do, which cost this machine little.
//!
//! An analysis that was under way when the server ended waits again at the next start. It goes on
//! from its journal, whatever ended it.
//!
//! What is removed is forgotten last: the row goes when the files are gone, since the next start
//! takes up results without a row. What is added is written down first: a resume or cancel happens
//! if it could be written down. What an analysis does by itself is shown even where the disk is
//! full.

mod run;
mod slurm;
#[cfg(test)]
mod tests;

pub(super) use run::planned;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use ckptscope_protocol::service::{AnalysisInfo, Phase, RunSource};
use tokio::sync::watch;

use super::Server;
use super::store::{Kept, Store};

/// All analyses, and the queue of those that wait.
pub(super) struct Jobs {
    store: Arc<Store>,
    at_once: usize,
    queue_length: usize,
    /// Who holds it writes nothing down: those who answer requests wait for it.
    state: Mutex<State>,
    /// Held by who makes the queue longer, so that it has the order of the store and its bounds.
    adding: Mutex<()>,
    /// Rung when an analysis is under way no more.
    ended: Condvar,
}

#[derive(Default)]
struct State {
    /// Those that there are, in the order in which they were asked for.
    jobs: BTreeMap<u64, Arc<Job>>,
    numbers: HashMap<String, u64>,
    next_number: u64,
    queue: VecDeque<u64>,
    running: Vec<u64>,
    /// Those in the queue whose end is being written down; their turn does not come meanwhile.
    cancelling: BTreeSet<u64>,
    /// Those whose files are being removed.
    removing: BTreeSet<u64>,
    is_closing: bool,
}

/// An analysis.
pub(super) struct Job {
    number: u64,
    /// The name of its folder of results, below one that has its id.
    pub(super) folder: String,
    live: watch::Sender<Live>,
    /// Held by who resumes, cancels or removes it, from looking at it to having changed it.
    asking: Mutex<()>,
    /// Held by who writes down what is known of it.
    changing: Mutex<()>,
    /// Ends its reads and its lanes.
    stop: Mutex<Arc<AtomicBool>>,
    /// Whether somebody wants it stopped for good.
    is_cancelled: AtomicBool,
    /// Whether somebody asked for what is missing, and its turn has not come since.
    is_resumed: AtomicBool,
}

/// What listeners are woken for.
#[derive(Clone, Debug)]
pub(super) struct Live {
    /// How far it is.
    pub(super) info: AnalysisInfo,
    /// Counts plans: another number means another plan.
    pub(super) plans: u64,
    /// Of its journal; another one means that lines were taken back.
    pub(super) generation: u64,
    /// Whether there is nothing to be told of it any more.
    pub(super) is_removed: bool,
}

/// Why an analysis cannot wait as well.
#[derive(Debug)]
pub(super) struct Full(pub(super) usize);

impl Jobs {
    /// Those of a store. Whatever was under way when the last server ended waits again.
    pub(super) fn load(store: Arc<Store>, at_once: usize, queue_length: usize) -> Result<Self> {
        let mut state = State::default();
        for mut kept in store.analyses()? {
            if matches!(kept.info.phase, Phase::Planning | Phase::Running) {
                kept.info.phase = Phase::Queued;
                store.update(&kept.info)?;
            }
            let number = state.insert(&kept);
            if kept.info.phase == Phase::Queued {
                state.queue.push_back(number);
            }
        }
        state.tell_places();
        Ok(Self {
            store,
            at_once,
            queue_length,
            state: Mutex::new(state),
            adding: Mutex::default(),
            ended: Condvar::new(),
        })
    }

    /// One of them.
    pub(super) fn get(&self, id: &str) -> Option<Arc<Job>> {
        let state = self.state();
        state.jobs.get(state.numbers.get(id)?).cloned()
    }

    /// All, the newest first.
    pub(super) fn all(&self) -> Vec<Arc<Job>> {
        self.state().jobs.values().rev().cloned().collect()
    }

    /// The uploads that they need.
    pub(super) fn uploads(&self) -> BTreeSet<String> {
        let all = self.all().into_iter();
        all.filter_map(|job| match job.info().source {
            RunSource::Upload(id) => Some(id),
            RunSource::Root(_) | RunSource::Hub(_) => None,
        })
        .collect()
    }

    /// Refuses early what would be refused at the end.
    pub(super) fn check_room(&self) -> Result<(), Full> {
        self.state().check_room(self.queue_length)
    }

    /// Adds an analysis to the end of the queue. Blocks.
    pub(super) fn add(
        &self,
        kept: &Kept,
        config: &str,
        plan: Option<&str>,
    ) -> Result<Result<Arc<Job>, Full>> {
        let adding = locked(&self.adding);
        if let Err(full) = self.check_room() {
            return Ok(Err(full));
        }
        self.store.add(kept, config, plan)?;
        let mut state = self.state();
        drop(adding);
        let number = state.insert(kept);
        state.queue.push_back(number);
        state.tell_places();
        let job = state.jobs.get(&number).cloned();
        job.map(Ok)
            .ok_or_else(|| anyhow::anyhow!("the analysis is lost"))
    }

    /// Adds one that is over.
    pub(super) fn adopt(&self, kept: &Kept, config: &str) -> Result<()> {
        self.store.add(kept, config, None)?;
        self.state().insert(kept);
        Ok(())
    }

    /// Queues one that is over again. Blocks.
    pub(super) fn resume(&self, job: &Job) -> Result<Result<(), Full>> {
        let _adding = locked(&self.adding);
        let _asking = locked(&job.asking);
        if let Err(full) = self.check_room() {
            return Ok(Err(full));
        }
        if !job.info().phase.is_over() || !self.state().keeps(job) {
            return Ok(Ok(()));
        }
        self.change_if_kept(job, |info| {
            info.phase = Phase::Queued;
            (info.message, info.ended) = (None, None);
        })?;
        job.is_cancelled.store(false, Ordering::Relaxed);
        job.is_resumed.store(true, Ordering::Relaxed);
        let mut state = self.state();
        state.queue.push_back(job.number);
        state.tell_places();
        Ok(Ok(()))
    }

    /// Stops one for good; one that is under way ends soon after. Blocks. Others may have to be
    /// started then: the turn of one whose end could not be written down was put off.
    pub(super) fn cancel(&self, job: &Job) -> Result<()> {
        let _asking = locked(&job.asking);
        let mut state = self.state();
        job.is_cancelled.store(true, Ordering::Relaxed);
        job.stop();
        if !state.queue.contains(&job.number) {
            return Ok(());
        }
        state.cancelling.insert(job.number);
        drop(state);
        let kept = self.change_if_kept(job, end_as(Phase::Cancelled));
        let mut state = self.state();
        state.cancelling.remove(&job.number);
        // Where that cannot be written down it stays in the queue, and is cancelled in its turn.
        kept?;
        state.queue.retain(|number| *number != job.number);
        state.tell_places();
        Ok(())
    }

    /// Removes the files of one that is over, and forgets it then: its results would bring it back
    /// at the next start. Says whether it was over. Blocks.
    pub(super) fn remove(
        &self,
        job: &Job,
        remove_files: impl FnOnce() -> Result<()>,
    ) -> Result<bool> {
        let asking = locked(&job.asking);
        let info = job.info();
        if !info.phase.is_over() || !self.state().removing.insert(job.number) {
            return Ok(false);
        }
        drop(asking);
        let removed = remove_files().and_then(|()| self.store.remove(&info.id));
        let mut state = self.state();
        state.removing.remove(&job.number);
        removed?;
        state.jobs.remove(&job.number);
        state.numbers.remove(&info.id);
        job.live.send_modify(|live| live.is_removed = true);
        Ok(true)
    }

    /// Changes what is known of one, in the store first. Blocks.
    pub(super) fn change(&self, job: &Job, change: impl Fn(&mut AnalysisInfo)) -> Result<()> {
        // One after the other, or one would write down what it saw before another.
        let changing = locked(&job.changing);
        let mut info = job.info();
        change(&mut info);
        let kept = self.store.update(&info);
        // Whoever watches is told even where the disk is full.
        job.live.send_modify(|live| change(&mut live.info));
        drop(changing);
        kept
    }

    /// The same, unless that cannot be written down.
    fn change_if_kept(&self, job: &Job, change: impl Fn(&mut AnalysisInfo)) -> Result<()> {
        let changing = locked(&job.changing);
        let mut info = job.info();
        change(&mut info);
        self.store.update(&info)?;
        job.live.send_modify(|live| change(&mut live.info));
        drop(changing);
        Ok(())
    }

    /// Starts as many as may be under way.
    pub(super) fn start(server: &Arc<Server>) {
        let jobs = &server.jobs;
        loop {
            let mut state = jobs.state();
            if state.is_closing || state.running.len() >= jobs.at_once {
                return;
            }
            let Some(number) = state.next() else {
                return;
            };
            let Some(job) = state.jobs.get(&number).cloned() else {
                continue;
            };
            state.running.push(number);
            state.tell_places();
            drop(state);
            run::start(server, &job);
        }
    }

    /// One is under way no more.
    fn left(&self, job: &Job) {
        let mut state = self.state();
        // Once: it may be under way again already.
        let place = state
            .running
            .iter()
            .position(|number| *number == job.number);
        place.map(|place| state.running.remove(place));
        state.tell_places();
        self.ended.notify_all();
    }

    /// Starts no more, asks those under way to stop at the next layer-step, and waits for them.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closing = true;
        for number in &state.running {
            if let Some(job) = state.jobs.get(number) {
                job.stop();
            }
        }
        while !state.running.is_empty() {
            state = self
                .ended
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn is_closing(&self) -> bool {
        self.state().is_closing
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

impl State {
    fn insert(&mut self, kept: &Kept) -> u64 {
        let number = self.next_number;
        self.next_number += 1;
        let live = Live {
            info: kept.info.clone(),
            plans: u64::from(kept.is_planned),
            generation: 0,
            is_removed: false,
        };
        let job = Job {
            number,
            folder: kept.folder.clone(),
            live: watch::Sender::new(live),
            asking: Mutex::default(),
            changing: Mutex::default(),
            stop: Mutex::default(),
            is_cancelled: AtomicBool::new(false),
            is_resumed: AtomicBool::new(false),
        };
        self.numbers.insert(kept.info.id.clone(), number);
        self.jobs.insert(number, Arc::new(job));
        number
    }

    /// Whether one is neither removed nor about to be.
    fn keeps(&self, job: &Job) -> bool {
        self.jobs.contains_key(&job.number) && !self.removing.contains(&job.number)
    }

    /// Takes the one whose turn it is.
    fn next(&mut self) -> Option<u64> {
        let waits = |number: &u64| !self.cancelling.contains(number);
        let place = self.queue.iter().position(waits)?;
        self.queue.remove(place)
    }

    fn check_room(&self, queue_length: usize) -> Result<(), Full> {
        if self.queue.len() < queue_length {
            Ok(())
        } else {
            Err(Full(self.queue.len()))
        }
    }

    /// Tells those that wait how many are before them.
    fn tell_places(&self) {
        let before = self.running.len() as u64;
        let waiting = self.queue.iter().zip(before..);
        for (number, ahead) in waiting.chain(self.running.iter().map(|number| (number, 0))) {
            if let Some(job) = self.jobs.get(number) {
                job.live.send_if_modified(|live| {
                    let is_other = live.info.ahead != ahead;
                    live.info.ahead = ahead;
                    is_other
                });
            }
        }
    }
}

impl Job {
    /// What is told of it.
    pub(super) fn info(&self) -> AnalysisInfo {
        self.live.borrow().info.clone()
    }

    /// Hears of changes.
    pub(super) fn watch(&self) -> watch::Receiver<Live> {
        self.live.subscribe()
    }

    /// Ends the reads and lanes that are under way.
    fn stop(&self) {
        let stop = locked(&self.stop);
        stop.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked for what is missing since its last turn.
    fn take_resumed(&self) -> bool {
        self.is_resumed.swap(false, Ordering::Relaxed)
    }

    /// A flag for the next attempt.
    fn fresh_stop(&self) -> Arc<AtomicBool> {
        let mut stop = locked(&self.stop);
        *stop = Arc::default();
        if self.is_cancelled.load(Ordering::Relaxed) {
            stop.store(true, Ordering::Relaxed);
        }
        Arc::clone(&stop)
    }
}

/// Waits for what a mutex holds, also where somebody died with it.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing more will happen to it.
fn end_as(phase: Phase) -> impl Fn(&mut AnalysisInfo) {
    let ended = now();
    move |info| (info.phase, info.ended) = (phase, Some(ended))
}

/// The same, for a reason.
fn fail(message: &str) -> impl Fn(&mut AnalysisInfo) {
    let end = end_as(Phase::Failed);
    move |info| {
        info.message = Some(message.to_owned());
        end(info);
    }
}

/// Milliseconds since 1970.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

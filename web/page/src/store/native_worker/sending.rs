//! How far an analysis is on its way to the native worker.

use ckptscope_protocol::service::RunSource;
use futures_channel::oneshot;
use futures_util::future::AbortHandle;
use leptos::prelude::*;

use super::upload::CopyAtWorker;
use crate::native::NativeWorker;

/// What is on its way to the native worker. Copies share the same signals.
#[derive(Clone, Copy)]
pub(crate) struct Sending {
    /// How far it is.
    pub stage: RwSignal<Stage>,
    /// Where a worker has the files of the open run; none where that is not known.
    pub known: RwSignal<Option<Known>>,
    /// Ends what is under way.
    under_way: StoredValue<Option<AbortHandle>>,
    /// A whole copy that no analysis uses.
    unused: StoredValue<Option<CopyAtWorker>, LocalStorage>,
    /// Who waits for the person's agreement.
    agreement: StoredValue<Option<oneshot::Sender<bool>>, LocalStorage>,
}

/// How far an analysis is on its way to a worker.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stage {
    /// None is on its way.
    Idle,
    /// Samples are taken of the files here: of so many of so many.
    Sampling { files: u64, of: u64 },
    /// The worker is asked something.
    Asking,
    /// May the files be copied?
    Agreeing(Agreement),
    /// They are being copied.
    Copying(Copying),
    /// It came to nothing; in words.
    Failed(String),
}

/// What a person agrees to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Agreement {
    /// The worker, as people know it.
    pub host: String,
    /// Paths and lengths of the files.
    pub files: Vec<(String, u64)>,
    /// How many of the run's files are not copied, because no analysis reads them, and their bytes.
    pub left_out: (u64, u64),
    /// Bytes that the worker takes at most; none where that is not known.
    pub most_bytes: Option<u64>,
}

/// Files that are being copied.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Copying {
    /// Bytes that have arrived.
    pub bytes: u64,
    /// Bytes of all of them.
    pub of_bytes: u64,
    /// Bytes that have arrived each second so far.
    pub bytes_per_second: Option<f64>,
    /// Why it does not go on for the moment; none where it does.
    pub lost: Option<Lost>,
}

/// Something that is tried again.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Lost {
    /// What happened, in words.
    pub reason: String,
    /// Seconds until then.
    pub seconds: u32,
}

/// Where a worker has the files of the open run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Known {
    /// The worker.
    pub(crate) worker: NativeWorker,
    pub(crate) source: RunSource,
    /// The folder, where it sees the same ones; none where they were copied.
    pub folder: Option<String>,
}

impl Agreement {
    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Whether the worker takes so much.
    pub(crate) fn fits(&self) -> bool {
        self.most_bytes.is_none_or(|most| self.bytes() <= most)
    }
}

impl Sending {
    pub(crate) fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::Idle),
            known: RwSignal::new(None),
            under_way: StoredValue::new(None),
            unused: StoredValue::new_local(None),
            agreement: StoredValue::new_local(None),
        }
    }

    /// Whether something is on its way.
    pub(crate) fn is_busy(self) -> bool {
        self.stage
            .with(|stage| !matches!(stage, Stage::Idle | Stage::Failed(_)))
    }

    /// Gives up what is on its way; what was copied so far is thrown away.
    pub(crate) fn cancel(self) {
        self.end();
        self.stage.set(Stage::Idle);
    }

    /// All of it has arrived, and stays as long as the run is open.
    pub(crate) fn keep(self, copy: CopyAtWorker) {
        self.unused.set_value(Some(copy));
    }

    /// An analysis uses what was copied.
    pub(crate) fn leave_to_analysis(self) {
        if let Some(copy) = self.unused.try_update_value(Option::take).flatten() {
            copy.leave();
        }
    }

    /// This is under way from now on.
    pub(crate) fn begin(self, handle: AbortHandle) {
        self.under_way.set_value(Some(handle));
    }

    /// Gives up what is on its way, because another run is open from now on; a copy that no
    /// analysis uses is thrown away, too.
    pub(crate) fn forget(self) {
        self.cancel();
        self.unused.set_value(None);
        self.known.set(None);
    }

    /// Tells whether the files may be copied.
    pub(crate) fn agree(self, is_agreed: bool) {
        let mut waiting = None;
        self.agreement
            .update_value(|agreement| waiting = agreement.take());
        if let Some(waiting) = waiting {
            // Fails where nobody waits any more.
            let _ = waiting.send(is_agreed);
        }
    }

    fn end(self) {
        self.under_way.update_value(|under_way| {
            if let Some(under_way) = under_way.take() {
                under_way.abort();
            }
        });
        self.agreement.set_value(None);
    }

    /// Whether the person agrees.
    pub(crate) async fn ask(self, agreement: Agreement) -> bool {
        let (sender, answer) = oneshot::channel();
        self.agreement.set_value(Some(sender));
        self.stage.set(Stage::Agreeing(agreement));
        answer.await.unwrap_or(false)
    }
}

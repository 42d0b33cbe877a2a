//! Who computes what is asked for: this process, or Slurm.

use std::num::NonZeroUsize;
use std::thread;

use anyhow::Result;
use ckptscope_protocol::service::Machine as ToldMachine;

use super::machine::Machine;
use crate::analysis::{Analysis, counted};
use crate::arguments::{ServeArguments, ServeEngineArgument, SlurmArguments};
use crate::fleet::Order;
use crate::{Misuse, hardware};

/// Analyses with Slurm at the same time unless somebody says otherwise. Here each costs a thread
/// that sleeps. At Slurm they come to a thousand tasks where all have 64 shards, which is about what
/// a person may have in a queue.
const AT_ONCE_WITH_SLURM: usize = 16;

/// Who computes.
pub(super) enum Engine {
    /// This process.
    Here,
    /// Slurm, which is asked for this.
    Slurm(Order),
}

impl Engine {
    /// The one that the arguments ask for.
    ///
    /// # Errors
    /// [`Misuse`] where it is not there, or something is asked of it that it does not have.
    pub(super) fn of(arguments: &ServeArguments) -> Result<Self> {
        if arguments.engine == ServeEngineArgument::Slurm {
            return Ok(Self::Slurm(Order::of(arguments)?));
        }
        let SlurmArguments {
            time,
            partition,
            account,
        } = &arguments.slurm;
        let is_asked = [time, partition, account].into_iter().any(Option::is_some);
        if is_asked || arguments.shards.is_some() {
            let words = "--shards, --time, --partition and --account are for --engine slurm";
            return Err(Misuse(words.to_owned()).into());
        }
        Ok(Self::Here)
    }

    /// Threads of one analysis in this process, or of a shard.
    pub(super) fn threads(&self, arguments: &ServeArguments) -> usize {
        let available = || thread::available_parallelism().map_or(1, NonZeroUsize::get);
        match self {
            Self::Here => arguments.threads.map_or_else(available, NonZeroUsize::get),
            Self::Slurm(order) => order.threads,
        }
    }

    /// Analyses under way at the same time, at most.
    pub(super) fn at_once(&self, arguments: &ServeArguments) -> usize {
        let usual = match self {
            // Two would each take twice as long.
            Self::Here => 1,
            Self::Slurm(_) => AT_ONCE_WITH_SLURM,
        };
        arguments.at_once.map_or(usual, NonZeroUsize::get)
    }

    /// What there is to compute with. Of nodes that nobody describes it is taken that they are as
    /// this machine.
    ///
    /// # Errors
    /// Where the machine does not say how much memory it has.
    pub(super) fn machine(&self, arguments: &ServeArguments) -> Result<Machine> {
        let memory_bytes = arguments.memory.map_or_else(hardware::memory_bytes, Ok)?;
        let nodes = match self {
            Self::Here => 1,
            Self::Slurm(order) => order.most_shards() as u64,
        };
        let told = ToldMachine {
            threads: nodes * self.threads(arguments) as u64,
            rates: hardware::rates(self.threads(arguments)),
            memory_bytes: memory_bytes.saturating_mul(nodes),
            analyses_at_once: self.at_once(arguments) as u64,
            queue_length: arguments.queue_length as u64,
            upload_bytes: arguments.upload_limit,
            takes_tensors: matches!(self, Self::Here),
        };
        Ok(Machine { told })
    }

    /// Refuses an analysis that needs more memory than there is.
    ///
    /// # Errors
    /// [`Misuse`], with what to do.
    pub(super) fn check_memory(&self, machine: &Machine, analysis: &Analysis) -> Result<()> {
        match self {
            Self::Here => machine.check_memory(analysis),
            Self::Slurm(order) => order.threads_of(analysis).map(drop),
        }
    }

    /// What to know of it when the server starts; nothing of this process.
    pub(super) fn greeting(&self) -> Option<String> {
        let Self::Slurm(order) = self else {
            return None;
        };
        let threads = counted(order.threads as u64, "thread");
        Some(format!(
            "analyses are handed to Slurm, in shards of {threads}: every node must see the folders \
             below under the same paths; runs on the Hub are read by the nodes, which often have no \
             network"
        ))
    }

    /// What happens to what is under way when the server is asked to end.
    pub(super) const fn ending(&self) -> &'static str {
        match self {
            Self::Here => {
                "ending when the layer-steps under way are done; Ctrl-C again ends at once"
            }
            Self::Slurm(_) => "ending; what is with Slurm goes on; Ctrl-C again ends at once",
        }
    }
}

//! One analysis on many machines: somebody else's scheduler starts processes, each computes a shard.
//!
//! `worker submit` plans once, so that a thousand processes need not list the run's files. It deals
//! the lanes to shards and writes a folder that everybody shares:
//!
//! | path | what |
//! |---|---|
//! | `plan.json` | what is computed, and everything of the results but the numbers |
//! | `shards/0007.lanes` | the lanes of a shard, as they travel to a web worker |
//! | `journals/0007.r0.jsonl` | what an attempt of a shard has finished; each writes its own |
//! | `fetched/` | of a run of the Hub, what shards read, where it was fetched before |
//! | `submissions.jsonl` | which shards were submitted as which job, with how much memory |
//! | `logs/` | what the scheduler writes for a process |
//!
//! `worker shard` computes one and writes nothing but its journal. `worker merge` takes the journals
//! over, as `--resume` does, and writes the files that one machine would. A file is written by one
//! process only, because file systems of clusters may have no locks. So a dead node, a requeued
//! shard and its zombie lose nothing, and nothing is counted twice.
//!
//! `worker serve --engine slurm` writes such folders too, and follows and merges them by itself.

mod again;
mod attempt;
mod engine;
mod excerpt;
mod fetch;
mod folder;
mod handed;
mod index;
mod kubernetes;
mod merge;
mod plan_file;
mod resources;
mod shard;
mod shard_file;
mod shell;
mod slurm;
mod status;
mod submissions;
mod submit;
mod tree;

pub(crate) use handed::{Handed, Order, cancel};
pub(crate) use index::Numbers;
pub(crate) use kubernetes::Volume;
pub(crate) use merge::run as merge;
pub(crate) use shard::run as shard;
pub(crate) use status::run as status;
pub(crate) use submit::{of_network, parse_shards, run as submit};

//! Files that a page has, recognised in a run that the worker sees: then nothing need be sent.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ckptscope_checkpoint::{Run, Tree};
use ckptscope_protocol::service::{Matched, RunFound, RunSource, Sampled, SampledFile};

use super::refused::Refused;
use super::{Answer, Server, blocking, json, read_json};
use crate::confined::ConfinedTree;

/// A list of files with samples has at most this many bytes.
const SAMPLES_BYTES: usize = 64 * 1024 * 1024;

/// `POST api/matches`.
pub(super) async fn find(State(server): State<Arc<Server>>, request: Request) -> Answer {
    let sampled: Sampled = read_json(&server, request, SAMPLES_BYTES).await?;
    let matched = blocking(move || find_run(&server, &sampled));
    Ok(json(StatusCode::OK, &matched.await?))
}

fn find_run(server: &Server, sampled: &Sampled) -> Result<Matched, Refused> {
    let samples = decoded(&sampled.files)?;
    let runs = server.roots.runs(&server.executor);
    for run in runs.iter().filter(|run| run.trouble.is_none()) {
        if has_all(server, run, &sampled.files, &samples) {
            return Ok(Matched {
                source: Some(RunSource::Root(run.id.clone())),
                path: run.path.clone(),
            });
        }
    }
    Ok(Matched::default())
}

/// Bytes of a file, each with its offset.
type Samples = Vec<(u64, Vec<u8>)>;

/// The samples of each file.
fn decoded(files: &[SampledFile]) -> Result<Vec<Samples>, Refused> {
    let sample = |(offset, text): &(u64, String)| {
        let bytes = STANDARD.decode(text);
        Ok((
            *offset,
            bytes.map_err(|error| Refused::wrong(format!("a sample is no base64: {error}")))?,
        ))
    };
    files
        .iter()
        .map(|file| file.samples.iter().map(sample).collect())
        .collect()
}

/// Whether a run has all of the files, and nothing that an analysis would read beyond them.
fn has_all(server: &Server, run: &RunFound, files: &[SampledFile], samples: &[Samples]) -> bool {
    let Ok(tree) = ConfinedTree::scan(Path::new(&run.path), server.roots.bounds().clone()) else {
        return false;
    };
    let lengths: HashMap<&str, u64> = tree
        .files()
        .iter()
        .map(|file| (file.path.as_str(), file.bytes))
        .collect();
    let Some(moves) = moves(files, &lengths) else {
        return false;
    };
    moves.into_iter().any(|moved| {
        let given: Option<Vec<String>> =
            files.iter().map(|file| moved.path_of(&file.path)).collect();
        given.is_some_and(|given| {
            let mut pairs = given.iter().zip(files);
            pairs.all(|(path, file)| lengths.get(path.as_str()) == Some(&file.bytes))
                && is_all_of_it(server, &tree, &given)
                && given.iter().zip(samples).all(|(path, samples)| {
                    let file = server.roots.bounds().open(&tree.root().join(path));
                    file.is_ok_and(|file| has_samples(file, samples))
                })
        })
    })
}

/// How the paths of a page's files become those of a run's.
enum Move {
    /// The page has a folder of the run.
    Into(String),
    /// The page has a folder around the run.
    OutOf(String),
}

impl Move {
    fn path_of(&self, path: &str) -> Option<String> {
        match self {
            Self::Into(folder) => Some(format!("{folder}{path}")),
            Self::OutOf(folder) => path.strip_prefix(folder.as_str()).map(str::to_owned),
        }
    }
}

/// All that bring the first file onto one of that length.
fn moves(files: &[SampledFile], lengths: &HashMap<&str, u64>) -> Option<Vec<Move>> {
    let first = files.first()?;
    let of_length = lengths.iter().filter(|(_, bytes)| **bytes == first.bytes);
    let move_of = |path: &str| {
        let ends_in = |long: &str, short: &str| {
            let folder = long.strip_suffix(short)?;
            (folder.is_empty() || folder.ends_with('/')).then(|| folder.to_owned())
        };
        let into = ends_in(path, &first.path).map(Move::Into);
        into.or_else(|| ends_in(&first.path, path).map(Move::OutOf))
    };
    Some(of_length.filter_map(|(path, _)| move_of(path)).collect())
}

/// Whether an analysis of the run reads only what was given: of some steps of a run, all of it is
/// another run.
fn is_all_of_it(server: &Server, tree: &ConfinedTree, given: &[String]) -> bool {
    let Some(Ok(run)) = server.executor.block_on(Run::find(tree)) else {
        return false;
    };
    let given: BTreeSet<&str> = given.iter().map(String::as_str).collect();
    let parts = run.steps.iter().flat_map(|step| &step.parts);
    let mut read = parts
        .flat_map(|part| &part.paths)
        .chain(run.model.as_ref().map(|model| &model.source));
    read.all(|path| given.contains(path.as_str()))
}

fn has_samples(mut file: File, samples: &[(u64, Vec<u8>)]) -> bool {
    samples.iter().all(|(offset, expected)| {
        let mut found = vec![0; expected.len()];
        let read = file
            .seek(SeekFrom::Start(*offset))
            .and_then(|_| file.read_exact(&mut found));
        read.is_ok() && found == *expected
    })
}

//! Finished analyses whose folders are there and which nobody knows of any more: the database was
//! moved away because it was damaged.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use ckptscope_checkpoint::hub::HubAddress;
use ckptscope_protocol::service::{AnalysisInfo, Phase, RunSource};
use ckptscope_results::Results;

use super::Server;
use super::roots::id_of;
use super::store::Kept;
use crate::output::{self, EarlierRun};

/// Takes up what is found, the oldest first; gives how many.
pub(super) fn adopt(server: &Server) -> Result<u64> {
    let mut found: Vec<(Kept, String)> = folders(&server.data.analyses())
        .filter(|id| server.jobs.get(id).is_none())
        .filter_map(|id| found(&server.data.analyses().join(&id), &id))
        .collect();
    found.sort_by_key(|(kept, _)| kept.info.asked);
    for (kept, config) in &found {
        server.jobs.adopt(kept, config)?;
    }
    Ok(found.len() as u64)
}

/// The analysis in a folder; none where it has no results.
fn found(place: &Path, id: &str) -> Option<(Kept, String)> {
    let (folder, path) = folders(place).find_map(|folder| {
        let path = place.join(&folder).join("results.json");
        path.is_file().then_some((folder, path))
    })?;
    let results = Results::parse(&fs::read_to_string(&path).ok()?).ok()?;
    // Older versions have no such file of these words.
    let run = fs::read(place.join(&folder).join(output::RUN_REPORT)).ok();
    let run = run.and_then(|text| serde_json::from_slice::<EarlierRun>(&text).ok());
    let run = run.map(|run| run.run).filter(|run| !run.is_empty());
    let run = run.unwrap_or_else(|| results.source.clone());
    let written = milliseconds(fs::metadata(&path).ok()?.modified().ok()?);
    let series = results.series.iter();
    let units: BTreeSet<(Option<u64>, u64)> = series
        .flat_map(|series| series.steps().iter().map(|step| (series.id.layer, *step)))
        .collect();
    let info = AnalysisInfo {
        id: id.to_owned(),
        name: results.analysis_name,
        source: source(&run),
        source_name: run,
        phase: Phase::Done,
        message: None,
        ahead: 0,
        cost: None,
        units: units.len() as u64,
        of_units: units.len() as u64,
        asked: written,
        began: None,
        ended: Some(written),
    };
    Some((
        Kept {
            info,
            folder,
            is_planned: false,
        },
        results.config,
    ))
}

/// What the words name that an analysis was given: a folder, a repository, or what was uploaded once.
fn source(name: &str) -> RunSource {
    if Path::new(name).is_absolute() {
        RunSource::Root(id_of(Path::new(name)))
    } else if HubAddress::parse(name).is_ok() {
        RunSource::Hub(name.to_owned())
    } else {
        RunSource::Upload(String::new())
    }
}

/// The names of the folders in a folder, which are plain.
fn folders(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    folders.filter_map(|entry| entry.file_name().into_string().ok())
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

//! The run at an address, as every command finds it.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use ckptscope_checkpoint::hub::{HubAddress, HubError, HubTree, Listing};
use ckptscope_checkpoint::local::LocalTree;
use ckptscope_checkpoint::{Run, RunError};

use crate::confined::ConfinedTree;
use crate::executor::Executor;
use crate::place::{Address, Place};
use crate::{Misuse, hub};

/// Lists the files at an address and recognises the run in them. Of a repository only the steps
/// that `wanted` chooses of all there are, ascending, are looked at; see [`chosen`]. An address
/// that is none, or holds no run, is wrong usage; files that cannot be read are a failure.
pub(crate) async fn find_run(
    address: &Address,
    executor: &Executor,
    wanted: impl Fn(&[u64]) -> BTreeSet<u64>,
) -> Result<(Run, Place)> {
    match address {
        Address::Path(path) => {
            let tree = LocalTree::scan(path).map_err(|error| judged(&error))?;
            let run = Run::find(&tree).await.map_err(|error| judged(&error))?;
            Ok((run, Place::Folder(tree)))
        }
        Address::Within(path, bounds) => {
            let tree = ConfinedTree::scan(path, bounds.clone()).map_err(|error| judged(&error))?;
            let run = Run::find(&tree).await.map_err(|error| judged(&error))?;
            Ok((run, Place::Confined(tree)))
        }
        Address::Hub(address) => {
            let listing = look_up(address, executor).await?;
            chosen(listing, wanted).await
        }
    }
}

/// The steps of a repository that `wanted` chooses. A last step that turns out to be broken is not
/// the last one any more, so that `wanted` is asked again without it.
async fn chosen(
    listing: Listing,
    wanted: impl Fn(&[u64]) -> BTreeSet<u64>,
) -> Result<(Run, Place)> {
    let mut steps = listing.steps().unwrap_or_default();
    let mut listed = wanted(&steps);
    loop {
        let tree = listing.clone().tree(|step| listed.contains(&step)).await;
        let (run, place) = in_tree(tree).await?;
        let is_broken = |step: &u64| run.broken.iter().any(|it| it.number == *step);
        while steps.pop_if(|last| is_broken(last)).is_some() {}
        let more = wanted(&steps);
        if more.is_subset(&listed) {
            return Ok((run, place));
        }
        listed.extend(more);
    }
}

/// The same, where a repository's steps need not be known to their files: of many steps a few are
/// listed, and the others are assumed to be like them.
pub(crate) async fn overview(address: &Address, executor: &Executor) -> Result<(Run, Place)> {
    match address {
        Address::Hub(address) => {
            let listing = look_up(address, executor).await?;
            in_tree(listing.overview().await).await
        }
        Address::Path(_) | Address::Within(..) => {
            find_run(address, executor, |all| all.iter().copied().collect()).await
        }
    }
}

async fn look_up(address: &HubAddress, executor: &Executor) -> Result<Listing> {
    let hub = hub::from_environment(Arc::new(executor.reader()?))?;
    let listing = hub.look_up(address).await;
    listing.map_err(|error| hub::judged(&error))
}

async fn in_tree(tree: Result<HubTree, HubError>) -> Result<(Run, Place)> {
    let tree = tree.map_err(|error| hub::judged(&error))?;
    let run = tree.find_run().await;
    let run = run.map_err(|error| with_revisions(&error, &tree))?;
    Ok((run, Place::Hub(Box::new(tree))))
}

/// Nothing on the default branch is often something on another.
fn with_revisions(error: &RunError, tree: &HubTree) -> anyhow::Error {
    let others = tree.revisions();
    if !error.is_nothing() || others.len() < 2 {
        return judged(error);
    }
    let names = others.join(", ");
    let advice = format!("{error}\ngive another revision with --branch: {names}");
    Misuse(advice).into()
}

fn judged(error: &RunError) -> anyhow::Error {
    match error {
        RunError::Missing { .. }
        | RunError::TooManyFiles { .. }
        | RunError::Empty { .. }
        | RunError::NoCheckpoint { .. }
        | RunError::Foreign { .. }
        | RunError::Ambiguous { .. }
        | RunError::SeveralRuns { .. }
        | RunError::SeveralSeries { .. } => Misuse(error.to_string()).into(),
        // The error's own words have its source in them already.
        _ => anyhow::Error::msg(error.to_string()),
    }
}

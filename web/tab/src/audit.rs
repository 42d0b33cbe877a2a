//! What is odd about the steps of a repository, found by a part of the program that is fetched when
//! somebody asks for it.

use std::pin::Pin;
use std::rc::Rc;

use ckptscope_analysis::audit::{Audit, Finding};
use ckptscope_protocol::tab::{AuditProgress, Audited, OddSteps};
use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;

use super::opened::OpenedFiles;

/// Says how far the audit is.
type Tell = Rc<dyn Fn(AuditProgress)>;

/// An audit that is under way.
type Pending = Pin<Box<dyn Future<Output = Result<Audited, String>>>>;

/// Audits the repository that is open; `tell` hears how far it is.
pub(super) async fn audit(files: Rc<OpenedFiles>, tell: Tell) -> Result<Audited, String> {
    let begun = begin!(begun(files, tell));
    begun.map_err(|missing| missing.to_string())?.await
}

#[cfg_attr(
    feature = "split",
    wasm_split(audit, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn begun(files: Rc<OpenedFiles>, tell: Tell) -> Result<Pending, MissingPart> {
    Ok(Box::pin(audited(files, tell)))
}

async fn audited(files: Rc<OpenedFiles>, tell: Tell) -> Result<Audited, String> {
    let run = files.run().await?;
    let tree = files.repository();
    let tree = tree.ok_or("only a repository of the Hub is audited here")?;
    let audited = Audit::of_repository(tree.hub(), &run, &*tell).await;
    let (run, audit) = audited.map_err(|error| error.to_string())?;
    files.settled(run);
    let odd = |finding: &Finding| OddSteps {
        message: finding.to_string(),
        steps: finding.steps(),
    };
    Ok(Audited {
        steps: audit.steps.len() as u64,
        findings: audit.findings.iter().map(odd).collect(),
    })
}

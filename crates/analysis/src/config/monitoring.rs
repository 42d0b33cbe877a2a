//! The `monitoring` part: where results go.

use super::cursor::{At, Fields};
use super::keys::{MONITORING, PICO_REPORT, WANDB};
use super::problem::Problems;
use super::value::{boolean, filled_text, short_text};
use super::{Monitoring, PicoReport, Wandb};

/// Where results go; the default where the file does not say.
pub(super) fn monitoring(config: &Fields<'_>, problems: &mut Problems) -> Option<Monitoring> {
    let read = |at: &At<'_>| {
        let fields = Fields::of(at, MAP, problems)?;
        given(&fields, problems)
    };
    config
        .optional("monitoring", read)
        .map(Option::unwrap_or_default)
}

/// What `monitoring` is.
const MAP: &str = "a map with output_dir, save_to_wandb, wandb, save_to_picolabs, pico_report";

fn given(fields: &Fields<'_>, problems: &mut Problems) -> Option<Monitoring> {
    fields.check_keys(&MONITORING.names(), problems, |_| None);
    let output_dir = fields.optional("output_dir", |at| filled_text(at, "a folder", problems));
    let saves = fields.optional("save_to_wandb", |at| boolean(at, problems));
    let wandb = fields.optional("wandb", |at| wandb(at, problems));
    let reports = fields.optional("save_to_picolabs", |at| boolean(at, problems));
    let report = fields.optional("pico_report", |at| pico_report(at, problems));
    let (output_dir, saves, wandb) = (
        output_dir?,
        saves?.unwrap_or(false),
        wandb?.unwrap_or_default(),
    );
    let (reports, report) = (reports?.unwrap_or(false), report?.unwrap_or_default());
    if saves && wandb.project.is_empty() {
        let at = fields.get("wandb").or(fields.get("save_to_wandb"))?;
        problems.add(
            at,
            "save_to_wandb needs a project, wandb: {entity: ..., project: ...}",
        );
        return None;
    }
    Some(Monitoring {
        output_dir: output_dir.unwrap_or_else(|| Monitoring::default().output_dir),
        wandb: saves.then_some(wandb),
        pico_report: reports.then_some(report),
    })
}

fn pico_report(at: &At<'_>, problems: &mut Problems) -> Option<PicoReport> {
    let expected = "a map with lab_hash, experiment_name, auto_commit";
    let fields = Fields::of(at, expected, problems)?;
    fields.check_keys(&PICO_REPORT.names(), problems, |_| None);
    let lab_hash = fields.optional("lab_hash", |at| short_text(at, "a lab's hash", problems));
    let name = fields.optional("experiment_name", |at| short_text(at, "a name", problems));
    let auto_commit = fields.optional("auto_commit", |at| boolean(at, problems));
    Some(PicoReport {
        lab_hash: lab_hash?.unwrap_or_default(),
        experiment_name: name?.unwrap_or_default(),
        auto_commit: auto_commit?.unwrap_or(false),
    })
}

fn wandb(at: &At<'_>, problems: &mut Problems) -> Option<Wandb> {
    let fields = Fields::of(at, "a map with entity and project", problems)?;
    fields.check_keys(&WANDB.names(), problems, |_| None);
    let entity = fields.optional("entity", |at| short_text(at, "a name", problems));
    let project = fields.optional("project", |at| short_text(at, "a name", problems));
    Some(Wandb {
        entity: entity?.unwrap_or_default(),
        project: project?.unwrap_or_default(),
    })
}

//! The `monitoring` part: where results go.

use super::cursor::{At, Fields};
use super::keys::{MONITORING, WANDB};
use super::problem::Problems;
use super::value::{boolean, filled_text, short_text};
use super::{Monitoring, Wandb};

/// Where results go; the default where the file does not say.
pub(super) fn monitoring(config: &Fields<'_>, problems: &mut Problems) -> Option<Monitoring> {
    let read = |at: &At<'_>| {
        let fields = Fields::of(at, "a map with output_dir, save_to_wandb, wandb", problems)?;
        given(&fields, problems)
    };
    config
        .optional("monitoring", read)
        .map(Option::unwrap_or_default)
}

fn given(fields: &Fields<'_>, problems: &mut Problems) -> Option<Monitoring> {
    fields.check_keys(&MONITORING.names(), problems, |_| None);
    let output_dir = fields.optional("output_dir", |at| filled_text(at, "a folder", problems));
    let saves = fields.optional("save_to_wandb", |at| boolean(at, problems));
    let wandb = fields.optional("wandb", |at| wandb(at, problems));
    let (output_dir, saves, wandb) = (
        output_dir?,
        saves?.unwrap_or(false),
        wandb?.unwrap_or_default(),
    );
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

//! Whether a config is right, and what it would cost.

use ckptscope_analysis::{Config, ConfigErrors, Registry};
use ckptscope_protocol::tab::{BrokenStepSummary, CheckForm, CheckText, Checked};
use ckptscope_protocol::{ConfigForm, Cost};
use ckptscope_results::UnreadableStep;

use super::memory;
use super::opened::OpenedFiles;

/// Checks a config as it is written.
pub(super) async fn text(
    files: &OpenedFiles,
    registry: &Registry,
    CheckText { text }: CheckText,
) -> Result<Box<Checked>, String> {
    let config = Config::parse(&text, registry);
    checked(files, config, Some(text), None).await
}

/// Checks a form, and writes it into the text as it is.
pub(super) async fn form(
    files: &OpenedFiles,
    registry: &Registry,
    CheckForm { form, text }: CheckForm,
) -> Result<Box<Checked>, String> {
    let config = Config::from_form(&form, registry);
    let config = config.map(|config| config.written_into(&text, registry));
    let text = config.as_ref().ok().map(|config| config.text.clone());
    checked(files, config, text, Some(form)).await
}

async fn checked(
    files: &OpenedFiles,
    config: Result<Config, ConfigErrors>,
    text: Option<String>,
    form: Option<ConfigForm>,
) -> Result<Box<Checked>, String> {
    let mut checked = Checked {
        text,
        form,
        ..Checked::default()
    };
    match config {
        Ok(config) => {
            checked.form = Some(config.form());
            fit(files, &config, &mut checked).await?;
        }
        Err(errors) => checked.problems = errors.0,
    }
    Ok(Box::new(checked))
}

/// Whether a config fits the run.
async fn fit(files: &OpenedFiles, config: &Config, checked: &mut Checked) -> Result<(), String> {
    match files.estimate(config).await? {
        Ok(plan) => {
            checked.too_large = too_large(&plan.cost);
            checked.cost = Some(plan.cost);
            checked.steps = plan.steps.len() as u64;
            checked.warnings = plan.warnings;
            let unreadable = plan.unreadable_steps.into_iter();
            let summary = |it: UnreadableStep| BrokenStepSummary {
                number: it.step,
                reason: it.reason,
            };
            checked.unreadable_steps = unreadable.map(summary).collect();
        }
        Err(errors) => checked.problems = errors.problems(),
    }
    Ok(())
}

/// What no web worker has the memory for.
fn too_large(cost: &Cost) -> Option<String> {
    (cost.peak_bytes > memory::LIMIT_BYTES).then(|| {
        format!(
            "A layer takes about {} of memory, and a browser gives 4 GB at most: leave the largest \
             matrices out, or have it computed by a worker, which has no such limit.",
            memory::in_words(cost.peak_bytes)
        )
    })
}

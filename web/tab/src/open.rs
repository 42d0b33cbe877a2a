//! What run the files are, and what is worth asking of it.

use ckptscope_analysis::proposal::proposals;
use ckptscope_analysis::survey::{Suffix, Survey};
use ckptscope_analysis::{Anatomy, Registry};
use ckptscope_checkpoint::tree::entry_of;
use ckptscope_checkpoint::{
    BrokenStep, DataKind, Layout, ModelShape, Part, Run, Split, Step, Tree,
};
use ckptscope_protocol::tab::{
    BrokenStepSummary, Found, Opened, PartSummary, RunSummary, StepSummary, SuffixSummary,
};

use super::opened::OpenedFiles;
use super::speed;

/// Finds the run among the files and says what can be done with it.
pub(super) async fn open(
    files: &OpenedFiles,
    found: Option<Found>,
    registry: &Registry,
) -> Result<Box<Opened>, String> {
    let run = files.run().await?;
    let survey = Survey::of(&run, files.tree(), &files.catalogs).await;
    let proposals = proposals(&run, &survey, registry);
    Ok(Box::new(Opened {
        run: summary(&run, survey, files),
        found,
        proposals,
        menu: registry.menu(),
        seconds_per_read: speed::of_reads(files.tree()).await,
    }))
}

fn summary(run: &Run, survey: Survey, files: &OpenedFiles) -> RunSummary {
    let model = run.model.as_ref().map(ModelShape::with_usual);
    let model = model.as_ref();
    let (count, bytes) = files.extent();
    let anatomy = Anatomy::of(run, &survey);
    RunSummary {
        architecture: anatomy.architecture.map(str::to_owned),
        experts: anatomy.experts().map(|count| count as u64),
        is_tied: anatomy.is_tied(),
        parts: anatomy.roles().map(|role| role.name().to_owned()).collect(),
        name: files.tree().name().to_owned(),
        layout: layout_in_words(run.layout).to_owned(),
        files: count,
        bytes,
        steps: steps(run, files),
        broken_steps: broken_steps(run),
        n_layers: model.and_then(|model| model.n_layers),
        n_heads: model.and_then(|model| model.n_heads),
        n_kv_heads: model.and_then(|model| model.n_kv_heads),
        d_model: model.and_then(|model| model.d_model),
        stacks: stacks(&survey),
        suffixes: survey.suffixes.iter().filter_map(suffix_summary).collect(),
        warnings: [run.warnings.as_slice(), &survey.missing_layers].concat(),
        file_warnings: survey.warnings,
    }
}

fn stacks(survey: &Survey) -> Vec<(String, u64)> {
    let stacks = survey.stacks().into_iter();
    let counted = |(name, layers): (&str, usize)| (name.to_owned(), layers as u64);
    stacks.map(counted).collect()
}

/// The steps that can be read as far as names say.
pub(super) fn steps(run: &Run, files: &OpenedFiles) -> Vec<StepSummary> {
    let assumed = files.assumed_steps();
    let steps = run.steps.iter();
    let summary = |step: &Step| StepSummary {
        number: step.number,
        is_assumed: assumed.contains(&step.number),
        parts: step
            .parts
            .iter()
            .map(|part| part_summary(part, files.tree()))
            .collect(),
    };
    steps.map(summary).collect()
}

/// The steps that cannot be read.
pub(super) fn broken_steps(run: &Run) -> Vec<BrokenStepSummary> {
    run.broken.iter().map(broken_summary).collect()
}

const fn layout_in_words(layout: Layout) -> &'static str {
    match layout {
        Layout::Pico => "weights, gradients and activations as pico-train records them",
        Layout::StepFolders => "a folder per step",
        Layout::StepFiles => "a file per step",
        Layout::Single => "a single checkpoint",
    }
}

fn broken_summary(step: &BrokenStep) -> BrokenStepSummary {
    BrokenStepSummary {
        number: step.number,
        reason: step.trouble.to_string(),
    }
}

fn part_summary(part: &Part, tree: &dyn Tree) -> PartSummary {
    let entries = part
        .paths
        .iter()
        .filter_map(|path| entry_of(tree, path).ok());
    PartSummary {
        data_type: part.kind.name().to_owned(),
        split: split_name(part.split),
        files: part.paths.len() as u64,
        bytes: entries.map(|entry| entry.bytes).sum(),
    }
}

fn suffix_summary(suffix: &Suffix) -> Option<SuffixSummary> {
    Some(SuffixSummary {
        data_type: DataKind::name(suffix.kind).to_owned(),
        split: split_name(suffix.split),
        suffix: suffix.name.clone(),
        layers: suffix.shapes.keys().copied().collect(),
        shape: suffix.shapes.values().next()?.clone(),
    })
}

fn split_name(split: Option<Split>) -> Option<String> {
    split.map(|split| split.name().to_owned())
}

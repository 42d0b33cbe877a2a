//! The analysis to begin with, so small that it takes about as long as a person will wait.
//!
//! How long is reckoned for an ordinary machine, not measured: the same run has the same proposal
//! every time, on every machine.

use std::collections::BTreeSet;

use ckptscope_checkpoint::{DataKind, Run, Step, Tree};
use ckptscope_protocol::Rates;
use ckptscope_protocol::tab::Proposal;

use super::choice::Choice;
use super::{Depth, Extent, development};
use crate::config::{Config, ConfigErrors};
use crate::plan::{Catalogs, Lane, Plan, PlanErrors};
use crate::registry::Registry;
use crate::survey::Survey;

/// Bytes that an ordinary machine reads in a second.
const BYTES_PER_SECOND: f64 = 5e8;

/// So many steps are enough to see how something develops.
const FEW_STEPS: usize = 5;

/// So many layers are enough to see how layers differ.
const FEW_LAYERS: usize = 3;

/// What a first analysis may cost, and what it is called.
#[derive(Clone, Debug)]
pub struct Budget {
    /// The name of the analysis.
    pub name: String,
    /// How long it may take.
    pub seconds: f64,
    /// How many times as long reading takes as from a disk.
    pub slowness: f64,
}

/// Why there is no analysis to begin with.
#[derive(Debug, thiserror::Error)]
pub enum NoProposal {
    /// No layer has a matrix.
    #[error("no layer has a matrix that could be measured")]
    NoMatrix,
    /// What was proposed is no config.
    #[error("{0}")]
    NoConfig(#[from] ConfigErrors),
    /// What was proposed does not fit the run.
    #[error("{0}")]
    Misfit(#[from] PlanErrors),
}

/// The first of [`proposals`](super::proposals), of as many steps and layers as a budget allows:
/// of those that are left the first and the last, and others evenly spaced between them.
///
/// # Errors
/// [`NoProposal`].
pub async fn within(
    budget: &Budget,
    run: &Run,
    survey: &Survey,
    tree: &dyn Tree,
    registry: &Registry,
) -> Result<Proposal, NoProposal> {
    let first = |extent: &Extent| {
        let choices = Choice::of_each_stack(run, survey, registry, extent);
        choices.first().map(development)
    };
    let mut extent = Extent::default();
    let choices = Choice::of_each_stack(run, survey, registry, &extent);
    let has_experts = choices.first().is_some_and(Choice::has_experts);
    drop(choices);
    let catalogs = Catalogs::default();
    let steps = steps_with_data(run);
    for depth in depths(has_experts) {
        // Steps are alike: what one costs is known from its directories alone.
        let surveyed: BTreeSet<u64> = survey.suffixes.iter().map(|it| it.step).collect();
        let of_one = Extent {
            steps: Some(surveyed.into_iter().collect()),
            depth,
            ..Extent::default()
        };
        let proposal = first(&of_one).ok_or(NoProposal::NoMatrix)?;
        let config = Config::parse(&proposal.text, registry)?;
        let plan = Plan::make_again(&config, run, tree, &catalogs).await?;
        let fitted = Fitted::of(budget, &plan, &steps);
        let is_enough = fitted.is_enough(budget, &steps);
        extent = fitted.extent(budget, &steps, (depth, has_experts));
        if is_enough {
            break;
        }
    }
    first(&extent).ok_or(NoProposal::NoMatrix)
}

/// What is tried one after the other, until a budget allows it.
fn depths(has_experts: bool) -> impl Iterator<Item = Depth> {
    let is_of_experts = |depth: &Depth| matches!(depth, Depth::ExpertsWhole | Depth::NoExperts);
    let all = Depth::WITHIN_BUDGET.into_iter();
    all.filter(move |depth| has_experts || !is_of_experts(depth))
}

/// The steps that have what most steps have: those without weights are not what to begin with.
fn steps_with_data(run: &Run) -> Vec<u64> {
    let has_weights = |step: &&Step| step.parts.iter().any(|it| it.kind == DataKind::Weights);
    let with_weights = run.steps.iter().filter(has_weights);
    let steps: Vec<u64> = with_weights.map(|step| step.number).collect();
    if steps.is_empty() {
        return run.steps.iter().map(|step| step.number).collect();
    }
    steps
}

/// The steps and layers that a budget allows.
struct Fitted {
    steps: Vec<u64>,
    layers: Vec<u64>,
    /// How many layers there are.
    all_layers: usize,
    seconds: f64,
}

impl Fitted {
    /// As a plan of a few steps costs. Steps go first, then layers, then both to what is least.
    fn of(budget: &Budget, plan: &Plan, all: &[u64]) -> Self {
        let lanes = &plan.lanes;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let planned = plan.steps.len().max(1) as f64;
        let costs = lanes.iter().map(|lane| seconds_of(lane, budget) / planned);
        let costs: Vec<f64> = costs.collect();
        let (mut steps, mut layers) = (all.len(), lanes.len());
        let seconds = |steps: usize, layers: usize| {
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let steps = steps as f64;
            steps * spread(&costs, layers).iter().sum::<f64>()
        };
        while seconds(steps, layers) > budget.seconds {
            match (steps, layers) {
                (FEW_STEPS.., _) if steps > FEW_STEPS => steps -= 1,
                (_, FEW_LAYERS..) if layers > FEW_LAYERS => layers -= 1,
                (3.., _) => steps -= 1,
                (_, 2..) => layers -= 1,
                (2, _) => steps -= 1,
                _ => break,
            }
        }
        let of_layers: Vec<u64> = lanes.iter().filter_map(|lane| lane.layer).collect();
        Self {
            steps: spread(all, steps),
            layers: spread(&of_layers, layers),
            all_layers: of_layers.len(),
            seconds: seconds(steps, layers),
        }
    }

    /// Whether it shows how layers develop and differ.
    fn is_enough(&self, budget: &Budget, all: &[u64]) -> bool {
        let has_layers = self.layers.len() >= FEW_LAYERS.min(self.all_layers);
        let has_steps = self.steps.len() >= 2.min(all.len());
        has_layers && has_steps && self.seconds <= budget.seconds
    }

    fn extent(self, budget: &Budget, all: &[u64], (depth, has_experts): (Depth, bool)) -> Extent {
        let (steps, layers) = (self.steps.len(), self.layers.len());
        let (has_all_steps, has_all_layers) = (steps == all.len(), layers == self.all_layers);
        let mut remarks = Vec::new();
        if !depth.decomposes() {
            remarks.push("Whole matrices are too large to be decomposed in that time.".to_owned());
        } else if depth == Depth::ExpertsWhole {
            remarks.push("There are too many experts to be decomposed in that time.".to_owned());
        }
        if has_experts && !depth.has_experts() {
            remarks.push("Experts are left out: they take more time than that.".to_owned());
        }
        if !has_all_steps || !has_all_layers {
            let plural = |count: usize| if count == 1 { "" } else { "s" };
            remarks.push(format!(
                "{steps} of {} step{} and {layers} of {} layer{}: about {:.0} s on an ordinary machine.",
                all.len(),
                plural(all.len()),
                self.all_layers,
                plural(self.all_layers),
                self.seconds
            ));
        }
        if self.seconds > budget.seconds {
            let allowed = budget.seconds;
            remarks.push(format!(
                "There is nothing smaller that takes {allowed} s only."
            ));
        }
        Extent {
            name: Some(budget.name.clone()),
            remarks,
            steps: (!has_all_steps).then_some(self.steps),
            layers: (!has_all_layers).then(|| self.layers.into_iter().collect()),
            depth,
        }
    }
}

/// How long a lane takes on an ordinary machine.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn seconds_of(lane: &Lane, budget: &Budget) -> f64 {
    let cost = Plan::cost_of(std::slice::from_ref(lane));
    let reading = cost.read_bytes as f64 / BYTES_PER_SECOND * budget.slowness;
    reading + cost.work.seconds(&Rates::ORDINARY)
}

/// So many of all: the first, the last and others evenly between them; of one the last.
fn spread<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    let gaps = count.saturating_sub(1);
    let last = all.len().saturating_sub(1);
    let place = |number: usize| (number * last).checked_div(gaps).unwrap_or(last);
    let chosen = (0..count).filter_map(|number| all.get(place(number)));
    chosen.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn what_is_left_is_spread_from_the_first_to_the_last() {
        let all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
        assert_eq!(spread(&all, 10), all);
        assert_eq!(spread(&all, 4), [0, 3, 6, 9]);
        assert_eq!(spread(&all, 3), [0, 4, 9]);
        assert_eq!(spread(&all, 2), [0, 9]);
        assert_eq!(spread(&all, 1), [9]);
        assert_eq!(spread(&[3], 1), [3]);
        assert!(spread::<u64>(&[], 0).is_empty());
    }
}

//! Whether a head of one model can be the same head of another.
//!
//! Head 3 of twelve is no head 3 of eight. Results say how many heads their model has and how wide
//! they are; where they do not, the heads that they have numbers of are counted.

use ckptscope_vocabulary::ModelShape;

use crate::Results;

/// What the models of runs have for heads.
pub(super) struct Heads {
    /// Whether the first and the last run have other heads, so that none is the same in both.
    pub(super) differ: bool,
    /// Which runs have others than the first, in words.
    pub(super) warnings: Vec<String>,
}

impl Heads {
    pub(super) fn of(names: &[String], runs: &[Results]) -> Self {
        let mut heads = Self {
            differ: false,
            warnings: Vec::new(),
        };
        let runs: Vec<Option<ModelShape>> = runs.iter().map(of_run).collect();
        let (Some(Some(first)), Some(named)) = (runs.first(), names.first()) else {
            return heads;
        };
        for (name, run) in names.iter().zip(&runs).skip(1) {
            let words = run.as_ref().map(|run| differences(first, run));
            let words = words.unwrap_or_default();
            heads.differ = !words.is_empty();
            if heads.differ {
                let words = words.join(", ");
                heads.warnings.push(format!(
                    "{named} and {name} do not have the same heads ({words}): numbers of heads \
                     stand side by side and are not subtracted"
                ));
            }
        }
        heads
    }
}

/// What is known of the heads of a run's model; none where no number is of a head.
fn of_run(run: &Results) -> Option<ModelShape> {
    let last = run
        .series
        .iter()
        .filter_map(|series| series.id.head)
        .max()?;
    let mut model = run.model.clone().unwrap_or_default();
    if model.layers.is_empty() {
        model.n_heads = model.n_heads.or(last.checked_add(1));
    }
    Some(model)
}

/// What both say and do not say alike, in words.
fn differences(one: &ModelShape, other: &ModelShape) -> Vec<String> {
    let pairs = [
        ("n_heads", one.n_heads, other.n_heads),
        ("n_kv_heads", one.n_kv_heads, other.n_kv_heads),
        ("d_head", one.d_head, other.d_head),
    ];
    let words = pairs.into_iter().filter_map(|(name, one, other)| {
        let (one, other) = one.zip(other)?;
        (one != other).then(|| format!("{name} {one} and {other}"))
    });
    let by_layer = (one.layers != other.layers).then(|| "by layer".to_owned());
    words.chain(by_layer).collect()
}

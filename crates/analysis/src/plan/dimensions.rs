//! The model's dimensions as a plan takes them: what is said, and where nothing is said what the
//! tensors' shapes decide.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_checkpoint::ModelShape;

/// Words in the names of stacks that are no text model's, whatever the file calls it.
const NO_TEXT: &[&str] = &["vision", "visual", "image", "audio", "speech"];

/// Words in the names of stacks of models that are trained, or asked, beside another.
const BESIDE_ANOTHER: &[&str] = &["teacher", "draft", "reference", "critic", "reward"];

/// The dimensions of a run's model.
pub(crate) struct Dimensions {
    said: ModelShape,
    /// What shapes decided, by dimension.
    decided: BTreeMap<&'static str, BTreeSet<u64>>,
}

const N_HEADS: &str = "n_heads";
const N_KV_HEADS: &str = "n_kv_heads";
const D_HEAD: &str = "d_head";

impl Dimensions {
    pub(crate) fn of(said: Option<&ModelShape>) -> Self {
        Self {
            said: said.cloned().unwrap_or_default(),
            decided: BTreeMap::new(),
        }
    }

    /// Those of a layer of a stack; none of a stack that is not of the model they are said of.
    pub(crate) fn of_layer(&self, stack: &str, layer: Option<u64>) -> ModelShape {
        if self.is_of_another_model(stack) {
            return ModelShape::default();
        }
        let said = &self.said;
        layer.map_or_else(|| said.clone(), |layer| said.of_layer(layer))
    }

    /// Why the number of heads of a stack is not known, where no file has to be looked at for it.
    pub(super) fn why_unknown(&self, stack: &str) -> Option<String> {
        let source = &self.said.source;
        self.is_of_another_model(stack)
            .then(|| format!("{source} says that of the text model, which `{stack}` is no part of"))
    }

    /// What to tell of heads that were taken for a stack, where they may be those of the model that
    /// the stack's own is beside.
    pub(super) fn doubt(&self, stack: &str, taken: &ModelShape) -> Option<String> {
        let name = stack.to_ascii_lowercase();
        let is_beside = BESIDE_ANOTHER.iter().any(|word| name.contains(word));
        let is_said = self.said.n_heads.is_some() && taken.n_heads.is_some();
        (is_beside && is_said).then(|| {
            format!(
                "heads of `{stack}` are taken as {} says, which may say those of the model beside \
                 it: n_heads {}",
                self.said.source,
                self.said.n_heads.unwrap_or_default()
            )
        })
    }

    /// Notes what a component took in a layer of these dimensions. Gives what to tell of it: where
    /// nothing is said, and it is not what is usual.
    pub(super) fn take(&mut self, said: &ModelShape, taken: &ModelShape) -> Vec<String> {
        let usual = said.with_usual();
        let mut told = Vec::new();
        for (name, said_one, usual, taken) in [
            (N_HEADS, said.n_heads, usual.n_heads, taken.n_heads),
            (
                N_KV_HEADS,
                said.n_kv_heads,
                usual.n_kv_heads,
                taken.n_kv_heads,
            ),
            (D_HEAD, said.d_head, usual.d_head, taken.d_head),
        ] {
            let (None, Some(taken)) = (said_one, taken) else {
                continue;
            };
            self.decided.entry(name).or_default().insert(taken);
            if name == N_HEADS || usual.is_some_and(|usual| usual != taken) {
                told.push(format!(
                    "{name} is taken to be {taken}, as the tensors' shapes say: {} does not say it",
                    said.source
                ));
            }
        }
        told
    }

    /// The dimensions for results.
    pub(super) fn taken(&self) -> ModelShape {
        let mut taken = self.said.with_usual();
        let only = |name| {
            let decided: &BTreeSet<u64> = self.decided.get(name)?;
            Some(decided.first().copied().filter(|_| decided.len() == 1))
        };
        if let Some(n_heads) = only(N_HEADS) {
            taken.n_heads = n_heads;
        }
        if let Some(n_kv_heads) = only(N_KV_HEADS) {
            taken.n_kv_heads = n_kv_heads;
        }
        if let Some(d_head) = only(D_HEAD) {
            taken.d_head = d_head;
        }
        taken
    }

    fn is_of_another_model(&self, stack: &str) -> bool {
        let (stack, others) = (stack.to_ascii_lowercase(), &self.said.other_models);
        let is_named = |other: &String| {
            let mut segments = stack.split('.');
            segments.any(|segment| segment.starts_with(&other.to_ascii_lowercase()))
        };
        let is_no_text = || NO_TEXT.iter().any(|word| stack.contains(word));
        others.iter().any(is_named) || !others.is_empty() && is_no_text()
    }
}

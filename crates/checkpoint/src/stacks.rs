//! Tensors by stack, layer and name: none takes the place of another.

use std::collections::{BTreeMap, BTreeSet};

use crate::name::{WEIGHT, layer_of, without_weight};

/// What is known of tensors of layers, by stack, layer and name.
///
/// A *stack* is what stands before the layer's number in a tensor's name. A model of an encoder and
/// a decoder has two, `encoder.layers.` and `decoder.layers.`, whose layers have the same numbers
/// and whose tensors go by the same suffixes. What two tensors have in common is kept of both: a
/// checkpoint may have a name in two files, or spell a layer `7` and `07`.
///
/// ```
/// use ckptscope_checkpoint::{Spelling, Stacks};
///
/// let mut stacks = Stacks::default();
/// for name in ["encoder.layers.0.mlp.weight", "decoder.layers.0.mlp.weight"] {
///     stacks.add(name, name);
/// }
/// assert_eq!(stacks.with("mlp"), ["decoder.layers.", "encoder.layers."]);
/// let of_encoder = stacks.of("encoder.layers.", 0, "mlp", Spelling::WeightMayLack);
/// assert_eq!(of_encoder, ["encoder.layers.0.mlp.weight"]);
/// ```
#[derive(Clone, Debug)]
pub struct Stacks<T>(BTreeMap<String, Layers<T>>);

/// Tensors by layer, and by what stands after the layer's number in their names.
type Layers<T> = BTreeMap<u64, BTreeMap<String, Vec<T>>>;

/// How the suffix of a config is compared with what stands after a layer's number in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// It is the whole of it, or all but `.weight` at its end.
    WeightMayLack,
    /// It is the whole of it. So it must be where a layer has both `x` and `x.weight`.
    Whole,
}

impl<T> Default for Stacks<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Stacks<T> {
    /// Adds a tensor by its full name. One outside layers is none of a stack's.
    pub fn add(&mut self, name: &str, tensor: T) {
        if let Some(layer) = layer_of(name) {
            let layers = self.0.entry(layer.prefix.to_owned()).or_default();
            let tensors = layers.entry(layer.number).or_default();
            tensors
                .entry(layer.rest.to_owned())
                .or_default()
                .push(tensor);
        }
    }

    /// The names of the stacks, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The names of the stacks of which some layer has a suffix, sorted.
    #[must_use]
    pub fn with(&self, suffix: &str) -> Vec<&str> {
        let with_weight = with_weight(suffix);
        let has = |tensors: &BTreeMap<String, Vec<T>>| {
            tensors.contains_key(suffix) || tensors.contains_key(&with_weight)
        };
        let stacks = self.0.iter();
        stacks
            .filter(|(_, layers)| layers.values().any(has))
            .map(|(stack, _)| stack.as_str())
            .collect()
    }

    /// How a suffix must be spelled in a stack.
    #[must_use]
    pub fn spelling(&self, stack: &str, suffix: &str) -> Spelling {
        let with_weight = with_weight(suffix);
        let mut layers = self.0.get(stack).into_iter().flat_map(BTreeMap::values);
        if layers.any(|it| it.contains_key(suffix) && it.contains_key(&with_weight)) {
            Spelling::Whole
        } else {
            Spelling::WeightMayLack
        }
    }

    /// The layers of a stack that have a suffix, ascending.
    pub fn layers_with(
        &self,
        stack: &str,
        suffix: &str,
        spelling: Spelling,
    ) -> impl Iterator<Item = u64> {
        let layers = self.0.get(stack).into_iter().flatten();
        layers
            .filter(move |(_, tensors)| !of_layer(tensors, suffix, spelling).is_empty())
            .map(|(layer, _)| *layer)
    }

    /// The tensors that a suffix means in a layer of a stack, in the order in which they were
    /// added. More than one cannot be told apart by their names.
    #[must_use]
    pub fn of(&self, stack: &str, layer: u64, suffix: &str, spelling: Spelling) -> &[T] {
        let tensors = self.0.get(stack).and_then(|layers| layers.get(&layer));
        tensors.map_or(&[], |tensors| of_layer(tensors, suffix, spelling))
    }

    /// The suffixes of every stack, as configs spell them: without `.weight` at their ends where
    /// that is enough. Sorted by stack and suffix.
    #[must_use]
    pub fn suffixes(&self) -> BTreeSet<(&str, &str)> {
        let mut suffixes = BTreeSet::new();
        for (stack, layers) in &self.0 {
            let names: BTreeSet<&str> = layers
                .values()
                .flat_map(BTreeMap::keys)
                .map(String::as_str)
                .collect();
            for name in names {
                let short = without_weight(name);
                let suffix = match self.spelling(stack, short) {
                    Spelling::WeightMayLack => short,
                    Spelling::Whole => name,
                };
                suffixes.insert((stack.as_str(), suffix));
            }
        }
        suffixes
    }
}

fn of_layer<'a, T>(
    tensors: &'a BTreeMap<String, Vec<T>>,
    suffix: &str,
    spelling: Spelling,
) -> &'a [T] {
    let whole = tensors.get(suffix);
    let found = match spelling {
        Spelling::Whole => whole,
        Spelling::WeightMayLack => whole.or_else(|| tensors.get(&with_weight(suffix))),
    };
    found.map_or(&[], Vec::as_slice)
}

fn with_weight(suffix: &str) -> String {
    format!("{suffix}{WEIGHT}")
}

#[cfg(test)]
mod tests {
    use super::{Spelling, Stacks};

    fn stacks(names: &[&'static str]) -> Stacks<&'static str> {
        let mut stacks = Stacks::default();
        for name in names {
            stacks.add(name, *name);
        }
        stacks
    }

    #[test]
    fn a_suffix_is_looked_for_in_every_stack() {
        let found = stacks(&[
            "model.layers.0.a.weight",
            "layers.0.a",
            "vision.layers.3.b.weight",
            "embed.weight",
        ]);
        assert_eq!(found.names().count(), 3);
        assert_eq!(found.with("a"), ["layers.", "model.layers."]);
        assert_eq!(found.with("b"), ["vision.layers."]);
        assert_eq!(found.with("b.weight"), ["vision.layers."]);
        assert_eq!(found.with("embed"), [""; 0]);
        let layers = found.layers_with("vision.layers.", "b", Spelling::WeightMayLack);
        assert_eq!(layers.collect::<Vec<_>>(), [3]);
    }

    #[test]
    fn a_name_with_and_one_without_weight_are_both_addressed() {
        let found = stacks(&["layers.0.a", "layers.0.a.weight", "layers.1.a.weight"]);
        assert_eq!(found.spelling("layers.", "a"), Spelling::Whole);
        let of = |layer, suffix| found.of("layers.", layer, suffix, Spelling::Whole);
        assert_eq!(of(0, "a"), ["layers.0.a"]);
        assert_eq!(of(0, "a.weight"), ["layers.0.a.weight"]);
        assert_eq!(of(1, "a"), [""; 0]);
        let suffixes = [("layers.", "a"), ("layers.", "a.weight")];
        assert_eq!(found.suffixes(), suffixes.into());
    }

    #[test]
    fn what_cannot_be_told_apart_stands_side_by_side() {
        let found = stacks(&["layers.7.a", "layers.07.a", "layers.7.a"]);
        let of = found.of("layers.", 7, "a", Spelling::WeightMayLack);
        assert_eq!(of, ["layers.7.a", "layers.07.a", "layers.7.a"]);
    }
}

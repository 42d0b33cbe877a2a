//! Tensors by stack, layer and name: none takes the place of another.

use std::collections::{BTreeMap, BTreeSet};

use ckptscope_vocabulary::without_wrappers;

use crate::name::{Naming, WEIGHT, without_weight};

/// What is known of tensors of layers, by stack, layer and name.
///
/// A *stack* is what stands before the layer's number in a tensor's name, wrappers taken off. A
/// model of an encoder and a decoder has two, `encoder.layers.` and `decoder.layers.`, whose layers
/// have the same numbers and whose tensors go by the same suffixes. What two tensors have in common
/// is kept of both: a checkpoint may have a name in two files, or one with a wrapper and one
/// without, or spell a layer `7` and `07`.
///
/// ```
/// use ckptscope_checkpoint::{Spelling, Stacks};
///
/// let names = ["encoder.layers.0.mlp.weight", "decoder.layers.0.mlp.weight"];
/// let stacks = Stacks::of(names.map(|name| (name.to_owned(), name)));
/// assert_eq!(stacks.with("mlp"), ["decoder.layers.", "encoder.layers."]);
/// let of_encoder = stacks.of_layer("encoder.layers.", 0, "mlp", Spelling::WeightMayLack);
/// assert_eq!(of_encoder, ["encoder.layers.0.mlp.weight"]);
/// ```
#[derive(Clone, Debug)]
pub struct Stacks<T> {
    stacks: BTreeMap<String, Stack<T>>,
    /// What belongs to no layer, by whole names without wrappers.
    outside: Tensors<T>,
}

/// The layers of one stack.
#[derive(Clone, Debug)]
struct Stack<T> {
    /// What stands before the numbers, as names have it.
    written: BTreeSet<String>,
    layers: BTreeMap<u64, Tensors<T>>,
}

/// The tensors of a layer, by what stands after its number in their names; or those outside of
/// layers, by their names.
type Tensors<T> = BTreeMap<String, Vec<T>>;

/// The tensors that belong to no layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outside {
    /// How many there are.
    pub count: usize,
    /// The names of a few, sorted.
    pub examples: BTreeSet<String>,
}

/// So many names [`Outside`] keeps.
const EXAMPLES: usize = 3;

/// How the suffix of a config is compared with what stands after a layer's number in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// It is the whole of it, or all but `.weight` at its end.
    WeightMayLack,
    /// It is the whole of it. So it must be where a layer has both `x` and `x.weight`.
    Whole,
}

impl<T> Stacks<T> {
    /// Sorts the tensors of one checkpoint by their full names.
    pub fn of(tensors: impl IntoIterator<Item = (String, T)>) -> Self {
        let tensors: Vec<(String, T)> = tensors.into_iter().collect();
        let naming = Naming::of(tensors.iter().map(|(name, _)| name.as_str()));
        let mut sorted = Self {
            stacks: BTreeMap::new(),
            outside: Tensors::new(),
        };
        for (name, tensor) in tensors {
            sorted.add(&name, tensor, &naming);
        }
        sorted
    }

    fn add(&mut self, name: &str, tensor: T, naming: &Naming) {
        let Some(layer) = naming.layer_of(name) else {
            let name = without_wrappers(name).into_owned();
            self.outside.entry(name).or_default().push(tensor);
            return;
        };
        let stack = self.stacks.entry(layer.stack).or_default();
        stack.written.insert(layer.written_stack);
        let tensors = stack.layers.entry(layer.number).or_default();
        tensors.entry(layer.rest).or_default().push(tensor);
    }

    /// What belongs to no layer, in short.
    #[must_use]
    pub fn outside(&self) -> Outside {
        Outside {
            count: self.outside.values().map(Vec::len).sum(),
            examples: self.outside.keys().take(EXAMPLES).cloned().collect(),
        }
    }

    /// The names of what belongs to no layer, as configs spell them: without `.weight` at their
    /// ends where that is enough. Sorted.
    #[must_use]
    pub fn names_outside(&self) -> BTreeSet<&str> {
        let mut names = BTreeSet::new();
        for name in self.outside.keys() {
            let short = without_weight(name);
            names.insert(match self.spelling_outside(short) {
                Spelling::WeightMayLack => short,
                Spelling::Whole => name,
            });
        }
        names
    }

    /// How the name of a tensor outside of layers must be spelled.
    #[must_use]
    pub fn spelling_outside(&self, name: &str) -> Spelling {
        Spelling::of(name, [&self.outside])
    }

    /// The tensors that a name means outside of layers. More than one cannot be told apart.
    #[must_use]
    pub fn of_no_layer(&self, name: &str, spelling: Spelling) -> &[T] {
        meant(&self.outside, name, spelling)
    }

    /// What stands before the layers' numbers in the names of a stack: several where some names
    /// have a wrapper that others lack. Sorted.
    pub fn written(&self, stack: &str) -> impl Iterator<Item = &str> {
        let stack = self.stacks.get(stack).into_iter();
        stack.flat_map(|stack| stack.written.iter().map(String::as_str))
    }

    /// The names of the stacks, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.stacks.keys().map(String::as_str)
    }

    /// The names of the stacks of which some layer has a suffix, sorted.
    #[must_use]
    pub fn with(&self, suffix: &str) -> Vec<&str> {
        let with_weight = with_weight(suffix);
        let has = |tensors: &Tensors<T>| {
            tensors.contains_key(suffix) || tensors.contains_key(&with_weight)
        };
        let stacks = self.stacks.iter();
        stacks
            .filter(|(_, stack)| stack.layers.values().any(has))
            .map(|(stack, _)| stack.as_str())
            .collect()
    }

    /// How a suffix must be spelled in a stack.
    #[must_use]
    pub fn spelling(&self, stack: &str, suffix: &str) -> Spelling {
        Spelling::of(suffix, self.layers(stack).map(|(_, tensors)| tensors))
    }

    /// The layers of a stack that have a suffix, ascending.
    pub fn layers_with(
        &self,
        stack: &str,
        suffix: &str,
        spelling: Spelling,
    ) -> impl Iterator<Item = u64> {
        self.layers(stack)
            .filter(move |(_, tensors)| !meant(tensors, suffix, spelling).is_empty())
            .map(|(layer, _)| layer)
    }

    /// The tensors that a suffix means in a layer of a stack, in the order in which they were
    /// added. More than one cannot be told apart by their names.
    #[must_use]
    pub fn of_layer(&self, stack: &str, layer: u64, suffix: &str, spelling: Spelling) -> &[T] {
        let stack = self.stacks.get(stack);
        let tensors = stack.and_then(|stack| stack.layers.get(&layer));
        tensors.map_or(&[], |tensors| meant(tensors, suffix, spelling))
    }

    /// The suffixes of every stack, as configs spell them: without `.weight` at their ends where
    /// that is enough. Sorted by stack and suffix.
    #[must_use]
    pub fn suffixes(&self) -> BTreeSet<(&str, &str)> {
        let mut suffixes = BTreeSet::new();
        for stack in self.stacks.keys() {
            let tensors = self.layers(stack).map(|(_, tensors)| tensors);
            let names: BTreeSet<&str> = tensors
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

    /// The layers of a stack, ascending.
    pub fn numbers(&self, stack: &str) -> impl Iterator<Item = u64> {
        self.layers(stack).map(|(layer, _)| layer)
    }

    /// The tensors of a layer of a stack, by what stands after the layer's number in their names.
    pub fn tensors(&self, stack: &str, layer: u64) -> impl Iterator<Item = (&str, &[T])> {
        let stack = self.stacks.get(stack);
        let tensors = stack.and_then(|stack| stack.layers.get(&layer));
        let tensors = tensors.into_iter().flatten();
        tensors.map(|(name, tensors)| (name.as_str(), tensors.as_slice()))
    }

    /// The layers of a stack with their tensors, ascending.
    fn layers(&self, stack: &str) -> impl Iterator<Item = (u64, &Tensors<T>)> {
        let stack = self.stacks.get(stack).into_iter();
        let layers = stack.flat_map(|stack| &stack.layers);
        layers.map(|(layer, tensors)| (*layer, tensors))
    }
}

impl<T> Default for Stack<T> {
    fn default() -> Self {
        Self {
            written: BTreeSet::new(),
            layers: BTreeMap::new(),
        }
    }
}

impl Spelling {
    /// Of a suffix or name in some layers.
    fn of<'a, T: 'a>(suffix: &str, layers: impl IntoIterator<Item = &'a Tensors<T>>) -> Self {
        let with_weight = with_weight(suffix);
        let mut layers = layers.into_iter();
        if layers.any(|it| it.contains_key(suffix) && it.contains_key(&with_weight)) {
            Self::Whole
        } else {
            Self::WeightMayLack
        }
    }
}

fn meant<'a, T>(tensors: &'a Tensors<T>, suffix: &str, spelling: Spelling) -> &'a [T] {
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
        Stacks::of(names.iter().map(|name| ((*name).to_owned(), *name)))
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
        let of = |layer, suffix| found.of_layer("layers.", layer, suffix, Spelling::Whole);
        assert_eq!(of(0, "a"), ["layers.0.a"]);
        assert_eq!(of(0, "a.weight"), ["layers.0.a.weight"]);
        assert_eq!(of(1, "a"), [""; 0]);
        let suffixes = [("layers.", "a"), ("layers.", "a.weight")];
        assert_eq!(found.suffixes(), suffixes.into());
    }

    #[test]
    fn what_cannot_be_told_apart_stands_side_by_side() {
        let names = [
            "layers.7.a",
            "layers.07.a",
            "layers.7.a",
            "module.layers.7._orig_mod.a",
        ];
        let found = stacks(&names);
        let of = found.of_layer("layers.", 7, "a", Spelling::WeightMayLack);
        assert_eq!(of, names);
        let written: Vec<&str> = found.written("layers.").collect();
        assert_eq!(written, ["layers.", "module.layers."]);
    }

    #[test]
    fn what_is_of_no_layer_is_counted_and_found_by_its_name() {
        let found = stacks(&["d.weight", "c", "layers.0.a", "module.b.weight", "b", "a"]);
        assert_eq!(found.outside().count, 5);
        assert!(found.outside().examples.iter().eq(["a", "b", "b.weight"]));
        assert_eq!(
            found.names_outside(),
            ["a", "b", "b.weight", "c", "d"].into()
        );
        assert_eq!(found.spelling_outside("b"), Spelling::Whole);
        let of = |name| found.of_no_layer(name, found.spelling_outside(name));
        assert_eq!(of("d"), ["d.weight"]);
        assert_eq!(of("b"), ["b"]);
        assert_eq!(of("b.weight"), ["module.b.weight"]);
        assert_eq!(of("layers.0.a"), [""; 0]);
    }
}

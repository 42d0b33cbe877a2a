//! Tensor names: which layer a tensor belongs to.
//!
//! Trainers put layers behind many words, or behind none, and experts are numbered too. One name
//! alone does not tell which of its numbers is the layer's. So [`Naming`] looks at all names of a
//! checkpoint.

use std::collections::{HashMap, HashSet};

use ckptscope_vocabulary::is_wrapper;

/// How the tensors of one checkpoint are named: what of a name is its layer.
///
/// Behind a word that always means layers, such as `layers` or `h`, the first number is the
/// layer. In names without such a word it is the first number that others take the place of:
/// names with two numbers or more in that place go on with the same words.
///
/// ```
/// use ckptscope_checkpoint::Naming;
///
/// let names = ["0.mlp.weight", "1.mlp.weight", "head.weight", "module.h.3.experts.0.w"];
/// let naming = Naming::of(names);
/// let layer = |name| naming.layer_of(name).map(|it| (it.stack, it.number, it.rest));
/// assert_eq!(layer(names[1]), Some((String::new(), 1, "mlp.weight".into())));
/// assert_eq!(layer(names[2]), None);
/// assert_eq!(layer(names[3]), Some(("h.".into(), 3, "experts.0.w".into())));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// What stands before a number that repeats, wrappers taken off, with the dot.
    repeating: HashSet<String>,
}

/// The parts of a tensor's name around its layer number.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LayerName {
    /// What stands before the number, wrappers taken off, with the dot: `model.layers.`.
    pub stack: String,
    /// The same as the name has it: `_orig_mod.model.layers.`.
    pub written_stack: String,
    /// The layer.
    pub number: u64,
    /// What stands after it, wrappers taken off: `self_attn.v_proj.weight`.
    pub rest: String,
}

/// The segments that are followed by a layer's number.
const LAYER_SEGMENTS: &[&str] = &["layers", "layer", "h", "blocks", "block", "albert_layers"];

/// Words of segments whose numbers are no layers, but for those of [`LAYER_SEGMENTS`]: experts
/// within a layer, and what an optimizer keeps of each tensor.
const OTHER_NUMBERED: &[&str] = &["expert", "optim"];

/// So many numbers of a name are looked at, at most.
const NUMBERS: usize = 8;

impl Naming {
    /// Of a checkpoint whose tensors have these names.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        // By what stands before a number and after it: the first such number.
        let mut numbers: HashMap<(String, String), u64> = HashMap::new();
        let mut repeating = HashSet::new();
        for name in names {
            let name = Name::of(name);
            if name.known_layer().is_some() {
                continue;
            }
            for (place, number) in name.numbers() {
                let (before, after) = (name.before(place), name.after(place));
                if after.is_empty() || repeating.contains(&before) {
                    continue;
                }
                let key = (before, after);
                if let Some(first) = numbers.get(&key) {
                    if *first != number {
                        repeating.insert(key.0);
                    }
                } else {
                    numbers.insert(key, number);
                }
            }
        }
        Self { repeating }
    }

    /// The parts of one of the names; none where it is of no layer.
    #[must_use]
    pub fn layer_of(&self, name: &str) -> Option<LayerName> {
        let parts = Name::of(name);
        let repeats = || {
            let mut numbers = parts.numbers();
            numbers.find(|(place, _)| self.repeating.contains(&parts.before(*place)))
        };
        let (place, number) = parts.known_layer().or_else(repeats)?;
        let (start, _) = parts.segments.get(place)?;
        Some(LayerName {
            stack: parts.before(place),
            written_stack: name.get(..*start)?.to_owned(),
            number,
            rest: parts.after(place),
        })
    }
}

/// A name's segments without those of wrappers, each with its place in the name.
struct Name<'a> {
    segments: Vec<(usize, &'a str)>,
}

impl<'a> Name<'a> {
    fn of(name: &'a str) -> Self {
        let mut start = 0;
        let segments = name.split('.').map(|segment| {
            let at = start;
            start += segment.len() + 1;
            (at, segment)
        });
        let segments = segments.filter(|(_, segment)| !is_wrapper(segment));
        Self {
            segments: segments.collect(),
        }
    }

    /// The first number behind a word that means layers, and its place among the segments.
    fn known_layer(&self) -> Option<(usize, u64)> {
        let mut pairs = self.segments.windows(2).enumerate();
        pairs.find_map(|(place, pair)| {
            let [(_, word), (_, number)] = pair else {
                return None;
            };
            let number = layer_number(number).filter(|_| LAYER_SEGMENTS.contains(word))?;
            Some((place + 1, number))
        })
    }

    /// The numbers that may be layers where no word says so, with their places.
    fn numbers(&self) -> impl Iterator<Item = (usize, u64)> {
        let is_other = |(_, word): &(usize, &str)| {
            let word = word.to_ascii_lowercase();
            OTHER_NUMBERED.iter().any(|other| word.contains(other))
        };
        let end = self.segments.iter().position(is_other);
        let segments = self.segments.iter().take(end.unwrap_or(usize::MAX));
        let numbers = segments
            .enumerate()
            .filter_map(|(place, (_, segment))| Some((place, layer_number(segment)?)));
        numbers.take(NUMBERS)
    }

    /// The segments before a place, with a dot behind each.
    fn before(&self, place: usize) -> String {
        let segments = self.segments.iter().take(place);
        segments.fold(String::new(), |all, (_, segment)| all + segment + ".")
    }

    /// The segments after a place.
    fn after(&self, place: usize) -> String {
        let segments = self.segments.iter().skip(place + 1);
        let segments: Vec<&str> = segments.map(|(_, segment)| *segment).collect();
        segments.join(".")
    }
}

fn layer_number(segment: &str) -> Option<u64> {
    let digits = segment.bytes().all(|byte| byte.is_ascii_digit());
    if digits { segment.parse().ok() } else { None }
}

/// What configs may leave off at the end of a name.
pub(crate) const WEIGHT: &str = ".weight";

pub(crate) fn without_weight(rest: &str) -> &str {
    rest.strip_suffix(WEIGHT).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::Naming;

    /// The parts of each name, which are those of one checkpoint.
    fn parts(names: &[&str]) -> Vec<Option<(String, u64, String)>> {
        let naming = Naming::of(names.iter().copied());
        let of = |name: &&str| {
            let layer = naming.layer_of(name)?;
            Some((layer.stack, layer.number, layer.rest))
        };
        names.iter().map(of).collect()
    }

    fn part(stack: &str, number: u64, rest: &str) -> Option<(String, u64, String)> {
        Some((stack.to_owned(), number, rest.to_owned()))
    }

    #[test]
    fn the_first_number_behind_a_known_word_counts() {
        for (name, (stack, number, rest)) in [
            (
                "_forward_module.layers.3.attention.o_proj",
                ("layers.", 3, "attention.o_proj"),
            ),
            ("layers.0.a.weight", ("layers.", 0, "a.weight")),
            ("h.11.attn.c_attn.bias", ("h.", 11, "attn.c_attn.bias")),
            (
                "blocks.layers.2.blocks.7.x",
                ("blocks.layers.", 2, "blocks.7.x"),
            ),
            ("layers.4", ("layers.", 4, "")),
            ("block.4.weight", ("block.", 4, "weight")),
            (
                "bert.encoder.layer.1.attn",
                ("bert.encoder.layer.", 1, "attn"),
            ),
            (
                "encoder.block.2.layer.1.v",
                ("encoder.block.", 2, "layer.1.v"),
            ),
            (
                "layers.0.mlp.experts.5.w",
                ("layers.", 0, "mlp.experts.5.w"),
            ),
            ("h.2._checkpoint_wrapped_module.x", ("h.", 2, "x")),
            ("layers._orig_mod.0.module.x", ("layers.", 0, "x")),
        ] {
            assert_eq!(parts(&[name]), [part(stack, number, rest)], "{name}");
        }
    }

    #[test]
    fn numbers_that_repeat_are_layers_whatever_stands_before_them() {
        for (before, stack) in [
            ("", ""),
            ("sequential.", "sequential."),
            ("transformer.resblocks.", "transformer.resblocks."),
            ("module.", ""),
            ("module.base_model.stages.", "stages."),
        ] {
            let names = [
                "4.attn.heads.0.w",
                "4.attn.heads.1.w",
                "5.attn.heads.0.w",
                "6.norm.w",
            ];
            let names = names.map(|name| format!("{before}{name}"));
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let expected = [
                part(stack, 4, "attn.heads.0.w"),
                part(stack, 4, "attn.heads.1.w"),
                part(stack, 5, "attn.heads.0.w"),
                part(stack, 6, "norm.w"),
            ];
            assert_eq!(parts(&names), expected, "{before}");
        }
    }

    #[test]
    fn numbers_that_stand_alone_are_no_layers() {
        assert_eq!(
            parts(&["3.a", "3.b", "x.1.a", "y.2.a"]),
            [None, None, None, None]
        );
        // Nothing stands behind these, so no config could name them.
        assert_eq!(parts(&["embeds.0", "embeds.1"]), [None, None]);
    }

    #[test]
    fn experts_and_optimizer_states_are_no_layers() {
        for names in [
            ["0.moe.experts.0.w", "0.moe.experts.1.w"],
            ["0.mlp.local_experts.0.w", "0.mlp.local_experts.1.w"],
            ["optimizer.state.0.exp_avg", "optimizer.state.1.exp_avg"],
        ] {
            assert_eq!(parts(&names), [None, None], "{names:?}");
        }
        let names = [
            "0.moe.experts.0.w",
            "0.moe.experts.1.w",
            "1.moe.experts.1.w",
        ];
        let expected = [
            part("", 0, "moe.experts.0.w"),
            part("", 0, "moe.experts.1.w"),
            part("", 1, "moe.experts.1.w"),
        ];
        assert_eq!(parts(&names), expected);
    }

    #[test]
    fn names_without_a_layer_have_none() {
        for name in [
            "",
            "layers",
            "layers.x.1",
            "embed.weight",
            "mylayers.3.a",
            "layers..1",
            "layers.99999999999999999999.a",
        ] {
            assert_eq!(parts(&[name]), [None], "{name}");
        }
    }

    #[test]
    fn a_stack_is_known_as_its_names_have_it_too() {
        let naming = Naming::of([]);
        let layer = naming.layer_of("_orig_mod.layers.module.7.a").unwrap();
        assert_eq!(layer.written_stack, "_orig_mod.layers.module.");
        assert_eq!(layer.stack, "layers.");
    }
}

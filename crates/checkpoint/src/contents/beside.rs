//! What stands beside a tensor, by the names that quantisers give.
//!
//! A module's parameters share the name before the last dot. Of a module with one `weight` all else
//! in it may belong to that weight (`SCB`, `input_scale`); of a parameter with another name only
//! what begins with its name does (`gate_up_proj_scale_inv` to `gate_up_proj`).

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Found;
use crate::name::WEIGHT;

/// The tensors of a part by name.
pub(super) struct Names<'a>(BTreeMap<&'a str, Vec<&'a Found>>);

impl<'a> Names<'a> {
    pub(super) fn of(found: &'a [Found]) -> Self {
        let mut names: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
        for tensor in found {
            names.entry(&tensor.name).or_default().push(tensor);
        }
        Self(names)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// What stands beside a tensor and matters to its values, by name.
    pub(super) fn beside(&self, tensor: &Found) -> Vec<Companion<'a>> {
        let own = Beside::of(&tensor.name);
        let from = (Bound::Included(own.start), Bound::Unbounded);
        let all = self.0.range::<str, _>(from);
        let near = all.take_while(|(name, _)| name.starts_with(own.start));
        let companion = |(name, found): (&&'a str, &Vec<&'a Found>)| {
            let role = own.role_of(name)?;
            Some(Companion {
                name: name.get(own.module..).unwrap_or(name),
                role,
                tensor: match found.as_slice() {
                    [tensor] => Some(*tensor),
                    _ => None,
                },
            })
        };
        near.filter(|(name, _)| **name != tensor.name)
            .filter_map(companion)
            .collect()
    }
}

impl Names<'_> {
    /// What could be a tensor's scale and is called as no scale that is known: anything else in its
    /// module, at any depth, or called after the module. Names behind that of the module.
    pub(super) fn that_may_be_scales(&self, tensor: &Found) -> Vec<String> {
        let own = Beside::of(&tensor.name);
        let module = own.start.trim_end_matches('.');
        if module.is_empty() {
            return Vec::new();
        }
        let from = (Bound::Included(module), Bound::Unbounded);
        let all = self.0.range::<str, _>(from).map(|(name, _)| *name);
        let near = all.take_while(|name| name.starts_with(module));
        let may_be = |name: &&str| {
            let rest = name.get(module.len()..).unwrap_or_default();
            let is_inside = own.start.ends_with('.') && rest.starts_with('.');
            let lower = rest.to_ascii_lowercase();
            let is_called_so = || OF_SCALES.iter().any(|word| lower.contains(word));
            let is_other = lower.ends_with("bias") || lower.contains("lora");
            let is_near = is_inside || rest.starts_with(['_', '.', ':']) && is_called_so();
            *name != tensor.name && !is_other && is_near
        };
        let parent = own.parent();
        let found = near.filter(may_be);
        found
            .map(|name| name.get(parent..).unwrap_or(name).to_owned())
            .collect()
    }
}

impl<'a> Names<'a> {
    /// The tensors of an adapter of a weight, in its module or in what wraps it; names behind that
    /// of the module.
    pub(super) fn of_adapters(&self, weight: &str) -> Vec<&'a str> {
        let Some(module) = weight.strip_suffix("weight") else {
            return Vec::new();
        };
        let wrapper = WRAPPED.iter().find_map(|leaf| module.strip_suffix(leaf));
        let module = wrapper.unwrap_or(module);
        let is_inside = !module.is_empty() && module.ends_with('.');
        let from = (Bound::Included(module), Bound::Unbounded);
        let all = self.0.range::<str, _>(from).map(|(name, _)| *name);
        let inside = all.take_while(|name| is_inside && name.starts_with(module));
        let rest = inside.filter_map(|name| name.get(module.len()..));
        let is_of_one = |word: &str| OF_ADAPTERS.iter().any(|start| word.starts_with(start));
        rest.filter(|rest| rest.split('.').next().is_some_and(is_of_one))
            .collect()
    }
}

/// A tensor beside another that matters to its values.
pub(super) struct Companion<'a> {
    /// What stands behind the module's name.
    pub(super) name: &'a str,
    pub(super) role: Role,
    /// None where several tensors have this name.
    pub(super) tensor: Option<&'a Found>,
}

/// What a tensor is to the one that it stands beside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Its factors.
    Factors,
    /// bitsandbytes' largest magnitudes of rows, of which 127 is one.
    RowMaxima,
    /// bitsandbytes' number for the order of elements.
    Order,
    /// What says that elements are packed, whatever their type: codes, maxima of blocks.
    Packing,
    /// Something of a scheme that is not unpacked.
    Other,
}

/// How a tensor's name is taken apart.
pub(super) struct Beside<'n> {
    name: &'n str,
    /// Bytes of the module's name, with its dot.
    module: usize,
    /// What names of tensors beside it begin with.
    start: &'n str,
}

/// What stored elements are called where they are not called `weight`.
const ELEMENTS_OF_WEIGHT: &[&str] = &[
    "qweight",
    "weight_packed",
    "W_q",
    "_weight_qdata",
    "weight_qdata",
    "weight._data",
    "weight.int_data",
];

/// What the names of packed blocks end with.
const BLOCKS: &str = "_blocks";

/// What follows a tensor's name, or stands in its module, and gives its factors. `scale_inv`, too,
/// is multiplied: it is the inverse of what elements were multiplied with before they were rounded.
const FACTORS: &[&str] = &["scale_inv", "scale", "scale_weight"];

/// Parts of names of a quantiser's other tensors.
const OF_SCHEMES: &[&str] = &[
    "scale", "scb", "absmax", "quant", "zero", "zp", "g_idx", "codebook", "lut", "packed", "shift",
];

/// Parts of names of scales, and of what scales are computed of.
const OF_SCALES: &[&str] = &["scale", "scb", "amax", "absmax", "quant", "_s"];

/// Parts of names of what only packed elements have beside them.
const OF_PACKED: &[&str] = &[
    "absmax",
    "quant_map",
    "quant_state",
    "qzeros",
    "codebook",
    "packed",
];

/// What a module is called within one that adds to it.
const WRAPPED: &[&str] = &["base_layer.", "linear.", "original_module."];

/// How names of an adapter's tensors begin within the module that they change.
const OF_ADAPTERS: &[&str] = &[
    "lora_",
    "loha_",
    "lokr_",
    "hada_",
    "ia3_",
    "oft_",
    "boft_",
    "vera_",
    "hra_",
    "randlora_",
];

/// How names of tensors begin that belong to a module's activations.
const OF_ACTIVATIONS: &[&str] = &[
    "input_",
    "scale_input",
    "output_",
    "act",
    "q_",
    "k_",
    "v_",
    "kv_",
    "bias",
];

impl<'n> Beside<'n> {
    pub(super) fn of(name: &'n str) -> Self {
        let whole = ELEMENTS_OF_WEIGHT
            .iter()
            .chain(&["weight"])
            .find_map(|leaf| {
                let module = name.strip_suffix(leaf)?;
                (module.is_empty() || module.ends_with('.')).then_some(module)
            });
        let module = whole.map_or_else(|| name.rfind('.').map_or(0, |dot| dot + 1), str::len);
        let start = match whole {
            Some(module) => module,
            None => name.strip_suffix(BLOCKS).unwrap_or(name),
        };
        Self {
            name,
            module,
            start,
        }
    }

    /// Whether it is the name of elements that are packed, whatever stands beside it.
    pub(super) fn is_packed(&self) -> bool {
        self.is_of_packed_weight() || self.name.ends_with(BLOCKS)
    }

    /// Whether it is the name of a weight's elements that are packed, whatever type they have.
    pub(super) fn is_of_packed_weight(&self) -> bool {
        let leaf = self.name.get(self.module..).unwrap_or_default();
        ELEMENTS_OF_WEIGHT.contains(&leaf) && !leaf.ends_with("data")
    }

    /// Bytes of the name of what the module is in, with its dot.
    fn parent(&self) -> usize {
        let module = self.start.trim_end_matches('.');
        module.rfind('.').map_or(0, |dot| dot + 1)
    }

    /// The module's name, with its dot.
    pub(super) fn module(&self) -> &'n str {
        self.name.get(..self.module).unwrap_or_default()
    }

    /// The name of the tensor whose elements these are, where it is another.
    pub(super) fn implies(&self) -> Option<String> {
        let leaf = self.name.get(self.module..).unwrap_or_default();
        if ELEMENTS_OF_WEIGHT.contains(&leaf) {
            return Some(format!(
                "{}{}",
                self.module(),
                WEIGHT.trim_start_matches('.')
            ));
        }
        self.name.strip_suffix(BLOCKS).map(str::to_owned)
    }

    /// What a tensor whose name begins as those beside this one do is to it.
    fn role_of(&self, other: &str) -> Option<Role> {
        let rest = other.get(self.start.len()..)?;
        let rest = if self.start.len() == self.module {
            // `weight_scale`, `weight.absmax` and `_weight_scale` belong to the weight as well.
            let rest = rest.strip_prefix('_').unwrap_or(rest);
            rest.strip_prefix("weight")
                .and_then(behind_separator)
                .unwrap_or(rest)
        } else {
            behind_separator(rest)?
        };
        let is_deeper = rest.contains('.') && !rest.starts_with("quant_state.");
        let is_of_activations = OF_ACTIVATIONS.iter().any(|start| rest.starts_with(start));
        if is_deeper || is_of_activations {
            return None;
        }
        let lower = rest.to_ascii_lowercase();
        match rest {
            "SCB" => Some(Role::RowMaxima),
            "format" | "weight_format" => Some(Role::Order),
            _ if FACTORS.contains(&rest) => Some(Role::Factors),
            _ if OF_PACKED.iter().any(|word| lower.contains(word)) => Some(Role::Packing),
            _ if OF_SCHEMES.iter().any(|word| lower.contains(word)) => Some(Role::Other),
            _ => None,
        }
    }
}

/// What stands behind the character that joins names.
fn behind_separator(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix(['_', '.', ':'])?;
    Some(rest.strip_prefix('_').unwrap_or(rest))
}

/// Companions in a sentence.
pub(super) fn in_words(companions: &[Companion<'_>]) -> String {
    let names: Vec<&str> = companions.iter().map(|it| it.name).collect();
    names_in_words(&names)
}

/// Names in a sentence.
pub(super) fn names_in_words(names: &[impl AsRef<str>]) -> String {
    /// More are counted.
    const NAMED: usize = 5;
    let told = names.iter().take(NAMED);
    let told: Vec<String> = told.map(|name| format!("`{}`", name.as_ref())).collect();
    match names.len().saturating_sub(NAMED) {
        0 => told.join(", "),
        more => format!("{} and {more} more", told.join(", ")),
    }
}

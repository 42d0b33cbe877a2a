//! Tensors that differ in their numbers only, as one line.

use std::collections::{BTreeMap, BTreeSet};

use super::inspection::TensorReport;
use super::ranges;

/// Tensors of one dtype and shape whose names differ in numbers only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// Their names, the numbers in braces: `layers.{0..11}.attention.v_proj`.
    pub(super) name: String,
    /// Element type.
    pub(super) dtype: &'static str,
    /// Extent per dimension.
    pub(super) shape: Vec<u64>,
    /// How they are stored, where their elements are not simply their values.
    pub(super) stored: Option<String>,
}

/// A name without its numbers, and what the tensors must have in common.
type Pattern<'a> = (Vec<&'a str>, &'static str, &'a [u64], Option<&'a str>);

/// Groups tensors, in the order of their first ones. Where the numbers of a group make no full
/// grid (expert 3 in layer 0 only), its tensors are grouped by their first number alone.
pub(super) fn group(tensors: &[&TensorReport]) -> Vec<Group> {
    let mut order: Vec<Pattern<'_>> = Vec::new();
    let mut members: BTreeMap<Pattern<'_>, Vec<Vec<u64>>> = BTreeMap::new();
    for tensor in tensors {
        let (words, numbers) = split(&tensor.name);
        let stored = tensor.stored.as_deref();
        let pattern = (words, tensor.dtype, tensor.shape.as_slice(), stored);
        let known = members.entry(pattern.clone()).or_default();
        if known.is_empty() {
            order.push(pattern);
        }
        known.push(numbers);
    }
    let mut groups = Vec::new();
    for pattern in order {
        let numbers = members.remove(&pattern).unwrap_or_default();
        let (words, dtype, shape, stored) = pattern;
        groups.extend(names(&words, &numbers).into_iter().map(|name| Group {
            name,
            dtype,
            shape: shape.to_vec(),
            stored: stored.map(str::to_owned),
        }));
    }
    groups
}

/// What stands for a number among the words of a name; no other word is written like this.
const NUMBER: &str = "0";

/// A name's words, with [`NUMBER`] in the place of the segments that are numbers, and those.
fn split(name: &str) -> (Vec<&str>, Vec<u64>) {
    let mut numbers = Vec::new();
    let words = name.split('.').map(|segment| match segment.parse() {
        // Of `07` and `+7` the number alone would not tell how it was written.
        Ok(number) if u64::to_string(&number) == segment => {
            numbers.push(number);
            NUMBER
        }
        _ => segment,
    });
    (words.collect(), numbers)
}

/// The names of one pattern's tensors: a single one where their numbers make a full grid.
fn names(words: &[&str], members: &[Vec<u64>]) -> Vec<String> {
    let columns = columns(members);
    let grid = columns
        .iter()
        .fold(1_usize, |size, column| size.saturating_mul(column.len()));
    if grid == members.len() {
        return vec![join(words, &columns)];
    }
    let mut by_rest: BTreeMap<&[u64], Vec<Vec<u64>>> = BTreeMap::new();
    for member in members {
        let rest = member.get(1..).unwrap_or_default();
        by_rest.entry(rest).or_default().push(member.clone());
    }
    by_rest
        .values()
        .map(|members| join(words, &self::columns(members)))
        .collect()
}

/// The different numbers in each place.
fn columns(members: &[Vec<u64>]) -> Vec<BTreeSet<u64>> {
    let places = members.first().map_or(0, Vec::len);
    (0..places)
        .map(|place| {
            members
                .iter()
                .filter_map(|member| member.get(place).copied())
                .collect()
        })
        .collect()
}

fn join(words: &[&str], columns: &[BTreeSet<u64>]) -> String {
    let mut columns = columns.iter();
    let words = words.iter().map(|word| {
        if *word != NUMBER {
            return (*word).to_owned();
        }
        let numbers: Vec<u64> = columns.next().into_iter().flatten().copied().collect();
        match numbers.as_slice() {
            [number] => number.to_string(),
            several => format!("{{{}}}", ranges::in_a_name(several)),
        }
    });
    words.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grouped(names: &[&str]) -> Vec<String> {
        let tensors: Vec<TensorReport> = names
            .iter()
            .map(|name| TensorReport {
                name: (*name).to_owned(),
                dtype: "F32",
                shape: vec![2, 3],
                elements: 6,
                bytes: 24,
                stored: None,
            })
            .collect();
        group(&tensors.iter().collect::<Vec<_>>())
            .into_iter()
            .map(|group| group.name)
            .collect()
    }

    #[test]
    fn layers_of_one_shape_are_one_line() {
        assert_eq!(
            grouped(&[
                "embed",
                "layers.0.q",
                "layers.0.v",
                "layers.1.q",
                "layers.1.v"
            ]),
            ["embed", "layers.{0..1}.q", "layers.{0..1}.v"]
        );
    }

    #[test]
    fn experts_in_every_layer_are_one_line() {
        assert_eq!(
            grouped(&["h.0.e.0.w", "h.0.e.1.w", "h.1.e.0.w", "h.1.e.1.w"]),
            ["h.{0..1}.e.{0..1}.w"]
        );
    }

    #[test]
    fn numbers_without_a_full_grid_are_not_pretended() {
        assert_eq!(
            grouped(&["h.0.e.0.w", "h.1.e.0.w", "h.1.e.1.w"]),
            ["h.{0..1}.e.0.w", "h.1.e.1.w"]
        );
    }

    #[test]
    fn odd_names_stay_as_they_are() {
        assert_eq!(grouped(&["", "a..b", "x.07"]), ["", "a..b", "x.07"]);
    }
}

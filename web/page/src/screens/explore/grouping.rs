//! Tensors by layer.

use std::collections::BTreeMap;

use ckptscope_protocol::tab::TensorRow;
use ckptscope_vocabulary::sort::sort_by_key;

/// Tensors whose names begin alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// What their names begin with, up to the layer's number; empty for those outside layers.
    pub prefix: String,
    /// Their places in the list.
    pub rows: Vec<usize>,
    /// Their bytes.
    pub bytes: u64,
}

/// How much there is of one dtype.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Total {
    pub dtype: String,
    pub tensors: u64,
    pub bytes: u64,
}

/// Tensors whose names contain `search`, whatever its case: those outside layers first, then layer
/// by layer.
pub(super) fn grouped(tensors: &[TensorRow], search: &str) -> Vec<Group> {
    let wanted = search.trim().to_lowercase();
    let mut groups: BTreeMap<(String, u64), Group> = BTreeMap::new();
    for (index, row) in tensors.iter().enumerate() {
        if !wanted.is_empty() && !row.name.to_lowercase().contains(&wanted) {
            continue;
        }
        let prefix = prefix(&row.name);
        let group = groups.entry(order(prefix)).or_insert_with(|| Group {
            prefix: prefix.to_owned(),
            ..Group::default()
        });
        group.rows.push(index);
        group.bytes += row.bytes;
    }
    groups.into_values().collect()
}

/// Totals per dtype, the largest first.
pub(super) fn totals(tensors: &[TensorRow]) -> Vec<Total> {
    let mut totals: Vec<Total> = Vec::new();
    for row in tensors {
        let known = totals.iter().position(|total| total.dtype == row.dtype);
        let index = known.unwrap_or(totals.len());
        if known.is_none() {
            totals.push(Total {
                dtype: row.dtype.clone(),
                ..Total::default()
            });
        }
        if let Some(total) = totals.get_mut(index) {
            total.tensors += 1;
            total.bytes += row.bytes;
        }
    }
    sort_by_key(&mut totals, |total| std::cmp::Reverse(total.bytes));
    totals
}

/// `model.layers.3` of `model.layers.3.mlp.weight`; nothing where no layer has a number.
fn prefix(name: &str) -> &str {
    let mut end = 0;
    for segment in name.split('.') {
        end += segment.len();
        let is_number = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && end < name.len() {
            return &name[..end];
        }
        end += 1;
    }
    ""
}

/// Layers in the order of their numbers, not of their digits.
fn order(prefix: &str) -> (String, u64) {
    let (head, number) = prefix.rsplit_once('.').unwrap_or(("", prefix));
    (head.to_owned(), number.parse().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn row(name: &str, dtype: &str, bytes: u64) -> TensorRow {
        TensorRow {
            name: name.to_owned(),
            dtype: dtype.to_owned(),
            bytes,
            ..TensorRow::default()
        }
    }

    #[test]
    fn layers_follow_their_numbers_and_what_is_outside_comes_first() {
        let rows = [
            row("model.layers.10.mlp.weight", "F32", 4),
            row("model.layers.9.mlp.weight", "F32", 4),
            row("model.layers.9.attn.weight", "F32", 8),
            row("model.embed.weight", "F32", 16),
        ];
        let groups = grouped(&rows, "");
        let prefixes: Vec<&str> = groups.iter().map(|group| group.prefix.as_str()).collect();
        assert_eq!(prefixes, ["", "model.layers.9", "model.layers.10"]);
        assert_eq!(groups[1].rows, [1, 2]);
        assert_eq!(groups[1].bytes, 12);
    }

    #[test]
    fn a_search_ignores_case_and_blanks_around() {
        let rows = [row("layers.0.W_O", "F32", 4), row("layers.0.w_v", "F32", 4)];
        let groups = grouped(&rows, " w_o ");
        assert_eq!(groups.len(), 1);
        assert_eq!(groups[0].rows, [0]);
        assert!(grouped(&rows, "bias").is_empty());
    }

    #[test]
    fn a_name_that_ends_in_a_number_is_no_layer() {
        assert_eq!(prefix("buffers.0"), "");
        assert_eq!(prefix("h.0.ln_1.weight"), "h.0");
        assert_eq!(prefix("a.0.experts.12.w"), "a.0");
    }

    #[test]
    fn totals_are_per_dtype_the_largest_first() {
        let rows = [row("a", "I64", 8), row("b", "F32", 4), row("c", "F32", 40)];
        let totals = totals(&rows);
        assert_eq!(totals[0].dtype, "F32");
        assert_eq!((totals[0].tensors, totals[0].bytes), (2, 44));
        assert_eq!(totals[1].tensors, 1);
    }
}

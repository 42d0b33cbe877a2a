//! What a model's `config.json` says of how its weights are quantised.

use serde_json::Value;

use crate::tree::{Tree, entry_of};

/// Longer config files are passed over.
const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;

/// What is known of how a model's weights are quantised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Quantization {
    /// How many elements share a factor along the last dimensions.
    pub(super) block: Vec<u64>,
    /// Whether some weights have fewer than eight bits.
    pub(super) has_fewer_than_eight_bits: bool,
    /// Whether it says that weights are quantised at all.
    pub(super) is_said: bool,
}

impl Quantization {
    /// From the `config.json` in the folder of a file or the nearest one above. What cannot be read
    /// says nothing: the shapes decide then, and that is told.
    pub(super) async fn beside(tree: &dyn Tree, path: &str) -> Self {
        let mut folder = path;
        while !folder.is_empty() {
            folder = folder
                .rfind('/')
                .map_or("", |slash| folder.get(..slash).unwrap_or_default());
            let separator = if folder.is_empty() { "" } else { "/" };
            let config = format!("{folder}{separator}config.json");
            if let Some(text) = read(tree, &config).await {
                return Self::of(&text);
            }
        }
        Self::default()
    }

    fn of(text: &str) -> Self {
        let text = without_words(text.trim_start_matches('\u{feff}'));
        let config: Value = serde_json::from_str(&text).unwrap_or_default();
        let nested = ["text_config", "language_config", "llm_config"];
        let places = std::iter::once(&config).chain(nested.iter().filter_map(|it| config.get(it)));
        let keys = ["quantization_config", "compression_config"];
        let found = places.flat_map(|place| keys.iter().filter_map(|key| place.get(key)));
        found
            .into_iter()
            .next()
            .map_or_else(Self::default, Self::of_section)
    }

    fn of_section(section: &Value) -> Self {
        let mut found = Self {
            is_said: section.as_object().is_some_and(|it| !it.is_empty()),
            ..Self::default()
        };
        found.take_in(section);
        found
    }

    /// Looks for the few keys that matter, at every depth: `config_groups.group_0.weights.num_bits`.
    fn take_in(&mut self, value: &Value) {
        let Some(section) = value.as_object() else {
            return;
        };
        for (key, value) in section {
            match key.as_str() {
                "weight_block_size" | "block_structure" => self.block = sizes(value),
                "group_size" if self.block.is_empty() => self.block = sizes(value),
                "bits" | "num_bits" | "w_bit" | "weight_bits" => {
                    self.has_fewer_than_eight_bits |= value.as_u64().is_some_and(|bits| bits < 8);
                }
                "load_in_4bit" => self.has_fewer_than_eight_bits |= value == true,
                "input_activations" | "output_activations" | "kv_cache_scheme" => {}
                _ => self.take_in(value),
            }
        }
    }

    /// The size of blocks along a dimension, counted from the last.
    pub(super) fn block(&self, from_last: usize) -> Option<u64> {
        let place = self.block.len().checked_sub(1 + from_last)?;
        self.block.get(place).copied()
    }
}

/// `[128, 128]`, `128`, or `"128x128"`; none where a size is no positive number (`-1` is "all").
fn sizes(value: &Value) -> Vec<u64> {
    let sizes: Option<Vec<u64>> = match value {
        Value::Array(sizes) => sizes.iter().map(Value::as_u64).collect(),
        Value::String(sizes) => sizes
            .split('x')
            .map(|size| size.trim().parse().ok())
            .collect(),
        size => size.as_u64().map(|size| vec![size]),
    };
    let sizes = sizes.unwrap_or_default();
    if sizes.contains(&0) {
        Vec::new()
    } else {
        sizes
    }
}

/// The text without the words that Python writes for numbers and JSON has not, outside of strings.
fn without_words(text: &str) -> String {
    let mut parts = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        // What is between quotation marks is every second part, but for escaped ones. A string that
        // has these makes the whole unlike JSON at worst, which then says nothing.
        parts.push(if index % 2 == 0 {
            part.replace("-Infinity", "null")
                .replace("Infinity", "null")
                .replace("NaN", "null")
        } else {
            part.to_owned()
        });
    }
    parts.join("\"")
}

async fn read(tree: &dyn Tree, path: &str) -> Option<String> {
    let bytes = entry_of(tree, path).ok()?.bytes;
    if bytes > CONFIG_LIMIT_BYTES {
        return None;
    }
    let source = tree.open(path).await.ok()?;
    let content = source
        .read_at(0, source.bytes().min(CONFIG_LIMIT_BYTES))
        .await
        .ok()?;
    String::from_utf8(content).ok()
}

#[cfg(test)]
mod tests {
    use super::Quantization;

    #[test]
    fn block_sizes_are_found_wherever_they_are_said() {
        for (text, block) in [
            (
                r#"{"quantization_config": {"weight_block_size": [4, 8]}}"#,
                &[4, 8][..],
            ),
            (
                r#"{"a": Infinity, "quantization_config": {"weight_block_size": [4, 8]}}"#,
                &[4, 8],
            ),
            (
                r#"{"text_config": {"quantization_config": {"weight_block_size": [4, 8]}}}"#,
                &[4, 8],
            ),
            (
                r#"{"quantization_config": {"config_groups": {"group_0": {"weights":
                   {"num_bits": 8, "block_structure": "128x64", "group_size": null}}}}}"#,
                &[128, 64],
            ),
            (r#"{"quantization_config": {"group_size": 32}}"#, &[32]),
            (r#"{"quantization_config": {"group_size": -1}}"#, &[]),
            (
                r#"{"quantization_config": {"weight_block_size": [0, 0]}}"#,
                &[],
            ),
            (r#"{"hidden_size": 16}"#, &[]),
            ("[", &[]),
        ] {
            assert_eq!(Quantization::of(text).block, block, "{text}");
        }
    }

    #[test]
    fn fewer_bits_are_noticed() {
        let of = |text: &str| Quantization::of(text).has_fewer_than_eight_bits;
        assert!(of(r#"{"quantization_config": {"bits": 4}}"#));
        assert!(of(r#"{"quantization_config": {"load_in_4bit": true}}"#));
        assert!(!of(
            r#"{"quantization_config": {"load_in_4bit": false, "bits": 8}}"#
        ));
        assert!(!of(
            r#"{"quantization_config": {"config_groups": {"g": {"weights": {"num_bits": 8},
               "input_activations": {"num_bits": 4}}}}}"#
        ));
    }
}

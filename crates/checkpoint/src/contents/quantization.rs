//! What a model's `config.json` says of how its weights are quantised.

use serde_json::Value;

use crate::tree::{Tree, entry_of};

/// Longer config files are passed over.
const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;

/// The model's config.
const MODEL_CONFIG: &str = "config.json";

/// Files that say how weights are quantised; those of quantisers speak of nothing else.
const CONFIGS: &[&str] = &[
    MODEL_CONFIG,
    "hf_quant_config.json",
    "quantize_config.json",
    "quant_config.json",
];

/// What the names of ways to store weights in fewer than eight bits have in them.
const FEW_BITS: &[&str] = &["4bit", "int4", "w4", "fp4", "nf4", "3bit", "2bit", "bitnet"];

/// Whether a key of a model's config says how its weights are quantised: `quantization_config`,
/// `quantization_bit`, `load_in_4bit`.
fn speaks_of_quantization(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    // Models of sound have quantizers of their own.
    let is_part_of_model = key.contains("quantizer") || key.contains("vector");
    let is_of_it =
        key.contains("quant") || key == "compression_config" || key.starts_with("load_in_");
    is_of_it && !is_part_of_model
}

/// Whether a key says how many bits weights have: `bits`, `w_bit`, `quantization_bit`.
fn is_of_bits(key: &str) -> bool {
    const NAMES: &[&str] = &["bits", "num_bits", "w_bit", "wbits", "nbits", "weight_bits"];
    NAMES.contains(&key) || key.starts_with("quant") && key.contains("bit")
}

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
    /// From the configs in the folder of a file, or in the nearest one above that has some. What
    /// cannot be read says nothing: the shapes decide then, and that is told.
    pub(super) async fn beside(tree: &dyn Tree, path: &str) -> Self {
        let mut folder = path;
        while !folder.is_empty() {
            folder = folder
                .rfind('/')
                .map_or("", |slash| folder.get(..slash).unwrap_or_default());
            let separator = if folder.is_empty() { "" } else { "/" };
            let mut found = None;
            for name in CONFIGS {
                let config = format!("{folder}{separator}{name}");
                if let Some(text) = read(tree, &config).await {
                    let known: &mut Self = found.get_or_insert_default();
                    known.take_in_file(&text, *name != MODEL_CONFIG);
                }
            }
            if let Some(found) = found {
                return found;
            }
        }
        Self::default()
    }

    /// What a file says; all of it, where it speaks of nothing else.
    fn take_in_file(&mut self, text: &str, is_of_quantization: bool) {
        let text = without_words(text.trim_start_matches('\u{feff}'));
        let config: Value = serde_json::from_str(&text).unwrap_or_default();
        if is_of_quantization {
            return self.take_in_section(&config);
        }
        let nested = ["text_config", "language_config", "llm_config"];
        let places = std::iter::once(&config).chain(nested.iter().filter_map(|it| config.get(it)));
        for (key, value) in places.filter_map(Value::as_object).flatten() {
            if speaks_of_quantization(key) {
                self.take_in_section(value);
                self.take_in(key, value);
            }
        }
    }

    fn take_in_section(&mut self, section: &Value) {
        self.is_said |= match section {
            Value::Null | Value::Bool(false) => false,
            Value::Bool(true) => true,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(keys) => !keys.is_empty(),
        };
        self.take_in_keys(section);
    }

    /// Looks for the few keys that matter, at every depth: `config_groups.group_0.weights.num_bits`.
    fn take_in_keys(&mut self, section: &Value) {
        for (key, value) in section.as_object().into_iter().flatten() {
            self.take_in(key, value);
        }
    }

    fn take_in(&mut self, key: &str, value: &Value) {
        let says_few = |bits: u64| (1..8).contains(&bits);
        match key {
            "weight_block_size" | "block_structure" => self.block = sizes(value),
            "group_size" | "q_group_size" if self.block.is_empty() => self.block = sizes(value),
            "load_in_4bit" => self.has_fewer_than_eight_bits |= value == true,
            "quant_method" | "quant_algo" | "quantize" | "quantization" | "format"
                if value.is_string() =>
            {
                let text = value.as_str().unwrap_or_default().to_ascii_lowercase();
                self.has_fewer_than_eight_bits |= FEW_BITS.iter().any(|word| text.contains(word));
            }
            "input_activations" | "output_activations" | "kv_cache_scheme" => {}
            _ if is_of_bits(key) => {
                self.has_fewer_than_eight_bits |= value.as_u64().is_some_and(says_few);
            }
            _ => self.take_in_keys(value),
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

    fn of(text: &str) -> Quantization {
        let mut quantization = Quantization::default();
        quantization.take_in_file(text, false);
        quantization
    }

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
            assert_eq!(of(text).block, block, "{text}");
        }
    }

    #[test]
    fn a_file_of_a_quantiser_speaks_of_nothing_else() {
        let mut found = Quantization::default();
        found.take_in_file(r#"{"bits": 4, "group_size": 32}"#, true);
        assert!(found.is_said && found.has_fewer_than_eight_bits);
        assert_eq!(found.block, [32]);
        assert!(!of(r#"{"quantization_config": {}, "quantization_bit": 0}"#).is_said);
        assert!(of(r#"{"quantization": "fp8"}"#).is_said);
    }

    #[test]
    fn fewer_bits_are_noticed() {
        let of = |text: &str| of(text).has_fewer_than_eight_bits;
        for text in [
            r#"{"quantization_config": {"bits": 4}}"#,
            r#"{"quantization_bit": 4}"#,
            r#"{"quantization": {"group_size": 64, "bits": 4}}"#,
            r#"{"load_in_4bit": true}"#,
            r#"{"quantization_config": {"quant_algo": "W4A8_AWQ"}}"#,
        ] {
            assert!(of(text), "{text}");
        }
        for text in [
            r#"{"quantization_bit": 0, "num_quantizers": 4, "bits": 4}"#,
            r#"{"quantization_config": {"load_in_8bit": true, "bnb_4bit_quant_type": "nf4"}}"#,
        ] {
            assert!(!of(text), "{text}");
        }
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

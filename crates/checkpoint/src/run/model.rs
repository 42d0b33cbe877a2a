//! The model's dimensions, from a run's config files.

use serde::Deserialize;

use super::ModelShape;
use crate::tree::Tree;
use crate::yaml::{self, Node, Value};

/// The config files that are looked for, the surest first.
const CONFIGS: &[(&str, Parse)] = &[
    ("training_config.yaml", from_training_config),
    ("config.json", from_model_config),
];

/// Longer config files are passed over.
const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;

type Parse = fn(&str, String) -> Result<Option<ModelShape>, String>;

/// The dimensions from the first config file that says any: of one name, the one nearest to the
/// root. A broken file is a warning.
pub(super) async fn find(tree: &dyn Tree, warnings: &mut Vec<String>) -> Option<ModelShape> {
    for (name, parse) in CONFIGS {
        let files = tree.files().iter();
        let files = files.filter(|file| is_named(&file.path, name));
        let nearest = files.min_by_key(|file| (file.path.matches('/').count(), file.path.as_str()));
        let Some(file) = nearest else { continue };
        let read = match read_text(tree, &file.path, file.bytes).await {
            Ok(text) => parse(&text, file.path.clone()),
            Err(reason) => Err(reason),
        };
        match read {
            Ok(Some(shape)) => return Some(shape),
            Ok(None) => {}
            Err(reason) => {
                warnings.push(format!(
                    "the config is passed over: {reason}: {}",
                    file.path
                ));
            }
        }
    }
    None
}

/// Whether a file may say the model's dimensions, as its name goes.
pub(super) fn is_config(path: &str) -> bool {
    CONFIGS.iter().any(|(name, _)| is_named(path, name))
}

fn is_named(path: &str, name: &str) -> bool {
    path.rsplit('/').next() == Some(name)
}

async fn read_text(tree: &dyn Tree, path: &str, bytes: u64) -> Result<String, String> {
    if bytes > CONFIG_LIMIT_BYTES {
        return Err(format!(
            "it has {bytes} bytes, the limit is {CONFIG_LIMIT_BYTES}"
        ));
    }
    let source = tree.open(path).await.map_err(|error| error.to_string())?;
    let content = source
        .read_at(0, source.bytes().min(CONFIG_LIMIT_BYTES))
        .await;
    let content = content.map_err(|error| error.to_string())?;
    String::from_utf8(content).map_err(|_| "it is not UTF-8".to_owned())
}

/// A model's dimensions by the names that pico-train and Hugging Face models give them. A file
/// may have a dimension under two names, so they are fields apart and not aliases.
#[derive(Deserialize)]
struct ModelConfig {
    d_model: Option<u64>,
    hidden_size: Option<u64>,
    n_embd: Option<u64>,
    n_layers: Option<u64>,
    num_hidden_layers: Option<u64>,
    n_layer: Option<u64>,
    attention_n_heads: Option<u64>,
    num_attention_heads: Option<u64>,
    n_head: Option<u64>,
    attention_n_kv_heads: Option<u64>,
    num_key_value_heads: Option<u64>,
    head_dim: Option<u64>,
}

/// pico-train's `training_config.yaml`, of which only the model matters here.
fn from_training_config(text: &str, source: String) -> Result<Option<ModelShape>, String> {
    let document = yaml::read(text).map_err(|error| error.to_string())?;
    let entries = document.as_map().unwrap_or_default();
    let model = entries
        .iter()
        .find(|(key, _)| key.as_text() == Some("model"));
    let Some(dimensions) = model.and_then(|(_, model)| model.as_map()) else {
        return Ok(None);
    };
    let named = dimensions
        .iter()
        .filter_map(|(key, value)| Some((key.as_text()?.to_owned(), json(value))));
    let json: serde_json::Map<_, _> = named.collect();
    let config = ModelConfig::deserialize(json).map_err(|error| error.to_string())?;
    Ok(config.shape(source))
}

/// What a dimension may be; anything else in words, to be refused.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Nothing => serde_json::Value::Null,
        Value::Whole(size) => {
            u64::try_from(*size).map_or_else(|_| node.to_string().into(), Into::into)
        }
        _ => node.to_string().into(),
    }
}

fn from_model_config(text: &str, source: String) -> Result<Option<ModelShape>, String> {
    let config: ModelConfig = serde_json::from_str(text).map_err(|error| error.to_string())?;
    Ok(config.shape(source))
}

impl ModelConfig {
    /// The shape, unless the file says nothing of it.
    fn shape(self, source: String) -> Option<ModelShape> {
        let d_model = self.d_model.or(self.hidden_size).or(self.n_embd);
        let n_layers = self.n_layers.or(self.num_hidden_layers).or(self.n_layer);
        let n_heads = self
            .attention_n_heads
            .or(self.num_attention_heads)
            .or(self.n_head);
        if d_model.is_none() && n_layers.is_none() && n_heads.is_none() {
            return None;
        }
        let n_kv_heads = self
            .attention_n_kv_heads
            .or(self.num_key_value_heads)
            .or(n_heads);
        let divided = d_model.zip(n_heads).and_then(|(width, heads)| {
            width
                .checked_rem(heads)
                .filter(|rest| *rest == 0)
                .map(|_| width / heads)
        });
        let d_head = self.head_dim.or(divided);
        Some(ModelShape {
            d_model,
            n_layers,
            n_heads,
            n_kv_heads,
            d_head,
            source,
        })
    }
}

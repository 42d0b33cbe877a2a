//! The model's dimensions, from a run's config files.
//!
//! Every library has names of its own for them, and some files hold several models. Files are read
//! leniently: what one dimension says wrongly spoils that one alone. Dimensions of one file are
//! those of one model, never of a mixture.

mod json;
pub(crate) mod of_steps;

use std::cmp::Reverse;
use std::collections::BTreeSet;

use ckptscope_vocabulary::HeadShape;
use serde_json::{Map, Value};

use super::{ModelShape, Step};
use crate::text;
use crate::tree::{FileEntry, Tree};
use crate::yaml;

/// The config files that are looked for, the surest first.
const CONFIGS: &[(&str, Parse)] = &[
    ("training_config.yaml", training_config),
    ("config.json", json::read),
    // Beside Meta's and Mistral's own weights.
    ("params.json", json::read),
];

/// So many files of one name are looked at until one says something, the nearest to the weights
/// first.
const NEAREST: usize = 2;

/// Longer config files are passed over.
const CONFIG_LIMIT_BYTES: u64 = 1024 * 1024;

type Parse = fn(&str) -> Result<Value, String>;

/// What the config of a model says besides dimensions, of the part that describes its text model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelConfig {
    /// The type of the model, as libraries name it: `llama`.
    pub model_type: Option<String>,
    /// Every key.
    keys: Map<String, Value>,
}

impl ModelConfig {
    /// Of the keys of a config.
    #[must_use]
    pub fn of(keys: Map<String, Value>) -> Self {
        let model_type = keys.get("model_type").and_then(Value::as_str);
        Self {
            model_type: model_type.filter(|it| !it.is_empty()).map(str::to_owned),
            keys,
        }
    }

    /// The answer of a key that says yes or no.
    #[must_use]
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.keys.get(key)?.as_bool()
    }

    /// The whole number of a key.
    #[must_use]
    pub fn size(&self, key: &str) -> Option<u64> {
        whole(self.keys.get(key)?)
    }

    /// The text of a key.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<&str> {
        self.keys.get(key)?.as_str()
    }

    /// The config of a part of the model: `attn_config`.
    #[must_use]
    pub fn part(&self, key: &str) -> Option<Self> {
        self.keys.get(key)?.as_object().cloned().map(Self::of)
    }

    /// Whether layers have lost heads.
    #[must_use]
    pub fn has_pruned_heads(&self) -> bool {
        let by_layer = self.keys.get("pruned_heads").and_then(Value::as_object);
        let mut lost = by_layer.into_iter().flat_map(Map::values);
        lost.any(|heads| heads.as_array().is_none_or(|heads| !heads.is_empty()))
    }

    /// Whether a key says anything.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.keys.get(key).is_some_and(|value| !value.is_null())
    }
}

/// What is known of a model.
pub(crate) type Model = (ModelShape, ModelConfig);

/// The dimensions that the first config file says that says the number of heads; without one, the
/// first that says any. Where that file names no type of model, another may: of the same model.
/// What is broken is a warning.
pub(super) async fn find(
    tree: &dyn Tree,
    steps: &[Step],
    warnings: &mut Vec<String>,
) -> Option<Model> {
    let mut found = first(tree, steps, warnings).await?;
    let source = found.0.source.as_str();
    let is_above = |step: &Step| {
        tree.entry(source)
            .is_some_and(|it| of_steps::is_above(it, step))
    };
    if !steps.iter().any(is_above) {
        warnings.push(format!(
            "the model's dimensions are taken from {source}, in whose folder no weights lie"
        ));
    }
    of_steps::compare(tree, steps, &mut found, warnings).await;
    Some(found)
}

async fn first(tree: &dyn Tree, steps: &[Step], warnings: &mut Vec<String>) -> Option<Model> {
    let mut known: Vec<Model> = Vec::new();
    for (file, parse) in candidates(tree, steps) {
        // Another step's file of that name says no more of the type.
        let of_heads = known.iter().find(|(shape, _)| has_heads(shape));
        if of_heads.is_some_and(|(shape, _)| name_of(&shape.source) == name_of(&file.path)) {
            continue;
        }
        let said = match read(tree, file, parse).await {
            Ok(said) => said,
            Err(reason) => {
                warnings.push(format!(
                    "the config is passed over: {reason}: {}",
                    file.path
                ));
                continue;
            }
        };
        let problems = said.problems.into_iter();
        warnings.extend(problems.map(|problem| format!("{problem}; passed over: {}", file.path)));
        let Some((mut shape, config)) = said.model else {
            continue;
        };
        shape.source.clone_from(&file.path);
        known.push((shape, config));
        let has_type = known.iter().any(|(_, config)| config.model_type.is_some());
        if has_type && known.iter().any(|(shape, _)| has_heads(shape)) {
            break;
        }
    }
    let of_heads = known.iter().position(|(shape, _)| has_heads(shape));
    let (shape, mut config) = known.get(of_heads.unwrap_or(0))?.clone();
    if config.model_type.is_none() {
        let mut typed = known
            .into_iter()
            .filter(|(_, other)| other.model_type.is_some());
        if let Some((other, of_type)) = typed.next() {
            match contradiction(&shape, &other) {
                None => config = of_type,
                Some(what) => warnings.push(format!("{what}; passed over: {}", other.source)),
            }
        }
    }
    Some((shape, config))
}

/// Where two files say different models.
fn contradiction(one: &ModelShape, other: &ModelShape) -> Option<String> {
    let mut both = [
        ("d_model", one.d_model, other.d_model),
        ("n_layers", one.n_layers, other.n_layers),
        ("n_heads", one.n_heads, other.n_heads),
        ("n_kv_heads", one.n_kv_heads, other.n_kv_heads),
        ("d_head", one.d_head, other.d_head),
    ]
    .into_iter();
    both.find_map(|(name, said, of_other)| {
        let (said, of_other) = said.zip(of_other).filter(|(one, other)| one != other)?;
        let source = &one.source;
        Some(format!("{name} is {of_other}, and {said} as {source} says"))
    })
}

/// What files were looked at for the number of heads, and what became of it, in words.
///
/// It reads the files again, so it is for when a dimension is missed.
pub(super) async fn account(tree: &dyn Tree) -> String {
    let mut told = Vec::new();
    for (file, parse) in candidates(tree, &[]) {
        let path = &file.path;
        told.push(match read(tree, file, parse).await {
            Err(reason) => format!("{path} was passed over, because {reason}"),
            Ok(Said {
                model:
                    Some((
                        ModelShape {
                            n_heads: Some(heads),
                            ..
                        },
                        _,
                    )),
                ..
            }) => format!("{path} says {heads}"),
            Ok(said) if said.problems.is_empty() => format!("{path} does not say it"),
            Ok(said) => format!("of {path}, {}", said.problems.join(" and ")),
        });
    }
    if told.is_empty() {
        let names: Vec<&str> = CONFIGS.iter().map(|(name, _)| *name).collect();
        return format!(
            "there is no {} beside the checkpoints",
            names.join(" and no ")
        );
    }
    told.join(", and ")
}

/// Whether a file may say the model's dimensions, as its name goes.
pub(super) fn is_config(path: &str) -> bool {
    CONFIGS.iter().any(|(name, _)| is_named(path, name))
}

/// The files that may say them, the surest first, and how each is read. Of one name those count
/// first whose folder the weights lie in, the deepest of these, and those of the first steps.
fn candidates<'a>(tree: &'a dyn Tree, steps: &[Step]) -> Vec<(&'a FileEntry, Parse)> {
    let is_above = |file: &FileEntry| steps.iter().any(|step| of_steps::is_above(file, step));
    let mut configs = tree.files().iter().filter(|file| is_config(&file.path));
    // Others are of other models, or of nothing that is measured.
    let has_above = configs.any(is_above);
    let of_name = |(name, parse): &(&str, Parse)| {
        let files = tree.files().iter();
        let files = files.filter(|file| is_named(&file.path, name));
        let mut files: Vec<&FileEntry> =
            files.filter(|file| !has_above || is_above(file)).collect();
        files.sort_by_cached_key(|file| {
            let depth = file.path.matches('/').count();
            let step = steps.iter().position(|step| of_steps::is_above(file, step));
            let nearest = step.map_or(0, |_| depth);
            (
                step.is_none(),
                Reverse(nearest),
                step,
                depth,
                file.path.clone(),
            )
        });
        files.truncate(NEAREST);
        let parse = *parse;
        files.into_iter().map(move |file| (file, parse))
    };
    CONFIGS.iter().flat_map(of_name).collect()
}

fn is_named(path: &str, name: &str) -> bool {
    name_of(path) == name
}

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

async fn read(tree: &dyn Tree, file: &FileEntry, parse: Parse) -> Result<Said, String> {
    if file.bytes > CONFIG_LIMIT_BYTES {
        let bytes = file.bytes;
        return Err(format!(
            "it has {bytes} bytes, the limit is {CONFIG_LIMIT_BYTES}"
        ));
    }
    let source = tree.open(&file.path).await;
    let source = source.map_err(|error| error.to_string())?;
    let length = source.bytes().min(CONFIG_LIMIT_BYTES);
    let content = source.read_at(0, length).await;
    let content = content.map_err(|error| error.to_string())?;
    let text = text::decode(&content).map_err(|error| error.to_string())?;
    Ok(Said::of(&parse(&text)?))
}

/// pico-train's `training_config.yaml`, of which only the model matters here.
fn training_config(text: &str) -> Result<Value, String> {
    let document = yaml::read(text).map_err(|error| error.to_string())?;
    let entries = document.as_map().unwrap_or_default();
    let mut entries = entries.iter();
    let model = entries.find(|(key, _)| key.as_text() == Some("model"));
    Ok(model.map_or(Value::Null, |(_, model)| json::of_yaml(model)))
}

/// What a config file says of a model.
struct Said {
    /// None where it says no dimension.
    model: Option<Model>,
    /// The keys that say something which is no dimension, in words.
    problems: Vec<String>,
}

/// Parts of a file that describe its language model, the surest first.
const TEXT_PARTS: &[&str] = &[
    "text_config",
    "llm_config",
    "language_config",
    "thinker_config",
    "model",
];

/// Parts in parts.
const DEPTH: usize = 4;

impl Said {
    fn of(document: &Value) -> Self {
        let mut parts = Vec::new();
        add_parts(document, DEPTH, &mut parts);
        let mut read: Vec<Part> = parts.iter().map(|part| Part::of(part)).collect();
        let with_heads = read.iter().position(|part| has_heads(&part.shape));
        let with_any = || read.iter().position(Part::says_anything);
        let Some(chosen) = with_heads.or_else(with_any) else {
            let problems = read.into_iter().flat_map(|part| part.problems);
            return Self {
                model: None,
                problems: problems.collect(),
            };
        };
        let others = parts.iter().flat_map(|part| other_models(part));
        let others: BTreeSet<String> = others.map(str::to_owned).collect();
        let keys = parts
            .get(chosen)
            .map_or_else(Map::new, |part| (*part).clone());
        let mut config = ModelConfig::of(keys);
        if config.model_type.is_none() {
            let of_whole = document.get("model_type").and_then(Value::as_str);
            config.model_type = of_whole.map(str::to_owned);
        }
        let mut part = read.swap_remove(chosen);
        part.shape.other_models = others.into_iter().collect();
        Self {
            model: Some((part.shape, config)),
            problems: part.problems,
        }
    }
}

/// The parts that may describe the language model, those within a part before it.
fn add_parts<'a>(value: &'a Value, depth: usize, parts: &mut Vec<&'a Map<String, Value>>) {
    let Value::Object(own) = value else {
        return;
    };
    if depth > 0 {
        for inner in TEXT_PARTS.iter().filter_map(|name| own.get(*name)) {
            add_parts(inner, depth - 1, parts);
        }
    }
    parts.push(own);
}

/// Models of images, of sound or of whatever else that a part of a file describes besides: what
/// stands before `_config` in their keys. Some say nothing but what is unusual about them.
fn other_models(part: &Map<String, Value>) -> impl Iterator<Item = &str> {
    let objects = part.iter().filter(|(_, value)| value.is_object());
    let others = objects.filter(|(name, _)| !TEXT_PARTS.contains(&name.as_str()));
    others
        .filter_map(|(name, _)| name.strip_suffix("_config"))
        .filter(|name| !NO_MODELS.contains(name))
}

/// What has a `_config` and is part of the same model, or may be the model itself.
const NO_MODELS: &[&str] = &[
    "attn",
    "ffn",
    "moe",
    "rope",
    "quantization",
    "compression",
    "generation",
    "base",
    "model",
    "transformer",
    "backbone",
    "encoder",
    "decoder",
    "layer",
    "block",
];

fn has_heads(shape: &ModelShape) -> bool {
    shape.n_heads.is_some() || shape.layers.values().any(|own| own.n_heads.is_some())
}

const D_MODEL: &[&str] = &[
    "d_model",
    "hidden_size",
    "n_embd",
    "n_embed",
    "model_dim",
    "embed_dim",
    "emb_dim",
    "dim",
];
const N_LAYERS: &[&str] = &[
    "n_layers",
    "num_hidden_layers",
    "n_layer",
    "num_layers",
    "num_transformer_layers",
];
const N_HEADS: &[&str] = &[
    "attention_n_heads",
    "num_attention_heads",
    "n_head",
    "n_heads",
    "num_heads",
    "num_query_heads",
    "num_q_heads",
    "attention_heads",
];
/// Heads of encoder-decoders, which count before others, and where both have as many.
const N_HEADS_OF_TWO: [&str; 2] = ["encoder_attention_heads", "decoder_attention_heads"];
const N_KV_HEADS: &[&str] = &[
    "attention_n_kv_heads",
    "num_key_value_heads",
    "num_kv_heads",
    "n_kv_heads",
    "n_head_kv",
    "kv_n_heads",
    "num_query_groups",
    "multi_query_group_num",
];
const D_HEAD: &[&str] = &[
    "head_dim",
    "d_head",
    "d_kv",
    "kv_channels",
    "head_size",
    "attention_head_size",
];

/// One part of a file: an object that may describe a model.
#[derive(Default)]
struct Part {
    shape: ModelShape,
    problems: Vec<String>,
}

/// What a key says.
enum Dimension {
    /// The same in all layers.
    One(u64),
    /// By layer; none where a layer has none.
    ByLayer(Vec<Option<u64>>),
}

impl Part {
    fn of(object: &Map<String, Value>) -> Self {
        let mut part = Self::default();
        part.shape.d_model = part.one(object, D_MODEL);
        part.shape.n_layers = part.one(object, N_LAYERS);
        part.shape.n_heads = part.n_heads(object);
        part.shape.n_kv_heads = part.n_kv_heads(object);
        part.shape.d_head = part
            .dimension(object, D_HEAD)
            .and_then(|widths| part.heads(widths, |own| &mut own.d_head));
        part
    }

    fn says_anything(&self) -> bool {
        let shape = &self.shape;
        let sizes = [shape.d_model, shape.n_layers, shape.n_heads, shape.d_head];
        sizes.iter().any(Option::is_some) || !shape.layers.is_empty()
    }

    /// What the first of some keys says that says something.
    fn dimension(&mut self, object: &Map<String, Value>, keys: &[&str]) -> Option<Dimension> {
        for key in keys {
            let Some(value) = object.get(*key).filter(|value| !value.is_null()) else {
                continue;
            };
            match Dimension::of(value) {
                Some(dimension) => return Some(dimension),
                None => self.problems.push(format!("{key} is {}", in_words(value))),
            }
        }
        None
    }

    /// A dimension that all layers have in common.
    fn one(&mut self, object: &Map<String, Value>, keys: &[&str]) -> Option<u64> {
        match self.dimension(object, keys)? {
            Dimension::One(size) => Some(size),
            Dimension::ByLayer(_) => {
                let key = keys.iter().find(|key| object.contains_key(**key));
                let key = key.copied().unwrap_or_default();
                self.problems
                    .push(format!("{key} differs from layer to layer"));
                None
            }
        }
    }

    /// A dimension of heads; where layers differ in it, it goes to the layers.
    fn heads(
        &mut self,
        dimension: Dimension,
        place: fn(&mut HeadShape) -> &mut Option<u64>,
    ) -> Option<u64> {
        let sizes = match dimension {
            Dimension::One(size) => return Some(size),
            Dimension::ByLayer(sizes) => sizes,
        };
        for (layer, size) in (0..).zip(sizes) {
            *place(self.shape.layers.entry(layer).or_default()) = size;
        }
        None
    }

    /// Encoder-decoders say the heads of both; where they differ, no number is that of all layers.
    fn n_heads(&mut self, object: &Map<String, Value>) -> Option<u64> {
        let of_all = self.dimension(object, N_HEADS);
        let of_all = of_all.and_then(|heads| self.heads(heads, |own| &mut own.n_heads));
        let key_of_all = N_HEADS.iter().find(|key| object.contains_key(**key));
        let own = N_HEADS_OF_TWO.map(|key| Some((key, self.one(object, &[key])?)));
        let mut own = own.into_iter().flatten();
        let Some((key, heads)) = own.next() else {
            return of_all;
        };
        let other = own.next().or(key_of_all.copied().zip(of_all));
        match other.filter(|(_, other)| *other != heads) {
            None => Some(heads),
            Some((name, other)) => {
                self.problems
                    .push(format!("{key} is {heads} and {name} is {other}"));
                None
            }
        }
    }

    /// How many key-value heads a file says, with what its class takes a missing flag for.
    ///
    /// Falcon's and BigCode's files say with a flag whether there is one or as many as heads,
    /// whatever number stands beside it. ChatGLM's number counts only with another flag.
    fn n_kv_heads(&mut self, object: &Map<String, Value>) -> Option<u64> {
        let says = |key: &str| object.get(key).and_then(Value::as_bool);
        let is_of = |key: &str, usual: bool| says(key).unwrap_or(usual);
        let is_grouped = is_of("new_decoder_architecture", false);
        let one_or_all = |is_one: bool| if is_one { Some(1) } else { self.shape.n_heads };
        let model_type = object.get("model_type").and_then(Value::as_str);
        let model_type = model_type.unwrap_or_default();
        if !is_of("multi_query_attention", model_type != "chatglm") {
            return self.shape.n_heads;
        }
        match model_type {
            "falcon" | "gpt_bigcode" | "RefinedWebModel" if !is_grouped => {
                return one_or_all(is_of("multi_query", true));
            }
            "RefinedWeb" if object.get("n_head_kv").is_none_or(Value::is_null) => {
                return one_or_all(is_of("multi_query", false));
            }
            "RefinedWeb" => {}
            _ if is_of("multi_query", false) && !is_grouped => return Some(1),
            _ => {}
        }
        let own = self.dimension(object, N_KV_HEADS);
        let of_attention = object.get("attn_config").and_then(Value::as_object);
        let heads = match own {
            Some(heads) => heads,
            None => self.dimension(of_attention?, N_KV_HEADS)?,
        };
        self.heads(heads, |own| &mut own.n_kv_heads)
    }
}

impl Dimension {
    /// A whole number, or a list with one for each layer.
    fn of(value: &Value) -> Option<Self> {
        let Value::Array(items) = value else {
            return whole(value).map(Self::One);
        };
        let size = |item: &Value| match item {
            Value::Null => Some(None),
            item => whole(item).map(|size| Some(size).filter(|size| *size > 0)),
        };
        let sizes: Vec<Option<u64>> = items.iter().map(size).collect::<Option<_>>()?;
        let first = sizes.first().copied()?;
        match first {
            Some(size) if sizes.iter().all(|other| *other == first) => Some(Self::One(size)),
            _ => Some(Self::ByLayer(sizes)),
        }
    }
}

/// A whole number, also where it is written as a fraction: `64.0`.
fn whole(value: &Value) -> Option<u64> {
    let of_fraction = || {
        // Beyond this not every whole number is a fraction.
        const LARGEST: f64 = 9_007_199_254_740_992.0;
        let number = value.as_f64()?;
        let is_whole = number.fract() == 0.0 && (0.0..=LARGEST).contains(&number);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole, not negative and small enough"
        )]
        is_whole.then_some(number as u64)
    };
    value.as_u64().or_else(of_fraction)
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "an empty list".to_owned(),
        Value::Array(_) => "a list of what are no whole numbers".to_owned(),
        Value::Object(_) => "a map, no whole number".to_owned(),
        Value::String(text) => format!("{}, no whole number", yaml::quoted(text)),
        other => format!("{other}, no whole number"),
    }
}

//! Small checkpoints that tests write.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Map, json};

/// A tensor of 32-bit floats.
pub(super) struct Tensor {
    pub name: String,
    pub shape: Vec<u64>,
    /// Its entries; none for zeros that are not written, so that the file has a hole there.
    pub entries: Option<Vec<f32>>,
}

impl Tensor {
    /// With entries between -1 and 1 that follow from the seed.
    pub(super) fn noise(name: &str, shape: [u64; 2], seed: u64) -> Self {
        let mut state = seed.wrapping_mul(2).wrapping_add(1);
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
        };
        Self {
            name: name.to_owned(),
            shape: shape.to_vec(),
            entries: Some((0..shape[0] * shape[1]).map(|_| next()).collect()),
        }
    }

    fn bytes(&self) -> u64 {
        4 * self.shape.iter().product::<u64>()
    }
}

/// Writes a safetensors file.
pub(super) fn write(path: &Path, tensors: &[Tensor]) -> Result<()> {
    let mut header = Map::new();
    let mut end = 0;
    for tensor in tensors {
        let begin = end;
        end += tensor.bytes();
        let entry = json!({"dtype": "F32", "shape": tensor.shape, "data_offsets": [begin, end]});
        header.insert(tensor.name.clone(), entry);
    }
    let header = serde_json::to_vec(&header)?;
    let mut file = File::create(path).with_context(|| path.display().to_string())?;
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for tensor in tensors {
        let start = file.stream_position()?;
        for entry in tensor.entries.iter().flatten() {
            file.write_all(&entry.to_le_bytes())?;
        }
        file.seek(SeekFrom::Start(start + tensor.bytes()))?;
    }
    let length = file.stream_position()?;
    Ok(file.set_len(length)?)
}

/// A model of two layers with names as llama's.
pub(super) fn llama() -> Vec<Tensor> {
    let layer = |layer: u64| {
        let matrices = [
            ("self_attn.q_proj", [32, 32]),
            ("self_attn.k_proj", [16, 32]),
            ("self_attn.v_proj", [16, 32]),
            ("self_attn.o_proj", [32, 32]),
            ("mlp.gate_proj", [64, 32]),
            ("mlp.up_proj", [64, 32]),
            ("mlp.down_proj", [32, 64]),
        ];
        matrices.map(|(name, shape)| {
            let name = format!("model.layers.{layer}.{name}.weight");
            let seed = layer * 100 + name.len() as u64;
            Tensor::noise(&name, shape, seed)
        })
    };
    let embedding = Tensor::noise("model.embed_tokens.weight", [128, 32], 7);
    std::iter::once(embedding)
        .chain([0, 1].into_iter().flat_map(layer))
        .collect()
}

/// Writes the model into a folder as one file, and gives its path.
pub(crate) fn write_whole(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("model.safetensors");
    write(&path, &llama())?;
    Ok(path)
}

/// Writes the model into a folder as two shards, with the index and the model's config.
pub(super) fn write_sharded(folder: &Path) -> Result<()> {
    let mut tensors = llama();
    let second = tensors.split_off(8);
    let mut places = Map::new();
    for (number, shard) in [(1, &tensors), (2, &second)] {
        let name = format!("model-{number:05}-of-00002.safetensors");
        write(&folder.join(&name), shard)?;
        places.extend(
            shard
                .iter()
                .map(|tensor| (tensor.name.clone(), json!(name))),
        );
    }
    let index = json!({"metadata": {"total_size": 0}, "weight_map": places});
    fs::write(
        folder.join("model.safetensors.index.json"),
        index.to_string(),
    )?;
    let config = json!({
        "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    });
    Ok(fs::write(folder.join("config.json"), config.to_string())?)
}

/// Writes a run in which much is wrong: two stacks of layers, a step that is half written, one
/// whose shards are not all there, one without weights, and one whose file is cut off.
pub(super) fn write_troubled(folder: &Path) -> Result<()> {
    let step = |name: &str| -> Result<PathBuf> {
        let step = folder.join(name);
        fs::create_dir_all(&step)?;
        Ok(step)
    };
    for name in ["checkpoint-100", "checkpoint-300", "tmp-checkpoint-600"] {
        write(
            &step(name)?.join("model.safetensors"),
            &encoder_and_decoder(),
        )?;
    }
    let shards = step("checkpoint-200")?;
    write_sharded(&shards)?;
    fs::remove_file(shards.join("model.safetensors.index.json"))?;
    fs::remove_file(shards.join("model-00002-of-00002.safetensors"))?;
    fs::write(step("checkpoint-400")?.join("optimizer.pt"), b"")?;
    let whole = step("checkpoint-300")?.join("model.safetensors");
    cut(&whole, &step("checkpoint-500")?.join("model.safetensors"))?;
    let last = step("checkpoint-700")?.join("model.safetensors");
    write(&last, &encoder_and_decoder())
}

/// A model of two stacks with names as T5's.
fn encoder_and_decoder() -> Vec<Tensor> {
    let stacks = ["encoder", "decoder"].into_iter();
    let layers = stacks.flat_map(|stack| [0, 1].map(|layer| (stack, layer)));
    let matrices = layers.flat_map(|(stack, layer)| {
        ["q", "k", "v", "o"].map(|matrix| {
            let name = format!("{stack}.block.{layer}.layer.0.SelfAttention.{matrix}.weight");
            Tensor::noise(&name, [32, 32], layer + name.len() as u64)
        })
    });
    matrices.collect()
}

/// A copy of a file without its end.
pub(super) fn cut(from: &Path, to: &Path) -> Result<()> {
    let bytes = fs::read(from).with_context(|| from.display().to_string())?;
    let half = bytes.get(..bytes.len() * 2 / 3).unwrap_or_default();
    fs::write(to, half).with_context(|| to.display().to_string())
}

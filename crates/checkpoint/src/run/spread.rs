//! Checkpoints that trainers spread over the files of several processes, known by their names.

use super::shards::ShardName;
use super::step_name::{is_number, part_of_model, rank_of_part};

/// A checkpoint that is no model's weights as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum SpreadCheckpoint {
    /// DeepSpeed's ZeRO: `zero_pp_rank_*`.
    #[error(
        "DeepSpeed spread the weights over ranks (ZeRO); make one file of them with \
         `python zero_to_fp32.py FOLDER OUTPUT`, which DeepSpeed writes beside the checkpoints"
    )]
    Zero,
    /// Tensor-parallel ranks: `mp_rank_00_model_states.pt`, `mp_rank_01`.
    #[error(
        "each rank of a tensor-parallel model has a part of every weight here; merge the ranks \
         first (Megatron: `tools/checkpoint/convert.py`, DeepSpeed: `ds_to_universal.py`)"
    )]
    TensorParallel,
    /// DeepSpeed's pipeline, or its experts: `layer_00-model_states.pt`.
    #[error(
        "DeepSpeed wrote a file per layer or expert here; make one file of them first (GPT-NeoX: \
         `tools/ckpts/convert_neox_to_hf.py`, DeepSpeed: `ds_to_universal.py`)"
    )]
    Pipeline,
    /// DeepSpeed's universal checkpoint: `zero/{tensor}/fp32.pt`.
    #[error(
        "a universal checkpoint of DeepSpeed, with a folder per tensor; give the checkpoint from \
         which it was made (`python zero_to_fp32.py FOLDER OUTPUT` makes one file of that)"
    )]
    Universal,
    /// Meta's `consolidated.00.pth`, `consolidated.01.pth`.
    #[error(
        "each `consolidated.NN` file has a part of every weight; make one checkpoint of them \
         first (`convert_llama_weights_to_hf.py` of transformers)"
    )]
    Consolidated,
    /// A PyTorch distributed checkpoint without its `.metadata`.
    #[error(
        "a PyTorch distributed checkpoint without its `.metadata`: the save was not finished, or \
         the hidden file was not copied; copy it too"
    )]
    DistributedWithoutMetadata,
    /// PyTorch's shards for Hugging Face: `shard-00001-model-00001-of-00001.safetensors`.
    #[error(
        "each `shard-*-model-*` file has one rank's parts of tensors; put them together first \
         (`HuggingFaceStorageWriter` with `enable_consolidation=True`, or \
         `consolidate_safetensors_files` of PyTorch)"
    )]
    Unconsolidated,
    /// Files that differ in the number of a part or layer: `pytorch_model_part_0.bin`.
    #[error(
        "each file has one part or layer of the weights, as its name says; put them into one file, \
         or write a shard index (`model.safetensors.index.json`)"
    )]
    Parts,
    /// A state dict per rank: `rank0.pt`.
    #[error(
        "each file is of one rank and has a part of the weights; save them gathered \
         (`state_dict` with `full_state_dict=True`), or merge the ranks first (verl: \
         `python -m verl.model_merger merge`)"
    )]
    Ranks,
}

/// What a file is a piece of, if it is one; two pieces of a kind make a [`SpreadCheckpoint`].
pub(super) fn piece_of(file: &str) -> Option<Piece> {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let is = |spread, alone| Some(Piece { spread, alone });
    if file.ends_with(".distcp") {
        return is(
            SpreadCheckpoint::DistributedWithoutMetadata,
            Alone::IsSpread,
        );
    }
    if stem.starts_with("zero_pp_rank_") || stem.contains("_zero_pp_rank_") {
        return is(SpreadCheckpoint::Zero, Alone::IsSpread);
    }
    if stem.starts_with("mp_rank_") {
        let alone = Alone::of_rank(rank_of_part(stem));
        return is(SpreadCheckpoint::TensorParallel, alone);
    }
    if stem.starts_with("layer_") && (stem.contains("-model_") || stem.contains("_expert_")) {
        return is(SpreadCheckpoint::Pipeline, Alone::IsSpread);
    }
    if file.starts_with("shard-") && file.contains("-model-") && file.contains("-of-") {
        return is(SpreadCheckpoint::Unconsolidated, Alone::IsSpread);
    }
    if let Some(number) = stem
        .strip_prefix("consolidated.")
        .filter(|it| is_number(it))
    {
        let alone = Alone::of_rank(number.parse().ok());
        return is(SpreadCheckpoint::Consolidated, alone);
    }
    let number = rank_of_part(stem).max(part_of_model(stem));
    let alone = Alone::of_rank(rank_of_part(stem));
    let is_called_so = RANK_NAMES.iter().any(|word| {
        let number = stem.strip_prefix(word);
        number.is_some_and(is_number)
    });
    if is_called_so || alone == Alone::IsSpread {
        return is(SpreadCheckpoint::Ranks, Alone::of_rank(number));
    }
    let part = part_of_model(stem).filter(|_| ShardName::of(file).is_none())?;
    is(SpreadCheckpoint::Parts, Alone::of_rank(Some(part)))
}

/// What stands before the only number in the names of ranks' files.
const RANK_NAMES: &[&str] = &[
    "rank",
    "rank_",
    "model_rank_",
    "model-rank",
    "model_rank",
    "shard_",
    "rank-",
];

/// What a folder's name says that its weights are a part of, whatever lies beside it: `mp_rank_01`,
/// `tp1`, `shard_1`.
pub(super) fn part_alone(folder: &str) -> Option<SpreadCheckpoint> {
    let is_later = |number: Option<u64>| number.is_some_and(|number| number > 0);
    if is_later(rank_of_part(folder)) {
        return Some(match is_rank_folder(folder) {
            true => SpreadCheckpoint::TensorParallel,
            false => SpreadCheckpoint::Ranks,
        });
    }
    is_later(part_of_model(folder)).then_some(SpreadCheckpoint::Parts)
}

/// A folder of one rank, as Megatron makes them: `mp_rank_00_001`, `tp_rank_00_pp_rank_000`.
pub(super) fn is_rank_folder(name: &str) -> bool {
    let starts = ["mp_rank_", "tp_rank_", "pp_rank_"];
    starts.iter().any(|start| name.starts_with(start))
}

/// What a file is a piece of.
#[derive(Clone, Copy)]
pub(super) struct Piece {
    pub(super) spread: SpreadCheckpoint,
    pub(super) alone: Alone,
}

/// What a piece is where it is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// A whole model: there was one rank.
    IsWhole,
    /// A piece still.
    IsSpread,
}

impl Alone {
    /// Of a rank's file: the first rank has a whole model where it is the only one.
    fn of_rank(rank: Option<u64>) -> Self {
        match rank {
            Some(rank) if rank > 0 => Self::IsSpread,
            _ => Self::IsWhole,
        }
    }
}

//! Which files of a folder are a model's weights, as their names say.

use std::collections::{BTreeMap, BTreeSet};

use super::folder::recorded_as;
use super::shards::{ShardName, ShardSet};
use super::spread::{Alone, Piece, SpreadCheckpoint, piece_of};
use super::step_name::{step_number, without_part, without_rank};
use super::trouble::{StepTrouble, listed};
use ckptscope_vocabulary::sort::sort_by;

/// Endings of checkpoint files; of two files that differ in it the first counts.
const ENDINGS: &[&str] = &[
    ".safetensors",
    ".pt",
    ".pth",
    ".bin",
    ".ckpt",
    ".pth.tar",
    ".pt.tar",
    ".ckpt.tar",
    ".tar",
];

/// How shard indexes end, after the ending of their shards.
pub(super) const SHARD_INDEX: &str = ".index.json";

/// What describes the tensors of a PyTorch distributed checkpoint, whose files end in `.distcp`.
pub(super) const METADATA: &str = ".metadata";

/// Words in the names of files that trainers write beside a model's weights.
const AUXILIARY: &[&str] = &[
    "optimizer",
    "optim_states",
    "scheduler",
    "rng_state",
    "training_args",
    "scaler",
];

/// What names of files of optimizers begin with.
const OPTIMIZERS: &[&str] = &["opt", "optim"];

/// Words in the names of averaged weights.
const AVERAGES: &[&str] = &["ema", "swa", "averaged", "average", "avg"];

/// The weights of one checkpoint in a folder: a file, or shards.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    /// Its name without number of shard and ending: `model`, `step_100`.
    pub(super) stem: &'a str,
    /// What its name makes of it.
    role: Role,
    /// Which ending it has, by [`ENDINGS`].
    ending: usize,
    /// The names of its files, in shard order.
    pub(super) files: Vec<&'a str>,
    /// The name of its shard index.
    pub(super) index: Option<&'a str>,
    /// Why it cannot be read.
    pub(super) trouble: Option<StepTrouble>,
}

/// What a file's name makes of it, the surest to be the weights first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Role {
    /// `model`, as Hugging Face calls it.
    Model,
    /// `pytorch_model`, as it was called before.
    FormerModel,
    /// A name with the word `model`.
    SomeModel,
    /// Any other.
    Other,
    /// The average of weights over steps.
    Average,
}

/// Whether a file's name ends as checkpoints do.
pub(crate) fn is_checkpoint(file: &str) -> bool {
    ending_of(file).is_some()
}

/// Whether a file is an optimizer's or a trainer's state.
pub(crate) fn is_auxiliary(file: &str) -> bool {
    let name = file.rsplit('/').next().unwrap_or(file);
    let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
    // The models that are called OPT have their size behind the name: `opt-125m`, `opt-1.3b`.
    let behind = name.to_ascii_lowercase();
    let behind = behind.split_once("opt-").map_or("", |(_, behind)| behind);
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let size = behind.trim_start_matches(is_number);
    let unit = size.strip_prefix(['m', 'b']);
    let is_whole = unit.is_some_and(|rest| !rest.starts_with(char::is_alphanumeric));
    let is_model = size.len() < behind.len() && is_whole;
    let is_optimizer =
        |word: &str| OPTIMIZERS.contains(&word.to_ascii_lowercase().as_str()) && !is_model;
    AUXILIARY.iter().any(|word| file.contains(word))
        || words.next().is_some_and(is_optimizer)
        || !name.contains("model") && words.any(is_optimizer)
}

/// Whether a folder of a step has a trainer's state and no model: `optimizer_0`.
pub(super) fn is_auxiliary_folder(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let mut words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let first = words.next().unwrap_or_default();
    let is_auxiliary = AUXILIARY.contains(&first) || OPTIMIZERS.contains(&first);
    is_auxiliary && !lower.contains("model")
}

/// A file's name without the ending of checkpoints.
pub(super) fn stem_of(file: &str) -> &str {
    ending_of(file).map_or(file, |(stem, _)| stem)
}

/// The stem and the rank of the ending, the longest there is.
fn ending_of(file: &str) -> Option<(&str, usize)> {
    let endings = ENDINGS.iter().enumerate();
    let without = |ending: &str| {
        let (stem, own) = file.split_at_checked(file.len().checked_sub(ending.len())?)?;
        own.eq_ignore_ascii_case(ending).then_some(stem)
    };
    let stems = endings.filter_map(|(rank, ending)| Some((without(ending)?, rank)));
    stems.min_by_key(|(stem, _)| stem.len())
}

/// Whether a file may be a model's weights.
fn may_be_weights(file: &str) -> bool {
    is_checkpoint(file) && !is_auxiliary(file) && recorded_as(file).is_none()
}

/// The checkpoints among the files of one folder, sorted by name.
pub(super) fn candidates<'a>(files: &[&'a str]) -> Vec<Candidate<'a>> {
    let weights: Vec<&str> = files
        .iter()
        .copied()
        .filter(|it| may_be_weights(it))
        .collect();
    let mut found: Vec<Candidate<'_>> = indexed(files, &weights);
    let of_index: Vec<&str> = found.iter().flat_map(|it| it.files.clone()).collect();
    let rest = weights
        .iter()
        .copied()
        .filter(|file| !of_index.contains(file));
    let (pieces, rest): (Vec<&str>, Vec<&str>) = rest.partition(|it| piece_of(it).is_some());
    let (shards, whole): (Vec<&str>, Vec<&str>) =
        rest.iter().partition(|it| ShardName::of(it).is_some());
    found.extend(sets(&shards));
    let distributed = files
        .iter()
        .copied()
        .filter(|file| file.ends_with(".distcp"));
    let distributed: Vec<&str> = distributed.collect();
    let metadata = files.iter().find(|file| **file == METADATA);
    match metadata.filter(|_| !distributed.is_empty()) {
        Some(metadata) => {
            found.push(Candidate::of_distributed(metadata, distributed));
            found.extend(spread(pieces.into_iter()));
        }
        None => found.extend(spread(pieces.into_iter().chain(distributed))),
    }
    found.extend(whole.into_iter().map(Candidate::of_file));
    sort_by(&mut found, |one, other| one.stem.cmp(other.stem));
    found
}

/// The weights among the checkpoints of one folder or of one step, and the others. None where
/// there is none.
pub(super) fn chosen(
    mut candidates: Vec<Candidate<'_>>,
) -> Option<(Candidate<'_>, Vec<Candidate<'_>>)> {
    let best = candidates.iter().map(|it| it.role).min()?;
    let of_best = |it: &Candidate<'_>| it.role == best;
    // A whole file before shards, of which it may be the former or the later form.
    let single = |it: &Candidate<'_>| of_best(it) && it.files.len() == 1 && it.trouble.is_none();
    let only = |is_it: &dyn Fn(&Candidate<'_>) -> bool| {
        let mut places = (0..candidates.len()).filter(|place| is_it(&candidates[*place]));
        places.next().filter(|_| places.next().is_none())
    };
    let safetensors = |it: &Candidate<'_>| of_best(it) && it.ending == 0;
    // `x` before its variants `x.fp16`.
    let stems = candidates.iter().filter(|it| of_best(it)).map(|it| it.stem);
    let base = stems
        .clone()
        .min_by_key(|stem| stem.len())
        .unwrap_or_default();
    let is_variant = |stem: &str| {
        let rest = stem.strip_prefix(base);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let are_variants = stems.clone().all(is_variant);
    let of_base = |it: &Candidate<'_>| of_best(it) && it.stem == base;
    let first_ending = candidates.iter().filter(|it| of_base(it));
    let first_ending = first_ending.map(|it| it.ending).min();
    let is_named = best <= Role::FormerModel;
    let place = only(&of_best)
        .or_else(|| is_named.then(|| only(&single)).flatten())
        .or_else(|| only(&safetensors))
        .or_else(|| {
            let is_first = |it: &Candidate<'_>| of_base(it) && Some(it.ending) == first_ending;
            are_variants.then(|| only(&is_first)).flatten()
        });
    if let Some(place) = place {
        let chosen = candidates.remove(place);
        return Some((chosen, candidates));
    }
    let (mut tied, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(of_best);
    let trouble = if differ_in(&tied, without_rank) {
        SpreadCheckpoint::Ranks.into()
    } else if differ_in(&tied, without_part) {
        SpreadCheckpoint::Parts.into()
    } else {
        let names = tied.iter().flat_map(|it| it.files.iter().copied());
        StepTrouble::SeveralFiles {
            files: listed(names),
        }
    };
    let first = tied.first_mut()?;
    first.trouble = Some(trouble);
    Some((tied.swap_remove(0), others))
}

/// Whether the names of candidates differ in that alone which `without` leaves out.
fn differ_in(candidates: &[Candidate<'_>], without: fn(&str) -> Option<String>) -> bool {
    let names: BTreeSet<_> = candidates.iter().map(|it| without(it.stem)).collect();
    names.len() == 1 && !names.contains(&None)
}

impl<'a> Candidate<'a> {
    fn of_file(file: &'a str) -> Self {
        let (stem, ending) = ending_of(file).unwrap_or((file, ENDINGS.len()));
        Self {
            stem,
            role: Role::of(stem),
            ending,
            files: vec![file],
            index: None,
            trouble: None,
        }
    }

    /// A distributed checkpoint: its metadata and the files that have the chunks.
    fn of_distributed(metadata: &'a str, chunks: Vec<&'a str>) -> Self {
        Self {
            stem: metadata,
            role: Role::SomeModel,
            ending: ENDINGS.len(),
            files: std::iter::once(metadata).chain(chunks).collect(),
            index: None,
            trouble: None,
        }
    }

    /// A set of shards without an index.
    fn of_set(set: &ShardSet<'a>) -> Self {
        let files: Vec<&str> = set.paths.values().copied().collect();
        let ending = format!("x{}", set.name.ending);
        let trouble = (!set.is_whole()).then(|| StepTrouble::MissingShards {
            set: set.in_words(),
        });
        Self {
            stem: set.name.stem,
            role: Role::of(set.name.stem),
            ending: ending_of(&ending).map_or(ENDINGS.len(), |(_, ending)| ending),
            files,
            index: None,
            trouble,
        }
    }
}

impl Role {
    /// Of a name without ending.
    pub(super) fn of(stem: &str) -> Self {
        let mut words = stem.split(|c: char| !c.is_ascii_alphanumeric());
        let is_average = |word: &str| AVERAGES.contains(&word.to_ascii_lowercase().as_str());
        match stem {
            "model" => Self::Model,
            "pytorch_model" => Self::FormerModel,
            _ if words.clone().any(is_average) => Self::Average,
            _ if words.any(|word| word.eq_ignore_ascii_case("model")) => Self::SomeModel,
            _ => Self::Other,
        }
    }
}

/// Shard indexes, each with the files that may be its shards.
fn indexed<'a>(files: &[&'a str], weights: &[&'a str]) -> Vec<Candidate<'a>> {
    let (mut found, mut claimed) = (Vec::new(), Vec::new());
    for index in files
        .iter()
        .copied()
        .filter(|file| file.ends_with(SHARD_INDEX))
    {
        let whole = index.strip_suffix(SHARD_INDEX).unwrap_or(index);
        let Some((stem, ending)) = ending_of(whole) else {
            continue;
        };
        let numbered = weights.iter().copied().filter(|file| {
            let shard = ShardName::of(file);
            shard.is_some_and(|it| {
                it.set.stem == stem && ending_of(file).map(|it| it.1) == Some(ending)
            })
        });
        let numbered: Vec<&str> = numbered.collect();
        let role = Role::of(stem);
        // Shards of a model may have any names, but for those of steps and of other models.
        let may_be_shard = |file: &&str| {
            let is_alike = ending_of(file).map(|it| it.1) == Some(ending) && *file != whole;
            let is_own = step_number(stem_of(file)).is_some() || ShardName::of(file).is_some();
            role <= Role::FormerModel && is_alike && !is_own && !claimed.contains(file)
        };
        let files: Vec<&str> = match numbered.is_empty() {
            false => numbered,
            true => weights.iter().copied().filter(may_be_shard).collect(),
        };
        claimed.extend(files.iter().copied());
        found.push(Candidate {
            stem,
            role,
            ending,
            files,
            index: Some(index),
            trouble: None,
        });
    }
    found
}

/// The sets of shards without an index. Of one stem a whole set comes before those that lack
/// shards; several whole ones are told.
fn sets<'a>(shards: &[&'a str]) -> Vec<Candidate<'a>> {
    let mut by_name: BTreeMap<(&str, &str), Vec<ShardSet<'a>>> = BTreeMap::new();
    for set in ShardSet::among(shards.iter().copied()) {
        let name = (set.name.stem, set.name.ending);
        by_name.entry(name).or_default().push(set);
    }
    let candidate = |sets: Vec<ShardSet<'a>>| {
        let first = sets.iter().position(ShardSet::is_whole).unwrap_or_default();
        let mut candidate = Candidate::of_set(sets.get(first)?);
        if sets.len() > 1 {
            let words: Vec<String> = sets.iter().map(ShardSet::in_words).collect();
            candidate.trouble = Some(StepTrouble::SeveralSets {
                sets: words.join(" and "),
            });
        }
        Some(candidate)
    };
    by_name.into_values().filter_map(candidate).collect()
}

/// A kind of spread checkpoint, and what the names of one save have in common.
type Kind = (SpreadCheckpoint, Option<String>);

/// Pieces of spread checkpoints: those of a kind are one checkpoint.
fn spread<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<Candidate<'a>> {
    let mut by_kind: BTreeMap<Kind, (Alone, Vec<&str>)> = BTreeMap::new();
    let pieces = pieces.filter_map(|file| Some((file, piece_of(file)?)));
    let pieces: Vec<(&str, Piece)> = pieces.collect();
    let is_pipeline = |(_, piece): &(&str, Piece)| piece.spread == SpreadCheckpoint::Pipeline;
    let has_pipeline = pieces.iter().any(is_pipeline);
    for (file, Piece { spread, alone }) in pieces {
        // Beside the files of layers, that of a rank has the trainer's state and no weights.
        let is_state = has_pipeline && spread == SpreadCheckpoint::TensorParallel;
        if !is_state {
            // Ranks and parts may have a file for each step.
            let save = match spread {
                SpreadCheckpoint::Ranks => without_rank(stem_of(file)),
                SpreadCheckpoint::Parts => without_part(stem_of(file)),
                _ => None,
            };
            let kind = by_kind.entry((spread, save));
            let (_, files) = kind.or_insert((alone, Vec::new()));
            files.push(file);
        }
    }
    let candidate = |((spread, _), (alone, files)): (Kind, (Alone, Vec<&'a str>))| {
        let mut candidate = Candidate::of_file(files.first()?);
        if files.len() > 1 || alone == Alone::IsSpread {
            candidate.files = files;
            candidate.trouble = Some(spread.into());
        }
        Some(candidate)
    };
    by_kind.into_iter().filter_map(candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::{candidates, chosen, is_auxiliary};

    /// The files that are chosen, or why they cannot be read.
    fn choice(files: &[&str]) -> Result<Vec<String>, String> {
        let chosen = chosen(candidates(files)).map(|(chosen, _)| chosen);
        let chosen = chosen.ok_or("nothing")?;
        match chosen.trouble {
            Some(trouble) => Err(trouble.to_string()),
            None => Ok(chosen.files.iter().map(|&file| file.to_owned()).collect()),
        }
    }

    #[test]
    fn the_name_decides_among_several() {
        for (files, expected) in [
            (
                &["model.safetensors", "pytorch_model.bin", "a.pt"][..],
                "model.safetensors",
            ),
            (
                &["ema_step_5.pt", "model_step_5.pt", "opt_step_5.pt"],
                "model_step_5.pt",
            ),
            (&["ema.pt", "weights.pt"], "weights.pt"),
            (&["ema_model.pt"], "ema_model.pt"),
            (&["a.pt", "a.safetensors"], "a.safetensors"),
            (&["a.bin", "b.safetensors"], "b.safetensors"),
            (&["step_5.ckpt", "step_5.pt"], "step_5.pt"),
            (&["model_optim_rng.pt"], "model_optim_rng.pt"),
            (&["model.pth.tar"], "model.pth.tar"),
            (&["MODEL.PT", "b.PT"], "MODEL.PT"),
            (&["x.fp16.safetensors", "x.safetensors"], "x.safetensors"),
            (
                &["x.fp16.bin", "x.bin", "x.fp16.safetensors", "x.safetensors"],
                "x.safetensors",
            ),
            (
                &["mp_rank_00_model_states.pt"],
                "mp_rank_00_model_states.pt",
            ),
        ] {
            assert_eq!(choice(files), Ok(vec![expected.to_owned()]), "{files:?}");
        }
        for files in [
            &["a.pt", "b.pt"][..],
            &["a.safetensors", "b.safetensors"],
            &["model_a.pt", "model_b.pt"],
        ] {
            let told = choice(files).unwrap_err();
            assert!(
                told.contains("several checkpoint files"),
                "{files:?}: {told}"
            );
        }
        assert!(choice(&["optimizer.pt", "opt_step_5.pt", "notes.txt"]).is_err());
    }

    #[test]
    fn shards_are_one_checkpoint() {
        let two = ["model-00000-of-00002.bin", "model-00001-of-00002.bin"];
        assert_eq!(choice(&two), Ok(two.map(str::to_owned).to_vec()));
        let told = choice(&two[..1]).unwrap_err();
        assert!(told.contains("1 of 2 there"), "{told}");
        let other = [
            "model-00000-of-00002.bin",
            "model-00001-of-00002.bin",
            "model-1-of-1.bin",
        ];
        let told = choice(&other).unwrap_err();
        assert!(
            told.contains("-of-1.bin") && told.contains("-of-2.bin"),
            "{told}"
        );
    }

    #[test]
    fn pieces_of_a_spread_checkpoint_are_told_as_such() {
        for (files, words) in [
            (
                &["zero_pp_rank_0_mp_rank_00_model_states.pt"][..],
                "zero_to_fp32.py",
            ),
            (
                &["mp_rank_00_model_states.pt", "mp_rank_01_model_states.pt"],
                "tensor-parallel",
            ),
            (&["layer_00-model_00-model_states.pt"], "per layer"),
            (
                &[
                    "layer_0_expert_0_mp_rank_00_model_states.pt",
                    "mp_rank_00_model_states.pt",
                ],
                "expert",
            ),
            (
                &["consolidated.00.pth", "consolidated.01.pth"],
                "consolidated",
            ),
            (&["__0_0.distcp", "__1_0.distcp"], ".metadata"),
            (&["rank0.pt", "rank1.pt"], "rank"),
            (
                &["pytorch_model_part_0.bin", "pytorch_model_part_1.bin"],
                "one part",
            ),
            (&["layer_00.pt", "layer_01.pt"], "one part"),
            (
                &["model_part-0-shard0.pt", "model_part-1-shard0.pt"],
                "one part",
            ),
            (
                &[
                    "layer_00-model_00-model_states.pt",
                    "mp_rank_00_model_states.pt",
                ],
                "per layer",
            ),
            (&["ep0-ba5-rank0.pt", "ep0-ba5-rank1.pt"], "rank"),
            (
                &[
                    "model_world_size_2_rank_0.pt",
                    "model_world_size_2_rank_1.pt",
                ],
                "model_merger",
            ),
        ] {
            let told = choice(files).unwrap_err();
            assert!(told.contains(words), "{files:?}: {told}");
        }
    }

    #[test]
    fn a_piece_alone_is_told_as_such() {
        for (file, words) in [
            ("shard-00001-model-00001-of-00001.safetensors", "shard-*"),
            ("consolidated.01.pth", "consolidated"),
            ("model_world_size_4_rank_0.pt", "one rank"),
            ("rank1.pt", "one rank"),
            ("tp_rank_1.pt", "one rank"),
            ("model-rank-1-part-0.safetensors", "one rank"),
            ("model-rank-0-of-2.safetensors", "one rank"),
            ("model_tp1.safetensors", "one rank"),
            ("model-mp1.pt", "one rank"),
            ("step_100_tp1.pt", "one rank"),
            ("shard_1.pt", "one rank"),
            ("model_rank1of2.pt", "one rank"),
            ("tp_size_2_rank_0.pt", "one rank"),
            ("tensor_parallel_1.pt", "one rank"),
            ("mp_rank_00_001.pt", "tensor-parallel"),
            ("model_part1.pt", "one part"),
            ("model.shard-1.pt", "one part"),
            ("checkpoint-model_part-1-shard0.pt", "one part"),
            ("model_1_of_2.pt", "1 of 2 there"),
            ("mp_rank_01_model_states.pt", "tensor-parallel"),
        ] {
            let told = choice(&[file]).unwrap_err();
            assert!(told.contains(words), "{file}: {told}");
        }
    }

    #[test]
    fn a_first_rank_alone_and_names_that_look_like_parts_are_whole() {
        for file in [
            "consolidated.00.pth",
            "rank0.pt",
            "ep0-ba5-rank0.pt",
            "lora_rank_16.pt",
            "model_part0.pt",
            "model_tp0_pp0.pt",
            "model_rank_0_of_1.pt",
            "model_tp_0_of_1.pt",
            "tp_size_1_rank_0.pt",
            "part2_step100.pt",
            "data_shard_3_step_100.pt",
            "mp3_model_step100.pt",
            "step_100_of_1000.pt",
            "epoch_1_of_3.pt",
            "run_1_of_5_step_100.pt",
        ] {
            assert!(choice(&[file]).is_ok(), "{file}");
        }
    }

    #[test]
    fn a_distributed_checkpoint_is_its_metadata_and_its_chunks() {
        let files = [
            ".metadata",
            "__0_0.distcp",
            "__1_0.distcp",
            "train_state.pt",
        ];
        assert_eq!(
            choice(&files),
            Ok(files[..3].iter().map(|it| (*it).to_owned()).collect())
        );
    }

    #[test]
    fn optimizers_are_no_weights() {
        for file in [
            "optimizer.pt",
            "opt_step_5.pt",
            "step_5_optim.pt",
            "a/optim.bin",
            "opt-100.bin",
        ] {
            assert!(is_auxiliary(file), "{file}");
        }
        for file in [
            "model_optim_rng.pt",
            "option.pt",
            "model.safetensors",
            "opt-125m.safetensors",
            "step5/opt-1.3b.bin",
        ] {
            assert!(!is_auxiliary(file), "{file}");
        }
    }
}

//! The step that a name says: `step_1000`, `epoch=0-step=100`, `checkpoint-20k`, `000100`.
//!
//! A number behind a step word is a step. Where no name has one, an epoch's number counts, or the
//! only number by which siblings differ; both are told, since they are assumptions. Dates and times
//! are no numbers: names are read as if they were not there.

use super::stamp;

/// Words before the number of a step, the surest first.
const STEP_WORDS: &[&str] = &[
    "step",
    "steps",
    "iter",
    "iteration",
    "iterations",
    "ba",
    "update",
    "updates",
    "checkpoint",
    "ckpt",
];

/// The step words that say what a file is, and not what is counted.
const KIND_WORDS: &[&str] = &["checkpoint", "ckpt"];

/// Words before a step word that make its number a setting of the run: `max_steps_1000`.
const SETTING_WORDS: &[&str] = &[
    "max",
    "warmup",
    "num",
    "total",
    "decay",
    "accum",
    "accumulation",
    "grad",
    "eval",
    "save",
    "log",
    "per",
    "every",
    "n",
    "batch",
];

const EPOCH_WORDS: &[&str] = &["epoch", "ep"];

/// Words before or behind a count of tokens.
const TOKEN_WORDS: &[&str] = &["tokens", "token"];

/// Words before numbers that tell parts of a model, or models, apart, and no steps.
const OTHER_WORDS: &[&str] = &[
    "rank",
    "shard",
    "part",
    "tp",
    "pp",
    "dp",
    "mp",
    "layer",
    "expert",
    "seed",
    "run",
    "trial",
    "fold",
    "version",
    "v",
    "gpu",
    "node",
    "worker",
    "head",
    "exp",
    "stage",
    "phase",
    "consolidated",
    "fsdp",
];

/// Words before the number of a process that has a part of a model.
const RANK_WORDS: &[&str] = &["rank", "tp", "pp", "mp", "parallel"];

/// Words before the number of a part of a model.
const PART_WORDS: &[&str] = &["part", "shard", "layer", "stage"];

/// Words behind the number of a step, wherever they stand: `1000steps`, `100_steps`.
const WORDS_BEHIND_STEPS: &[&str] = &["steps", "iters", "iterations", "its", "updates"];

/// Words behind the number of a step at the end of a name.
const LAST_WORDS_BEHIND_STEPS: &[&str] = &["step", "iter", "iteration", "update"];

/// Words of folders that hold a checkpoint, whose only number may be a step.
const CHECKPOINT_WORDS: &[&str] = &[
    "model",
    "models",
    "weights",
    "save",
    "saved",
    "saves",
    "snapshot",
    "snapshots",
    "state",
    "it",
    "hf",
    "policy",
];

/// A number in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberIn<'a> {
    /// What stands before it.
    pub(super) before: &'a str,
    /// The same without the dates directly before it: `checkpoint_` of `checkpoint_20240501_100`.
    undated: &'a str,
    /// What stands after it and its multiplier.
    pub(super) after: &'a str,
    /// The number, times thousand with `k` and a million with `M`; none where it is no whole
    /// number, goes on with letters, or is too large.
    pub(super) value: Option<u64>,
    /// Whether it is a date, maybe with a time of the day.
    pub(super) is_stamp: bool,
}

/// The step that a name says with a step word, before its number.
pub(crate) fn step_number(name: &str) -> Option<u64> {
    let numbers = numbers(name);
    numbers.get(place_of_step(name, &numbers)?)?.value
}

/// Which of a name's numbers is the step that it says with a step word.
pub(super) fn place_of_step(name: &str, numbers: &[NumberIn<'_>]) -> Option<usize> {
    let of_word = |word: &&str| {
        let place = numbers.iter().rposition(|number| number.is_behind(word))?;
        numbers.get(place)?.value.map(|_| place)
    };
    let before_word = || numbers.iter().rposition(NumberIn::is_before_steps);
    let found = STEP_WORDS.iter().find_map(of_word).or_else(before_word)?;
    Some(place_behind_epochs(name, numbers).unwrap_or(found))
}

/// The step of a name such as `checkpoint_3_500`, where it is the larger one of two numbers and an
/// epoch stands before it.
pub(super) fn steps_behind_epochs(name: &str) -> Option<u64> {
    let numbers = numbers(name);
    numbers.get(place_behind_epochs(name, &numbers)?)?.value
}

fn place_behind_epochs(name: &str, numbers: &[NumberIn<'_>]) -> Option<usize> {
    let mut places = (0..numbers.len()).filter(|place| !numbers[*place].is_stamp);
    let (first, second) = (places.next()?, places.next()?);
    let (epoch, steps) = (numbers.get(first)?, numbers.get(second)?);
    let between = name.get(epoch.before.len()..steps.before.len())?;
    let is_next = between.strip_suffix(['_', '-']).is_some_and(is_number);
    let is_last = places.next().is_none() && (steps.after.is_empty() || second + 1 < numbers.len());
    (epoch.is_of_kind() && is_next && is_last && steps.value? > epoch.value?).then_some(second)
}

/// The step of a name such as `step_1_500`, as Python writes thousands.
pub(super) fn steps_with_underscores(name: &str) -> Option<u64> {
    let with_underscore = |number: &NumberIn<'_>| {
        let written = name.get(number.before.len()..name.len() - number.after.len())?;
        number.value.filter(|_| written.contains('_'))
    };
    numbers(name).iter().find_map(with_underscore)
}

/// The step of a name such as `ckpt_20240501_1000`, whose number could be a time as well.
pub(super) fn steps_behind_dates(name: &str) -> Option<u64> {
    let numbers = numbers(name);
    let steps = numbers.get(place_of_step(name, &numbers)?)?;
    steps.value.filter(|_| steps.is_behind_date())
}

/// What a name has besides the number of a rank, where it has one.
pub(super) fn without_rank(name: &str) -> Option<String> {
    let numbers = numbers(name);
    let rank = numbers.iter().rfind(|number| number.is_of_rank())?;
    Some(format!("{}{}", rank.before, rank.after))
}

/// What a name has besides the numbers of parts, where it has some.
pub(super) fn without_part(name: &str) -> Option<String> {
    let numbers = numbers(name);
    let is_part = |number: &NumberIn<'_>| PART_WORDS.iter().any(|word| number.is_behind(word));
    let (mut rest, mut start) = (String::new(), 0);
    for part in numbers.iter().filter(|number| is_part(number)) {
        rest.push_str(name.get(start..part.before.len())?);
        start = name.len() - part.after.len();
    }
    (start > 0).then(|| rest + name.get(start..).unwrap_or_default())
}

/// The rank whose part of a model a name says it is, the highest of its kinds: `tp_rank_1`,
/// `model-rank-0-of-2`, `world_size_4_rank_0`, `mp_rank_00_001`. The first of several ranks is told
/// as one that cannot be alone, too.
pub(super) fn rank_of_part(name: &str) -> Option<u64> {
    // A rank of matrices.
    let lower = name.to_ascii_lowercase();
    if lower.contains("lora") || lower.contains("adapter") {
        return None;
    }
    let name = with_counts_apart(name);
    let numbers = numbers(&name);
    let value_behind = |word: &str| {
        let behind = numbers.iter().rfind(|number| number.is_behind(word));
        behind?.value
    };
    let from = behind_step(&name, &numbers);
    let of_rank = |(place, number): (usize, &NumberIn<'_>)| {
        let first = numbers.first().filter(|it| place == 1 && it.is_of_rank());
        let between = first.and_then(|it| number.before.get(it.before.len()..));
        let is_next = between
            .and_then(|it| it.strip_suffix('_'))
            .is_some_and(is_number);
        let is_stage = is_next && number.after.is_empty();
        let is_rank = number.is_behind("rank") || number.is_of_rank() && place >= from;
        number.value.filter(|_| is_rank || is_stage)
    };
    let rank = numbers.iter().enumerate().filter_map(of_rank).max()?;
    let ranks = value_behind("size").or(value_behind("of"));
    Some(match ranks {
        Some(ranks) if ranks > 1 => rank.max(1),
        _ => rank,
    })
}

/// The name with `1of2` as `1-of-2`, as letters that go on behind a number make it none.
fn with_counts_apart(name: &str) -> String {
    let mut apart = String::new();
    let mut start = 0;
    for (at, word) in name.match_indices("of") {
        let (before, after) = (name.get(start..at), name.get(at + word.len()..));
        let is_digit = |c: char| c.is_ascii_digit();
        let is_between = before.is_some_and(|it| it.ends_with(is_digit))
            && after.is_some_and(|it| it.starts_with(is_digit));
        if let Some(before) = before.filter(|_| is_between) {
            apart = apart + before + "-of-";
            start = at + word.len();
        }
    }
    apart + name.get(start..).unwrap_or_default()
}

/// The part of a model that a name says it is: `model_part1`, `model.shard-1`.
pub(super) fn part_of_model(name: &str) -> Option<u64> {
    let numbers = numbers(name);
    let behind = numbers.iter().skip(behind_step(name, &numbers));
    let is_part = |number: &&NumberIn<'_>| ["part", "shard"].iter().any(|it| number.is_behind(it));
    behind.filter(is_part).filter_map(|it| it.value).max()
}

/// The first of a name's numbers that may be a part's: in `part2_step100` the number before the
/// step tells phases of training or data apart, in `step100_part2` the one behind it parts.
fn behind_step(name: &str, numbers: &[NumberIn<'_>]) -> usize {
    place_of_step(name, numbers).map_or(0, |place| place + 1)
}

/// Whether a name's last number but one counts steps or epochs up to its last: `step_100_of_1000`.
pub(super) fn counts_up_to(before: &str) -> bool {
    let numbers = numbers(before);
    let last = numbers.last().filter(|number| number.after.is_empty());
    last.is_some_and(|number| {
        let is_step = STEP_WORDS.iter().any(|word| number.is_behind(word));
        is_step || number.is_epoch()
    })
}

/// Whether a number is one of those that may be counted in the place of steps.
pub(super) type IsCounted = fn(&NumberIn<'_>) -> bool;

/// Epochs, and then tokens.
pub(super) const COUNTED: [IsCounted; 2] = [|it| it.is_epoch(), |it| it.is_of_tokens()];

/// The epoch that a name says with a word for it.
pub(super) fn epoch_number(name: &str) -> Option<u64> {
    numbers(name).iter().find(|number| number.is_epoch())?.value
}

/// The epoch, or else the count of tokens, that a name says with a word for it.
pub(super) fn epoch_or_tokens(name: &str) -> Option<u64> {
    let numbers = numbers(name);
    COUNTED.iter().find_map(|is_it| {
        let mut found = numbers.iter().filter(|number| is_it(number));
        found.find_map(|number| number.value)
    })
}

/// The number that a name is, or ends in behind a separator, where it has no other.
pub(super) fn only_number(name: &str) -> Option<u64> {
    let mut numbers = numbers(name);
    numbers.retain(|number| !number.is_stamp);
    let [number] = numbers.try_into().ok()?;
    let is_last = number.after.is_empty();
    let is_step = number.stands_alone() && is_last && !number.is_behind_other_word();
    number.value.filter(|_| is_step)
}

/// Whether a name is a number and nothing else.
pub(super) fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a name says its step with a word such as `ckpt` only, behind which other numbers stand
/// as well.
pub(super) fn says_step_of_kind(name: &str) -> bool {
    let numbers = numbers(name);
    let step = place_of_step(name, &numbers).and_then(|place| numbers.get(place));
    step.is_some_and(NumberIn::is_of_kind)
}

/// The step of a name such as `ckpt_350M`, whose number may be the size of a model.
pub(super) fn steps_like_sizes(name: &str) -> Option<u64> {
    let numbers = numbers(name);
    let step = numbers.get(place_of_step(name, &numbers)?)?;
    let value = step.value.filter(|_| step.is_of_kind())?;
    let is_in_millions = name.get(..name.len() - step.after.len())?.ends_with('M');
    is_in_millions.then_some(value)
}

/// Whether a folder's name has a word of those that hold checkpoints.
pub(super) fn names_a_checkpoint(name: &str) -> bool {
    let mut words = words(name).map(str::to_ascii_lowercase);
    words.any(|word| {
        let mut known = CHECKPOINT_WORDS.iter().chain(KIND_WORDS);
        known.any(|known| *known == word)
    })
}

/// The words of a name: what stands between its digits and marks.
pub(super) fn words(name: &str) -> impl Iterator<Item = &str> {
    let words = name.split(|c: char| !c.is_alphabetic());
    words.filter(|word| !word.is_empty())
}

/// What a name has besides its numbers: names of one shape differ in numbers only.
pub(super) fn shape(name: &str) -> String {
    let mut shape = String::new();
    let mut start = 0;
    for number in numbers(name) {
        shape.push_str(name.get(start..number.before.len()).unwrap_or_default());
        shape.push('0');
        start = name.len() - number.after.len();
    }
    shape + name.get(start..).unwrap_or_default()
}

/// The steps of siblings of one shape, whose names differ in one number only, and its place among
/// their numbers; none where they differ otherwise.
pub(super) fn numbers_that_differ(names: &[&str]) -> Option<(usize, Vec<u64>)> {
    let all: Vec<Vec<NumberIn<'_>>> = names.iter().map(|name| numbers(name)).collect();
    let first = all.first()?;
    let differs = |place: &usize| {
        if first.get(*place).is_some_and(|number| number.is_stamp) {
            return false;
        }
        let values = all.iter().map(|numbers| Some(numbers.get(*place)?.value));
        let values: Vec<_> = values.collect();
        values.windows(2).any(|pair| pair[0] != pair[1])
    };
    let mut differing = (0..first.len()).filter(differs);
    let place = differing.next().filter(|_| differing.next().is_none())?;
    if first.get(place)?.is_behind_other_word() {
        return None;
    }
    let values = all.iter().map(|numbers| numbers.get(place)?.value);
    Some((place, values.collect::<Option<_>>()?))
}

pub(super) const SEPARATORS: [char; 6] = ['_', '-', '=', '.', ' ', '#'];

impl NumberIn<'_> {
    /// Whether the word stands directly before the number, but for a separator.
    pub(super) fn is_behind(&self, word: &str) -> bool {
        let before = self.undated;
        let before = before.strip_suffix(SEPARATORS).unwrap_or(before);
        let Some(start) = before.len().checked_sub(word.len()) else {
            return false;
        };
        let (Some(head), Some(tail)) = (before.get(..start), before.get(start..)) else {
            return false;
        };
        let is_word = tail.eq_ignore_ascii_case(word) && !head.ends_with(char::is_alphabetic);
        is_word && !ends_in_setting(head) && !self.is_stamp
    }

    /// Whether no letter stands directly before it: `100` and no `lr1`.
    pub(super) fn stands_alone(&self) -> bool {
        self.before.is_empty() || self.before.ends_with(SEPARATORS)
    }

    /// Whether a date stands directly before it.
    pub(super) fn is_behind_date(&self) -> bool {
        self.undated.len() < self.before.len()
    }

    /// Whether a word stands before it that says what a file is.
    fn is_of_kind(&self) -> bool {
        KIND_WORDS.iter().any(|word| self.is_behind(word))
    }

    /// Whether a word stands before it that counts steps and cannot count anything else.
    fn counts_steps(&self) -> bool {
        let mut words = STEP_WORDS.iter().filter(|word| !KIND_WORDS.contains(word));
        words.any(|word| self.is_behind(word))
    }

    /// The word directly behind it, and what stands behind that; none where the word may belong to
    /// the next number.
    fn word_behind(&self) -> Option<(String, &str)> {
        let rest = self.after.strip_prefix(SEPARATORS).unwrap_or(self.after);
        let letters = rest
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(rest.len());
        let (word, behind) = rest.split_at(letters);
        let is_of_next = behind
            .trim_start_matches(SEPARATORS)
            .starts_with(|c: char| c.is_ascii_digit());
        (!is_of_next).then(|| (word.to_ascii_lowercase(), behind))
    }

    /// Whether a word that counts steps stands directly behind it.
    fn is_before_steps(&self) -> bool {
        let is_word = self.word_behind().is_some_and(|(word, behind)| {
            let word = word.as_str();
            let is_last = behind.is_empty() && LAST_WORDS_BEHIND_STEPS.contains(&word);
            is_last || WORDS_BEHIND_STEPS.contains(&word)
        });
        let is_step = is_word && !self.is_stamp;
        is_step && !ends_in_setting(self.before) && !self.is_behind_other_word()
    }

    fn is_before_tokens(&self) -> bool {
        let word = self.word_behind();
        word.is_some_and(|(word, _)| TOKEN_WORDS.contains(&word.as_str())) && !self.is_stamp
    }

    /// Whether it counts tokens.
    pub(super) fn is_of_tokens(&self) -> bool {
        TOKEN_WORDS.iter().any(|word| self.is_behind(word)) || self.is_before_tokens()
    }

    /// Whether it tells parts of a model, or models, apart.
    pub(super) fn is_behind_other_word(&self) -> bool {
        OTHER_WORDS.iter().any(|word| self.is_behind(word))
    }

    /// Whether it is an epoch's.
    pub(super) fn is_epoch(&self) -> bool {
        EPOCH_WORDS.iter().any(|word| self.is_behind(word))
    }

    /// Whether it is that of one of several processes, each of which has a part of the model.
    pub(super) fn is_of_rank(&self) -> bool {
        RANK_WORDS.iter().any(|word| self.is_behind(word))
    }
}

/// Whether what stands before a step word or number makes it a setting of the run.
fn ends_in_setting(before: &str) -> bool {
    words(before).last().is_some_and(|last| {
        SETTING_WORDS.contains(&last.to_ascii_lowercase().as_str())
            && before.trim_end_matches(SEPARATORS).ends_with(last)
    })
}

/// The numbers of a name, in their order.
pub(super) fn numbers(name: &str) -> Vec<NumberIn<'_>> {
    let bytes = name.as_bytes();
    let digits_from = |start: usize| {
        let digits = bytes.get(start..).unwrap_or_default().iter();
        start + digits.take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut numbers: Vec<NumberIn<'_>> = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let whole = digits_from(start);
        if whole == start {
            start += 1;
            continue;
        }
        let before = name.get(..start).unwrap_or_default();
        let stamp = stamp::end(bytes.get(start..).unwrap_or_default());
        let end = start + stamp.unwrap_or_default();
        let mut number = NumberIn {
            before,
            undated: undated(before, numbers.last()),
            after: name.get(end..).unwrap_or_default(),
            value: None,
            is_stamp: false,
        };
        // Eight digits that a word for steps counts are a number.
        number.is_stamp = stamp.is_some_and(|length| {
            length > "20240501".len() || !(number.counts_steps() || number.is_before_steps())
        });
        if number.is_stamp {
            numbers.push(number);
            start = end;
            continue;
        }
        let whole = with_thousands(bytes, start, whole, b',');
        let whole = match number.counts_steps() {
            true => with_thousands(bytes, start, whole, b'_'),
            false => whole,
        };
        let end = match bytes.get(whole) {
            Some(b'.') if digits_from(whole + 1) > whole + 1 => digits_from(whole + 1),
            _ => whole,
        };
        let written = name.get(start..end).unwrap_or_default();
        let rest = name.get(end..).unwrap_or_default();
        // Behind the letter, which may be a billion's.
        number.after = rest.get(1..).unwrap_or_default();
        let (multiplier, after) = multiplier(rest, number.is_of_tokens());
        number.after = after;
        let goes_on = after.starts_with(char::is_alphanumeric);
        if !goes_on || number.is_before_steps() || number.is_before_tokens() {
            number.value = times(written, multiplier);
        }
        numbers.push(number);
        start = name.len() - after.len();
    }
    numbers
}

/// What stands before a number without the date behind which it stands, if there is one.
fn undated<'a>(before: &'a str, previous: Option<&NumberIn<'a>>) -> &'a str {
    let Some(stamp) = previous.filter(|it| it.is_stamp) else {
        return before;
    };
    // Of a name from the date on, as far as it stands before the number.
    let dated = before.get(stamp.before.len()..).unwrap_or_default();
    let length = stamp::end(dated.as_bytes()).unwrap_or_default();
    let between = dated.get(length..).unwrap_or_default();
    match between.trim_matches(SEPARATORS).is_empty() {
        true => stamp.undated,
        false => before,
    }
}

/// Where a number ends whose thousands have a mark between them, as in `1,000,000`.
fn with_thousands(bytes: &[u8], start: usize, mut end: usize, mark: u8) -> usize {
    if end - start > 3 || bytes.get(start) == Some(&b'0') {
        return end;
    }
    while let Some([first, digits @ ..]) = bytes.get(end..end + 4)
        && *first == mark
        && digits.iter().all(u8::is_ascii_digit)
        && !bytes.get(end + 4).is_some_and(u8::is_ascii_digit)
    {
        end += 4;
    }
    end
}

/// What a letter behind a number multiplies it by, and the rest of the name. `B` is a model's size,
/// but where tokens are counted.
fn multiplier(rest: &str, counts_tokens: bool) -> (u64, &str) {
    let by = match rest.as_bytes().first() {
        Some(b'k' | b'K') => 1_000,
        Some(b'M') => 1_000_000,
        Some(b'b' | b'B') if counts_tokens => 1_000_000_000,
        Some(b'T') if counts_tokens => 1_000_000_000_000,
        _ => return (1, rest),
    };
    let after = rest.get(1..).unwrap_or_default();
    match after.starts_with(char::is_alphanumeric) && !counts_tokens {
        true => (1, rest),
        false => (by, after),
    }
}

/// A number as it is written times a power of ten, where that is whole.
fn times(written: &str, by: u64) -> Option<u64> {
    let (whole, fraction) = written.split_once('.').unwrap_or((written, ""));
    let whole = whole.replace([',', '_'], "");
    let zeros = by.checked_ilog10().unwrap_or_default() as usize;
    let fraction = fraction.trim_end_matches('0');
    let missing = zeros.checked_sub(fraction.len())?;
    if written.contains('.') && by == 1 {
        return None;
    }
    format!("{whole}{fraction}{}", "0".repeat(missing))
        .parse()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::{
        epoch_or_tokens, numbers_that_differ, only_number, rank_of_part, shape, step_number,
        without_rank,
    };

    #[test]
    fn a_number_behind_a_step_word_counts() {
        for (name, step) in [
            ("step_70", 70),
            ("checkpoint-70", 70),
            ("global_step70", 70),
            ("iter_0000070", 70),
            ("iteration70", 70),
            ("step70-tokens4B", 70),
            ("stage1-step70-tokens4B", 70),
            ("epoch=0-step=70", 70),
            ("epoch=0-step=70-v1", 70),
            ("checkpoint_0_70_step_80", 80),
            ("step1000-unsharded", 1000),
            ("Step-70", 70),
            ("ep0-ba70", 70),
            ("step_20k", 20_000),
            ("step_2.5k", 2_500),
            ("step-1M", 1_000_000),
            ("step_1,000", 1_000),
            ("step_12,000,000.pt", 12_000_000),
            ("step_1,5", 1),
            ("checkpoint_3_500", 500),
            ("checkpoint_500_0", 500),
            ("ckpt-1-20k", 20_000),
            ("checkpoint_3_500_x", 3),
            ("step_3_500", 3_500),
            ("step_1_000", 1_000),
            ("step_12_000_000.pt", 12_000_000),
            ("step_1000_500", 1_000),
            ("step_3_50", 3),
            ("step_3_5000", 3),
            ("step_0_000", 0),
            ("checkpoint_3_1000-step_2_000", 2_000),
            ("me/run@step5", 5),
            ("100_steps", 100),
            ("1000steps", 1_000),
            ("model-20k-steps", 20_000),
            ("after-7-iterations-x", 7),
            ("epoch_3_step_100", 100),
            ("ckpt_2024-05-01_1000", 1_000),
            ("checkpoint_20240501_3_500", 500),
            ("checkpoint_3_500_20240501", 500),
            ("2024-05-01_12-00-00_ckpt_100", 100),
            ("checkpoint_2024-05-01_step100", 100),
            ("checkpoint-20100000", 20_100_000),
            ("step_20240501", 20_240_501),
            ("20240501_steps", 20_240_501),
        ] {
            assert_eq!(step_number(name), Some(step), "{name}");
        }
        for name in [
            "step",
            "footstep_5",
            "mystep5",
            "step_5b",
            "step_2.5",
            "step_0.5",
            "epoch_3",
            "model_1000",
            "step_99999999999999999999",
            "stepping-5",
            "max_steps_1000",
            "warmup-steps-100",
            "warmup_100_steps",
            "a-2-step-model",
            "batch-32",
            "batch_step_5",
            "ckpt-20240501-120000",
            "checkpoint-2024-05-01-12-00-00",
            "ckpt_2024_05_01",
            "step_2024-05-01",
            "",
        ] {
            assert_eq!(step_number(name), None, "{name}");
        }
    }

    #[test]
    fn epochs_and_lone_numbers() {
        for (name, number) in [
            ("epoch_10", 10),
            ("model-epoch=3-loss=0.25", 3),
            ("tokens-4B", 4_000_000_000),
            ("model-1.5B-tokens", 1_500_000_000),
            ("300Mtokens", 300_000_000),
            ("tokens_500", 500),
            ("tokens2B-epoch1", 1),
        ] {
            assert_eq!(epoch_or_tokens(name), Some(number), "{name}");
        }
        for name in ["deep_5", "model-10B", "tokens4Bx", "tokens_1e9", "b-tokens"] {
            assert_eq!(epoch_or_tokens(name), None, "{name}");
        }
        assert_eq!(only_number("000100"), Some(100));
        assert_eq!(only_number("model_1000"), Some(1000));
        assert_eq!(only_number("model_2024-05-01_1000"), Some(1000));
        for name in [
            "20240501",
            "gpt2",
            "a_1_2",
            "rank_0",
            "pythia-70m",
            "qwen2.5",
            "final",
        ] {
            assert_eq!(only_number(name), None, "{name}");
        }
    }

    #[test]
    fn names_of_ranks() {
        let one = without_rank("ep0-ba100-rank0");
        assert_eq!(one.as_deref(), Some("ep0-ba100-rank"));
        assert_eq!(one, without_rank("ep0-ba100-rank12"));
        assert_ne!(one, without_rank("ep0-ba200-rank0"));
        for (name, rank) in [
            ("rank1", Some(1)),
            ("rank0", Some(0)),
            ("ep0-ba5-rank0", Some(0)),
            ("tp_rank_1", Some(1)),
            ("model-rank-1-part-0", Some(1)),
            ("model-rank-0-of-2", Some(1)),
            ("model-rank-0-of-1", Some(0)),
            ("model_world_size_4_rank_0", Some(1)),
            ("model_world_size_1_rank_0", Some(0)),
            ("mp_rank_00_model_states", Some(0)),
            ("lora_rank_16", None),
            ("model", None),
        ] {
            assert_eq!(rank_of_part(name), rank, "{name}");
        }
        assert_eq!(without_rank("prank_5"), None);
        assert_eq!(only_number("consolidated.00"), None);
    }

    #[test]
    fn siblings_that_differ_in_one_number() {
        let differ = |names: &[&str]| numbers_that_differ(names).map(|(_, numbers)| numbers);
        assert_eq!(differ(&["m_100", "m_200"]), Some(vec![100, 200]));
        assert_eq!(differ(&["m2_100_x", "m2_20k_x"]), Some(vec![100, 20_000]));
        assert_eq!(differ(&["m_100"]), None);
        assert_eq!(shape("m2_20k_x"), shape("m3_100_x"));
        assert_ne!(shape("m_100"), shape("n_100"));
        assert_eq!(differ(&["m_1_100", "m_2_200"]), None);
        assert_eq!(differ(&["m-70m", "m-160m"]), None);
        assert_eq!(differ(&["seed_1", "seed_2"]), None);
        assert_eq!(differ(&["model-v1", "model-v2"]), None);
        assert_eq!(differ(&["phase1_x", "phase2_x"]), None);
        assert_eq!(differ(&["20240501", "20240502"]), None);
        assert_eq!(differ(&["m_20240501_1", "m_20240502_2"]), Some(vec![1, 2]));
        assert_eq!(differ(&["rank0", "rank1"]), None);
    }
}

//! Names of steps as patterns: `stage1-step{N}-tokens*`. Names of one pattern are one series.
//!
//! All of a name is kept but the step itself and numbers that count along with it, such as epochs,
//! tokens and losses. So a seed, a size, a stage or a model's name never differs within a series.

use super::step_name::{self, IsCounted, NumberIn, SEPARATORS, numbers, place_of_step};

/// What stands for the step in a pattern.
pub(crate) const STEP: &str = "{N}";

/// What stands for anything.
pub(crate) const ANYTHING: char = '*';

/// Words before numbers that count along with steps, or are measured at them.
const ALONG: &[&str] = &[
    "epoch",
    "epochs",
    "ep",
    "token",
    "tokens",
    "sample",
    "samples",
    "example",
    "examples",
    "loss",
    "acc",
    "accuracy",
    "ppl",
    "perplexity",
    "score",
    "reward",
    "bleu",
    "wer",
    "metric",
];

/// A step, and the pattern of the names that differ from its name in it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    /// The step.
    pub(crate) step: u64,
    /// The name, with `{N}` for the step and `*` for what counts along.
    pub(crate) pattern: String,
}

/// The step that a name says with a step word, and its pattern.
pub(crate) fn step_in(name: &str) -> Option<Named> {
    let numbers = numbers(name);
    let place = place_of_step(name, &numbers)?;
    let step = numbers.get(place)?.value?;
    // Before such a step stands an epoch.
    let has_epoch = step_name::steps_behind_epochs(name).is_some();
    let kind = |at: usize, number: &NumberIn<'_>| match at == place {
        true => Kind::Step,
        false if has_epoch => Kind::Along,
        false => Kind::of(number),
    };
    let pattern = written(name, &numbers, kind);
    Some(Named { step, pattern })
}

/// The first number of a name that is such a one, and its pattern.
pub(super) fn number_in(name: &str, is_it: IsCounted) -> Option<Named> {
    let numbers = numbers(name);
    let place = numbers.iter().position(is_it)?;
    let step = numbers.get(place)?.value?;
    let pattern = pattern_at(name, place);
    Some(Named { step, pattern })
}

/// The pattern of names whose step is the number at a place.
pub(super) fn pattern_at(name: &str, place: usize) -> String {
    let kind = |at: usize, number: &NumberIn<'_>| match at == place {
        true => Kind::Step,
        false => Kind::of(number),
    };
    written(name, &numbers(name), kind)
}

/// The name of a file or folder of one step, with `{N}` for its step. Other files of the step, and
/// parts of one file, keep their numbers.
pub(super) fn within_step(name: &str, step: u64) -> String {
    let kind = |_: usize, number: &NumberIn<'_>| match number.value == Some(step) {
        true if !number.is_behind_other_word() => Kind::Step,
        _ => Kind::of(number),
    };
    written(name, &numbers(name), kind)
}

/// The same pattern without the mark before the step: `step0` and `step_512` are called alike.
pub(super) fn without_mark(pattern: &str) -> String {
    let Some((before, after)) = pattern.split_once(STEP) else {
        return pattern.to_owned();
    };
    let is_behind_word = |before: &&str| before.ends_with(char::is_alphabetic);
    let without = before.strip_suffix(SEPARATORS).filter(is_behind_word);
    format!("{}{STEP}{after}", without.unwrap_or(before))
}

/// The same pattern without what a program may write anew at each step: dates, times of the day, and
/// decimals behind the step, which are losses. `ckpt_20240105_step_{N}`, `checkpoint_{N}_2.31`.
pub(super) fn steady(pattern: &str) -> String {
    let kind = |_: usize, number: &NumberIn<'_>| {
        let end = pattern.len() - number.after.len();
        let digits = pattern.get(number.before.len()..end).unwrap_or_default();
        // Four digits behind a date are a time where the step is another number.
        let is_time = number.is_behind_date() && digits.len() == "1230".len();
        let before = number.before.trim_end_matches(SEPARATORS);
        // Behind a word it could be a setting; before a letter, a size.
        let is_loss = digits.contains('.')
            && before.contains(STEP)
            && !before.ends_with(char::is_alphabetic)
            && !number.after.starts_with(char::is_alphanumeric);
        match number.is_stamp || is_time || is_loss {
            true => Kind::Along,
            false => Kind::Kept,
        }
    };
    written(pattern, &numbers(pattern), kind)
}

/// What a number of a name is in its pattern.
enum Kind {
    Step,
    /// It counts along, or it is a part's: another file of the same step.
    Along,
    Kept,
}

impl Kind {
    fn of(number: &NumberIn<'_>) -> Self {
        let counts_along = ALONG.iter().any(|word| number.is_behind(word));
        match counts_along || number.is_of_rank() {
            true => Self::Along,
            false => Self::Kept,
        }
    }
}

fn written(
    name: &str,
    numbers: &[NumberIn<'_>],
    kind: impl Fn(usize, &NumberIn<'_>) -> Kind,
) -> String {
    let mut pattern = String::new();
    let mut start = 0;
    for (at, number) in numbers.iter().enumerate() {
        let end = name.len() - number.after.len();
        // `4B`: the letter belongs to the number.
        let letters = number.after.bytes().take_while(u8::is_ascii_alphabetic);
        let (sign, end) = match kind(at, number) {
            Kind::Kept => continue,
            Kind::Step => (STEP.to_owned(), end),
            Kind::Along => (ANYTHING.to_string(), end + letters.count()),
        };
        pattern.push_str(name.get(start..number.before.len()).unwrap_or_default());
        pattern.push_str(&sign);
        start = end;
    }
    pattern + name.get(start..).unwrap_or_default()
}

/// The step of a name that fits a pattern, where `{N}` stands for the step and `*` for anything.
/// Without `{N}`, the name says the step as usual.
#[cfg(feature = "hub")]
pub(crate) fn fits(pattern: &str, name: &str) -> Option<u64> {
    match pattern.split_once(STEP) {
        None => {
            let step = matches(pattern, name).then(|| step_name::step_number(name));
            step.flatten()
        }
        Some((before, after)) => {
            let starts = name.char_indices().map(|(at, _)| at);
            starts.into_iter().find_map(|at| {
                let (head, rest) = name.split_at(at);
                let end = rest.find(|c: char| !c.is_ascii_digit());
                let (digits, tail) = rest.split_at(end.unwrap_or(rest.len()));
                // The whole number, not its last digits.
                let is_whole = !head.ends_with(|c: char| c.is_ascii_digit());
                let fits = is_whole && matches(before, head) && matches(after, tail);
                fits.then(|| digits.parse().ok()).flatten()
            })
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for anything.
#[cfg(feature = "hub")]
fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once(ANYTHING) else {
        return pattern == text;
    };
    let Some(mut left) = text.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = rest.split(ANYTHING).collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.split_once(part) {
            Some((_, after)) => left = after,
            None => return false,
        }
    }
    left.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::super::step_name::COUNTED;
    use super::{Named, number_in, steady, step_in, within_step, without_mark};

    #[test]
    fn only_the_step_and_what_counts_along_are_left_out() {
        for (name, step, pattern) in [
            ("step_70", 70, "step_{N}"),
            ("step_20k", 20_000, "step_{N}"),
            ("step_1,000", 1_000, "step_{N}"),
            ("stage2-step12-tokens1B", 12, "stage2-step{N}-tokens*"),
            ("pythia-160m-step200", 200, "pythia-160m-step{N}"),
            ("seed2-step300", 300, "seed2-step{N}"),
            ("run-2_ckpt-200", 200, "run-2_ckpt-{N}"),
            (
                "epoch=1-step=200-val_loss=1.99",
                200,
                "epoch=*-step={N}-val_loss=*",
            ),
            ("epoch=0-step=70-v1", 70, "epoch=*-step={N}-v1"),
            ("checkpoint_3_500", 500, "checkpoint_*_{N}"),
            ("checkpoint_500_0", 500, "checkpoint_{N}_0"),
            ("ep0-ba70-rank3", 70, "ep*-ba{N}-rank*"),
            ("ckpt_v2_step_5", 5, "ckpt_v2_step_{N}"),
            ("qwen2.5-step100", 100, "qwen2.5-step{N}"),
            ("from_step5_step10", 10, "from_step5_step{N}"),
            ("ckpt_20240501_100", 100, "ckpt_20240501_{N}"),
        ] {
            let pattern = pattern.to_owned();
            assert_eq!(step_in(name), Some(Named { step, pattern }), "{name}");
        }
        assert_eq!(step_in("final"), None);
        let epoch = number_in("epoch=01-val_loss=0.25", COUNTED[0]);
        assert_eq!(epoch.unwrap().pattern, "epoch={N}-val_loss=*");
        let tokens = number_in("m-10B-tokens", COUNTED[1]);
        assert_eq!(tokens.unwrap().pattern, "m-{N}-tokens");
    }

    #[test]
    fn names_in_a_steps_folder_may_repeat_the_step() {
        assert_eq!(within_step("model_100", 100), "model_{N}");
        assert_eq!(within_step("actor", 37), "actor");
        assert_eq!(within_step("mp_rank_00_x", 5), "mp_rank_*_x");
        assert_eq!(within_step("consolidated.00", 0), "consolidated.00");
        assert_eq!(within_step("model_2", 100), "model_2");
    }

    #[test]
    fn marks_before_steps_can_be_left_out() {
        for pattern in ["step_{N}", "step-{N}", "step{N}", "step={N}"] {
            assert_eq!(without_mark(pattern), "step{N}");
        }
        assert_eq!(without_mark("a_1_{N}-x"), "a_1_{N}-x");
    }

    #[test]
    fn dates_and_losses_can_be_left_out() {
        for (pattern, left) in [
            ("c_20240105_step_{N}", "c_*_step_{N}"),
            ("c_20240105-120000_{N}", "c_*_{N}"),
            ("c_2024-01-05-1200_{N}", "c_*-*_{N}"),
            ("{N}_2024-01-05T12:00:00", "{N}_*"),
            ("checkpoint_{N}_2.31", "checkpoint_{N}_*"),
            ("checkpoint_{N}_2.31_0.5.x", "checkpoint_{N}_*_*.x"),
        ] {
            assert_eq!(steady(pattern), left);
        }
        for pattern in [
            "seed_12345678_{N}",
            "ema_0.9999_{N}",
            "{N}_lr0.1",
            "{N}_lr_0.1",
            "{N}-1.4b",
            "{N}_2",
        ] {
            assert_eq!(steady(pattern), pattern);
        }
    }
}

//! Which shard a process computes: the number that its scheduler gave it.

use std::env;

use anyhow::Result;

use crate::Misuse;

/// The variables in which schedulers say it, and which number they give the first process. The
/// inner one goes first: HyperQueue's workers are jobs of another scheduler.
const VARIABLES: &[(&str, usize)] = &[
    ("HQ_TASK_ID", 0),
    ("SLURM_ARRAY_TASK_ID", 0),
    ("JOB_COMPLETION_INDEX", 0),
    ("PBS_ARRAY_INDEX", 0),
    ("LSB_JOBINDEX", 1),
];

/// The number given by the argument, else by the scheduler; among the shards of `among`, where
/// only some were submitted.
///
/// # Errors
/// [`Misuse`] where nobody says a number, or there are not so many.
pub(super) fn of(given: Option<usize>, among: Option<&Numbers>) -> Result<usize> {
    let place = match given {
        Some(index) => index,
        None => of_scheduler(|name| env::var(name).ok())?,
    };
    let Some(Numbers(among)) = among else {
        return Ok(place);
    };
    among.get(place).copied().ok_or_else(|| {
        let count = among.len();
        Misuse(format!(
            "--among has {count} shards, counted from 0; there is none at {place}"
        ))
        .into()
    })
}

fn of_scheduler(variable: impl Fn(&str) -> Option<String>) -> Result<usize> {
    for (name, first) in VARIABLES {
        let Some(text) = variable(name).filter(|text| !text.is_empty()) else {
            continue;
        };
        let number: Option<usize> = text.parse().ok();
        let index = number.and_then(|number| number.checked_sub(*first));
        return index.ok_or_else(|| {
            Misuse(format!(
                "{name} is {text:?}, which is no number of an array's task; give --index"
            ))
            .into()
        });
    }
    let names: Vec<&str> = VARIABLES.iter().map(|(name, _)| *name).collect();
    Err(Misuse(format!(
        "nobody says which shard to compute: give --index, or start this from an array job, which \
         sets {}",
        names.join(", ")
    ))
    .into())
}

/// Numbers of shards as people write them: `0-7,12`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbers(pub(crate) Vec<usize>);

impl Numbers {
    /// Reads them; for the command line.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no list of shards; give one as in 0-7,12");
        let mut numbers = Vec::new();
        for part in text.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let first: usize = first.trim().parse().map_err(|_| wrong())?;
            let last: usize = last.trim().parse().map_err(|_| wrong())?;
            if first > last || last > MOST {
                return Err(wrong());
            }
            numbers.extend(first..=last);
        }
        Ok(Self(numbers))
    }
}

/// No analysis has more shards.
pub(crate) const MOST: usize = 100_000;

/// `shard 3`, or `shards 0-7,12`.
pub(super) fn shards_in_words(numbers: &[usize]) -> String {
    let plural = if numbers.len() == 1 { "" } else { "s" };
    format!("shard{plural} {}", in_words(numbers))
}

/// Numbers, ascending, as people write them.
pub(super) fn in_words(numbers: &[usize]) -> String {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    let words = runs.iter().map(|(first, last)| match last - first {
        0 => first.to_string(),
        _ => format!("{first}-{last}"),
    });
    words.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::{Numbers, in_words, of, of_scheduler, shards_in_words};

    #[test]
    fn the_inner_scheduler_says_it() {
        let set = |all: &'static [(&str, &str)]| {
            move |name: &str| {
                let mut all = all.iter();
                let found = all.find(|(known, _)| *known == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        };
        let of = |all| of_scheduler(set(all)).map_err(|error| error.to_string());
        assert_eq!(of(&[("SLURM_ARRAY_TASK_ID", "7")]), Ok(7));
        let both = &[("SLURM_ARRAY_TASK_ID", "7"), ("HQ_TASK_ID", "3")];
        assert_eq!(of(both), Ok(3));
        assert_eq!(of(&[("JOB_COMPLETION_INDEX", "0")]), Ok(0));
        assert_eq!(of(&[("PBS_ARRAY_INDEX", "2")]), Ok(2));
        assert_eq!(of(&[("LSB_JOBINDEX", "1")]), Ok(0), "LSF counts from 1");
        let none = of(&[("LSB_JOBINDEX", "0")]).unwrap_err();
        assert!(none.contains("LSB_JOBINDEX is \"0\""), "{none}");
        let nobody = of(&[]).unwrap_err();
        assert!(nobody.contains("give --index"), "{nobody}");
    }

    #[test]
    fn numbers_are_written_as_they_are_read() {
        for text in ["0", "0-7", "0-7,12", "1,3,5-6"] {
            let Numbers(numbers) = Numbers::parse(text).unwrap();
            assert_eq!(in_words(&numbers), text);
        }
        for wrong in ["", "a", "3-1", "1,,2", "1-999999999"] {
            assert!(Numbers::parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(in_words(&[]), "");
        assert_eq!(shards_in_words(&[3]), "shard 3");
        assert_eq!(shards_in_words(&[3, 4]), "shards 3-4");
    }

    #[test]
    fn some_of_the_shards() {
        let some = Numbers(vec![4, 9]);
        assert_eq!(of(Some(1), Some(&some)).unwrap(), 9);
        assert!(of(Some(2), Some(&some)).is_err());
        assert_eq!(of(Some(2), None).unwrap(), 2);
    }
}

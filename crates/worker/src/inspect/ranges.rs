//! Many numbers in few words.

/// Fewer numbers than this with one distance are listed, more make a range.
const SHORTEST_RANGE: usize = 4;

/// Numbers in ascending order as a person would write them: `0, 1, 2, 4, 1000 to 9000 by 1000`.
pub(super) fn in_words(numbers: &[u64]) -> String {
    let words = ranges(numbers, SHORTEST_RANGE)
        .into_iter()
        .map(|range| match range {
            Range::One(number) => number.to_string(),
            Range::Of { first, last, by: 1 } => format!("{first} to {last}"),
            Range::Of { first, last, by } => format!("{first} to {last} by {by}"),
        });
    words.collect::<Vec<_>>().join(", ")
}

/// Numbers in ascending order as they stand in a grouped name: `0..11`, `0,2,5..7`.
pub(super) fn in_a_name(numbers: &[u64]) -> String {
    let words = ranges(numbers, 2)
        .into_iter()
        .flat_map(|range| match range {
            Range::One(number) => vec![number.to_string()],
            Range::Of { first, last, by: 1 } => vec![format!("{first}..{last}")],
            Range::Of { first, last, by } if (last - first) / by > 3 => {
                vec![format!("{first}..{last} by {by}")]
            }
            Range::Of { first, last, by } => (0..=(last - first) / by)
                .map(|index| (first + index * by).to_string())
                .collect(),
        });
    words.collect::<Vec<_>>().join(",")
}

enum Range {
    One(u64),
    Of { first: u64, last: u64, by: u64 },
}

/// Splits ascending numbers into ranges of at least `shortest` numbers, and single ones.
fn ranges(numbers: &[u64], shortest: usize) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut rest = numbers;
    while let [first, after @ ..] = rest {
        let (length, by) = same_distance(rest);
        if length >= shortest {
            let last = first + by * (length as u64 - 1);
            ranges.push(Range::Of {
                first: *first,
                last,
                by,
            });
            rest = rest.get(length..).unwrap_or_default();
        } else {
            ranges.push(Range::One(*first));
            rest = after;
        }
    }
    ranges
}

/// How many of the first numbers have one distance, and which.
fn same_distance(numbers: &[u64]) -> (usize, u64) {
    let mut distances = numbers
        .windows(2)
        .map(|pair| pair[1].saturating_sub(pair[0]));
    match distances.next() {
        None => (numbers.len(), 1),
        Some(by) => (
            2 + distances.take_while(|distance| *distance == by).count(),
            by,
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{in_a_name, in_words};

    #[test]
    fn steps() {
        assert_eq!(in_words(&[]), "");
        assert_eq!(in_words(&[7]), "7");
        assert_eq!(in_words(&[0, 1, 2]), "0, 1, 2");
        assert_eq!(in_words(&[0, 1, 2, 3]), "0 to 3");
        assert_eq!(
            in_words(&[0, 1, 2, 4, 8, 1000, 2000, 3000, 4000]),
            "0, 1, 2, 4, 8, 1000 to 4000 by 1000"
        );
    }

    #[test]
    fn layers() {
        assert_eq!(in_a_name(&[5]), "5");
        assert_eq!(in_a_name(&[0, 1]), "0..1");
        assert_eq!(in_a_name(&[0, 1, 2, 5]), "0..2,5");
        assert_eq!(in_a_name(&[0, 3, 6]), "0,3,6");
        assert_eq!(in_a_name(&[0, 3, 6, 9, 12]), "0..12 by 3");
        assert_eq!(in_a_name(&[1, u64::MAX]), format!("1,{}", u64::MAX));
    }
}

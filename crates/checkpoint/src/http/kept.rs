//! The parts of a file that are here already.
//!
//! The client keeps what it read of directories, up to 64 MiB of all files together, for all
//! threads. Nobody lists a file twice, and tensors within a window are not fetched again.

use std::ops::Range;

/// Parts of a file by position, none of them within another.
#[derive(Debug, Default)]
pub(super) struct Kept {
    parts: Vec<(u64, Vec<u8>)>,
}

impl Kept {
    /// What has to be fetched of a range: all of it but what is here of its beginning and its
    /// end.
    pub(super) fn missing(&self, range: Range<u64>) -> Range<u64> {
        let Range { mut start, mut end } = range;
        let holds = |position: u64| {
            let parts = self.parts.iter();
            let mut ranges = parts.map(|(from, bytes)| *from..*from + bytes.len() as u64);
            ranges.find(|part| part.contains(&position))
        };
        while start < end {
            let Some(part) = holds(start) else { break };
            start = part.end.min(end);
        }
        while start < end {
            let Some(part) = holds(end - 1) else { break };
            end = part.start.max(start);
        }
        start..end
    }

    /// Copies what is here of the range from `offset` on into `bytes`.
    pub(super) fn fill(&self, offset: u64, bytes: &mut [u8]) {
        for (from, part) in &self.parts {
            let start = offset.max(*from);
            let end = (offset + bytes.len() as u64).min(from + part.len() as u64);
            let places = |origin: u64| {
                let place = |position: u64| usize::try_from(position.checked_sub(origin)?).ok();
                Some(place(start)?..place(end)?)
            };
            let (Some(to), Some(own)) = (places(offset), places(*from)) else {
                continue;
            };
            if let Some((to, own)) = bytes.get_mut(to).zip(part.get(own)) {
                to.copy_from_slice(own);
            }
        }
    }

    /// Takes a part in that was fetched; one that is here already is not taken twice.
    pub(super) fn add(&mut self, offset: u64, bytes: Vec<u8>) {
        let range = offset..offset + bytes.len() as u64;
        if !self.missing(range).is_empty() {
            self.parts.push((offset, bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    fn kept() -> Kept {
        let mut kept = Kept::default();
        kept.add(0, b"abcd".to_vec());
        kept.add(8, b"ij".to_vec());
        kept.add(10, b"kl".to_vec());
        kept
    }

    #[test]
    fn only_what_is_not_here_is_missing() {
        for (asked, missing) in [
            (0..4, None),
            (1..3, None),
            (9..12, None),
            (2..10, Some(4..8)),
            (2..6, Some(4..6)),
            (5..11, Some(5..8)),
            (4..8, Some(4..8)),
            (6..20, Some(6..20)),
            (4..4, None),
        ] {
            let found = kept().missing(asked.clone());
            assert_eq!(
                Some(found).filter(|it| !it.is_empty()),
                missing,
                "{asked:?}"
            );
        }
    }

    #[test]
    fn what_is_here_comes_to_its_place() {
        let mut bytes = *b"----------";
        kept().fill(1, &mut bytes);
        assert_eq!(&bytes, b"bcd----ijk");
        let mut bytes = *b"--";
        kept().fill(5, &mut bytes);
        assert_eq!(&bytes, b"--");
    }

    #[test]
    fn nothing_is_kept_twice() {
        let mut kept = kept();
        kept.add(1, b"bc".to_vec());
        assert_eq!(kept.parts.len(), 3);
    }
}

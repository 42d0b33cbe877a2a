//! Changes of a YAML text: what is replaced, put in and taken out, in its own layout.

use std::ops::Range;

use ckptscope_vocabulary::sort::sort_by_key;

use super::Entry;
use crate::config::tree::Node;

/// Changes of a text, with pieces of another.
pub(super) struct Edits<'a> {
    /// The text that is changed.
    pub(super) text: &'a str,
    /// The text of which pieces are put in.
    pub(super) source: &'a str,
    edits: Vec<(Range<usize>, String)>,
}

impl<'a> Edits<'a> {
    pub(super) const fn new(text: &'a str, source: &'a str) -> Self {
        Self {
            text,
            source,
            edits: Vec::new(),
        }
    }

    /// The text with all changes; none where they are in each other's way.
    pub(super) fn applied(mut self) -> Option<String> {
        sort_by_key(&mut self.edits, |(range, _)| (range.start, range.end));
        let (mut text, mut end) = (String::new(), 0);
        for (range, piece) in self.edits {
            text.push_str(self.text.get(end..range.start)?);
            text.push_str(&piece);
            end = range.end;
        }
        text.push_str(self.text.get(end..)?);
        Some(text)
    }

    /// Puts another value into the place of an entry's. What stands on one line stays on its line,
    /// with the comment behind it.
    pub(super) fn replace(&mut self, (key, value): &Entry, new: &Entry) -> Option<()> {
        let piece = self.source.get(new.1.span.clone())?;
        if !piece.contains('\n') && !value.span.is_empty() && !is_block(self.text, value) {
            self.edit(value.span.clone(), piece.to_owned());
            return Some(());
        }
        let column = column_of(self.text, key.span.start);
        let piece = self.piece(new.0.span.start..new.1.span.end, column)?;
        self.edit(key.span.start..value.span.end, piece);
        Some(())
    }

    /// Puts an entry into a map, behind another or first of all.
    pub(super) fn insert(
        &mut self,
        map: &Node,
        entries: &[Entry],
        previous: Option<&Entry>,
        new: &Entry,
    ) -> Option<()> {
        let first = entries.first();
        let span = new.0.span.start..new.1.span.end;
        if !is_block(self.text, map) {
            let piece = self
                .source
                .get(span)
                .filter(|piece| !piece.contains('\n'))?;
            let (place, piece) = match (previous, first) {
                (Some((_, value)), _) => (value.span.end, format!(", {piece}")),
                (None, Some((key, _))) => (key.span.start, format!("{piece}, ")),
                (None, None) => (map.span.start + 1, piece.to_owned()),
            };
            self.edit(place..place, piece);
            return Some(());
        }
        let start = first?.0.span.start;
        let column = column_of(self.text, start);
        let piece = self.piece(span, column)?;
        let indent = " ".repeat(column);
        match previous {
            Some((_, value)) => self.insert_lines(value.span.end, &format!("{indent}{piece}")),
            None => self.edit(start..start, format!("{piece}\n{indent}")),
        }
        Some(())
    }

    /// Takes an entry out of a map, with the lines of comment above it.
    pub(super) fn remove(&mut self, map: &Node, entries: &[Entry], index: usize) -> Option<()> {
        let (key, value) = entries.get(index)?;
        let next = entries.get(index + 1).map(|(key, _)| key.span.start);
        let previous = index.checked_sub(1).and_then(|index| entries.get(index));
        let range = match (is_block(self.text, map), previous, next) {
            (true, Some(_), _) => self.lines(key.span.start, value.span.end)?,
            // What stands above the first entry may be of all of them.
            (true, None, Some(_)) if self.lines(key.span.start, value.span.end).is_some() => {
                line_start(self.text, key.span.start)..line_end(self.text, value.span.end)
            }
            (false, Some((_, previous)), None) => previous.span.end..value.span.end,
            (_, _, Some(next)) => key.span.start..next,
            (_, None, None) => return None,
        };
        self.edit(range, String::new());
        Some(())
    }

    /// Puts another item into the place of one.
    pub(super) fn replace_item(&mut self, item: &Node, new: &Node) -> Option<()> {
        let column = column_of(self.text, item.span.start);
        let piece = self.piece(new.span.clone(), column)?;
        self.edit(item.span.clone(), piece);
        Some(())
    }

    /// Puts an item into a block list, behind so many of its own.
    pub(super) fn insert_item(&mut self, items: &[Node], behind: usize, new: &Node) -> Option<()> {
        let dash = self.dash(items.first()?)?;
        let column = column_of(self.text, dash);
        let piece = self.piece(new.span.clone(), column + 2)?;
        let piece = format!("{}- {piece}", " ".repeat(column));
        match behind.checked_sub(1) {
            Some(previous) => self.insert_lines(items.get(previous)?.span.end, &piece),
            None => {
                let start = self.lines(dash, dash)?.start;
                self.edit(start..start, format!("{piece}\n"));
            }
        }
        Some(())
    }

    /// Takes an item out of a block list, with the lines of comment above it.
    pub(super) fn remove_item(&mut self, item: &Node) -> Option<()> {
        let range = self.lines(self.dash(item)?, item.span.end)?;
        self.edit(range, String::new());
        Some(())
    }

    fn edit(&mut self, range: Range<usize>, piece: String) {
        self.edits.push((range, piece));
    }

    /// Puts lines behind the line on which something ends.
    fn insert_lines(&mut self, end: usize, lines: &str) {
        let end = line_end(self.text, end);
        let is_ended = self.text.get(..end).is_some_and(|it| it.ends_with('\n'));
        let piece = match is_ended {
            true => format!("{lines}\n"),
            false => format!("\n{lines}"),
        };
        self.edit(end..end, piece);
    }

    /// A piece of the other text, whose later lines begin so many characters further in as its
    /// first one does.
    fn piece(&self, span: Range<usize>, column: usize) -> Option<String> {
        let own = column_of(self.source, span.start);
        let piece = self.source.get(span)?;
        let mut lines = piece.split('\n');
        let mut text = lines.next()?.to_owned();
        for line in lines {
            let rest = line.trim_start_matches(' ');
            let indent = (line.len() - rest.len() + column).checked_sub(own)?;
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            text.push_str(rest);
        }
        Some(text)
    }

    /// Whole lines from what stands first on one to the end of another, with the comments above
    /// that stand as far in.
    fn lines(&self, first: usize, end: usize) -> Option<Range<usize>> {
        let mut start = line_start(self.text, first);
        let indent = self.text.get(start..first)?;
        if !indent.bytes().all(|byte| byte == b' ') {
            return None;
        }
        while let Some(above) = start.checked_sub(1).map(|end| line_start(self.text, end)) {
            let line = self.text.get(above..start)?;
            let is_comment = line
                .strip_prefix(indent)
                .is_some_and(|it| it.starts_with('#'));
            if !is_comment {
                break;
            }
            start = above;
        }
        Some(start..line_end(self.text, end))
    }

    /// Where an item's dash stands.
    fn dash(&self, item: &Node) -> Option<usize> {
        let before = self.text.get(..item.span.start)?.trim_end();
        before.ends_with('-').then(|| before.len() - 1)
    }
}

/// Whether a collection is written without brackets, on lines of its own.
pub(super) fn is_block(text: &str, node: &Node) -> bool {
    let rest = text.get(node.span.start..).unwrap_or_default();
    node.is_collection() && !rest.starts_with(['[', '{', '*'])
}

/// Whether a node is written as the alias of another.
pub(super) fn is_alias(text: &str, node: &Node) -> bool {
    let written = text.get(node.span.clone()).unwrap_or_default();
    written.starts_with('*')
}

fn line_start(text: &str, at: usize) -> usize {
    let before = text.get(..at).and_then(|before| before.rfind('\n'));
    before.map_or(0, |end| end + 1)
}

/// Behind the line on which something ends.
fn line_end(text: &str, end: usize) -> usize {
    let (before, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    if before.ends_with('\n') {
        return end;
    }
    let rest_of_line = rest.find('\n').map(|end| end + 1);
    end + rest_of_line.unwrap_or(rest.len())
}

/// Characters of the line before a place.
fn column_of(text: &str, at: usize) -> usize {
    let before = text.get(line_start(text, at)..at).unwrap_or_default();
    before.chars().count()
}

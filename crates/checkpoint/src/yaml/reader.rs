//! From the parser's events to a tree, within limits.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Node, Position, Value, YamlError, scalar};

/// Values of a document. Aliases count as what they stand for, so this bounds the tree's memory.
pub(super) const MAX_VALUES: usize = 250_000;

/// Bytes of all texts, aliases counted as what they stand for.
const MAX_TEXT_BYTES: usize = 4 << 20;

/// Collections in collections.
const MAX_DEPTH: usize = 32;

/// Reads one document.
pub(super) struct Reader<'text> {
    parser: Parser<'text, StrInput<'text>>,
    /// The finished nodes that have an anchor.
    anchored: HashMap<usize, Node>,
    spent: Size,
}

/// Where the text of an event stands.
#[derive(Clone, Copy)]
struct Place {
    position: Position,
    /// Its bytes, from the first to behind the last.
    start: usize,
    end: usize,
}

/// How much there is of something.
#[derive(Clone, Copy, Default)]
struct Size {
    values: usize,
    bytes: usize,
    depth: usize,
}

impl<'text> Reader<'text> {
    pub(super) fn new(text: &'text str) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            anchored: HashMap::new(),
            spent: Size::default(),
        }
    }

    /// The document; nothing where the text has none.
    pub(super) fn document(mut self) -> Result<Node, YamlError> {
        let mut root = None;
        loop {
            let (event, place) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(..) | Event::DocumentEnd => {}
                Event::StreamEnd => break,
                _ if root.is_some() => {
                    return Err(syntax(
                        place.position,
                        "only single YAML document expected but multiple found",
                    ));
                }
                event => root = Some(self.node(event, place, 0)?),
            }
        }
        let nothing = Node {
            value: Value::Nothing,
            position: Position { line: 1, column: 1 },
            span: 0..0,
        };
        Ok(root.unwrap_or(nothing))
    }

    /// The next event that is not a comment.
    fn next(&mut self) -> Result<(Event<'text>, Place), YamlError> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, place(span))),
            Some(Err(error)) => Err(scan_error(&error)),
            None => Ok((Event::StreamEnd, place(Span::default()))),
        }
    }

    /// The node that begins with an event, inside of `depth` collections.
    fn node(&mut self, event: Event<'text>, place: Place, depth: usize) -> Result<Node, YamlError> {
        let position = place.position;
        let mut span = place.start..place.end;
        let (value, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, place, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.spend(Size::of_scalar(&text), depth, position)?;
                let value = scalar::value(&text, style, tag.as_deref());
                let value =
                    value.ok_or_else(|| syntax(position, "the tag does not fit the value"))?;
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.spend(Size::COLLECTION, depth, position)?;
                let items = self.items(depth + 1, &mut span)?;
                (Value::List(items), anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.spend(Size::COLLECTION, depth, position)?;
                let entries = self.entries(depth + 1, &mut span)?;
                (Value::Map(entries), anchor)
            }
            _ => return Err(syntax(position, "a value is missing")),
        };
        let node = Node {
            value,
            position,
            span,
        };
        if anchor > 0 {
            self.anchored.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// The items of a list, to whose end `span` grows.
    fn items(&mut self, depth: usize, span: &mut Range<usize>) -> Result<Vec<Node>, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                grow(span, items.last(), place);
                return Ok(items);
            }
            items.push(self.node(event, place, depth)?);
        }
    }

    /// The entries of a map, to whose end `span` grows.
    fn entries(
        &mut self,
        depth: usize,
        span: &mut Range<usize>,
    ) -> Result<Vec<(Node, Node)>, YamlError> {
        let (mut entries, mut merged) = (Vec::new(), Vec::new());
        loop {
            let (event, place) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                grow(span, entries.last().map(|(_, value)| value), place);
                break;
            }
            let is_merge = matches!(&event, Event::Scalar(text, style, ..)
                if text == "<<" && *style == ScalarStyle::Plain);
            let key = self.node(event, place, depth)?;
            let (event, place) = self.next()?;
            let value = self.node(event, place, depth)?;
            if is_merge {
                merged.extend(maps_of(value)?);
            } else {
                entries.push((key, value));
            }
        }
        // What the map says itself comes first, then the first map merged that says it.
        for (key, value) in merged {
            if !entries
                .iter()
                .any(|(known, _): &(Node, Node)| known.value == key.value)
            {
                entries.push((key, value));
            }
        }
        Ok(entries)
    }

    fn alias(&mut self, anchor: usize, place: Place, depth: usize) -> Result<Node, YamlError> {
        let Some(node) = self.anchored.get(&anchor) else {
            return Err(syntax(
                place.position,
                "Recursive reference not allowed here",
            ));
        };
        let span = place.start..place.end;
        let node = Node {
            span,
            ..node.clone()
        };
        self.spend(Size::of(&node), depth, place.position)?;
        Ok(node)
    }

    /// Notes that there is so much more, at this depth.
    fn spend(&mut self, size: Size, depth: usize, position: Position) -> Result<(), YamlError> {
        self.spent.values = self.spent.values.saturating_add(size.values);
        self.spent.bytes = self.spent.bytes.saturating_add(size.bytes);
        let is_too_large = self.spent.values > MAX_VALUES
            || self.spent.bytes > MAX_TEXT_BYTES
            || depth + size.depth > MAX_DEPTH;
        if is_too_large {
            return Err(YamlError::TooLarge {
                line: position.line,
            });
        }
        Ok(())
    }
}

impl Size {
    const COLLECTION: Self = Self {
        values: 1,
        bytes: 0,
        depth: 1,
    };

    fn of_scalar(text: &str) -> Self {
        Self {
            values: 1,
            bytes: text.len(),
            depth: 0,
        }
    }

    /// The size of a node with all that is in it.
    fn of(node: &Node) -> Self {
        match &node.value {
            Value::Text(text) => Self::of_scalar(text),
            Value::List(items) => Self::around(items.iter()),
            Value::Map(entries) => {
                Self::around(entries.iter().flat_map(|(key, value)| [key, value]))
            }
            _ => Self::of_scalar(""),
        }
    }

    fn around<'node>(nodes: impl Iterator<Item = &'node Node>) -> Self {
        nodes
            .map(Self::of)
            .fold(Self::COLLECTION, |sum, part| Self {
                values: sum.values.saturating_add(part.values),
                bytes: sum.bytes.saturating_add(part.bytes),
                depth: sum.depth.max(part.depth + 1),
            })
    }
}

/// The entries that `<<: value` merges into a map.
fn maps_of(value: Node) -> Result<Vec<(Node, Node)>, YamlError> {
    match value.value {
        Value::Map(entries) => Ok(entries),
        Value::List(items) => {
            let maps: Result<Vec<_>, _> = items.into_iter().map(map_of).collect();
            Ok(maps?.into_iter().flatten().collect())
        }
        _ => Err(not_a_map(value.position)),
    }
}

fn map_of(node: Node) -> Result<Vec<(Node, Node)>, YamlError> {
    match node.value {
        Value::Map(entries) => Ok(entries),
        _ => Err(not_a_map(node.position)),
    }
}

fn not_a_map(position: Position) -> YamlError {
    syntax(position, "only a map, or a list of maps, can be merged")
}

fn place(span: Span) -> Place {
    let bytes = span.byte_range().unwrap_or_default();
    Place {
        position: Position {
            line: (span.start.line() as u64).max(1),
            column: span.start.col() as u64 + 1,
        },
        start: bytes.start,
        end: bytes.end,
    }
}

/// To the end of a collection in brackets, which has a text of its own; of another, to the end of
/// the last value in it.
fn grow(span: &mut Range<usize>, last: Option<&Node>, end: Place) {
    span.end = match last {
        Some(last) if end.start == end.end => last.span.end,
        _ => end.end,
    };
}

fn scan_error(error: &ScanError) -> YamlError {
    let reason = match error.kind() {
        ErrorKind::UnknownAnchor => "reference to unknown value".to_owned(),
        _ => error.info(),
    };
    YamlError::Syntax {
        line: (error.marker().line() as u64).max(1),
        reason,
    }
}

fn syntax(position: Position, reason: &str) -> YamlError {
    YamlError::Syntax {
        line: position.line,
        reason: reason.to_owned(),
    }
}

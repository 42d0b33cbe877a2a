//! Which files of this machine are the same, byte for byte.

use std::collections::BTreeMap;
use std::rc::Rc;

use ckptscope_checkpoint::tree::entry_of;
use ckptscope_checkpoint::{ReadError, Source, Tree};

/// So many pieces of a file are looked at before it is read whole.
const PIECES: u64 = 8;

/// Bytes of a piece.
const PIECE_BYTES: u64 = 4096;

/// So many bytes are compared at a time.
const READ_BYTES: u64 = 4 * 1024 * 1024;

/// For each file that is here, the first that has the same bytes: itself, as a rule. Files of one
/// length are told apart by some pieces of them, and those that look the same are read whole. Files
/// that cannot be read have no content, nor have those that are far.
pub(super) async fn content<'a>(
    tree: &dyn Tree,
    paths: impl Iterator<Item = &'a str>,
) -> BTreeMap<String, String> {
    let mut content = BTreeMap::new();
    let mut seen: BTreeMap<(u64, Vec<u8>), Vec<&str>> = BTreeMap::new();
    for path in paths {
        let Some(pieces) = pieces(tree, path).await else {
            continue;
        };
        let alike = seen.entry(pieces).or_default();
        let mut first = None;
        for other in alike.iter() {
            if is_same(tree, other, path).await.unwrap_or(false) {
                first = Some(*other);
                break;
            }
        }
        if first.is_none() {
            alike.push(path);
        }
        content.insert(path.to_owned(), first.unwrap_or(path).to_owned());
    }
    content
}

/// A file's length, and pieces of it from the beginning to the end.
async fn pieces(tree: &dyn Tree, path: &str) -> Option<(u64, Vec<u8>)> {
    let bytes = entry_of(tree, path).ok()?.bytes;
    let source = near(tree, path).await.ok()??;
    let last = bytes.saturating_sub(PIECE_BYTES);
    let mut pieces = Vec::new();
    for number in 0..PIECES {
        let offset = last / (PIECES - 1) * number;
        let length = PIECE_BYTES.min(bytes - offset);
        pieces.extend(source.read_at(offset, length).await.ok()?);
    }
    Some((bytes, pieces))
}

async fn is_same(tree: &dyn Tree, one: &str, other: &str) -> Result<bool, ReadError> {
    let (Some(one), Some(other)) = (near(tree, one).await?, near(tree, other).await?) else {
        return Ok(false);
    };
    let mut offset = 0;
    while offset < one.bytes() {
        let length = READ_BYTES.min(one.bytes() - offset);
        if one.read_at(offset, length).await? != other.read_at(offset, length).await? {
            return Ok(false);
        }
        offset += length;
    }
    Ok(one.bytes() == other.bytes())
}

/// A file, unless it is far.
async fn near(tree: &dyn Tree, path: &str) -> Result<Option<Rc<dyn Source>>, ReadError> {
    let source = tree.open(path).await?;
    Ok(Some(source).filter(|source| !source.is_far()))
}

//! A log in blocks, as `LevelDB` writes them: what is lost with a damaged block is that block.

use std::io::{self, Write};

/// Blocks have this many bytes.
const BLOCK_BYTES: usize = 32768;

/// CRC, length and type.
const CHUNK_HEADER_BYTES: usize = 7;

/// What a file begins with: four letters, a number, a version.
const FILE_HEADER: [u8; 7] = [b':', b'W', b'&', b'B', 0xE1, 0xBE, 0];

/// A log under way.
pub(crate) struct BlockLog<W> {
    to: W,
    /// Bytes of the current block that are written.
    filled: usize,
}

/// Which part of a record a chunk is; the number is what is written.
#[derive(Clone, Copy)]
enum Part {
    Whole = 1,
    First = 2,
    Middle = 3,
    Last = 4,
}

impl<W: Write> BlockLog<W> {
    /// Writes the file's header.
    pub(crate) fn begin(mut to: W) -> io::Result<Self> {
        to.write_all(&FILE_HEADER)?;
        let filled = FILE_HEADER.len();
        Ok(Self { to, filled })
    }

    /// Writes one record, in as many chunks as blocks need.
    pub(crate) fn append(&mut self, record: &[u8]) -> io::Result<()> {
        let mut rest = record;
        let mut is_first = true;
        loop {
            let space = self.space()?;
            let (data, after) = rest.split_at(space.min(rest.len()));
            let part = match (is_first, after.is_empty()) {
                (true, true) => Part::Whole,
                (true, false) => Part::First,
                (false, false) => Part::Middle,
                (false, true) => Part::Last,
            };
            self.write_chunk(part, data)?;
            if after.is_empty() {
                return Ok(());
            }
            (rest, is_first) = (after, false);
        }
    }

    /// Hands everything on to the operating system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// Bytes of data that a chunk may have here; none is possible, at the end of a block. Where
    /// not even a header fits, the block is filled with zeros.
    fn space(&mut self) -> io::Result<usize> {
        let left = BLOCK_BYTES - self.filled;
        if let Some(space) = left.checked_sub(CHUNK_HEADER_BYTES) {
            return Ok(space);
        }
        let zeros = [0; CHUNK_HEADER_BYTES];
        self.to.write_all(zeros.get(..left).unwrap_or_default())?;
        self.filled = 0;
        Ok(BLOCK_BYTES - CHUNK_HEADER_BYTES)
    }

    fn write_chunk(&mut self, part: Part, data: &[u8]) -> io::Result<()> {
        let kind = part as u8;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&[kind]);
        crc.update(data);
        // A chunk is shorter than a block.
        let length = u16::try_from(data.len()).map_err(io::Error::other)?;
        self.to.write_all(&crc.finalize().to_le_bytes())?;
        self.to.write_all(&length.to_le_bytes())?;
        self.to.write_all(&[kind])?;
        self.to.write_all(data)?;
        self.filled += CHUNK_HEADER_BYTES + data.len();
        Ok(())
    }
}

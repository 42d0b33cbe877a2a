//! Files beyond 4 GiB, most of which is never there: offsets and lengths are 64 bits wide.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod support;

use ckptscope_checkpoint::source::checked_length;
use ckptscope_checkpoint::{
    MemorySource, ReadError, Source, TensorEntry, catalog_of, read_tensors,
};
use futures_core::future::LocalBoxFuture;
use pollster::block_on;
use support::{dict, pickle, storage, view};

/// A source of zeros with pieces in it.
struct Sparse {
    pieces: Vec<(u64, Vec<u8>)>,
    bytes: u64,
}

impl Sparse {
    /// Adds a piece at the end.
    fn push(&mut self, piece: impl Into<Vec<u8>>) {
        let piece = piece.into();
        let offset = self.bytes;
        self.bytes += piece.len() as u64;
        self.pieces.push((offset, piece));
    }

    fn byte(&self, position: u64) -> u8 {
        let piece = self
            .pieces
            .iter()
            .rev()
            .find(|(offset, _)| *offset <= position);
        let byte = piece.and_then(|(offset, piece)| piece.get((position - offset) as usize));
        byte.copied().unwrap_or(0)
    }
}

impl Source for Sparse {
    fn name(&self) -> &str {
        "sparse"
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        Box::pin(async move {
            checked_length(self, offset, length)?;
            assert!(length < 1 << 24, "nothing here is so long");
            Ok((offset..offset + length)
                .map(|position| self.byte(position))
                .collect())
        })
    }
}

const HUGE: u64 = 5 << 30;

fn last_values(source: &Sparse) -> Vec<f64> {
    let catalog = block_on(catalog_of(source)).unwrap();
    let last: &TensorEntry = catalog.tensors.last().unwrap();
    assert!(last.byte_range().0 > HUGE);
    block_on(read_tensors(source, &[last]))
        .unwrap()
        .remove(0)
        .values
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

#[test]
fn safetensors_beyond_4_gib() {
    let header = format!(
        r#"{{"a":{{"dtype":"U8","shape":[{HUGE}],"data_offsets":[0,{HUGE}]}},
             "b":{{"dtype":"F32","shape":[2],"data_offsets":[{HUGE},{}]}}}}"#,
        HUGE + 8
    );
    let mut file = Sparse {
        pieces: Vec::new(),
        bytes: 0,
    };
    file.push((header.len() as u64).to_le_bytes());
    file.push(header);
    file.bytes += HUGE;
    file.push(floats(&[1.5, -2.0]));
    assert_eq!(last_values(&file), [1.5, -2.0]);
}

#[test]
fn a_header_beyond_the_limit_is_refused_unread() {
    let mut file = Sparse {
        pieces: Vec::new(),
        bytes: 0,
    };
    file.push(HUGE.to_le_bytes());
    file.push("{");
    file.bytes += 2 * HUGE;
    let error = block_on(catalog_of(&file)).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("5368709120 bytes, the limit is 100000000"),
        "{error}"
    );
}

/// Writes an entry as PyTorch does: the local header has no sizes, its extra field pads the data
/// to 64 bytes, and a data descriptor follows, wide where the sizes are.
fn push_entry(file: &mut Sparse, directory: &mut Vec<u8>, name: &str, data: &[u8], zeros: u64) {
    let (offset, size) = (file.bytes, data.len() as u64 + zeros);
    let past_32_bits = |number: u64| number >= u64::from(u32::MAX);
    let wide: Vec<u64> = [(size, 2), (offset, 1)]
        .into_iter()
        .filter(|(number, _)| past_32_bits(*number))
        .flat_map(|(number, times)| std::iter::repeat_n(number, times))
        .collect();
    let unpadded = offset + 30 + name.len() as u64 + 4 + if wide.is_empty() { 0 } else { 4 };
    let unpadded = unpadded + 8 * wide.len() as u64;
    let padding = unpadded.next_multiple_of(64) - unpadded;
    let extra = unpadded + padding - offset - 30 - name.len() as u64;
    let flags = [8_u8, 8];
    file.push([b"PK\x03\x04\0\0", &flags[..], &[0; 18]].concat());
    file.push((name.len() as u16).to_le_bytes());
    file.push((extra as u16).to_le_bytes());
    file.push(name);
    file.push(vec![b'Z'; extra as usize]);
    file.push(data);
    file.bytes += zeros;
    file.push([&b"PK\x07\x08"[..], &[0; 12]].concat());
    if past_32_bits(size) {
        file.push([0; 8]);
    }
    let narrow = |number: u64| u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes();
    directory.extend([b"PK\x01\x02\0\0\0\0", &flags[..], &[0; 10]].concat());
    directory.extend(narrow(size));
    directory.extend(narrow(size));
    directory.extend((name.len() as u16).to_le_bytes());
    let extra = if wide.is_empty() {
        0
    } else {
        4 + 8 * wide.len() as u16
    };
    directory.extend(extra.to_le_bytes());
    directory.extend([0; 10]);
    directory.extend(narrow(offset));
    directory.extend(name.as_bytes());
    if !wide.is_empty() {
        directory.extend([1, 0]);
        directory.extend((8 * wide.len() as u16).to_le_bytes());
        directory.extend(wide.iter().flat_map(|number| number.to_le_bytes()));
    }
}

#[test]
fn pytorch_archives_beyond_4_gib() {
    let tensors = dict(&[
        (
            "a",
            view(
                &storage("ByteStorage", "0", HUGE as i64),
                0,
                &[HUGE as i64],
                &[1],
            ),
        ),
        ("b", view(&storage("FloatStorage", "1", 2), 0, &[2], &[1])),
    ]);
    let mut file = Sparse {
        pieces: Vec::new(),
        bytes: 0,
    };
    let mut directory = Vec::new();
    push_entry(
        &mut file,
        &mut directory,
        "a/data.pkl",
        &pickle(&tensors),
        0,
    );
    push_entry(&mut file, &mut directory, "a/data/0", b"", HUGE);
    push_entry(
        &mut file,
        &mut directory,
        "a/data/1",
        &floats(&[0.25, 7.0]),
        0,
    );
    let (offset, size) = (file.bytes, directory.len() as u64);
    file.push(directory);
    let record = file.bytes;
    file.push([&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[0; 12]].concat());
    file.push([3_u64, 3, size, offset].map(u64::to_le_bytes).concat());
    file.push(
        [
            b"PK\x06\x07\0\0\0\0",
            &record.to_le_bytes()[..],
            &[1, 0, 0, 0],
        ]
        .concat(),
    );
    file.push(
        [
            &b"PK\x05\x06\0\0\0\0"[..],
            &[3, 0, 3, 0],
            &[0xff; 8],
            &[0, 0],
        ]
        .concat(),
    );
    assert_eq!(last_values(&file), [0.25, 7.0]);
}

#[test]
fn a_range_beyond_the_addresses_is_an_error() {
    let source = MemorySource::new("memory", [0; 4]);
    assert!(checked_length(&source, u64::MAX, u64::MAX).is_err());
}

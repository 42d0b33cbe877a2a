//! A reader of offline runs, written from the format's description and not from our writer: blocks,
//! a CRC bit by bit, protobuf fields by their numbers.

use std::path::Path;

use serde_json::{Map, Value};

const BLOCK: usize = 32768;

/// A chunk of the log, where it stands, and its type.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) offset: usize,
    pub(crate) kind: u8,
    pub(crate) data: Vec<u8>,
}

/// The only file `run-*.wandb` of a folder.
pub(crate) fn read_run(folder: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "wandb"));
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    std::fs::read(file).unwrap()
}

/// All chunks; every CRC is right, and what is no chunk is a padding of zeros.
pub(crate) fn chunks(file: &[u8]) -> Vec<Chunk> {
    assert_eq!(file[..7], [0x3A, 0x57, 0x26, 0x42, 0xE1, 0xBE, 0x00]);
    let (mut at, mut chunks) = (7, Vec::new());
    while at < file.len() {
        let left = BLOCK - at % BLOCK;
        if left < 7 {
            assert!(file[at..at + left].iter().all(|byte| *byte == 0));
            at += left;
            continue;
        }
        let crc = u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let length = usize::from(u16::from_le_bytes([file[at + 4], file[at + 5]]));
        assert!(7 + length <= left, "a chunk crosses the end of its block");
        assert_eq!(crc, crc32(&file[at + 6..at + 7 + length]), "at {at}");
        let data = file[at + 7..at + 7 + length].to_vec();
        let kind = file[at + 6];
        chunks.push(Chunk {
            offset: at,
            kind,
            data,
        });
        at += 7 + length;
    }
    chunks
}

/// The records that the chunks make up.
pub(crate) fn records(file: &[u8]) -> Vec<Vec<u8>> {
    let (mut records, mut open): (Vec<Vec<u8>>, Option<Vec<u8>>) = (Vec::new(), None);
    for chunk in chunks(file) {
        match (chunk.kind, open.take()) {
            (1, None) => records.push(chunk.data),
            (2, None) => open = Some(chunk.data),
            (3, Some(begun)) => open = Some([begun, chunk.data].concat()),
            (4, Some(begun)) => records.push([begun, chunk.data].concat()),
            (kind, begun) => panic!("type {kind} after {begun:?}"),
        }
    }
    assert!(open.is_none(), "the last record has no end");
    records
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !crc
}

/// One field of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Number(u64),
    Bytes(Vec<u8>),
}

/// The fields of a message with their numbers.
pub(crate) fn fields(mut bytes: &[u8]) -> Vec<(u64, Field)> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes);
        let value = varint(&mut bytes);
        let field = match tag & 7 {
            0 => Field::Number(value),
            2 => {
                let (data, rest) = bytes.split_at(value as usize);
                bytes = rest;
                Field::Bytes(data.to_vec())
            }
            other => panic!("wire type {other}"),
        };
        fields.push((tag >> 3, field));
    }
    fields
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let length = bytes.iter().position(|byte| *byte < 0x80).unwrap() + 1;
    let (own, rest) = bytes.split_at(length);
    *bytes = rest;
    own.iter()
        .rev()
        .fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f))
}

/// The texts of a message's field.
pub(crate) fn texts(message: &[u8], number: u64) -> Vec<String> {
    messages(message, number)
        .into_iter()
        .map(|bytes| String::from_utf8(bytes).unwrap())
        .collect()
}

/// The messages (or texts) of a message's field.
pub(crate) fn messages(message: &[u8], number: u64) -> Vec<Vec<u8>> {
    let of_number = fields(message)
        .into_iter()
        .filter(|(own, _)| *own == number);
    of_number
        .map(|(_, field)| match field {
            Field::Bytes(bytes) => bytes,
            Field::Number(_) => panic!("field {number} is a number"),
        })
        .collect()
}

/// The number of a message's field; 0 where there is none.
pub(crate) fn number(message: &[u8], number: u64) -> u64 {
    let found = fields(message).into_iter().find(|(own, _)| *own == number);
    match found {
        Some((_, Field::Number(value))) => value,
        Some(_) => panic!("field {number} is no number"),
        None => 0,
    }
}

/// The items of a history, a summary or a config: path joined by `/` to value.
pub(crate) fn items(message: &[u8]) -> Map<String, Value> {
    messages(message, 1)
        .iter()
        .map(|item| {
            let path = texts(item, 2).join("/");
            let value = texts(item, 16).concat();
            (path, serde_json::from_str(&value).unwrap())
        })
        .collect()
}

/// What a record is, its number, and its message.
pub(crate) fn record(bytes: &[u8]) -> (u64, u64, Vec<u8>) {
    let [(1, Field::Number(count)), (kind, Field::Bytes(message))] = &fields(bytes)[..] else {
        panic!("{:?}", fields(bytes));
    };
    (*kind, *count, message.clone())
}

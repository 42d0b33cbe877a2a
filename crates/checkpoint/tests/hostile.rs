//! One literal for each way a file can be wrong.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod support;

use ckptscope_checkpoint::{
    Dtype, Foreign, FormatError, PickleError, ReadError, SafetensorsError, TorchError, ZipError,
};
use support::{
    ZipEntry, catalog, dict, format_error, int, ints, pickle, safetensors, storage, text, torch,
    torch_entries, view, zip,
};

/// Asserts the variant, and that the message holds the words.
macro_rules! assert_error {
    ($error:expr, $variant:pat, $($words:literal),+) => {{
        let error = $error;
        assert!(matches!(error, $variant), "{error:?}");
        let message = error.to_string();
        $(assert!(message.contains($words), "{message:?} has no {:?}", $words);)+
    }};
}

/// The same of each input of a function.
macro_rules! assert_errors {
    ($of:expr; $($($input:expr),+ => $variant:pat, $($words:literal),+;)+) => {
        $(assert_error!($of($($input),+), $variant, $($words),+);)+
    };
}

fn safetensors_error(header: &str, data: usize) -> SafetensorsError {
    match format_error(safetensors(header, data)) {
        FormatError::Safetensors(error) => error,
        other => panic!("{other:?}"),
    }
}

fn zip_error(file: impl Into<Vec<u8>>) -> ZipError {
    match format_error(file) {
        FormatError::Zip(error) => error,
        other => panic!("{other:?}"),
    }
}

fn pickle_error(program: &[u8]) -> PickleError {
    whole_pickle_error(&pickle(program))
}

fn whole_pickle_error(pickle: &[u8]) -> PickleError {
    match format_error(torch(pickle, &[])) {
        FormatError::Pickle(error) => error,
        other => panic!("{other:?}"),
    }
}

fn torch_error(program: &[u8], storages: &[(&str, &[u8])]) -> TorchError {
    match format_error(torch(&pickle(program), storages)) {
        FormatError::Torch(error) => error,
        other => panic!("{other:?}"),
    }
}

fn legacy_error(file: &[u8]) -> TorchError {
    match format_error(file) {
        FormatError::Torch(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn files_of_no_format() {
    assert_error!(
        catalog(b"").unwrap_err(),
        ReadError::Empty { .. },
        "empty",
        "memory"
    );
    assert_error!(
        catalog(b"PK\x05\x06").unwrap_err(),
        ReadError::TooShort { bytes: 4, .. },
        "4"
    );
    let html = b"<!DOCTYPE html><html></html>";
    assert_error!(
        catalog(html).unwrap_err(),
        ReadError::Foreign {
            what: Foreign::WebPage,
            ..
        },
        "a web page (HTML)"
    );
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n";
    assert_error!(
        catalog(pointer).unwrap_err(),
        ReadError::LfsPointer { .. },
        "git lfs pull"
    );
}

#[test]
fn files_of_other_kinds() {
    for (file, what, words) in [
        (
            &b"GGUF\x03\0\0\0\x01\0"[..],
            Foreign::Gguf,
            "gguf_file=FILE",
        ),
        (b"\x89HDF\r\n\x1a\n\0\0", Foreign::Keras, "HDF5"),
        (b"\x93NUMPY\x01\0v\0", Foreign::Arrays, "NumPy"),
        (b"\x1f\x8b\x08\0\0\0\0\0\0\0", Foreign::Archive, "unpack it"),
        (b"(dp0\nVa\nI1\ns.", Foreign::Pickle, "torch.save("),
        (b"Entry not found\n", Foreign::Text, "Entry not found"),
        (b"{\"error\": \"gated\"}", Foreign::Json, "gated"),
        (&[0; 100], Foreign::Zeros, "copy or download it again"),
        (
            b"\0\x05\x16\x07\0\x02\0\0\0\0",
            Foreign::AppleDouble,
            "macOS",
        ),
    ] {
        let error = catalog(file).unwrap_err();
        let message = error.to_string();
        let is_it = matches!(&error, ReadError::Foreign { what: found, .. } if *found == what);
        assert!(is_it, "{error:?}");
        assert!(message.contains(words), "{message}");
        assert_eq!(
            message.contains("again"),
            what == Foreign::Zeros,
            "{message}"
        );
    }
    let mut tar = b"model.safetensors".to_vec();
    tar.resize(257, 0);
    tar.extend(b"ustar\0");
    assert_error!(
        catalog(tar).unwrap_err(),
        ReadError::Foreign {
            what: Foreign::Archive,
            ..
        },
        "unpack it"
    );
    let arrays = zip(&[ZipEntry::stored("a.npy", "x")], false);
    assert_error!(
        format_error(arrays),
        FormatError::Torch(TorchError::NoPickle {
            what: Foreign::Arrays
        }),
        "numpy.load(FILE)"
    );
    let odd = catalog(b"\xff\xfe\x01abcdefghijklmnopqrstuvwxyz").unwrap_err();
    assert_error!(
        odd,
        ReadError::UnknownFormat { .. },
        r"\xff\xfe\x01abcdefghijklm)"
    );
}

#[test]
fn safetensors_lengths() {
    let error = format_error([&u64::MAX.to_le_bytes()[..], b"{}"].concat());
    assert_error!(
        error,
        FormatError::Safetensors(SafetensorsError::HeaderPastEnd {
            header: u64::MAX,
            file: 10
        }),
        "18446744073709551615",
        "10"
    );
}

#[test]
fn safetensors_headers() {
    let error = safetensors_error("{not json}", 0);
    assert_error!(error, SafetensorsError::Header { .. }, "line 1");
    let error = safetensors_error(r#"{"a":{"dtype":"F32"}}"#, 0);
    assert_error!(error, SafetensorsError::Header { .. }, "shape");
    let error = safetensors_error(
        r#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
        4,
    );
    assert_error!(error, SafetensorsError::Header { .. }, "-1");
    let remarks: Vec<String> = (0..10_001)
        .map(|index| format!(r#""{index}":"""#))
        .collect();
    let error = safetensors_error(
        &format!(r#"{{"__metadata__":{{{}}}}}"#, remarks.join(",")),
        0,
    );
    assert_error!(error, SafetensorsError::Header { .. }, "10000");
    let nested = format!("{{\"a\":{}", "[".repeat(100_000));
    assert_error!(
        safetensors_error(&nested, 0),
        SafetensorsError::Header { .. },
        "line 1"
    );
    let a = r#""a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}"#;
    let error = safetensors_error(&format!("{{{a},{a}}}"), 0);
    assert_error!(error, SafetensorsError::DuplicateName { .. }, "\"a\"");
}

fn one_tensor(dtype: &str, shape: &str, begin: u64, end: u64) -> String {
    format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}}}"#)
}

#[test]
fn safetensors_shapes() {
    let ones = format!("[{}1]", "1,".repeat(64));
    let error = safetensors_error(&one_tensor("U8", &ones, 0, 1), 1);
    assert_error!(
        error,
        SafetensorsError::TooManyDimensions { dimensions: 65, .. },
        "65",
        "64"
    );
    let error = safetensors_error(&one_tensor("U8", "[4294967296,4294967296]", 0, 1), 1);
    assert_error!(
        error,
        SafetensorsError::ShapeOverflow { .. },
        "\"a\"",
        "4294967296"
    );
    let error = safetensors_error(&one_tensor("F32", "[2,3]", 0, 20), 20);
    assert_error!(
        error,
        SafetensorsError::SizeMismatch {
            needs: 24,
            given: 20,
            ..
        },
        "\"a\""
    );
}

#[test]
fn safetensors_layouts() {
    let error = safetensors_error(&one_tensor("F32", "[1]", 4, 0), 4);
    assert_error!(
        error,
        SafetensorsError::Reversed {
            begin: 4,
            end: 0,
            ..
        },
        "\"a\""
    );
    let error = safetensors_error(&one_tensor("F32", "[1]", 0, 400), 4);
    assert_error!(
        error,
        SafetensorsError::OffsetPastEnd {
            end: 400,
            data: 4,
            ..
        },
        "\"a\""
    );
    let error = safetensors_error(&one_tensor("F32", "[1]", 0, u64::MAX), 4);
    assert_error!(error, SafetensorsError::OffsetPastEnd { .. }, "\"a\"");
    let error = safetensors_error(&one_tensor("F32", "[2]", 0, 8), 4);
    assert_error!(
        error,
        SafetensorsError::CutOff {
            end: 8,
            data: 4,
            ..
        },
        "cut off",
        "download it again"
    );
    let two = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                  "b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#;
    let error = safetensors_error(two, 6);
    assert_error!(
        error,
        SafetensorsError::Overlap { offset: 2, .. },
        "\"a\"",
        "\"b\""
    );
}

#[test]
fn a_header_whose_length_looks_like_a_pickle_is_still_a_header() {
    for length in [0x280, 0x380, 0x480, 0x580] {
        let header = format!("{:length$}", one_tensor("U8", "[1]", 0, 1));
        assert_eq!(
            catalog(safetensors(&header, 1)).unwrap().tensors.len(),
            1,
            "{length}"
        );
    }
}

#[test]
fn an_unknown_dtype_spoils_its_tensor_only() {
    let header = r#"{"a":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]},
                     "b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}"#;
    let catalog = catalog(safetensors(header, 4)).unwrap();
    assert_eq!(catalog.tensors.len(), 1);
    assert_eq!(catalog.tensors[0].dtype, Dtype::U8);
    assert_eq!(catalog.unreadable[0].0, "a");
    assert!(catalog.unreadable[0].1.contains("F6_E2M3"));
}

fn sound() -> Vec<ZipEntry> {
    let tensor = view(&storage("FloatStorage", "0", 2), 0, &[2], &[1]);
    torch_entries(&pickle(&dict(&[("w", tensor)])), &[("0", &[0; 8])])
}

#[test]
fn a_sound_archive_is_sound() {
    for wide in [false, true] {
        let catalog = catalog(zip(&sound(), wide)).unwrap();
        assert_eq!(catalog.tensors[0].shape, [2], "wide: {wide}");
    }
}

#[test]
fn zip_end_records() {
    let file = zip(&sound(), false);
    let end = file.len() - 22;
    assert_error!(zip_error(&file[..end]), ZipError::NoEndRecord, "cut off");
    let patched = |position: usize, bytes: &[u8]| {
        let mut file = file.clone();
        file[position..position + bytes.len()].copy_from_slice(bytes);
        zip_error(file)
    };
    assert_errors!(patched;
        end + 4, &[1] => ZipError::SeveralVolumes, "volumes";
        end + 20, &[9, 0] => ZipError::NoEndRecord, "end record";
        end + 10, &[0xff, 0xff] => ZipError::DirectoryOutside { .. }, "directory";
        end + 16, &[0xff, 0xff, 0xff, 0x7f] => ZipError::DirectoryOutside { .. }, "2147483647";
    );
    let wide = zip(&sound(), true);
    let record = wide.len() - 22 - 20 - 56;
    let patched = |position: usize, bytes: &[u8]| {
        let mut file = wide.clone();
        file[position..position + bytes.len()].copy_from_slice(bytes);
        zip_error(file)
    };
    assert_errors!(patched;
        record, b"XX" => ZipError::BadZip64Record { .. }, "zip64";
        record + 56 + 8, &[0xff; 8] => ZipError::BadZip64Record { offset: u64::MAX }, "zip64";
        record + 32, &[0xff; 8] => ZipError::TooManyEntries { entries: u64::MAX, .. }, "200000";
        record + 56 + 4, &[1] => ZipError::SeveralVolumes, "volumes";
    );
}

#[test]
fn zip_entries() {
    let changed = |change: &dyn Fn(&mut Vec<ZipEntry>)| {
        let mut entries = sound();
        change(&mut entries);
        zip_error(zip(&entries, false))
    };
    let error = changed(&|entries| entries.push(entries[0].clone()));
    assert_error!(error, ZipError::DuplicateEntry { .. }, "a/data.pkl");
    let error = changed(&|entries| entries[0].flags = 1);
    assert_error!(error, ZipError::Encrypted { .. }, "a/data.pkl", "encrypted");
    let error = changed(&|entries| {
        entries[1].method = 8;
        entries[1].bytes = Some(1 << 30);
    });
    assert_error!(error, ZipError::InflatesTooFar { .. }, "a/data/0", "zip -0");
    let error = changed(&|entries| entries[0].method = 93);
    assert_error!(error, ZipError::UnknownCompression { method: 93, .. }, "93");
    let error = changed(&|entries| entries[0].bytes = Some(7));
    assert_error!(error, ZipError::BadDeflate { .. }, "a/data.pkl");
    let error = changed(&|entries| {
        entries[0].method = 8;
        entries[0].bytes = Some(1000);
    });
    assert_error!(error, ZipError::BadDeflate { bytes: 1000, .. }, "inflate");
    let error = changed(&|entries| {
        entries[0].method = 8;
        entries[0].bytes = Some(1 << 20);
    });
    assert_error!(error, ZipError::InflatesTooFar { .. }, "1048576");
}

#[test]
fn a_compressed_pickle_is_inflated() {
    let mut entries = sound();
    let pickle = entries[0].content.clone();
    entries[0].content = miniz_oxide::deflate::compress_to_vec(&pickle, 6);
    entries[0].method = 8;
    entries[0].bytes = Some(pickle.len() as u64);
    assert_eq!(catalog(zip(&entries, false)).unwrap().tensors[0].shape, [2]);
    entries[0].bytes = Some(pickle.len() as u64 - 1);
    assert_error!(
        zip_error(zip(&entries, false)),
        ZipError::BadDeflate { .. },
        "inflate"
    );
}

#[test]
fn zip_headers() {
    let file = zip(&sound(), false);
    let mut patched = file.clone();
    patched[0] = b'P';
    patched[2] = 9;
    let mut local = file.clone();
    let storage = file
        .windows(4)
        .rposition(|window| window == b"PK\x03\x04")
        .unwrap();
    local[storage + 2] = 9;
    assert_error!(
        zip_error(local),
        ZipError::BadLocalHeader { .. },
        "a/data/0"
    );
    let mut central = file.clone();
    let entry = file
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .unwrap();
    central[entry + 2] = 9;
    assert_error!(
        zip_error(central),
        ZipError::BadEntry { index: 0 },
        "entry 0"
    );
    let mut long = file.clone();
    long[entry + 20..entry + 28].copy_from_slice(&[0xff, 0xff, 0, 0, 0xff, 0xff, 0, 0]);
    assert_error!(zip_error(long), ZipError::EntryOutside { .. }, "a/data.pkl");
}

#[test]
fn pickles_that_end_or_are_none() {
    assert_errors!(whole_pickle_error;
        b"" => PickleError::Ended { position: 0 }, "ends";
        b"\x80\x02" => PickleError::Ended { position: 2 }, "byte 2";
        b"(dp0\n." => PickleError::Protocol, "protocol";
        b"\x80\x06N." => PickleError::Protocol, "protocol";
    );
    assert_error!(pickle_error(b"\x80\x09"), PickleError::Protocol, "protocol");
    let huge = b"X\xff\xff\xff\xff";
    assert_error!(
        pickle_error(huge),
        PickleError::Ended { position: 2 },
        "byte 2"
    );
    let huge = b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_errors!(pickle_error;
        huge => PickleError::Ended { .. }, "byte 2";
        b"cos" => PickleError::Ended { .. }, "byte 2";
        b"\xff" => PickleError::UnknownOpcode { opcode: 0xff, .. }, "0xff";
        b"\x82\x01" => PickleError::UnknownOpcode { .. }, "0x82";
    );
}

#[test]
fn pickles_that_misuse_the_stack() {
    assert_errors!(pickle_error;
        b"" => PickleError::StackEmpty { position: 2 }, "byte 2";
        b"NR" => PickleError::StackEmpty { .. }, "byte 3";
        b"NNR" => PickleError::Unexpected { .. }, "None", "arguments";
        b"N)R" => PickleError::Unexpected { .. }, "a function";
        b"NNa" => PickleError::Unexpected { .. }, "a list";
        b"NNNs" => PickleError::Unexpected { .. }, "a dict";
        b"NN\x93" => PickleError::Unexpected { .. }, "a text";
        b"N(a" => PickleError::StackEmpty { .. }, "byte 4";
        b"N\x86" => PickleError::StackEmpty { .. }, "byte 3";
        b"}t" => PickleError::NoMark { position: 3 }, "byte 3";
        b"}(Nu" => PickleError::OddItems { position: 5 }, "byte 5";
        b"(o" => PickleError::StackEmpty { .. }, "empty";
        b"h\x07" => PickleError::NoSuchMemo { index: 7, position: 2 }, "memo 7";
        b"Nr\x09\0\0\0j\0\0\0\0" => PickleError::NoSuchMemo { index: 0, .. }, "memo 0";
        b"Nr\xff\xff\xff\xff" => PickleError::MemoTooLarge { .. }, "4294967295", "10000000";
    );
}

#[test]
fn pickles_with_bad_words() {
    assert_errors!(pickle_error;
        b"X\x01\0\0\0\xff" => PickleError::BadText { .. }, "UTF-8";
        b"I12x\n" => PickleError::BadNumber { .. }, "byte 2";
        b"Npx\n" => PickleError::BadNumber { .. }, "byte 3";
    );
    let error = pickle_error(b"ctorch._utils\n_rebuild_tensor_v2\n)R");
    assert_error!(
        error,
        PickleError::BadArguments { .. },
        "torch._utils._rebuild_tensor_v2"
    );
    let error = pickle_error(b"ccollections\nOrderedDict\n]Na\x85R");
    assert_error!(
        error,
        PickleError::BadArguments { .. },
        "collections.OrderedDict"
    );
}

#[test]
fn pickles_beyond_the_limits() {
    let error = pickle_error(&b"(".repeat(201));
    assert_error!(error, PickleError::TooDeep { limit: 200 }, "200");
    let error = pickle_error(&[b"]".repeat(300), b"a".repeat(299)].concat());
    assert_error!(error, PickleError::TooDeep { limit: 200 }, "200");
    // A hundred thousand levels overflow the stack of whatever recurses over or drops them.
    let deep = [b"]".repeat(20_000), b"a".repeat(19_999)].concat();
    let error = pickle_error(&[&deep[..], &b"N0".repeat(1_000_000)].concat());
    assert_error!(error, PickleError::TooDeep { .. }, "200");
    let error = pickle_error(&b"]".repeat(1_000_000));
    assert_error!(error, PickleError::TooManyValues { .. }, "length");
    let error = pickle_error(&[&b"N"[..], &b"2\x30".repeat(5_000_001)].concat());
    assert_error!(
        error,
        PickleError::TooManyOpcodes { limit: 10_000_000 },
        "10000000"
    );
    let entry = ZipEntry::stored("a/data.pkl", vec![b'N'; (64 << 20) + 1]);
    let error = format_error(zip(&[entry], false));
    assert_error!(
        error,
        FormatError::Pickle(PickleError::TooLong { .. }),
        "67108864"
    );
    // `_rebuild_from_type_v2` of itself, through arguments in arguments.
    let function = b"ctorch._tensor\n_rebuild_from_type_v2\nq\0";
    let chain = b"(h\0Nh\x01Ntq\x01".repeat(250);
    let error = pickle_error(&[&function[..], b")q\x01", &chain, b"h\0h\x01R"].concat());
    assert_error!(error, PickleError::TooDeep { limit: 200 }, "200");
}

#[test]
fn aliases_do_not_unfold_without_end() {
    let error = torch_error(b"]q\0h\0a", &[]);
    assert_error!(error, TorchError::ContainsItself { .. }, "itself");
    // Each level holds the one before it ten times.
    let mut bomb = b"]q\0".to_vec();
    for level in 0..50_u8 {
        bomb.extend([b']', b'q', level + 1, b'(']);
        bomb.extend([b'h', level].repeat(10));
        bomb.push(b'e');
    }
    assert_error!(torch_error(&bomb, &[]), TorchError::Unfolds, "unfold");
    let tensor = view(&storage("FloatStorage", "0", 1), 0, &[1], &[1]);
    let list = [&tensor[..], b"q\0]", &b"h\0a".repeat(10_000)].concat();
    assert_error!(
        torch_error(&list, &[("0", &[0; 4])]),
        TorchError::Unfolds,
        "unfold"
    );
    let name = "n".repeat(100_000);
    let nested = (0..100).fold(b"N".to_vec(), |inner, _| {
        [&b"}h\0"[..], &inner, b"s"].concat()
    });
    let nested = [text(&name), b"q\0".to_vec(), nested].concat();
    assert!(
        catalog(torch(&pickle(&nested), &[]))
            .unwrap()
            .tensors
            .is_empty()
    );
}

fn float_view(offset: i64, shape: &[i64], strides: &[i64]) -> Vec<u8> {
    dict(&[(
        "w",
        view(&storage("FloatStorage", "0", 6), offset, shape, strides),
    )])
}

#[test]
fn torch_views() {
    let error = |offset: i64, shape: &[i64], strides: &[i64]| {
        torch_error(&float_view(offset, shape, strides), &[("0", &[0; 24])])
    };
    assert_errors!(error;
        0, &[7], &[1] => TorchError::OutsideStorage { reaches: 7, elements: 6, .. }, "\"w\"";
        5, &[2], &[1] => TorchError::OutsideStorage { reaches: 7, .. }, "\"w\"";
        7, &[0], &[1] => TorchError::OutsideStorage { reaches: 7, .. }, "\"w\"";
        i64::MAX, &[2], &[i64::MAX] => TorchError::OutsideStorage { .. }, "\"w\"";
        -1, &[1], &[1] => TorchError::BadExtent { .. }, "\"w\"";
        0, &[-1], &[1] => TorchError::BadExtent { .. }, "\"w\"";
        0, &[1], &[-1] => TorchError::BadExtent { .. }, "\"w\"";
        0, &[1, 1], &[1] => TorchError::StrideCount { dimensions: 2, strides: 1, .. }, "\"w\"";
        0, &[1; 65], &[1; 65] => TorchError::TooManyDimensions { dimensions: 65, .. }, "\"w\"";
        0, &[i64::MAX, i64::MAX], &[0, 0] => TorchError::ShapeOverflow { .. }, "\"w\"";
    );
    let found = error(0, &[1 << 20, 1 << 20], &[0, 0]);
    assert_error!(
        found,
        TorchError::ExpandsTooFar { elements: 6, .. },
        "\"w\"",
        "16777216"
    );
}

#[test]
fn torch_storages() {
    let error = torch_error(&float_view(0, &[6], &[1]), &[("1", &[0; 24])]);
    assert_error!(error, TorchError::MissingStorage { .. }, "\"w\"", "\"0\"");
    let error = torch_error(&float_view(0, &[1], &[1]), &[("0", &[0; 23])]);
    assert_error!(
        error,
        TorchError::ShortStorage {
            needs: 24,
            has: 23,
            ..
        },
        "\"w\"",
        "\"0\""
    );
    let tensor = view(&storage("DoubleStorage", "0", i64::MAX), 0, &[1], &[1]);
    let error = torch_error(&dict(&[("w", tensor)]), &[("0", &[0; 8])]);
    assert_error!(
        error,
        TorchError::ShortStorage {
            needs: u64::MAX,
            ..
        },
        "\"w\""
    );
}

#[test]
fn torch_archives() {
    let error = format_error(zip(&[ZipEntry::stored("a/b.pkl", b"")], false));
    assert_error!(
        error,
        FormatError::Torch(TorchError::NoPickle { .. }),
        "data.pkl"
    );
    let mut entries = sound();
    entries.push(ZipEntry::stored("b/data.pkl", b""));
    let error = format_error(zip(&entries, false));
    assert_error!(
        error,
        FormatError::Torch(TorchError::SeveralPickles { .. }),
        "\"a\"",
        "\"b\""
    );
    let mut entries = sound();
    entries.push(ZipEntry::stored("a/byteorder", b"middle"));
    let error = format_error(zip(&entries, false));
    assert_error!(
        error,
        FormatError::Torch(TorchError::UnknownByteOrder { .. }),
        "middle"
    );
}

#[test]
fn tensors_have_a_limit() {
    let start = [
        &b"B\0\0\0\x03"[..],
        &vec![0; 3 << 24],
        b"0ctorch._utils\n_rebuild_tensor\nq\0",
        &storage("FloatStorage", "0", 1),
        b"q\x01](",
    ];
    let tensors = b"h\0(h\x01K\0))tR".repeat(1_000_001);
    let error = torch_error(
        &[&start.concat()[..], &tensors, b"e"].concat(),
        &[("0", &[0; 4])],
    );
    assert_error!(error, TorchError::TooManyTensors { .. }, "1000000");
}

#[test]
fn torch_names() {
    let tensor = view(&storage("FloatStorage", "0", 1), 0, &[1], &[1]);
    let inner = dict(&[("b", tensor.clone())]);
    let program = dict(&[("a", inner), ("a.b", tensor.clone()), ("c", tensor)]);
    let catalog = catalog(torch(&pickle(&program), &[("0", &[0; 4])])).unwrap();
    assert_eq!(catalog.tensors.len(), 1);
    assert_eq!(catalog.tensors[0].name, "c");
    assert_eq!(catalog.unreadable.len(), 1);
    assert_eq!(catalog.unreadable[0].0, "a.b");
}

#[test]
fn a_file_that_is_one_object_says_so() {
    let error = torch_error(b"cmine\nNet\n)\x81", &[]);
    assert_error!(
        error,
        TorchError::OneObject { .. },
        "mine.Net",
        "state_dict()"
    );
    let called = torch(&pickle(b"cos\nsystem\nX\x02\0\0\0ls\x85R"), &[]);
    let catalog = catalog(called).unwrap();
    assert!(catalog.unreadable[0].1.contains("os.system"));
}

/// An object of a class, with a state.
fn object(class: &str, state: &[u8]) -> Vec<u8> {
    let class = format!("cmine\n{class}\n");
    [class.as_bytes(), b")\x81", state, b"b"].concat()
}

#[test]
fn objects_that_know_each_other_end() {
    let tensor = view(&storage("FloatStorage", "0", 1), 0, &[1], &[1]);
    // Its own attribute, a module's parent, and a list that has the object that has it.
    for program in [
        [
            &b"cmine\nA\n)\x81q\x09"[..],
            &dict(&[("me", b"h\x09".to_vec()), ("w", tensor.clone())]),
            b"b",
        ]
        .concat(),
        {
            let child = object(
                "B",
                &dict(&[
                    ("_parameters", b"}".to_vec()),
                    ("_modules", dict(&[("up", b"h\x09".to_vec())])),
                ]),
            );
            let parameters = dict(&[("w", tensor.clone())]);
            let state = dict(&[
                ("_parameters", parameters),
                ("_modules", dict(&[("b", child)])),
            ]);
            [&b"cmine\nA\n)\x81q\x09"[..], &state, b"b"].concat()
        },
        [
            &b"]q\x09"[..],
            &object(
                "A",
                &dict(&[("all", b"h\x09".to_vec()), ("w", tensor.clone())]),
            ),
            b"a",
        ]
        .concat(),
    ] {
        let catalog = catalog(torch(&pickle(&program), &[("0", &[0; 4])])).unwrap();
        assert_eq!(
            catalog.tensors.len(),
            1,
            "{:?}",
            program.escape_ascii().to_string()
        );
        assert!(catalog.tensors[0].name.ends_with('w'));
    }
}

#[test]
fn objects_that_share_a_long_state_end() {
    let attributes: Vec<u8> = (0..20_000_u32)
        .flat_map(|number| [&b"J"[..], &number.to_le_bytes(), b"N"].concat())
        .collect();
    let state = [b"}(", &attributes[..], b"uq\x09"].concat();
    let objects = b"cmine\nA\n)\x81h\x09b".repeat(20_000);
    let program = [&b"]("[..], &state, &objects, b"e"].concat();
    assert_error!(torch_error(&program, &[]), TorchError::Unfolds, "unfold");
}

#[test]
fn a_tensors_properties_are_known_or_spoil_it() {
    let with = |properties: &[u8]| {
        let view = [
            b"ctorch._utils\n_rebuild_tensor_v2\n(",
            &storage("FloatStorage", "0", 1)[..],
            b"K\0",
            &ints(&[1]),
            &ints(&[1]),
            b"\x89}",
            properties,
            b"tR",
        ];
        let program = dict(&[("w", view.concat())]);
        catalog(torch(&pickle(&program), &[("0", &1_f32.to_le_bytes())])).unwrap()
    };
    let flag = |name: &str, flag: &[u8]| dict(&[(name, flag.to_vec())]);
    assert!(!with(b"N").tensors[0].placement.negated);
    assert!(!with(b"}").tensors[0].placement.negated);
    assert!(!with(&flag("neg", b"\x89")).tensors[0].placement.negated);
    assert!(with(&flag("neg", b"\x88")).tensors[0].placement.negated);
    assert!(!with(&flag("conj", b"\x88")).tensors[0].placement.negated);
    for spoiled in [
        flag("inv", b"\x88"),
        flag("neg", b"K\x01"),
        b"]".to_vec(),
        b"}NNs".to_vec(),
    ] {
        let catalog = with(&spoiled);
        assert_eq!(catalog.tensors, []);
        assert_eq!(catalog.unreadable[0].0, "w");
        assert!(catalog.unreadable[0].1.contains("property"));
    }
}

/// A NumPy array as protocol 2 has it, with its bytes as a text of one character each.
fn array(dtype: &str, shape: &[i64], bytes: &str) -> Vec<u8> {
    let dtype = [
        b"cnumpy\ndtype\n",
        &text(dtype)[..],
        b"\x89\x88\x87R(K\x03",
        &text("<"),
    ]
    .concat();
    [
        b"cnumpy.core.multiarray\n_reconstruct\n)R(K\x01",
        &ints(shape)[..],
        &dtype,
        b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb\x89c_codecs\nencode\n",
        &text(bytes),
        &text("latin1"),
        b"\x86Rtb",
    ]
    .concat()
}

#[test]
fn arrays_that_are_none_are_named() {
    let program = dict(&[
        ("sound", array("u1", &[2], "a\u{ff}")),
        ("short", array("f4", &[2], "abcdefg")),
        ("wide", array("u1", &[1], "\u{100}")),
        ("huge", array("f8", &[i64::MAX, i64::MAX], "")),
        ("minus", array("u1", &[-1], "a")),
        ("complex", array("c8", &[1], "abcdefgh")),
        ("objects", array("O8", &[1], "abcdefgh")),
        ("bare", b"cnumpy.core.multiarray\n_reconstruct\n)R".to_vec()),
        ("scalar", b"cnumpy.core.multiarray\nscalar\n)R".to_vec()),
        ("flat", array("u1", &[0; 65], "")),
    ]);
    let catalog = catalog(torch(&pickle(&program), &[])).unwrap();
    let names: Vec<&str> = catalog.tensors.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["sound"]);
    let names: Vec<&str> = catalog
        .unreadable
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    let all = [
        "short", "wide", "huge", "minus", "complex", "objects", "bare", "scalar", "flat",
    ];
    assert_eq!(names, all);
    assert!(
        catalog
            .unreadable
            .iter()
            .all(|(_, why)| why.contains("NumPy array"))
    );
}

#[test]
fn what_is_not_understood_is_named_and_plain_values_are_passed_over() {
    let complex = view(&storage("ComplexFloatStorage", "0", 1), 0, &[1], &[1]);
    let program = dict(&[
        ("epoch", int(3)),
        ("name", text("run")),
        ("evil", b"cos\nsystem\nX\x02\0\0\0ls\x85R".to_vec()),
        ("dtype", b"ctorch\nfloat32\n".to_vec()),
        ("complex", complex),
        ("object", b"(iargparse\nNamespace\n".to_vec()),
        ("storage", storage("FloatStorage", "0", 1)),
        ("persistent", b"Pmodule\n".to_vec()),
        ("none", b"N".to_vec()),
        ("float", b"G\0\0\0\0\0\0\0\0".to_vec()),
        ("keyed", [b"})N".to_vec(), b"s".to_vec()].concat()),
        ("lost", [b"})]".to_vec(), b"s".to_vec()].concat()),
    ]);
    let catalog = catalog(torch(&pickle(&program), &[("0", &[0; 8])])).unwrap();
    assert!(catalog.tensors.is_empty());
    let names: Vec<&str> = catalog
        .unreadable
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        names,
        ["evil", "complex", "storage", "persistent", "lost.?"]
    );
    let reasons: Vec<&str> = catalog
        .unreadable
        .iter()
        .map(|(_, why)| why.as_str())
        .collect();
    assert!(reasons[0].contains("os.system"));
    assert!(reasons[1].contains("complex64"));
}

/// Magic number, protocol version, and an empty dict of the machine's facts.
const PREAMBLE: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.";

fn legacy(program: &[u8], keys: &[u8], data: &[u8]) -> Vec<u8> {
    [PREAMBLE, &pickle(program), &pickle(keys), data].concat()
}

#[test]
fn legacy_preambles() {
    let magic = b"\x80\x02K\x01.\x80\x02M\xe9\x03.\x80\x02}.";
    assert_error!(legacy_error(magic), TorchError::NoMagic, "magic");
    let version = [&PREAMBLE[..15], b"\x80\x02K\x07."].concat();
    assert_error!(
        legacy_error(&version),
        TorchError::UnknownVersion { found: 7 },
        "7"
    );
    let facts = dict(&[("little_endian", b"\x89".to_vec())]);
    let big = [&PREAMBLE[..21], &pickle(&facts)].concat();
    assert_errors!(legacy_error;
        &big => TorchError::LegacyBigEndian, "big-endian";
        &legacy(b"N", b"N", b"") => TorchError::NoKeys, "keys";
        &legacy(b"N", b"]K\x01a", b"") => TorchError::NoKeys, "keys";
    );
    let cut = format_error(&PREAMBLE[..PREAMBLE.len() - 1]);
    assert_error!(cut, FormatError::Pickle(PickleError::Ended { .. }), "ends");
}

#[test]
fn legacy_storages() {
    let program = float_view(0, &[6], &[1]);
    let keys = [&b"]"[..], &text("0"), b"a"].concat();
    let whole = [&6_u64.to_le_bytes()[..], &[0; 24]].concat();
    assert_eq!(
        catalog(legacy(&program, &keys, &whole)).unwrap().tensors[0].shape,
        [6]
    );
    let error = legacy_error(&legacy(&program, &keys, &whole[..31]));
    assert_error!(error, TorchError::CutOff { .. }, "cut off", "\"0\"");
    let mut miscounted = whole.clone();
    miscounted[0] = 5;
    let error = legacy_error(&legacy(&program, &keys, &miscounted));
    assert_error!(
        error,
        TorchError::StorageCount {
            found: 5,
            expected: 6,
            ..
        },
        "\"0\""
    );
    let other = [&b"]"[..], &text("1"), b"a"].concat();
    let error = legacy_error(&legacy(&program, &other, &whole));
    assert_error!(error, TorchError::UnusedStorage { .. }, "\"1\"");
    let error = legacy_error(&legacy(&program, b"]", &whole));
    assert_error!(error, TorchError::MissingStorage { .. }, "\"w\"");
    let twice = dict(&[
        ("w", view(&storage("FloatStorage", "0", 6), 0, &[6], &[1])),
        ("v", view(&storage("FloatStorage", "0", 5), 0, &[5], &[1])),
    ]);
    let error = legacy_error(&legacy(&twice, &keys, &whole));
    assert_error!(
        error,
        TorchError::StorageConflict {
            first: 24,
            second: 20,
            ..
        },
        "\"0\""
    );
}

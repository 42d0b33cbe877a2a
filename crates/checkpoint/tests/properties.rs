//! Properties of the parsers and of the widening, on made-up inputs.
#![allow(clippy::unwrap_used, clippy::panic)] // a test fails by panicking

mod support;

use std::fs;

use ckptscope_checkpoint::{
    Dtype, MemorySource, Naming, Packing, Placement, ReadError, Spelling, Stacks, Tensor,
    TensorEntry, catalog_of, read_tensors,
};
use ckptscope_vocabulary::WRAPPERS;
use half::{bf16, f16};
use pollster::block_on;
use proptest::prelude::*;
use support::{catalog, odd, row_major, torch};

/// Lists a file and reads what it lists; a broken file may give an error and nothing else.
fn survives(bytes: Vec<u8>) {
    let source = MemorySource::new("made-up", bytes);
    match block_on(catalog_of(&source)) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(catalog) => {
            let tensors = catalog.tensors.iter();
            for entry in tensors.filter(|entry| entry.elements() < 1 << 16) {
                match block_on(read_tensors(&source, &[entry])) {
                    // An archive says what bytes it had.
                    Ok(_) | Err(ReadError::BadChecksum { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}

/// Good files to be spoiled.
fn good_files() -> Vec<Vec<u8>> {
    let names = [
        "good.safetensors",
        "views.pt",
        "nested.pt",
        "legacy_views.pt",
        "protocol4.pt",
    ];
    names
        .iter()
        .map(|name| fs::read(odd(name)).unwrap())
        .collect()
}

/// Changes bytes of a file: (position as a share of the length, new byte).
fn mutated(mut file: Vec<u8>, changes: &[(f64, u8)], keep: f64) -> Vec<u8> {
    for (share, byte) in changes {
        let position = (share * file.len() as f64) as usize;
        if let Some(slot) = file.get_mut(position) {
            *slot = *byte;
        }
    }
    file.truncate((keep * file.len() as f64) as usize);
    file
}

const MAGICS: &[&[u8]] = &[b"", b"PK\x03\x04", b"\x80\x02", b"\x10\0\0\0\0\0\0\0{"];

fn share() -> impl Strategy<Value = f64> {
    (0_u32..1000).prop_map(|share| f64::from(share) / 1000.0)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2048,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn arbitrary_bytes_never_panic(
        magic in prop::sample::select(MAGICS),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        survives([magic, &bytes].concat());
    }

    #[test]
    fn arbitrary_instructions_never_panic(
        program in prop::collection::vec(
            prop::sample::select(&b"(0:12N\x88\x89KMGX\x8c)t\x85\x86\x87]lae}dsuqh\x94cRbQoi.\x93\x81\x01\0\n"[..]),
            0..200,
        ),
    ) {
        survives(torch(&[b"\x80\x02", &program[..]].concat(), &[("0", &[0; 16])]));
    }

    #[test]
    fn mutated_files_never_panic(
        file in 0_usize..5,
        changes in prop::collection::vec((share(), any::<u8>()), 0..8),
        keep in prop_oneof![Just(1.0), share()],
    ) {
        survives(mutated(good_files().swap_remove(file), &changes, keep));
    }

    #[test]
    fn mutated_pickles_never_panic(changes in prop::collection::vec((share(), any::<u8>()), 1..8)) {
        let file = fs::read(odd("shared_storage.pt")).unwrap();
        let start = file.windows(2).position(|window| window == b"\x80\x02").unwrap();
        let pickle = mutated(file[start..start + 277].to_vec(), &changes, 1.0);
        survives(torch(&pickle, &[("0", &[0; 192])]));
    }

    #[test]
    fn layer_names_join_to_the_name(
        names in prop::collection::vec("[a-z.]{0,4}((layers|h|x)\\.)?[0-9]{1,3}[a-z.]{0,4}", 1..6),
    ) {
        let naming = Naming::of(names.iter().map(String::as_str));
        for name in &names {
            let Some(layer) = naming.layer_of(name) else {
                continue;
            };
            let behind = name.strip_prefix(&layer.written_stack).unwrap();
            let (number, rest) = behind.split_once('.').unwrap_or((behind, ""));
            prop_assert_eq!(number.parse(), Ok(layer.number));
            prop_assert_eq!(rest, layer.rest);
            prop_assert_eq!(&layer.stack, &layer.written_stack);
        }
    }

    #[test]
    fn wrappers_change_no_layer(
        names in prop::collection::vec(
            prop::collection::vec("layers|h|x|0|1|12|experts|a|weight", 1..6), 1..6),
        wrappers in prop::collection::vec(
            (any::<usize>(), any::<usize>(), prop::sample::select(WRAPPERS)), 0..8),
    ) {
        let mut wrapped = names.clone();
        for (name, place, wrapper) in wrappers {
            let name = name % wrapped.len();
            let place = place % (wrapped[name].len() + 1);
            wrapped[name].insert(place, wrapper.to_owned());
        }
        let join = |names: Vec<Vec<String>>| names.iter().map(|it| it.join(".")).collect();
        let (plain, wrapped): (Vec<String>, Vec<String>) = (join(names), join(wrapped));
        let layers = |names: &[String]| -> Vec<_> {
            let naming = Naming::of(names.iter().map(String::as_str));
            let layers = names.iter().map(|name| naming.layer_of(name));
            layers.map(|it| it.map(|it| (it.stack, it.number, it.rest))).collect()
        };
        prop_assert_eq!(layers(&plain), layers(&wrapped));
    }

    #[test]
    fn no_tensor_takes_the_place_of_another(
        names in prop::collection::vec(
            "(module\\.)?((a\\.)?(layers|h|x)\\.)?0?[01](\\._orig_mod)?(\\.[ab])?(\\.weight){0,2}",
            0..20),
    ) {
        let numbered = names.iter().cloned().zip(0..);
        let stacks: Stacks<usize> = Stacks::of(numbered);
        let naming = Naming::of(names.iter().map(String::as_str));
        let layer_of = |name: &str| {
            let layer = naming.layer_of(name)?;
            Some((layer.stack, layer.number, layer.rest))
        };
        for (number, name) in names.iter().enumerate() {
            let Some((stack, layer, rest)) = layer_of(name) else {
                continue;
            };
            let found = stacks.of_layer(&stack, layer, &rest, Spelling::Whole);
            let is_alike = |other: &usize| layer_of(&names[*other]) == layer_of(name);
            prop_assert!(found.contains(&number));
            prop_assert!(found.iter().all(is_alike), "{:?} of {:?}", found, names);
            // Every one is reached by a suffix that is listed.
            let reaches = |(stack, suffix): (&str, &str)| {
                let spelling = stacks.spelling(stack, suffix);
                stacks.of_layer(stack, layer, suffix, spelling).contains(&number)
            };
            prop_assert!(stacks.suffixes().into_iter().any(reaches), "{}", name);
        }
        let outside = names.iter().filter(|name| layer_of(name).is_none()).count();
        prop_assert_eq!(stacks.outside().count, outside);
    }

    #[test]
    fn tiles_transpose_as_one_by_one(rows in 1_u64..80, columns in 1_u64..80, seed: u32) {
        let elements = (rows * columns) as usize;
        let values: Vec<f32> =
            (0..elements).map(|index| (index as u32 ^ seed) as f32 * 0.5).collect();
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let tensor = read(Dtype::F32, bytes, &[rows, columns], &[columns, 1], 0, false);
        let back: Vec<f32> = row_major(&tensor).iter().map(|value| *value as f32).collect();
        prop_assert_eq!(back, values);
    }

    #[test]
    fn views_read_as_their_strides_say(
        shape in prop::collection::vec(1_u64..5, 0..4),
        steps in prop::collection::vec(0_u64..7, 4),
        offset in 0_u64..9,
        big_endian: bool,
    ) {
        let strides = &steps[..shape.len()];
        let bytes: Vec<u8> = (0..400_u16)
            .flat_map(|value| if big_endian { value.to_be_bytes() } else { value.to_le_bytes() })
            .collect();
        let tensor = read(Dtype::U16, bytes, &shape, strides, offset, big_endian);
        let mut expected = vec![offset];
        for (extent, stride) in shape.iter().zip(strides) {
            let along = |base: &u64| (0..*extent).map(|step| base + step * stride).collect();
            expected = expected.iter().flat_map::<Vec<u64>, _>(along).collect();
        }
        let expected: Vec<f64> = expected.iter().map(|value| *value as f64).collect();
        prop_assert_eq!(row_major(&tensor), expected);
    }
}

fn read(
    dtype: Dtype,
    bytes: Vec<u8>,
    shape: &[u64],
    strides: &[u64],
    offset: u64,
    big_endian: bool,
) -> Tensor {
    let (shape, strides) = (shape.to_vec(), strides.to_vec());
    let placement = Placement {
        storage_offset_bytes: 0,
        packing: Packing::Plain,
        offset,
        strides,
        big_endian,
        negated: false,
        crc32: None,
    };
    let entry = TensorEntry {
        name: "tensor".to_owned(),
        dtype,
        shape,
        placement,
    };
    let source = MemorySource::new("made-up", bytes);
    block_on(read_tensors(&source, &[&entry]))
        .unwrap()
        .remove(0)
}

/// Every element of 16 bits, widened, beside its bits.
fn all_of_16_bits(dtype: Dtype) -> impl Iterator<Item = (u16, f64)> {
    let bytes = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    (0..=u16::MAX).zip(read(dtype, bytes, &[65536], &[1], 0, false).values)
}

fn same(a: f64, b: f64) -> bool {
    a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan())
}

#[test]
fn every_half_widens_as_the_referee_says() {
    for (bits, value) in all_of_16_bits(Dtype::F16) {
        assert!(
            same(value, f16::from_bits(bits).to_f64()),
            "{bits:#06x}: {value}"
        );
    }
    for (bits, value) in all_of_16_bits(Dtype::BF16) {
        assert!(
            same(value, bf16::from_bits(bits).to_f64()),
            "{bits:#06x}: {value}"
        );
    }
}

#[test]
fn every_eight_bit_float_widens() {
    let bytes = || (0..=u8::MAX).collect();
    let e5m2 = read(Dtype::F8E5M2, bytes(), &[256], &[1], 0, false).values;
    for (bits, value) in (0..=u8::MAX).zip(e5m2) {
        // e5m2 is the upper byte of a half.
        assert!(
            same(value, f16::from_bits(u16::from(bits) << 8).to_f64()),
            "{bits:#04x}: {value}"
        );
    }
    let e4m3 = read(Dtype::F8E4M3, bytes(), &[256], &[1], 0, false).values;
    for (bits, wanted) in [
        (0x00, 0.0),
        (0x01, 0.001_953_125),
        (0x07, 0.013_671_875),
        (0x08, 0.015_625),
        (0x38, 1.0),
        (0x3c, 1.5),
        (0x7e, 448.0),
        (0xb8, -1.0),
        (0xfe, -448.0),
    ] {
        assert_eq!(e4m3[bits], wanted, "{bits:#04x}");
    }
    assert!(e4m3[0x7f].is_nan() && e4m3[0xff].is_nan());
    assert_eq!(e4m3.iter().filter(|value| value.is_finite()).count(), 254);
    assert!(e4m3[..0x7f].is_sorted());
}

#[test]
fn integers_and_truth_values_widen() {
    let one = |dtype, bytes: &[u8]| read(dtype, bytes.to_vec(), &[], &[], 0, false).values[0];
    assert_eq!(one(Dtype::I64, &(-7_i64).to_le_bytes()), -7.0);
    assert_eq!(
        one(Dtype::U64, &u64::MAX.to_le_bytes()),
        18_446_744_073_709_551_615.0
    );
    assert_eq!(one(Dtype::I32, &i32::MIN.to_le_bytes()), -2_147_483_648.0);
    assert_eq!(one(Dtype::U32, &u32::MAX.to_le_bytes()), 4_294_967_295.0);
    assert_eq!(one(Dtype::I16, &(-2_i16).to_le_bytes()), -2.0);
    assert_eq!(one(Dtype::I8, &[0x80]), -128.0);
    assert_eq!(one(Dtype::U8, &[0x80]), 128.0);
    assert_eq!(one(Dtype::Bool, &[1]), 1.0);
    assert_eq!(one(Dtype::Bool, &[0]), 0.0);
    assert_eq!(
        one(Dtype::F64, &f64::MIN_POSITIVE.to_le_bytes()),
        f64::MIN_POSITIVE
    );
}

#[test]
fn the_matrix_view_is_column_major() {
    let bytes: Vec<u8> = (0..24).collect();
    let cube = read(Dtype::U8, bytes.clone(), &[2, 3, 4], &[12, 4, 1], 0, false);
    assert_eq!((cube.rows(), cube.columns()), (2, 12));
    assert_eq!(cube.values[..4], [0.0, 12.0, 1.0, 13.0]);
    let vector = read(Dtype::U8, bytes, &[3], &[2], 1, false);
    assert_eq!((vector.rows(), vector.columns()), (1, 3));
    assert_eq!(vector.values, [1.0, 3.0, 5.0]);
    assert!(catalog(b"".to_vec()).is_err());
}

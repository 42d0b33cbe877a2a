//! Tensors that are counted as they are read, whatever else is asked of them.

use std::cell::Cell;
use std::fmt::Write as _;
use std::rc::Rc;

use ckptscope_checkpoint::read::NEAR_PIECE_BYTES;
use ckptscope_checkpoint::{FileEntry, MemoryTree, ReadError, Source, Tree};
use ckptscope_results::{Number, Value};
use futures_util::future::LocalBoxFuture;

use crate::support::{numbers, planned};

/// Every metric that ignores where entries stand.
const OF_VALUES: &str = "gini hoyer norm quantile top_k_values entry_statistics";

fn config(metrics: &str) -> String {
    let mut text = "metrics:\n".to_owned();
    for metric in metrics.split(' ') {
        writeln!(
            text,
            "  - {{metric_name: {metric}, data_split: val, components: [{{component_name: simple, \
             data_type: weights, layer_suffixes: w, layers: all}}]}}"
        )
        .unwrap();
    }
    text + "steps: all\n"
}

/// A run of one tensor of one layer, its elements given as they are stored.
fn run(dtype: &str, shape: [usize; 2], elements: &[u8]) -> MemoryTree {
    let end = elements.len();
    let header = format!(
        r#"{{"layers.0.w":{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[0,{end}]}}}}"#
    );
    let length = (header.len() as u64).to_le_bytes();
    let file = [&length[..], header.as_bytes(), elements].concat();
    MemoryTree::new("run", vec![("step_5/model.safetensors".to_owned(), file)])
}

/// Bits without pattern.
fn noise(count: usize) -> Vec<u32> {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state
    };
    (0..count).map(|_| next()).collect()
}

/// Numbers of magnitude 1/8 to 8, both signs, as bfloat16: patterns of 16 bits.
fn bf16(count: usize) -> Vec<u16> {
    let of = |bits: u32| {
        let exponent = 124 + (bits >> 8) % 6;
        let pattern = (bits >> 31) << 15 | exponent << 7 | (bits >> 16) & 0x7f;
        u16::try_from(pattern).unwrap()
    };
    noise(count).into_iter().map(of).collect()
}

fn of_tree(tree: &dyn Tree, metrics: &str) -> Vec<Number> {
    let (_, _, plan) = planned(tree, &config(metrics));
    let mut found: Vec<_> = plan
        .lanes
        .iter()
        .flat_map(|lane| numbers(lane, tree))
        .collect();
    found.retain(|number| OF_VALUES.contains(&*number.id.entry.label));
    found
}

fn value(number: &Number) -> f64 {
    match &number.value {
        Some(Value::Number(value)) => *value,
        other => panic!("{other:?} of {:?}", number.id),
    }
}

#[test]
fn counted_numbers_are_those_of_the_same_values_stored_wide() {
    let patterns = bf16(48 * 40);
    let narrow: Vec<u8> = patterns.iter().flat_map(|it| it.to_le_bytes()).collect();
    let widened = |pattern: &u16| (u32::from(*pattern) << 16).to_le_bytes();
    let wide: Vec<u8> = patterns.iter().flat_map(widened).collect();
    let (narrow, wide) = (run("BF16", [48, 40], &narrow), run("F32", [48, 40], &wide));
    let (counted, held) = (of_tree(&narrow, OF_VALUES), of_tree(&wide, OF_VALUES));
    assert_eq!((counted.len(), held.len()), (21, 21));
    for (counted, held) in counted.iter().zip(&held) {
        assert_eq!(counted.id, held.id);
        let (counted, held) = (value(counted), value(held));
        assert!(
            (counted - held).abs() <= 1e-13 * held.abs().max(1.0),
            "{counted} {held}"
        );
    }
}

#[test]
fn what_else_is_asked_changes_no_digit() {
    let elements: Vec<u8> = bf16(30 * 20)
        .iter()
        .flat_map(|it| it.to_le_bytes())
        .collect();
    let tree = run("BF16", [30, 20], &elements);
    let together = of_tree(&tree, &format!("{OF_VALUES} per condition_number"));
    assert_eq!(of_tree(&tree, OF_VALUES), together);
    for metric in OF_VALUES.split(' ') {
        let alone = of_tree(&tree, metric);
        let of_it = together.iter().filter(|it| &*it.id.entry.label == metric);
        assert!(alone.iter().eq(of_it), "{metric}");
    }
}

#[test]
fn bytes_and_halves_are_counted_too() {
    // Finite ones: one bit of the exponent is never set.
    let elements: Vec<u8> = noise(24)
        .iter()
        .map(|bits| (bits >> 24) as u8 & 0xbf)
        .collect();
    for (dtype, bytes) in [("F8_E4M3", 1), ("F8_E5M2", 1), ("F16", 2)] {
        let tree = run(dtype, [2, elements.len() / bytes / 2], &elements);
        let counted = of_tree(&tree, "norm gini");
        // A matrix in memory decides nothing: with `per` beside them they are the same.
        assert_eq!(counted, of_tree(&tree, "norm gini per"), "{dtype}");
        let values: Vec<f64> = match dtype {
            "F8_E4M3" => elements
                .iter()
                .map(|it| float(u16::from(*it), 4, 3))
                .collect(),
            "F8_E5M2" => elements
                .iter()
                .map(|it| float(u16::from(*it), 5, 2))
                .collect(),
            _ => {
                let pairs = elements.as_chunks().0.iter();
                pairs
                    .map(|it| float(u16::from_le_bytes(*it), 5, 10))
                    .collect()
            }
        };
        let expected: f64 = values.iter().map(|it| it * it).sum();
        let difference = value(&counted[0]) / expected.sqrt() - 1.0;
        assert!(difference.abs() < 1e-12, "{dtype}");
    }
}

/// A finite float of so many bits for exponent and fraction, by its definition.
fn float(bits: u16, exponent_bits: u32, fraction_bits: u32) -> f64 {
    let of_one = 2_f64.powi(fraction_bits.cast_signed());
    let fraction = f64::from(bits & ((1 << fraction_bits) - 1)) / of_one;
    let exponent = i32::from(bits >> fraction_bits & ((1 << exponent_bits) - 1));
    let bias = (1 << (exponent_bits - 1)) - 1;
    let magnitude = match exponent {
        0 => fraction * 2_f64.powi(1 - bias),
        _ => (1.0 + fraction) * 2_f64.powi(exponent - bias),
    };
    let is_negative = bits >> (exponent_bits + fraction_bits) == 1;
    if is_negative { -magnitude } else { magnitude }
}

/// A tree that remembers its reads.
struct Watched {
    tree: MemoryTree,
    is_far: bool,
    reads: Rc<Reads>,
}

#[derive(Default)]
struct Reads {
    longest: Cell<u64>,
    bytes: Cell<u64>,
}

struct WatchedSource {
    source: Rc<dyn Source>,
    is_far: bool,
    reads: Rc<Reads>,
}

impl Tree for Watched {
    fn name(&self) -> &str {
        self.tree.name()
    }

    fn files(&self) -> &[FileEntry] {
        self.tree.files()
    }

    fn open<'a>(&'a self, path: &'a str) -> LocalBoxFuture<'a, Result<Rc<dyn Source>, ReadError>> {
        Box::pin(async move {
            let source: Rc<dyn Source> = Rc::new(WatchedSource {
                source: self.tree.open(path).await?,
                is_far: self.is_far,
                reads: Rc::clone(&self.reads),
            });
            Ok(source)
        })
    }
}

impl Source for WatchedSource {
    fn name(&self) -> &str {
        self.source.name()
    }

    fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    fn read_at(&self, offset: u64, length: u64) -> LocalBoxFuture<'_, Result<Vec<u8>, ReadError>> {
        let Reads { longest, bytes } = &*self.reads;
        longest.set(longest.get().max(length));
        bytes.set(bytes.get() + length);
        self.source.read_at(offset, length)
    }

    fn is_far(&self) -> bool {
        self.is_far
    }
}

#[test]
fn memory_does_not_grow_with_a_tensor_that_is_counted() {
    let count = 9 * 1024 * 1024;
    let elements: Vec<u8> = bf16(count).iter().flat_map(|it| it.to_le_bytes()).collect();
    let reads = Rc::default();
    let tree = Watched {
        tree: run("BF16", [1024, 9 * 1024], &elements),
        is_far: false,
        reads: Rc::clone(&reads),
    };
    let counted = of_tree(&tree, OF_VALUES);
    assert_eq!((counted.len(), reads.longest.get()), (21, NEAR_PIECE_BYTES));
    let (_, _, plan) = planned(&tree, &config(OF_VALUES));
    assert!(
        plan.cost.peak_bytes < 8 * NEAR_PIECE_BYTES,
        "{:?}",
        plan.cost
    );
    let (_, _, plan) = planned(&tree, &config("gini per"));
    assert!(plan.cost.peak_bytes > 8 * count as u64, "{:?}", plan.cost);
}

/// Numbers of magnitude 1/8 to 8, both signs, as float32.
fn f32_elements(count: usize) -> Vec<u8> {
    let of = |bits: u32| (bits >> 31) << 31 | (124 + (bits >> 8) % 6) << 23 | bits & 0x7f_ffff;
    let all = noise(count).into_iter().map(of);
    all.flat_map(u32::to_le_bytes).collect()
}

#[test]
fn neighbours_change_no_digit_of_float32() {
    let tree = run("F32", [512, 288], &f32_elements(512 * 288));
    let together = of_tree(&tree, &format!("{OF_VALUES} per"));
    assert_eq!(together.len(), 21);
    assert_eq!(of_tree(&tree, OF_VALUES), together);
    for metric in OF_VALUES.split(' ') {
        let of_it = together.iter().filter(|it| &*it.id.entry.label == metric);
        assert!(of_tree(&tree, metric).iter().eq(of_it), "{metric}");
    }
}

#[test]
fn long_float32_is_never_held_whole() {
    let (rows, columns) = (512, 9 * 1024);
    let elements = f32_elements(rows * columns);
    let bytes = elements.len() as u64;
    let held = of_tree(&run("F32", [rows, columns], &elements), "gini hoyer per");
    for (is_far, metrics, times) in [
        (false, "hoyer", 1),
        (false, "gini hoyer", 2),
        (true, "hoyer", 1),
        (true, "gini hoyer", 1),
    ] {
        let reads = Rc::<Reads>::default();
        let tree = Watched {
            tree: run("F32", [rows, columns], &elements),
            is_far,
            reads: Rc::clone(&reads),
        };
        let found = of_tree(&tree, metrics);
        let expected = held.iter();
        let expected = expected.filter(|it| metrics.contains(&*it.id.entry.label));
        assert!(found.iter().eq(expected), "{metrics}");
        let beside = reads.bytes.get() - times * bytes;
        assert!(beside < 64 * 1024, "{metrics}: {beside}");
        if !is_far {
            assert_eq!(reads.longest.get(), NEAR_PIECE_BYTES, "{metrics}");
            let (_, _, plan) = planned(&tree, &config(metrics));
            let peak = plan.cost.peak_bytes;
            assert!(
                peak < (times - 1) * 2 * bytes + 8 * NEAR_PIECE_BYTES,
                "{peak}"
            );
        }
    }
}

//! A run of pico-decoder-small's shape with Gaussian values, as pico-train would write it.

use std::f64::consts::TAU;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

const LAYERS: u64 = 12;
const HEADS: usize = 12;
const KV_HEADS: usize = 4;
const D_MODEL: usize = 384;
const MLP: usize = 1536;
const SAMPLES: usize = 1430;
const STEPS: [u64; 3] = [0, 500, 1000];

/// The modules recorded, with their weights' rows and columns.
const MODULES: [(&str, usize, usize); 3] = [
    ("attention.v_proj", KV_HEADS * D_MODEL / HEADS, D_MODEL),
    ("attention.o_proj", D_MODEL, D_MODEL),
    ("swiglu.w_2", D_MODEL, MLP),
];

/// Writes the run, unless it is there.
pub(crate) fn write_run(folder: &Path) {
    let config = folder.join("training_config.yaml");
    if config.is_file() {
        return;
    }
    let mut normal = Normal {
        state: 0x9e37_79b9_7f4a_7c15,
        spare: None,
    };
    for step in STEPS {
        let data = folder.join(format!("checkpoints/step_{step}/learning_dynamics"));
        fs::create_dir_all(&data).unwrap();
        let write =
            |name: &str, normal: &mut Normal, shape: fn(usize, usize) -> [usize; 2], scale| {
                let tensors = (0..LAYERS).flat_map(|layer| {
                    MODULES.map(|(module, rows, columns)| {
                        (
                            format!("_forward_module.layers.{layer}.{module}"),
                            shape(rows, columns),
                        )
                    })
                });
                write_tensors(
                    &data.join(format!("val_{name}.pt")),
                    &tensors.collect::<Vec<_>>(),
                    normal,
                    scale,
                );
            };
        write(
            "weights",
            &mut normal,
            |rows, columns| [rows, columns],
            0.05,
        );
        write(
            "gradients",
            &mut normal,
            |rows, columns| [rows, columns],
            0.001,
        );
        write("activations", &mut normal, |rows, _| [SAMPLES, rows], 1.0);
    }
    let model = format!(
        "model:\n  d_model: {D_MODEL}\n  n_layers: {LAYERS}\n  attention_n_heads: {HEADS}\n  \
         attention_n_kv_heads: {KV_HEADS}\n  activation_hidden_dim: {MLP}\n"
    );
    fs::write(config, model).unwrap();
}

/// A PyTorch file of float32 tensors, each with a storage of its own.
fn write_tensors(path: &Path, tensors: &[(String, [usize; 2])], normal: &mut Normal, scale: f64) {
    let root = path.file_stem().unwrap().to_str().unwrap();
    let mut zip = ZipWriter::new(BufWriter::new(File::create(path).unwrap()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    zip.start_file(format!("{root}/data.pkl"), stored).unwrap();
    zip.write_all(&pickle(tensors)).unwrap();
    for (key, (_, [rows, columns])) in tensors.iter().enumerate() {
        zip.start_file(format!("{root}/data/{key}"), stored)
            .unwrap();
        #[allow(clippy::cast_possible_truncation)] // to the precision that is stored
        let values =
            (0..rows * columns).flat_map(|_| ((normal.next() * scale) as f32).to_le_bytes());
        zip.write_all(&values.collect::<Vec<u8>>()).unwrap();
    }
    zip.start_file(format!("{root}/version"), stored).unwrap();
    zip.write_all(b"3\n").unwrap();
    zip.finish().unwrap();
}

/// The dict of tensors, in pickle protocol 2.
fn pickle(tensors: &[(String, [usize; 2])]) -> Vec<u8> {
    let mut out = b"\x80\x02}(".to_vec();
    for (key, (name, [rows, columns])) in tensors.iter().enumerate() {
        put_text(&mut out, name);
        out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
        put_text(&mut out, "storage");
        out.extend(b"ctorch\nFloatStorage\n");
        put_text(&mut out, &key.to_string());
        put_text(&mut out, "cpu");
        put_number(&mut out, rows * columns);
        out.extend(b"tQ");
        put_number(&mut out, 0);
        for pair in [[*rows, *columns], [*columns, 1]] {
            for number in pair {
                put_number(&mut out, number);
            }
            out.push(b'\x86');
        }
        out.extend(b"\x89ccollections\nOrderedDict\n)RtR");
    }
    out.extend(b"u.");
    out
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend(u32::try_from(text.len()).unwrap().to_le_bytes());
    out.extend(text.as_bytes());
}

fn put_number(out: &mut Vec<u8>, number: usize) {
    out.push(b'J');
    out.extend(i32::try_from(number).unwrap().to_le_bytes());
}

/// Normally distributed numbers: SplitMix64 through Box and Muller's transform.
struct Normal {
    state: u64,
    spare: Option<f64>,
}

impl Normal {
    fn next(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        let (sine, cosine) = (TAU * self.uniform()).sin_cos();
        self.spare = Some(radius * sine);
        radius * cosine
    }

    /// In `[0, 1)`.
    fn uniform(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        #[allow(clippy::cast_precision_loss)] // 53 bits
        let whole = (bits >> 11) as f64;
        whole / (1u64 << 53) as f64
    }
}

//! Running the worker, and runs for it to read.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use safetensors::tensor::{Dtype, TensorView};
use serde_json::Value;
use tempfile::TempDir;

/// How a command ended, and what it said.
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The worker, in a folder of its own.
pub(crate) fn worker(folder: &Path, arguments: &[&str]) -> Ended {
    worker_at(folder, &[], arguments)
}

/// The worker with these variables of the environment, and none of the person's own for the Hub and
/// for Weights & Biases.
pub(crate) fn worker_at(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
    for own in [
        "HF_TOKEN",
        "HF_ENDPOINT",
        "HF_HUB_CACHE",
        "HF_HUB_OFFLINE",
        "HUGGINGFACE_HUB_CACHE",
        "TRANSFORMERS_OFFLINE",
        "HF_TOKEN_PATH",
        "XDG_CACHE_HOME",
        "PICO_API_KEY",
        "PICO_BASE_URL",
        "PICO_EXPERIMENT_NAME",
        "PICO_LAB_HASH",
        "WANDB_API_KEY",
        "WANDB_BASE_URL",
        "WANDB_DIR",
        "WANDB_ENTITY",
        "WANDB_MODE",
        "WANDB_NAME",
        "WANDB_PROJECT",
        "WANDB_RUN_ID",
    ] {
        command.env_remove(own);
    }
    command.env("HF_HOME", folder.join("huggingface"));
    command.env("NETRC", folder.join("netrc"));
    command.envs(variables.iter().copied());
    end(command.args(arguments).current_dir(folder))
}

/// Runs a command to its end.
pub(crate) fn end(command: &mut Command) -> Ended {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    Ended {
        code: status.code(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

impl Ended {
    /// Asserts the exit code; what was said is the message of the failure.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that the error says all of these.
    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is not in:\n{}",
                self.stderr
            );
        }
        self
    }
}

/// The project's own small run.
pub(crate) fn micro_run() -> PathBuf {
    in_project("tests/data/pico-decoder-micro-1")
}

/// A file of the project.
pub(crate) fn in_project(path: &str) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    project.join(path).canonicalize().unwrap()
}

/// A path as an argument.
pub(crate) fn argument(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// JSON from a file.
pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// Every file below a folder by its path, but those that know the time.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(current) = folders.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap();
                files.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files.retain(|name, _| name != "run.json" && name != "analysis.log");
    files
}

/// A folder for a test, with a run of pico's layout in `run` to be filled.
pub(crate) struct Scratch {
    folder: TempDir,
}

/// The sizes of a run to be made.
#[derive(Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) layers: usize,
    pub(crate) steps: u64,
    pub(crate) width: usize,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    /// With a run of these sizes: weights and activations, validation split.
    pub(crate) fn with_run(sizes: Sizes) -> Self {
        let scratch = Self::new();
        for step in 0..sizes.steps {
            scratch.write_step(step, sizes, 2 * sizes.width);
        }
        scratch
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, and the folders it needs.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes one step of the run; equal steps and sizes give equal bytes.
    pub(crate) fn write_step(&self, step: u64, sizes: Sizes, samples: usize) {
        let width = sizes.width;
        let shapes = [("weights", width), ("activations", samples)];
        for (kind, rows) in shapes {
            let seed = step * 10 + u64::from(kind == "weights");
            let content = checkpoint(seed, sizes.layers, [rows, width]);
            self.write(&recorded(step, kind), content);
        }
    }

    /// Runs the worker here.
    pub(crate) fn worker(&self, arguments: &[&str]) -> Ended {
        worker(self.path(), arguments)
    }

    /// Analyzes the project's own run with its demo config into `output`.
    pub(crate) fn analyze_demo(&self, output: &str, more: &[&str]) {
        let (config, run) = (in_project("configs/demo.yaml"), micro_run());
        let mut arguments = vec!["analyze", "--config", argument(&config)];
        arguments.extend(["--run-path", argument(&run), "--output-dir", output]);
        arguments.extend(more);
        self.worker(&arguments).expect(0);
    }

    /// Analyzes the run with a config into `output`.
    pub(crate) fn analyze(&self, config: &str, output: &str, more: &[&str]) -> Ended {
        self.write("config.yaml", config);
        let mut arguments = analyze_arguments(output);
        arguments.extend(more);
        self.worker(&arguments)
    }
}

/// The arguments that analyze a scratch folder's run.
pub(crate) fn analyze_arguments(output: &str) -> Vec<&str> {
    let mut arguments = vec!["analyze", "--config", "config.yaml", "--run-path", "run"];
    arguments.extend(["--output-dir", output]);
    arguments
}

/// Where a kind of data of a step is.
pub(crate) fn recorded(step: u64, kind: &str) -> String {
    format!("run/checkpoints/step_{step}/learning_dynamics/val_{kind}.pt")
}

/// A checkpoint of layers with one matrix each, as safetensors: formats are known by content.
pub(crate) fn checkpoint(seed: u64, layers: usize, shape: [usize; 2]) -> Vec<u8> {
    let values: Vec<Vec<u8>> = (0..layers)
        .map(|layer| noise(seed * 1000 + layer as u64, shape[0] * shape[1]))
        .collect();
    let tensors = values.iter().enumerate().map(|(layer, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
        (format!("layers.{layer}.attention.v_proj"), view)
    });
    safetensors::serialize(tensors, None).unwrap()
}

/// A checkpoint of these tensors, as safetensors.
pub(crate) fn tensors(named: &[(&str, [usize; 2])]) -> Vec<u8> {
    let values = named.iter().zip(1..);
    let values: Vec<Vec<u8>> = values
        .map(|((_, [rows, columns]), seed)| noise(seed, rows * columns))
        .collect();
    let tensors = named.iter().zip(&values).map(|((name, shape), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).unwrap();
        ((*name).to_owned(), view)
    });
    safetensors::serialize(tensors, None).unwrap()
}

/// Numbers of no pattern between -1 and 1, from a linear congruential generator.
fn noise(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let number = i16::from_le_bytes([(state >> 40) as u8, (state >> 48) as u8]);
        f32::from(number) / 32768.0
    };
    std::iter::repeat_with(next)
        .take(count)
        .flat_map(f32::to_le_bytes)
        .collect()
}

/// A config for such runs: single metrics of weights, a comparison of activations.
pub(crate) const CONFIG: &str = "
analysis_name: scratch
metrics:
  - metric_name: condition_number
    data_split: val
    components: &weights
      - {component_name: simple, data_type: weights, layer_suffixes: attention.v_proj, layers: all}
  - metric_name: per
    data_split: val
    components: *weights
  - metric_name: cka
    data_split: val
    target_checkpoint: last
    components:
      - {component_name: simple, data_type: activations, layer_suffixes: attention.v_proj, layers: all}
steps: all
";

//! Fills `corpus/` from the fixtures: whole files, the pickles in them, `.metadata` of distributed
//! checkpoints, and shard indexes.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Larger files teach the fuzzer nothing but to be slow.
const LONGEST_BYTES: usize = 100_000;

fn main() -> Result<(), Box<dyn Error>> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let fixtures = here.join("../crates/checkpoint/tests/data/torch-odd");
    for target in [
        "safetensors_header",
        "zip_directory",
        "pickle",
        "distributed",
        "shard_index",
    ] {
        fs::create_dir_all(here.join("corpus").join(target))?;
    }
    let data = here.join("../crates/checkpoint/tests/data");
    for case in ["alone", "fsdp", "sharded", "two_dimensions"] {
        let metadata = data.join("dcp").join(case).join(".metadata");
        fs::copy(metadata, here.join("corpus/distributed").join(case))?;
    }
    let stale = "../tests/field/04-stale-index/run/checkpoint-100/model.safetensors.index.json";
    fs::copy(here.join(stale), here.join("corpus/shard_index/stale"))?;
    for folder in [fixtures.clone(), fixtures.join("bad")] {
        for file in fs::read_dir(folder)? {
            seed(&here.join("corpus"), &file?.path())?;
        }
    }
    Ok(())
}

fn seed(corpus: &Path, path: &PathBuf) -> Result<(), Box<dyn Error>> {
    let name = path.file_name().unwrap_or_default();
    let content = if path.is_file() {
        fs::read(path)?
    } else {
        return Ok(());
    };
    if content.len() > LONGEST_BYTES {
        return Ok(());
    }
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("safetensors") => {
            let header = content.get(8..).unwrap_or_default();
            fs::write(corpus.join("safetensors_header").join(name), header)?;
        }
        Some("pt") => {
            fs::write(corpus.join("zip_directory").join(name), &content)?;
            if let Some(pickle) = pickle_of(&content) {
                fs::write(corpus.join("pickle").join(name), pickle)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// From the first pickle's protocol to the archive's next entry, or to the end.
fn pickle_of(content: &[u8]) -> Option<&[u8]> {
    let starts = |window: &[u8]| window[0] == 0x80 && (2..=5).contains(&window[1]);
    let start = content.windows(2).position(starts)?;
    let rest = &content[start..];
    let end = rest
        .windows(3)
        .position(|window| window == b".PK")
        .map_or(rest.len(), |end| end + 1);
    Some(&rest[..end])
}

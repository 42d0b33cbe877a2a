//! What a visitor downloads before the page and its first worker run.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

/// What the first load should be, compressed.
const AIM_BYTES: usize = 600_000;

/// More than this, compressed as `gzip -9` does, is refused: the aim is not reached yet, and the
/// first load must not grow meanwhile. ARCHITECTURE.md says where its bytes are.
const LIMIT_BYTES: usize = 1_060_000;

/// Prints the compressed size of every file beside `index.html`, which are the first load (what is
/// in folders is fetched when it is asked for), and refuses more than the limit.
pub(crate) fn check(dist: &Path) -> Result<()> {
    let mut sizes = Vec::new();
    for entry in fs::read_dir(dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            sizes.push((compressed_bytes(&fs::read(&path)?)?, name.into_owned()));
        }
    }
    sizes.sort();
    for (bytes, name) in &sizes {
        println!("{bytes:>9} bytes compressed  {name}");
    }
    let sum: usize = sizes.iter().map(|(bytes, _)| bytes).sum();
    println!("{sum:>9} bytes compressed in all; the limit is {LIMIT_BYTES}, the aim {AIM_BYTES}");
    ensure!(
        sum <= LIMIT_BYTES,
        "the first load is {sum} bytes compressed; it may be {LIMIT_BYTES}"
    );
    Ok(())
}

fn compressed_bytes(content: &[u8]) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?.len())
}

#[cfg(test)]
mod tests {
    use super::{LIMIT_BYTES, check};

    #[test]
    fn what_does_not_compress_counts_in_full() {
        let dist = tempfile::tempdir().unwrap();
        let mut state = 1_u64;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        let content: Vec<u8> = (0..LIMIT_BYTES).map(|_| noise()).collect();
        std::fs::write(dist.path().join("a.wasm"), &content[..LIMIT_BYTES / 2]).unwrap();
        assert!(check(dist.path()).is_ok());
        std::fs::write(dist.path().join("b.wasm"), content).unwrap();
        assert!(check(dist.path()).is_err());
    }
}

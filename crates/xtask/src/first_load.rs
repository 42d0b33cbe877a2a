//! What a visitor downloads before the page and its first worker run.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::split;

/// The first load may have so many bytes, compressed as hosts that know brotli do.
const LIMIT_BYTES: usize = 600_000;

/// The strongest that brotli has.
const BROTLI_QUALITY: u32 = 11;
/// A window of 16 MB, the largest that browsers take.
const BROTLI_WINDOW: u32 = 24;

/// A file of the built page and its compressed sizes.
struct Size {
    name: String,
    brotli: usize,
    gzip: usize,
}

/// Prints the compressed size of every file beside `index.html` (what is in folders is fetched when
/// it is asked for), and refuses a first load above the limit: the page, and all that its first web
/// worker runs. What the page shows of a run comes while a visitor looks at the opening.
pub(crate) fn check(dist: &Path) -> Result<()> {
    let mut first = Vec::new();
    let mut later = Vec::new();
    for entry in fs::read_dir(dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_later = split::comes_later(&name);
            let size = measured(name.into_owned(), &fs::read(&path)?)?;
            if is_later { &mut later } else { &mut first }.push(size);
        }
    }
    println!("   brotli      gzip");
    let sum = told(&mut first, "in the first load");
    told(&mut later, "later");
    ensure!(
        sum <= LIMIT_BYTES,
        "the first load is {sum} bytes compressed with brotli; it may be {LIMIT_BYTES}"
    );
    Ok(())
}

/// Prints the sizes and their sum; the sum with brotli.
fn told(sizes: &mut [Size], when: &str) -> usize {
    sizes.sort_by_key(|size| size.brotli);
    for Size { name, brotli, gzip } in &*sizes {
        println!("{brotli:>9} {gzip:>9}  {name}");
    }
    let brotli = sizes.iter().map(|size| size.brotli).sum();
    let gzip: usize = sizes.iter().map(|size| size.gzip).sum();
    println!("{brotli:>9} {gzip:>9}  {when}");
    brotli
}

fn measured(name: String, content: &[u8]) -> Result<Size> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(content)?;
    let mut brotli = CompressorWriter::new(Vec::new(), 4096, BROTLI_QUALITY, BROTLI_WINDOW);
    brotli.write_all(content)?;
    Ok(Size {
        name,
        brotli: brotli.into_inner().len(),
        gzip: gzip.finish()?.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::{LIMIT_BYTES, check};

    fn noise(bytes: usize) -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 56) as u8
        };
        (0..bytes).map(|_| next()).collect()
    }

    #[test]
    fn what_comes_first_must_fit_and_does_not_compress_by_magic() {
        let dist = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes| std::fs::write(dist.path().join(name), noise(bytes));
        write("app_bg-0123.wasm", LIMIT_BYTES / 2).unwrap();
        write("split_workbench-0123.wasm", LIMIT_BYTES).unwrap();
        assert!(check(dist.path()).is_ok());
        write("split_compute-0123.wasm", LIMIT_BYTES * 2 / 3).unwrap();
        assert!(check(dist.path()).is_err());
    }
}

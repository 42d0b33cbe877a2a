//! What a visitor downloads before the page and its first worker run.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use ckptscope_page_build::split;

/// The first load may have so many bytes, compressed as hosts that know brotli do. It was 600 kB
/// before results of two versions, stacks, lists of suffixes and fractions came in (5 %), and 622 kB
/// before checkpoints of every trainer were read: their formats, names, scales and chunks took 143 kB
/// of what a web worker runs. Architectures, roles, thirteen metrics with eigenvalues of any matrix,
/// and suites took 124 kB more; parts and experts, names that tell series apart, fields that keep
/// what is typed and singular values by way of a band another 75 kB; nine more architectures, files
/// of other kinds told as what they are, checksums and counts 31 kB; rules by which no step of
/// another model gets into a run, and packed weights are told by what stands beside them, 22 kB;
/// what is a part of a model, changes from step to step or is stored in another form 25 kB. What
/// speaks to a network became a part of its own, which took 47 kB out. What few checkpoints need, and
/// what computes, could each be one. What did not help: 15 of 73 copies of the standard sort made one
/// gave 3 kB, since copies compress well; wasm-opt gave 15 kB; comparing as a part of its own cost
/// 20 kB, since what two parts share moves into the first load.
const LIMIT_BYTES: usize = 1_000_000;

/// The same as hosts compress that know gzip alone.
const GZIP_LIMIT_BYTES: usize = 1_260_000;

/// What comes later may have so many bytes, compressed with brotli.
const LATER_LIMIT_BYTES: usize = 470_000;

/// What some visitors fetch when they ask for it: the part, how large it may be compressed with
/// brotli, and what it is.
const RARE: &[(&str, usize, &str)] = &[
    ("companion", 103_000, "what speaks to a native worker"),
    ("report", 60_000, "what writes reports"),
    (
        "network",
        51_000,
        "what speaks to the Hub and other servers",
    ),
    ("sending", 5_000, "what sends a tensor to a native worker"),
    ("audit", 30_000, "what audits repositories"),
    ("kept", 45_000, "what keeps analyses in the browser"),
    ("links", 46_000, "what makes and reads links"),
];

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
/// it is asked for), and refuses what is above the limits. The first load is the page, and all that
/// its first web worker runs; what the page shows of a run comes while a visitor looks at the
/// opening.
pub(crate) fn check(dist: &Path) -> Result<()> {
    let (mut first, mut later, mut rare) = (Vec::new(), Vec::new(), Vec::new());
    for entry in fs::read_dir(dist).with_context(|| dist.display().to_string())? {
        let path = entry?.path();
        if path.is_file() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let when = match () {
                () if split::is_rare(&name) => &mut rare,
                () if split::comes_later(&name) => &mut later,
                () => &mut first,
            };
            when.push(measured(name.into_owned(), &fs::read(&path)?)?);
        }
    }
    println!("   brotli      gzip");
    let of_parts = RARE.iter().map(|(part, limit, what)| {
        let files = rare.iter().filter(|size| split::is_of(part, &size.name));
        (files.map(|size| size.brotli).sum(), *limit, *what, "brotli")
    });
    let of_parts: Vec<_> = of_parts.collect();
    let first = told(first, "in the first load");
    let later = told(later, "later");
    told(rare, "when asked for");
    let limits = [
        (first.brotli, LIMIT_BYTES, "the first load", "brotli"),
        (first.gzip, GZIP_LIMIT_BYTES, "the first load", "gzip"),
        (
            later.brotli,
            LATER_LIMIT_BYTES,
            "what comes later",
            "brotli",
        ),
    ];
    let limits = limits.into_iter().chain(of_parts);
    for (bytes, limit, what, how) in limits {
        ensure!(
            bytes <= limit,
            "{what} is {bytes} bytes compressed with {how}; it may be {limit}"
        );
    }
    Ok(())
}

/// Prints the sizes and their sum, which it gives.
fn told(mut sizes: Vec<Size>, when: &str) -> Size {
    sizes.sort_by_key(|size| size.brotli);
    let sum = Size {
        name: when.to_owned(),
        brotli: sizes.iter().map(|size| size.brotli).sum(),
        gzip: sizes.iter().map(|size| size.gzip).sum(),
    };
    for Size { name, brotli, gzip } in sizes.iter().chain([&sum]) {
        println!("{brotli:>9} {gzip:>9}  {name}");
    }
    sum
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
    use super::{GZIP_LIMIT_BYTES, LATER_LIMIT_BYTES, LIMIT_BYTES, check};

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

    fn is_accepted(files: &[(&str, usize)]) -> bool {
        let dist = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            std::fs::write(dist.path().join(name), noise(*bytes)).unwrap();
        }
        check(dist.path()).is_ok()
    }

    #[test]
    fn what_comes_first_and_what_comes_later_must_fit() {
        let page = ("app_bg-0123.wasm", LIMIT_BYTES / 2);
        let worker = |bytes| ("split_compute-0123.wasm", bytes);
        let workbench = |bytes| ("split_workbench-0123.wasm", bytes);
        let (half, most) = (LIMIT_BYTES / 3, LATER_LIMIT_BYTES * 9 / 10);
        assert!(is_accepted(&[page, worker(half), workbench(most)]));
        assert!(!is_accepted(&[page, worker(half * 2), workbench(most)]));
        assert!(!is_accepted(&[page, worker(half), workbench(LIMIT_BYTES)]));
    }

    #[test]
    fn what_only_brotli_makes_small_is_refused() {
        // Far repetitions, which are beyond gzip's window.
        let dist = tempfile::tempdir().unwrap();
        let content = noise(GZIP_LIMIT_BYTES / 3).repeat(4);
        std::fs::write(dist.path().join("app_bg-0123.wasm"), content).unwrap();
        assert!(check(dist.path()).is_err());
    }
}

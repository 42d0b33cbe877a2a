//! What is asked of the machine that this runs on.

use std::num::NonZeroUsize;
use std::ops::Add;
use std::path::Path;
use std::thread;
use std::time::Instant;

use anyhow::{Result, anyhow};
use ckptscope_analysis::speed;
use ckptscope_protocol::{Crew, Rates};
use sysinfo::{DiskRefreshKind, Disks, System};

/// What the machine may use, or the container that it is, in bytes.
pub(crate) fn memory_bytes() -> Result<u64> {
    let mut system = System::new()?;
    system.refresh_memory();
    let limit = system.cgroup_limits().map(|limits| limits.total_memory);
    let all = system.total_memory();
    let bytes = limit.map_or(all, |limit| limit.min(all));
    (bytes > 0).then_some(bytes).ok_or_else(|| {
        anyhow!("cannot find out how much memory this machine has; say it with --memory")
    })
}

/// How fast one thread is while so many compute: cores share caches, and often arithmetic too.
pub(crate) fn rates(threads: usize) -> Rates {
    let began = Instant::now();
    let now = move || began.elapsed().as_secs_f64();
    let threads = threads.clamp(1, cores());
    let measured: Vec<Rates> = thread::scope(|scope| {
        let all: Vec<_> = (0..threads)
            .map(|_| scope.spawn(move || speed::measure(&now)))
            .collect();
        all.into_iter().filter_map(|one| one.join().ok()).collect()
    });
    let sum = measured.iter().copied().fold(Rates::default(), Add::add);
    sum * (1.0 / measured.len().max(1) as f64)
}

/// Who computes an analysis on so many threads of this machine.
pub(crate) fn crew(threads: usize) -> Crew {
    Crew {
        threads: threads as u64,
        cores: cores() as u64,
        shares_products: true,
        rates: rates(threads),
    }
}

/// How many cores the machine has.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, NonZeroUsize::get)
}

/// What is free on the disk of a folder; none where nobody says.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = folder.canonicalize().ok()?;
    let disks =
        Disks::new_with_refreshed_list_specifics(DiskRefreshKind::nothing().with_storage()).ok()?;
    let holding = disks
        .iter()
        .filter(|disk| folder.starts_with(disk.mount_point()));
    let nearest = holding.max_by_key(|disk| disk.mount_point().components().count());
    nearest.map(sysinfo::Disk::available_space)
}

/// Whether a process of this machine has ended; of another machine nobody knows.
pub(crate) fn has_ended(host: &str, process: u32) -> bool {
    is_here(host) && !Path::new(&format!("/proc/{process}")).exists()
}

/// Whether a machine is this one, and says of its processes whether they are under way.
pub(crate) fn is_here(host: &str) -> bool {
    host == host_name() && Path::new("/proc/self").exists()
}

/// The machine's name; empty where it has none.
pub(crate) fn host_name() -> String {
    System::host_name().unwrap_or_default()
}

/// Memory that this process has used at its widest, in bytes; none where the system does not say.
#[cfg(target_os = "linux")]
pub(crate) fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// Memory that this process has used at its widest, in bytes; none where the system does not say.
#[cfg(not(target_os = "linux"))]
pub(crate) const fn peak_bytes() -> Option<u64> {
    None
}

/// The kind of arithmetic that the processor has: kernels are chosen by it, and numbers of two
/// kinds may differ in their last digits.
#[cfg(target_arch = "x86_64")]
pub(crate) fn processor() -> String {
    let kinds = [
        ("avx512f", is_x86_feature_detected!("avx512f")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx2", is_x86_feature_detected!("avx2")),
    ];
    let has = kinds.iter().filter(|(_, has)| *has).map(|(name, _)| *name);
    let words: Vec<&str> = std::iter::once("x86-64").chain(has).collect();
    words.join("+")
}

/// The kind of arithmetic that the processor has.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn processor() -> String {
    std::env::consts::ARCH.to_owned()
}

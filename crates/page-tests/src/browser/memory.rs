//! The memory that the browser takes.

use std::fs;

use super::Tab;

impl Tab {
    /// Bytes of memory of all processes of the browser: its pages, web workers and wasm. None where
    /// the operating system does not tell.
    pub(crate) fn resident_bytes(&self) -> Option<u64> {
        let processes = processes()?;
        let mut family = vec![self.driver.id()];
        let mut bytes = 0;
        while let Some(parent) = family.pop() {
            for process in processes.iter().filter(|process| process.parent == parent) {
                bytes += process.resident_bytes;
                family.push(process.id);
            }
        }
        Some(bytes)
    }
}

struct Process {
    id: u32,
    parent: u32,
    resident_bytes: u64,
}

/// All processes, as `/proc` shows them.
fn processes() -> Option<Vec<Process>> {
    let folders = fs::read_dir("/proc").ok()?.filter_map(Result::ok);
    let process = |folder: fs::DirEntry| {
        let id = folder.file_name().to_str()?.parse().ok()?;
        let status = fs::read_to_string(folder.path().join("status")).ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        Some(Process {
            id,
            parent: u32::try_from(field("PPid:")?).ok()?,
            resident_bytes: field("VmRSS:").unwrap_or(0) * 1024,
        })
    };
    Some(folders.filter_map(process).collect())
}

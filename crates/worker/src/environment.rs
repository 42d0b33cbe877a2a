//! `.env`: keys and tokens for the commands that are run in its folder.
//!
//! The file may be another tool's. Only lines that set a variable of [`NAMES`] are read. A line
//! that nobody understands is told where one of those names stands in it, and passed over. What
//! else stands in it is never told: it has keys and tokens.

use std::env;
use std::fs;
use std::path::Path;

use ckptscope_checkpoint::text::decode;

use crate::console;

/// The file, in the working directory.
const FILE: &str = ".env";

/// Every variable that this program or one of its crates reads.
const NAMES: &[&str] = &[
    "CKPTSCOPE_TOKEN",
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_OFFLINE",
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "HUGGINGFACE_HUB_CACHE",
    "NETRC",
    "PICO_API_KEY",
    "PICO_BASE_URL",
    "PICO_EXPERIMENT_NAME",
    "PICO_LAB_HASH",
    "TRANSFORMERS_OFFLINE",
    "WANDB_API_KEY",
    "WANDB_BASE_URL",
    "WANDB_DIR",
    "WANDB_ENTITY",
    "WANDB_JOB_TYPE",
    "WANDB_MODE",
    "WANDB_NAME",
    "WANDB_NOTES",
    "WANDB_PROJECT",
    "WANDB_RUN_GROUP",
    "WANDB_RUN_ID",
    "WANDB_SWEEP_ID",
    "WANDB_TAGS",
    "WANDB_X_FILE_STREAM_RETRY_MAX",
    "WANDB_X_FILE_STREAM_RETRY_WAIT_MAX_SECONDS",
    "WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS",
    "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL",
];

/// A value in quotation marks has at most so many lines.
const MOST_LINES: usize = 64;

/// Reads the file, if there is one; what is set already stays. A folder of that name, as Python's
/// environments have, is none.
pub(crate) fn load() {
    if !Path::new(FILE).is_file() {
        return;
    }
    let text = match fs::read(FILE) {
        // What is no text in some line concerns that line only.
        Ok(bytes) => {
            decode(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned())
        }
        Err(error) => {
            console::say(&format!("warning: cannot read .env: {error}"));
            return;
        }
    };
    let (entries, broken) = entries(&text);
    for (name, value) in entries {
        if is_known(&name) && env::var_os(&name).is_none() {
            set(&name, &value);
        }
    }
    for line in broken {
        console::say(&format!(
            "warning: cannot understand .env, line {line}, and pass it over: NAME=value is \
             expected, with quotation marks around a value that has spaces"
        ));
    }
}

/// The variables of the lines that can be understood, and the lines that cannot where a known name
/// stands in them, counted from 1.
fn entries(text: &str) -> (Vec<(String, String)>, Vec<usize>) {
    let lines: Vec<&str> = text.trim_start_matches('\u{feff}').lines().collect();
    let (mut understood, mut broken) = (String::new(), Vec::new());
    let mut at = 0;
    while let Some(rest) = lines.get(at..).filter(|rest| !rest.is_empty()) {
        match entry(rest) {
            Some(count) => {
                for line in rest.iter().take(count) {
                    understood.push_str(line);
                    understood.push('\n');
                }
                at += count;
            }
            None => {
                let line = rest.first().unwrap_or(&"").to_ascii_uppercase();
                if NAMES.iter().any(|name| line.contains(name)) {
                    broken.push(at + 1);
                }
                at += 1;
            }
        }
    }
    // All at once: a value may refer to a variable before it.
    let entries = dotenvy::from_read_iter(understood.as_bytes());
    (entries.flatten().collect(), broken)
}

/// How many lines the first entry has; none where it cannot be understood.
fn entry(lines: &[&str]) -> Option<usize> {
    let mut text = String::new();
    for (index, line) in lines.iter().take(MOST_LINES).enumerate() {
        // A stray apostrophe before it opened nothing.
        if index > 0 && sets_known(line) {
            return None;
        }
        // No variable has such a value.
        if line.contains(['\0', char::REPLACEMENT_CHARACTER]) {
            return None;
        }
        text.push_str(line);
        text.push('\n');
        let mut read = dotenvy::from_read_iter(text.as_bytes());
        if read.all(|entry| entry.is_ok()) {
            return Some(index + 1);
        }
    }
    None
}

/// Whether a line sets a variable of [`NAMES`].
fn sets_known(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=')
        .is_some_and(|(name, _)| is_known(name.trim()))
}

fn is_known(name: &str) -> bool {
    NAMES.contains(&name)
}

/// Sets a variable through dotenvy, which knows how; the value is quoted for it.
fn set(name: &str, value: &str) {
    let mut quoted = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '\\' | '$' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            plain => quoted.push(plain),
        }
    }
    // A value that cannot be written so is not set, as if its line were not there.
    let _ = dotenvy::from_read(format!("{name}=\"{quoted}\"\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::entries;

    #[test]
    fn a_line_that_nobody_understands_costs_itself_only() {
        let text = "A=1\nDOCKER_OPTS=-v a:b -p 80\nHF_TOKEN='two\nlines'\nX y\nB=$A\n";
        let (read, broken) = entries(text);
        let read: Vec<_> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(read, [("A", "1"), ("HF_TOKEN", "two\nlines"), ("B", "1")]);
        assert!(broken.is_empty());
    }

    #[test]
    fn a_stray_apostrophe_swallows_no_line_of_ours() {
        let text = "GREETING=it's\n export HF_TOKEN=a\nOTHER='two\nlines'\nWANDB_NOTES=it's\n";
        let (read, broken) = entries(text);
        let read: Vec<_> = read.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(read, [("HF_TOKEN", "a"), ("OTHER", "two\nlines")]);
        assert_eq!(broken, [5]);
    }

    #[test]
    fn a_broken_line_with_a_known_name_is_told() {
        let (read, broken) = entries("HF_TOKEN=a b\nexport wandb_api_key: x\nUNKNOWN=\"open\n");
        assert!(read.is_empty(), "{read:?}");
        assert_eq!(broken, [1, 2]);
    }
}

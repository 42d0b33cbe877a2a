//! `.env`: keys and tokens for the commands that are run in its folder.
//!
//! The file may be another tool's. Only lines that set a variable of [`NAMES`] are read. A line
//! that nobody understands is told where one of those names stands in it, and passed over. What
//! else stands in it is never told: it has keys and tokens.

mod entries;

use std::env;
use std::fs;
use std::path::Path;

use ckptscope_checkpoint::text::decode;

use self::entries::Entries;
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
    let entries = Entries::read(&text, NAMES, |name| env::var(name).ok());
    for (name, value) in &entries.values {
        if NAMES.contains(&name.as_str()) && env::var_os(name).is_none() {
            set(name, value);
        }
    }
    for line in &entries.broken {
        console::say(&format!(
            "warning: cannot understand .env, line {line}, and pass it over: NAME=value is \
             expected, with quotation marks around a value that has spaces"
        ));
    }
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

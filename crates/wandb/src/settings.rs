//! What W&B's own tools read from the environment.

mod netrc;

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::key::{Key, KeyError};
use crate::patience::Patience;
use crate::run::{RunId, RunIdError};

pub use netrc::NetrcError;

/// The public server.
pub const PUBLIC_ADDRESS: &str = "https://api.wandb.ai";

/// The variable that has the key.
const KEY: &str = "WANDB_API_KEY";

/// Whether runs are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To the server, as far as there is a key.
    Online,
    /// To a folder only.
    Offline,
    /// Nowhere.
    Disabled,
}

/// The environment variables of W&B's own tools, as far as they concern a writer of runs.
///
/// | variable | what |
/// |---|---|
/// | `WANDB_MODE` | `online` (or `shared`), `offline` or `disabled` |
/// | `WANDB_API_KEY` | the key, before the one in the netrc file |
/// | `NETRC` | the netrc file, `~/.netrc` otherwise |
/// | `WANDB_BASE_URL` | the server, [`PUBLIC_ADDRESS`] otherwise |
/// | `WANDB_ENTITY`, `WANDB_PROJECT`, `WANDB_NAME`, `WANDB_RUN_ID` | of the run |
/// | `WANDB_TAGS` | of the run, with commas between them |
/// | `WANDB_RUN_GROUP`, `WANDB_JOB_TYPE`, `WANDB_NOTES`, `WANDB_SWEEP_ID` | of the run |
/// | `WANDB_DIR` | where the folder `wandb` is, the working directory otherwise |
/// | `WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL` | seconds between requests |
/// | `WANDB_X_FILE_STREAM_RETRY_MAX` | how often a request is made again |
/// | `WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS`, `..._MAX_SECONDS` | the first wait, the longest |
///
/// What only an upload needs is told by [`Settings::key`] and [`Settings::patience`] where it cannot
/// be understood, so that the offline run can be written all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether runs are sent.
    pub mode: Mode,
    /// The server, without a slash at the end.
    pub base_url: String,
    /// The person or team.
    pub entity: Option<String>,
    /// The project.
    pub project: Option<String>,
    /// The run's name.
    pub name: Option<String>,
    /// The run's id.
    pub run_id: Option<RunId>,
    /// The run's tags.
    pub tags: Vec<String>,
    /// The runs that it belongs to.
    pub group: Option<String>,
    /// What it does in its group.
    pub job_type: Option<String>,
    /// What there is to say of it.
    pub notes: Option<String>,
    /// The id of its sweep.
    pub sweep_id: Option<String>,
    /// Where the folder `wandb` is; none where nobody says.
    pub folder: Option<PathBuf>,
    patience: Result<Patience, NumberError>,
    key: Option<Result<Key, KeyError>>,
    netrc: Option<PathBuf>,
}

/// A variable or a file that cannot be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// An unknown mode.
    #[error("WANDB_MODE is {found:?}; it can be online, offline or disabled")]
    Mode {
        /// What was found.
        found: String,
    },
    /// A number that is none.
    #[error("{0}")]
    Number(NumberError),
    /// An id that no run can have.
    #[error("WANDB_RUN_ID: {0}")]
    RunId(RunIdError),
    /// A key that is none.
    #[error("{place}: {source}")]
    Key {
        /// The variable or the file.
        place: String,
        /// What is wrong with it.
        source: KeyError,
    },
    /// The netrc file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The netrc file is no netrc file.
    #[error("{path}, {source}", path = path.display())]
    Netrc {
        /// The file.
        path: PathBuf,
        /// Where, and what.
        source: NetrcError,
    },
}

/// A variable whose value is no number, or none that it can be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is {found:?}, which is no number of this kind")]
pub struct NumberError {
    /// The variable.
    pub variable: &'static str,
    /// What was found.
    pub found: String,
}

impl Settings {
    /// From the environment of this process.
    ///
    /// # Errors
    /// A mode that is not known, or an id that no run can have.
    pub fn from_environment() -> Result<Self, SettingsError> {
        let variable = |name: &str| env::var(name).ok();
        Self::read(variable, env::home_dir().as_deref())
    }

    /// From variables by their names, and a person's folder.
    ///
    /// # Errors
    /// A mode that is not known, or an id that no run can have.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
        home: Option<&Path>,
    ) -> Result<Self, SettingsError> {
        let variable = |name: &str| {
            let value = variable(name)?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        let base_url = variable("WANDB_BASE_URL").unwrap_or_else(|| PUBLIC_ADDRESS.to_owned());
        let run_id = variable("WANDB_RUN_ID").map(|id| RunId::new(&id));
        Ok(Self {
            mode: mode(variable("WANDB_MODE"))?,
            base_url: base_url.trim_end_matches('/').to_owned(),
            entity: variable("WANDB_ENTITY"),
            project: variable("WANDB_PROJECT"),
            name: variable("WANDB_NAME"),
            run_id: run_id.transpose().map_err(SettingsError::RunId)?,
            tags: variable("WANDB_TAGS").map_or_else(Vec::new, |text| tags(&text)),
            group: variable("WANDB_RUN_GROUP"),
            job_type: variable("WANDB_JOB_TYPE"),
            notes: variable("WANDB_NOTES"),
            sweep_id: variable("WANDB_SWEEP_ID"),
            folder: variable("WANDB_DIR").map(PathBuf::from),
            key: variable(KEY).map(|text| Key::new(&text)),
            netrc: netrc_file(variable("NETRC"), home),
            patience: patience(variable),
        })
    }

    /// The key: the environment's, else the netrc file's for the server; none where there is none.
    ///
    /// # Errors
    /// When it is no key, or the netrc file is there and cannot be read or understood.
    pub fn key(&self) -> Result<Option<Key>, SettingsError> {
        if let Some(key) = &self.key {
            return judged(key.clone(), KEY).map(Some);
        }
        let Some(path) = &self.netrc else {
            return Ok(None);
        };
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.clone();
                return Err(SettingsError::Unreadable { path, source });
            }
        };
        let found = netrc::password(&text, host(&self.base_url));
        let password = found.map_err(|source| SettingsError::Netrc {
            path: path.clone(),
            source,
        })?;
        let place = || path.display().to_string();
        let key = password.map(|text| judged(Key::new(&text), &place()));
        key.transpose()
    }

    /// When to ask and when to give up.
    ///
    /// # Errors
    /// The first of its variables that is no number.
    pub fn patience(&self) -> Result<Patience, SettingsError> {
        self.patience.clone().map_err(SettingsError::Number)
    }
}

fn tags(text: &str) -> Vec<String> {
    let tags = text.split(',').map(str::trim);
    tags.filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}

fn judged(key: Result<Key, KeyError>, place: &str) -> Result<Key, SettingsError> {
    key.map_err(|source| SettingsError::Key {
        place: place.to_owned(),
        source,
    })
}

fn mode(found: Option<String>) -> Result<Mode, SettingsError> {
    match found.as_deref() {
        // Several may write a shared run; this one is whole.
        None | Some("online" | "run" | "shared") => Ok(Mode::Online),
        Some("offline" | "dryrun") => Ok(Mode::Offline),
        Some("disabled") => Ok(Mode::Disabled),
        Some(_) => Err(SettingsError::Mode {
            found: found.unwrap_or_default(),
        }),
    }
}

fn patience(variable: impl Fn(&str) -> Option<String>) -> Result<Patience, NumberError> {
    let usual = Patience::default();
    let seconds = |name, usual| {
        let Some(found) = variable(name) else {
            return Ok(usual);
        };
        let read = found.parse().ok();
        let read = read.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        read.ok_or(NumberError {
            variable: name,
            found,
        })
    };
    const RETRIES: &str = "WANDB_X_FILE_STREAM_RETRY_MAX";
    let retries = match variable(RETRIES) {
        None => usual.retries,
        Some(found) => found.parse().map_err(|_| NumberError {
            variable: RETRIES,
            found,
        })?,
    };
    Ok(Patience {
        between_requests: seconds(
            "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL",
            usual.between_requests,
        )?,
        first_wait: seconds(
            "WANDB_X_FILE_STREAM_RETRY_WAIT_MIN_SECONDS",
            usual.first_wait,
        )?,
        longest_wait: seconds(
            "WANDB_X_FILE_STREAM_RETRY_WAIT_MAX_SECONDS",
            usual.longest_wait,
        )?,
        retries,
        ..usual
    })
}

/// `NETRC`, else the person's; Windows has `_netrc`.
fn netrc_file(named: Option<String>, home: Option<&Path>) -> Option<PathBuf> {
    if let Some(named) = named {
        let below_home = named.strip_prefix("~/").zip(home);
        return Some(
            below_home.map_or_else(|| PathBuf::from(&named), |(path, home)| home.join(path)),
        );
    }
    let files = [".netrc", "_netrc"].map(|name| home.map(|home| home.join(name)));
    let mut there = files.iter().flatten().filter(|path| path.is_file());
    there.next().cloned()
}

/// Host and port of an address, as a netrc file names them.
fn host(base_url: &str) -> &str {
    let after_scheme = base_url
        .split_once("://")
        .map_or(base_url, |(_, rest)| rest);
    after_scheme
        .split(['/', '?', '#'])
        .next()
        .unwrap_or_default()
}

//! What a run is made of.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};

/// A run, before its first row.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// What the server knows it by.
    pub id: RunId,
    /// The person or team it belongs to; none for the key's own.
    pub entity: Option<String>,
    /// The project.
    pub project: String,
    /// What people know it by.
    pub name: String,
    /// What was asked for.
    pub config: Map<String, Value>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// The runs that it belongs to.
    pub group: Option<String>,
    /// What it does in its group.
    pub job_type: Option<String>,
    /// What there is to say of it.
    pub notes: Option<String>,
    /// The id of the sweep that it is part of.
    pub sweep_id: Option<String>,
    /// The machine it ran on, where that shall be told.
    pub host: Option<String>,
    /// When it started.
    pub started: SystemTime,
}

impl Run {
    /// A run that starts now, with an id of its own, of the key's own entity.
    #[must_use]
    pub fn new(project: &str, name: &str) -> Self {
        Self {
            id: RunId::random(),
            entity: None,
            project: project.to_owned(),
            name: name.to_owned(),
            config: Map::new(),
            tags: Vec::new(),
            group: None,
            job_type: None,
            notes: None,
            sweep_id: None,
            host: None,
            started: SystemTime::now(),
        }
    }
}

/// The id of a run: part of a file's name and of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunId(String);

/// Ids have at most this many characters.
const MAX_ID_CHARACTERS: usize = 128;

impl RunId {
    /// Eight letters and digits, as W&B's own.
    #[must_use]
    pub fn random() -> Self {
        let letter = || match fastrand::u8(0..36) {
            digit @ 0..10 => char::from(b'0' + digit),
            letter => char::from(b'a' + letter - 10),
        };
        Self(std::iter::repeat_with(letter).take(8).collect())
    }

    /// A chosen one.
    ///
    /// # Errors
    /// When the server, or a file's name, cannot have it.
    pub fn new(text: &str) -> Result<Self, RunIdError> {
        const RESERVED: &[char] = &[':', ';', ',', '#', '?', '/', '\'', '\\', '%', '*', '"'];
        let is_reserved = |character: char| character.is_control() || RESERVED.contains(&character);
        if text.trim().is_empty() || text.starts_with('.') {
            return Err(RunIdError::NoName);
        }
        if text.trim() != text || text.contains(is_reserved) {
            return Err(RunIdError::Reserved);
        }
        if text.chars().count() > MAX_ID_CHARACTERS {
            return Err(RunIdError::Long);
        }
        Ok(Self(text.to_owned()))
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that is no run's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RunIdError {
    /// It is empty, or begins with a dot.
    #[error("a run's id is not empty and does not begin with a dot")]
    NoName,
    /// It has a character that addresses or file names give a meaning to.
    #[error(r#"a run's id has no spaces around it, and none of : ; , # ? / ' \ % * " in it"#)]
    Reserved,
    /// It is too long.
    #[error("a run's id has at most {MAX_ID_CHARACTERS} characters")]
    Long,
}

/// The numbers of one step.
///
/// ```
/// use std::time::SystemTime;
/// use ckptscope_wandb::Row;
///
/// let mut row = Row::new(100, SystemTime::now());
/// assert!(row.set("loss", 7.2));
/// assert!(!row.set("accuracy", f64::NAN));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    step: u64,
    time: SystemTime,
    values: Map<String, Value>,
}

impl Row {
    /// A row without numbers.
    #[must_use]
    pub fn new(step: u64, time: SystemTime) -> Self {
        let values = Map::new();
        Self { step, time, values }
    }

    /// Puts a number in, or another one in its place. NaN and infinities have no JSON: they are
    /// left out, and the answer is false.
    pub fn set(&mut self, name: &str, value: f64) -> bool {
        let is_finite = value.is_finite();
        if is_finite {
            self.values.insert(name.to_owned(), value.into());
        }
        is_finite
    }

    /// The step.
    #[must_use]
    pub fn step(&self) -> u64 {
        self.step
    }

    /// Its values and the three that W&B adds: `_step`, `_runtime` and `_timestamp`, times in
    /// seconds.
    pub(crate) fn object(&self, started: SystemTime) -> Map<String, Value> {
        let mut object = self.values.clone();
        object.insert("_step".to_owned(), self.step.into());
        let runtime = self.runtime(started).as_secs_f64();
        object.insert("_runtime".to_owned(), runtime.into());
        let timestamp = self.time.duration_since(UNIX_EPOCH).unwrap_or_default();
        object.insert("_timestamp".to_owned(), timestamp.as_secs_f64().into());
        object
    }

    /// Since the run started.
    pub(crate) fn runtime(&self, started: SystemTime) -> Duration {
        self.time.duration_since(started).unwrap_or_default()
    }
}

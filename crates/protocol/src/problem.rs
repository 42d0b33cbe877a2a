//! What is wrong with a config, and where.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing wrong with a config.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigProblem {
    /// Where.
    #[serde(flatten)]
    pub location: Location,
    /// What was found and what is allowed, with the nearest valid name.
    pub message: String,
    /// The step without which there would be no such problem; none where it is of no single step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u64>,
}

/// Where something stands in a config file.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Location {
    /// Line, counted from 1; 0 in a form, which has none.
    pub line: u64,
    /// Path, as in `metrics[0].components[1].layers`.
    pub path: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.location, self.message)
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.path.as_str()) {
            (0, "") => f.write_str("the form"),
            (0, path) => f.write_str(path),
            (line, "") => write!(f, "line {line}"),
            (line, path) => write!(f, "line {line}, {path}"),
        }
    }
}

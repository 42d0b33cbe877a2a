//! What is wrong with a config, and where.

use std::collections::HashSet;
use std::fmt;

use ckptscope_protocol::ConfigProblem;
use ckptscope_vocabulary::sort::sort_by_key;
use serde::{Deserialize, Serialize};

use super::cursor::At;
use super::suggestion::nearest;
use super::tree::Position;

/// Everything wrong with a config, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(transparent)]
pub struct ConfigErrors(pub Vec<ConfigProblem>);

/// Problems of one file that are kept: a hostile file has one in every byte.
const MAX_PROBLEMS: usize = 1000;

/// Collects the problems of a file while it is read on.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<(Position, ConfigProblem)>);

impl Problems {
    /// Notes what is wrong at a place. Nobody reads on after [`MAX_PROBLEMS`].
    pub(super) fn add(&mut self, at: &At<'_>, message: impl Into<String>) {
        if self.0.len() >= MAX_PROBLEMS {
            return;
        }
        let problem = ConfigProblem {
            location: at.location(),
            message: message.into(),
            step: None,
        };
        self.0.push((at.position, problem));
    }

    /// Notes that something else was expected; there is no value then.
    pub(super) fn unexpected<T>(&mut self, at: &At<'_>, expected: impl fmt::Display) -> Option<T> {
        self.add(at, format!("found {}; expected {expected}", at.node));
        None
    }

    /// The same, with the nearest of the words that would have done.
    pub(super) fn unexpected_word<T>(
        &mut self,
        at: &At<'_>,
        words: &[&str],
        expected: impl fmt::Display,
    ) -> Option<T> {
        let hint = nearest(at.node.as_text().unwrap_or_default(), words);
        self.add(at, format!("found {}; {hint}expected {expected}", at.node));
        None
    }

    /// `value` where nothing was wrong, else the problems in line order.
    pub(super) fn settle<T>(self, value: Option<T>) -> Result<T, ConfigErrors> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.into_errors()),
        }
    }

    /// In line order. What stands behind an anchor is wrong wherever it is used, and said once.
    fn into_errors(mut self) -> ConfigErrors {
        sort_by_key(&mut self.0, |(position, _)| *position);
        let mut said = HashSet::new();
        // In a form there are no lines, and no anchors.
        let path = |problem: &ConfigProblem| match problem.location.line {
            0 => problem.location.path.clone(),
            _ => String::new(),
        };
        self.0.retain(|(position, problem)| {
            said.insert((*position, path(problem), problem.message.clone()))
        });
        ConfigErrors(self.0.into_iter().map(|(_, problem)| problem).collect())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

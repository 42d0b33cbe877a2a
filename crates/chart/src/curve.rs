//! Series as charts draw them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ckptscope_results::{Series, Subject};

use crate::Tiles;

/// A series and what it is called among others. Its numbers are those of the analysis, not a copy.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// What it is of.
    pub subject: Subject,
    /// Its numbers, over steps or over layers.
    pub series: Arc<Series>,
}

impl Curve {
    /// The value at a step: none where there is no point or the point has no value.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        self.series.number(step)
    }

    /// (step, value) by ascending step; none where the value does not exist.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = (u64, Option<f64>)> + Clone {
        self.series.numbers()
    }

    /// (step, value) where there is a value.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = (u64, f64)> + Clone {
        self.series.defined()
    }

    /// What there is to know of the value at a step, or why it does not exist.
    #[must_use]
    pub fn status(&self, step: u64) -> Option<String> {
        let status = self.series.statuses().get(&step)?;
        Some(status.text.to_string())
    }

    /// Every such status.
    pub fn statuses(&self) -> impl Iterator<Item = &str> {
        self.series.statuses().values().map(|status| &*status.text)
    }
}

/// The steps at which any of the curves has a point, ascending.
#[must_use]
pub fn steps<'a>(curves: impl IntoIterator<Item = &'a Curve>) -> Vec<u64> {
    let mut all: Vec<u64> = Vec::new();
    for curve in curves {
        // Most curves have the same steps.
        if curve.series.steps() != all {
            all.extend(curve.series.steps());
            all.sort_unstable();
            all.dedup();
        }
    }
    all
}

/// Curves over layers, for results of a single step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OverLayers {
    /// A curve for each component, and one for each head of it.
    pub curves: Vec<Curve>,
    /// How many have no place among layers: those of tensors outside of layers.
    pub left_out: usize,
}

impl OverLayers {
    /// That some are left out, in words.
    #[must_use]
    pub fn left_out_in_words(left_out: usize) -> Option<String> {
        match left_out {
            0 => None,
            1 => Some("without 1 tensor outside of layers".to_owned()),
            several => Some(format!("without {several} tensors outside of layers")),
        }
    }
}

/// With layers in the place of steps, for a single step.
#[must_use]
pub fn over_layers<'a>(curves: impl IntoIterator<Item = &'a Curve>) -> OverLayers {
    let mut over: BTreeMap<Subject, Series> = BTreeMap::new();
    let mut left_out = 0;
    for curve in curves {
        let Some(layer) = curve.subject.layer else {
            left_out += 1;
            continue;
        };
        let Some(point) = curve.series.points().next_back() else {
            continue;
        };
        let subject = Subject {
            layer: None,
            ..curve.subject.clone()
        };
        let series = over
            .entry(subject)
            .or_insert_with(|| Series::new(curve.series.id.clone()));
        series.insert(layer, point.value.cloned(), point.status.cloned());
    }
    let curve = |(subject, series)| Curve {
        subject,
        series: Arc::new(series),
    };
    OverLayers {
        curves: over.into_iter().map(curve).collect(),
        left_out,
    }
}

/// The components, layers and heads of curves: what colours are given to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subjects {
    /// Components, each with its run where several are compared; without layers and heads.
    pub parts: BTreeSet<Subject>,
    /// Layers.
    pub layers: BTreeSet<u64>,
    /// Heads.
    pub heads: BTreeSet<u64>,
}

impl Subjects {
    /// Those of curves.
    #[must_use]
    pub fn of<'a>(curves: impl IntoIterator<Item = &'a Curve>) -> Self {
        let mut subjects = Self::default();
        for curve in curves {
            subjects.add(&curve.subject);
        }
        subjects
    }

    /// Takes in one more; whether any of it is new.
    pub fn add(&mut self, subject: &Subject) -> bool {
        let is_new_layer = subject.layer.is_some_and(|layer| self.layers.insert(layer));
        let is_new_head = subject.head.is_some_and(|head| self.heads.insert(head));
        let is_new_part = self.parts.insert(Tiles::Component.common(subject));
        is_new_layer || is_new_head || is_new_part
    }
}

/// The place of a number among those that there are; 0 for none.
#[must_use]
pub fn rank(all: &BTreeSet<u64>, number: Option<u64>) -> usize {
    number.map_or(0, |number| all.range(..number).count())
}

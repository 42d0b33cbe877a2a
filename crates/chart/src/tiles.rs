//! Several drawings in the place of one.

use ckptscope_results::{Names, Subject};

/// What has a drawing of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tiles {
    /// All curves together.
    All,
    /// Each component of each layer: its heads are the curves.
    Layer,
    /// Each component: its layers or heads are the curves.
    Component,
}

impl Tiles {
    /// What a curve has in common with the others of its drawing.
    #[must_use]
    pub fn common(self, subject: &Subject) -> Subject {
        match self {
            Self::All => Subject::default(),
            Self::Layer => Subject {
                head: None,
                ..subject.clone()
            },
            Self::Component => Subject {
                head: None,
                layer: None,
                ..subject.clone()
            },
        }
    }

    /// What tells a curve from the others of its drawing, where components have these names.
    #[must_use]
    pub fn name(self, subject: &Subject, names: &Names) -> String {
        let layer = subject.layer.map(|layer| format!("layer {layer}"));
        let head = subject.head.map(|head| format!("head {head}"));
        let parts = match self {
            Self::All => return names.name(subject),
            Self::Layer => [None, head],
            Self::Component => [layer, head],
        };
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        parts.join(" · ")
    }
}

/// What has one key together, in the order of what comes first.
#[must_use]
pub fn grouped<K: PartialEq, T>(
    all: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<(K, Vec<T>)> {
    let mut groups: Vec<(K, Vec<T>)> = Vec::new();
    for one in all {
        let key = key(&one);
        // Most often it is that of the one before.
        match groups.iter_mut().rfind(|(other, _)| *other == key) {
            Some((_, group)) => group.push(one),
            None => groups.push((key, vec![one])),
        }
    }
    groups
}

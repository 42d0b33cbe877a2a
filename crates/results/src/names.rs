//! What series are called among others: short, and no two the same.

use std::collections::{HashMap, HashSet};

use crate::panel::{SEPARATOR, with_run};
use crate::{Subject, Text};

/// Short names for a set of subjects. A name is short only within its set: the shortest ending that
/// no other component of the set has, `down_proj` alone or `experts.0.down_proj` among experts.
///
/// Legend, table, rows, read-out, report and figures take names from the set of all series of an
/// analysis, so that one thing is called the same wherever it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(HashMap<Text, String>);

impl Names {
    /// For these subjects.
    #[must_use]
    pub fn of<'a>(subjects: impl IntoIterator<Item = &'a Subject>) -> Self {
        let components = subjects.into_iter().map(|subject| &subject.component);
        Self::of_components(components)
    }

    /// For subjects of these components.
    #[must_use]
    pub fn of_components<'a>(components: impl IntoIterator<Item = &'a Text>) -> Self {
        let components: HashSet<&Text> = components.into_iter().collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for component in &components {
            for ending in endings(component) {
                *counts.entry(ending).or_default() += 1;
            }
        }
        let short = |component: &str| {
            let mut endings = endings(component);
            let own = endings.find(|ending| counts.get(ending) == Some(&1) && !is_number(ending));
            own.unwrap_or(component).to_owned()
        };
        let names = components
            .iter()
            .map(|name| (Text::clone(name), short(name)));
        Self(names.collect())
    }

    /// `v_proj`, `self_attn.v_proj`, `experts.0.down_proj`; in full where it is not of the set.
    #[must_use]
    pub fn component<'a>(&'a self, component: &'a str) -> &'a str {
        self.0.get(component).map_or(component, String::as_str)
    }

    /// The component, the stack where results are of several, the expert and the run:
    /// `o_proj · seed 1`, `encoder.layers · o_proj`, `down expert 3`.
    #[must_use]
    pub fn part(&self, subject: &Subject) -> String {
        let component = self.component(&subject.component);
        let stack = subject
            .stack
            .as_deref()
            .map(|stack| match stack.strip_suffix('.') {
                Some(stack) => format!("{stack}{SEPARATOR}"),
                None => format!("*{SEPARATOR}"),
            });
        let component = stack.unwrap_or_default() + component + &subject.expert_in_words();
        with_run(&component, subject.run.as_deref())
    }

    /// `layer 0 · v_proj`, `layer 0 · head 1 · ov_circuit`: what differs most stands first, where
    /// there is little room.
    #[must_use]
    pub fn name(&self, subject: &Subject) -> String {
        let layer = subject.layer.map(|layer| format!("layer {layer}"));
        let head = subject.head.map(|head| format!("head {head}"));
        self.behind([layer, head], subject)
    }

    /// `0 · v_proj`, `0 · h1 · ov_circuit`: for rows, which have less room.
    #[must_use]
    pub fn row(&self, subject: &Subject) -> String {
        let layer = subject.layer.map(|layer| layer.to_string());
        let head = subject.head.map(|head| format!("h{head}"));
        self.behind([layer, head], subject)
    }

    /// The part behind what is said of its place.
    fn behind(&self, place: [Option<String>; 2], subject: &Subject) -> String {
        let words = place.into_iter().flatten().chain([self.part(subject)]);
        words.collect::<Vec<_>>().join(SEPARATOR)
    }
}

/// The endings of a name that begin at a dot, the shortest first, the whole name last.
fn endings(name: &str) -> impl Iterator<Item = &str> {
    let dots = name.rmatch_indices('.').map(|(dot, _)| dot + 1);
    let endings = dots.chain([0]).filter_map(|start| name.get(start..));
    endings.filter(|ending| !ending.is_empty())
}

/// Whether it begins with a number, which says nothing without what stands before it.
fn is_number(ending: &str) -> bool {
    ending.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn subjects(texts: &[&str]) -> Vec<Subject> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn parts(texts: &[&str]) -> Vec<String> {
        let subjects = subjects(texts);
        let names = Names::of(&subjects);
        subjects.iter().map(|one| names.part(one)).collect()
    }

    #[test]
    fn names_are_as_long_as_it_takes_to_tell_them_apart() {
        assert_eq!(
            parts(&["0::attn.v_proj", "1::attn.v_proj", "0::attn.o_proj"]),
            ["v_proj", "v_proj", "o_proj"]
        );
        assert_eq!(
            parts(&[
                "0::mlp.experts.0.down_proj",
                "0::mlp.experts.11.down_proj",
                "0::mlp.down_proj",
                "0::mlp.gate",
            ]),
            [
                "experts.0.down_proj",
                "experts.11.down_proj",
                "mlp.down_proj",
                "gate"
            ]
        );
        assert_eq!(parts(&["::v", "::a.v", "::b.a.v"]), ["v", "a.v", "b.a.v"]);
    }

    #[test]
    fn a_short_name_keeps_the_run_and_the_stack() {
        assert_eq!(
            parts(&["0:1:attention.o_proj · Qwen2.5-0.5B"]),
            ["o_proj · Qwen2.5-0.5B"]
        );
        let again = "ov_circuit · run 1.5 · again";
        assert_eq!(parts(&[&format!("::{again}")]), [again]);
        assert_eq!(parts(&["0::*.attn.v"]), ["* · v"]);
        let of_encoder = subjects(&["3::encoder.layers.*.attn.v · seed 1"]);
        let names = Names::of(&of_encoder);
        assert_eq!(
            names.name(&of_encoder[0]),
            "layer 3 · encoder.layers · v · seed 1"
        );
        assert_eq!(names.row(&of_encoder[0]), "3 · encoder.layers · v · seed 1");
        let of_expert = subjects(&["3:e5:mlp.down · seed 1"]);
        let names = Names::of(&of_expert);
        assert_eq!(of_expert[0].part(), "mlp.down expert 5 · seed 1");
        assert_eq!(
            names.name(&of_expert[0]),
            "layer 3 · down expert 5 · seed 1"
        );
        assert_eq!(names.row(&of_expert[0]), "3 · down expert 5 · seed 1");
    }

    #[test]
    fn no_two_of_a_set_are_called_the_same() {
        // Every name of up to three of these words.
        let words = ["", "a", "v", "0", "1"];
        let mut all = BTreeSet::new();
        for first in words {
            for second in words {
                for third in words {
                    let words = [first, second, third].into_iter();
                    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
                    all.insert(Text::from(words.join(".")));
                }
            }
        }
        let all: Vec<Text> = all.into_iter().collect();
        for start in 0..all.len() {
            for length in 1..=all.len() - start {
                let set = &all[start..start + length];
                let names = Names::of_components(set);
                let short: BTreeSet<&str> = set.iter().map(|one| names.component(one)).collect();
                assert_eq!(short.len(), set.len(), "{set:?} are called {short:?}");
            }
        }
    }
}

//! What the entries of several runs are called in a comparison, place by place.

use std::collections::{BTreeSet, HashMap, HashSet};

use ckptscope_vocabulary::{DataKind, Split, without_wrappers};

use super::meaning::Meaning;
use crate::{Entry, EntryId, MeasuredComponent, Results, SeriesId, Text};

/// One component in one layer, where numbers of several runs can meet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Location {
    split: Split,
    component: Text,
    kind: DataKind,
    stack: Text,
    layer: Option<u64>,
}

/// A location, and the label of an entry that has numbers there.
type Place = (Text, Location);

/// A component of an entry of a run, by their places.
type Part = (usize, usize);

/// What a component is called, each label with its layers.
type LayersByLabel = Vec<(Text, BTreeSet<u64>)>;

/// A meaning, and what the comparison calls it at one location.
struct Known {
    label: Text,
    meaning: usize,
    /// The first run that has it.
    first_run: usize,
    /// The last run that has it.
    last_run: usize,
}

/// What the comparison calls a meaning of a component, wherever.
struct Called {
    component: Text,
    kind: DataKind,
    label: Text,
    meaning: usize,
    /// The first run that has it.
    run: usize,
}

/// What the entries of the runs are called in the comparison.
#[derive(Default)]
pub(super) struct Labels {
    /// For each run, the places that are not called as in the run itself.
    renamed: Vec<HashMap<Place, Text>>,
    /// For each run, what its components are called, each label with its layers.
    of_parts: Vec<HashMap<Part, LayersByLabel>>,
    /// What some run has in several stacks, so that only the stack tells its numbers apart.
    in_several_stacks: HashSet<(Text, DataKind)>,
    /// What has several meanings under one label somewhere, as the comparison calls it.
    apart: HashSet<(EntryId, Text, DataKind)>,
    /// What is called otherwise, and what is not the same, in words.
    pub(super) warnings: Vec<String>,
}

/// What is known while labels are given, run after run.
struct Naming<'a> {
    names: &'a [String],
    meanings: Vec<Meaning>,
    at: HashMap<Location, Vec<Known>>,
    called: Vec<Called>,
}

impl Labels {
    pub(super) fn of(names: &[String], runs: &[Results]) -> Self {
        let mut labels = Self {
            in_several_stacks: runs.iter().flat_map(in_several_stacks).collect(),
            ..Self::default()
        };
        let mut naming = Naming {
            names,
            meanings: Vec::new(),
            at: HashMap::new(),
            called: Vec::new(),
        };
        for (run, results) in runs.iter().enumerate() {
            labels.name_run(run, results, &mut naming);
        }
        labels
    }

    fn name_run(&mut self, run: usize, results: &Results, naming: &mut Naming<'_>) {
        let mut renamed = HashMap::new();
        let mut of_parts: HashMap<Part, LayersByLabel> = HashMap::new();
        let mut seen = HashSet::new();
        let parts = Parts::of(results);
        for series in results.series.iter() {
            let place = place(&series.id);
            if !seen.insert(place.clone()) {
                continue;
            }
            let Some((part, meaning)) = parts.meaning(&series.id) else {
                continue;
            };
            let meaning = naming.intern(meaning);
            let location = self.location(place.1.clone());
            let label = self.label(naming, run, (Text::clone(&place.0), location), meaning);
            let labels = of_parts.entry(part).or_default();
            let at = labels.iter().position(|(known, _)| *known == label);
            let at = at.unwrap_or_else(|| {
                labels.push((Text::clone(&label), BTreeSet::new()));
                labels.len() - 1
            });
            labels[at].1.extend(series.id.layer);
            if label != place.0 {
                renamed.insert(place, label);
            }
        }
        self.renamed.push(renamed);
        self.of_parts.push(of_parts);
    }

    /// What an entry of a run is called at a location: as the same of a run before, there or
    /// elsewhere, else by its own label unless something else has it.
    fn label(
        &mut self,
        naming: &mut Naming<'_>,
        run: usize,
        (own, location): Place,
        meaning: usize,
    ) -> Text {
        if let Some(label) = naming.same(run, &own, &location, meaning) {
            if label != own {
                let (stem, name) = (stem(&own, location.split), naming.name(run));
                self.warn(format!(
                    "{stem} of {name} is the same as {label}: it is called so here"
                ));
            }
            naming.note(run, &label, location, meaning);
            return label;
        }
        let label = match naming.known(&location, &own) {
            None => own,
            Some((other, first_run)) => {
                let (theirs, own_words) =
                    naming.meanings[other].differences(&naming.meanings[meaning]);
                let is_told = [other, meaning]
                    .iter()
                    .all(|it| naming.meanings[*it].is_told);
                let is_not = if is_told { "is not" } else { "may not be" };
                self.warn(format!(
                    "{} of {} {is_not} the same in all: {theirs} in {}, {own_words} in {}; these \
                     stand side by side and are not subtracted",
                    stem(&own, location.split),
                    location.component,
                    naming.name(first_run),
                    naming.name(run)
                ));
                let wanted = format!("{own} ({own_words})");
                let numbered = (2_u64..).map(|number| format!("{wanted} {number}"));
                let mut free = std::iter::once(wanted.clone()).chain(numbered);
                let free = free.find(|label| naming.known(&location, label).is_none());
                let label = Text::from(free.unwrap_or_default());
                for label in [&own, &label] {
                    let entry = EntryId::new(label, location.split);
                    let component = Text::clone(&location.component);
                    self.apart.insert((entry, component, location.kind));
                }
                label
            }
        };
        naming.note(run, &label, location, meaning);
        label
    }

    fn warn(&mut self, warning: String) {
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// A location without what differs between runs: wrappers, and the stack where it tells
    /// nothing apart.
    fn location(&self, location: Location) -> Location {
        let stack = self.stack(&location.component, location.kind, &location.stack);
        Location { stack, ..location }
    }

    fn stack(&self, component: &Text, kind: DataKind, stack: &str) -> Text {
        let part = (Text::clone(component), kind);
        match self.in_several_stacks.contains(&part) {
            true => without_wrappers(stack).into(),
            false => Text::default(),
        }
    }

    /// What series of several runs are matched by: the id as the comparison calls it, without the
    /// run, wrappers, and the stack where it tells nothing apart.
    pub(super) fn matched_by(&self, run: usize, id: &SeriesId) -> SeriesId {
        SeriesId {
            run: None,
            stack: self.stack(&id.component, id.kind, &id.stack),
            ..self.renamed(run, id.clone())
        }
    }

    /// Whether something stands side by side because of its label, and is not subtracted.
    pub(super) fn some_stand_apart(&self) -> bool {
        !self.apart.is_empty()
    }

    /// Whether a series, as the comparison calls it, stands beside others of its label.
    pub(super) fn stands_apart(&self, id: &SeriesId) -> bool {
        let part = (id.entry.clone(), Text::clone(&id.component), id.kind);
        self.apart.contains(&part)
    }

    /// A series' id as the comparison calls it.
    pub(super) fn renamed(&self, run: usize, mut id: SeriesId) -> SeriesId {
        let renamed = self.renamed.get(run).filter(|renamed| !renamed.is_empty());
        if let Some(label) = renamed.and_then(|renamed| renamed.get(&place(&id))) {
            id.entry.label = Text::clone(label);
        }
        id
    }

    /// A run's entries as the comparison calls them: one whose components are called differently
    /// becomes several.
    pub(super) fn entries(&self, run: usize, results: &Results) -> Vec<Entry> {
        let of_parts = self.of_parts.get(run);
        let mut entries: Vec<Entry> = Vec::new();
        for (at, entry) in results.entries.iter().enumerate() {
            let first = entries.len();
            let mut add = |label: &str, component: Option<MeasuredComponent>| {
                let mut own = entries.iter_mut().skip(first);
                match own.find(|it| it.label == label) {
                    Some(known) => known.components.extend(component),
                    None => entries.push(Entry {
                        label: label.to_owned(),
                        components: component.into_iter().collect(),
                        ..entry.clone()
                    }),
                }
            };
            for (place, component) in entry.components.iter().enumerate() {
                match of_parts
                    .and_then(|parts| parts.get(&(at, place)))
                    .map(Vec::as_slice)
                {
                    None | Some([]) => add(&entry.label, Some(component.clone())),
                    Some([(label, _)]) => add(label, Some(component.clone())),
                    Some(several) => several.iter().for_each(|(label, layers)| {
                        let mut component = component.clone();
                        component.layers = layers.iter().copied().collect();
                        add(label, Some(component));
                    }),
                }
            }
            if entry.components.is_empty() {
                add(&entry.label, None);
            }
        }
        entries
    }
}

impl Naming<'_> {
    fn intern(&mut self, meaning: Meaning) -> usize {
        let known = self.meanings.iter().position(|known| *known == meaning);
        known.unwrap_or_else(|| {
            self.meanings.push(meaning);
            self.meanings.len() - 1
        })
    }

    /// What other runs call the same, at the location before elsewhere, by its own label before
    /// others; none that something else has at the location.
    fn same(&self, run: usize, own: &Text, location: &Location, meaning: usize) -> Option<Text> {
        let here = self.at.get(location).map_or(&[][..], Vec::as_slice);
        let met = here
            .iter()
            .filter(|it| it.last_run != run && self.is(it.meaning, meaning));
        let met = met.map(|it| &it.label).min_by_key(|label| *label != own);
        if let Some(label) = met {
            return Some(Text::clone(label));
        }
        let is_of = |it: &&Called| {
            it.run != run && (&it.component, it.kind) == (&location.component, location.kind)
        };
        let elsewhere = self.called.iter().filter(is_of);
        let same = elsewhere.filter(|it| self.is(it.meaning, meaning));
        let free = same.filter(|it| here.iter().all(|known| known.label != it.label));
        let label = free.map(|it| &it.label).min_by_key(|label| *label != own);
        label.map(Text::clone)
    }

    fn is(&self, one: usize, other: usize) -> bool {
        self.meanings[one].is(&self.meanings[other])
    }

    /// The meaning that a label has at a location, and the first run that has it.
    fn known(&self, location: &Location, label: &str) -> Option<(usize, usize)> {
        let mut here = self.at.get(location)?.iter();
        let known = here.find(|it| *it.label == *label)?;
        Some((known.meaning, known.first_run))
    }

    fn note(&mut self, run: usize, label: &Text, location: Location, meaning: usize) {
        let is_it = |it: &Called| {
            (&it.label, it.meaning) == (label, meaning)
                && (&it.component, it.kind) == (&location.component, location.kind)
        };
        if !self.called.iter().any(is_it) {
            self.called.push(Called {
                component: Text::clone(&location.component),
                kind: location.kind,
                label: Text::clone(label),
                meaning,
                run,
            });
        }
        let here = self.at.entry(location).or_default();
        match here.iter_mut().find(|it| it.label == *label) {
            Some(known) => known.last_run = run,
            None => here.push(Known {
                label: Text::clone(label),
                meaning,
                first_run: run,
                last_run: run,
            }),
        }
    }

    fn name(&self, run: usize) -> &str {
        self.names.get(run).map_or("", String::as_str)
    }
}

/// What a run's series are of, entry by entry.
struct Parts<'a> {
    entries: HashMap<EntryId, (usize, &'a Entry)>,
}

impl<'a> Parts<'a> {
    fn of(results: &'a Results) -> Self {
        let mut entries = HashMap::new();
        for (at, entry) in results.entries.iter().enumerate() {
            entries.entry(entry.id()).or_insert((at, entry));
        }
        Self { entries }
    }

    /// The component that a series is of, and what its numbers mean.
    fn meaning(&self, id: &SeriesId) -> Option<(Part, Meaning)> {
        let (at, entry) = self.entries.get(&id.entry)?;
        let mut components = entry.components.iter().enumerate();
        let (place, component) = components.find(|(_, it)| it.has(id))?;
        let mut meaning = Meaning::of(entry, component, id);
        // An older version lists what is made otherwise in some layers, and not in which.
        let mut others = components.filter(|(_, it)| it.has(id));
        meaning.is_told &= others.all(|(_, it)| it.parameters == component.parameters);
        Some(((*at, place), meaning))
    }
}

fn place(id: &SeriesId) -> Place {
    let location = Location {
        split: id.entry.split,
        component: Text::clone(&id.component),
        kind: id.kind,
        stack: Text::clone(&id.stack),
        layer: id.layer,
    };
    (Text::clone(&id.entry.label), location)
}

fn stem(label: &str, split: Split) -> String {
    EntryId::new(label, split).stem()
}

/// The components that a run has in several stacks.
fn in_several_stacks(run: &Results) -> HashSet<(Text, DataKind)> {
    let mut first: HashMap<(&Text, DataKind), &Text> = HashMap::new();
    let mut several = HashSet::new();
    for id in run.series.iter().map(|series| &series.id) {
        let known = *first.entry((&id.component, id.kind)).or_insert(&id.stack);
        let is_other = known != &id.stack
            && id.layer.is_some()
            && without_wrappers(known) != without_wrappers(&id.stack);
        if is_other {
            several.insert((Text::clone(&id.component), id.kind));
        }
    }
    several
}

//! Records as curves: the values of one part of a model over the steps.

use std::collections::{BTreeSet, HashMap};

use ckptscope_analysis::protocol::Record;
use ckptscope_analysis::results::compare::SEPARATOR;
use ckptscope_analysis::results::{Entry, Results};

/// One number of one metric entry, of one kind of data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    /// The metric entry's label.
    pub label: &'a str,
    /// `train` or `val`.
    pub split: &'a str,
    /// Which of the metric's numbers, where it gives several; else empty.
    pub output: &'a str,
    /// `weights`, `gradients` or `activations`.
    pub data_type: &'a str,
}

/// All curves that can share an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel<'a> {
    /// What they are of.
    pub key: Key<'a>,
    /// By component, in the config's order.
    pub parts: Vec<Part<'a>>,
}

/// The curves of one component.
#[derive(Clone, Debug, PartialEq)]
pub struct Part<'a> {
    /// A suffix, or the component's name.
    pub component: &'a str,
    /// By layer; each layer's own before those of its heads.
    pub curves: Vec<Curve<'a>>,
}

/// The values of a component of one layer, or of one head of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve<'a> {
    /// The layer.
    pub layer: u64,
    /// The head; none for the layer's own.
    pub head: Option<u64>,
    /// By ascending step.
    pub points: Vec<Point<'a>>,
}

/// One value of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point<'a> {
    /// The step.
    pub step: u64,
    /// The value; none where it is undefined.
    pub value: Option<f64>,
    /// Why there is none, or what to know of it.
    pub status: Option<&'a str>,
}

/// The curves of some results, in the order of their records.
#[must_use]
pub fn panels(results: &Results) -> Vec<Panel<'_>> {
    let mut panels: Vec<Panel<'_>> = Vec::new();
    let mut places = HashMap::new();
    let mut of_curves = HashMap::new();
    for record in &results.records {
        let key = Key::of(record);
        let component = record.component.as_str();
        let (panel, part) = *places.entry((key, component)).or_insert_with(|| {
            let panel = panels.iter().position(|panel| panel.key == key);
            let panel = panel.unwrap_or_else(|| {
                panels.push(Panel {
                    key,
                    parts: Vec::new(),
                });
                panels.len() - 1
            });
            panels[panel].parts.push(Part {
                component,
                curves: Vec::new(),
            });
            (panel, panels[panel].parts.len() - 1)
        });
        let curves = &mut panels[panel].parts[part].curves;
        let subject = (panel, part, record.layer, record.head);
        let curve = *of_curves.entry(subject).or_insert_with(|| {
            curves.push(Curve {
                layer: record.layer,
                head: record.head,
                points: Vec::new(),
            });
            curves.len() - 1
        });
        curves[curve].points.push(Point::of(record));
    }
    for part in panels.iter_mut().flat_map(|panel| &mut panel.parts) {
        part.sort();
    }
    panels
}

impl<'a> Key<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            label: &record.label,
            split: &record.split,
            output: &record.output,
            data_type: &record.data_type,
        }
    }

    /// Whether it is of a metric entry.
    #[must_use]
    pub fn is_of(&self, entry: &Entry) -> bool {
        self.label == entry.label && self.split == entry.split
    }
}

impl<'a> Panel<'a> {
    /// All its curves.
    pub fn curves(&self) -> impl Iterator<Item = &Curve<'a>> + Clone {
        self.parts.iter().flat_map(|part| &part.curves)
    }

    /// The steps at which any of its curves has a point, ascending.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        let points = self.curves().flat_map(|curve| &curve.points);
        let steps: BTreeSet<u64> = points.map(|point| point.step).collect();
        steps.into_iter().collect()
    }

    /// What one of its components is called where there is little room: its short name, or all of
    /// it where another one has the same.
    #[must_use]
    pub fn brief<'b>(&self, component: &'b str) -> &'b str {
        let is_same = |part: &Part<'_>| {
            part.component != component && short(part.component) == short(component)
        };
        if self.parts.iter().any(is_same) {
            component
        } else {
            short(component)
        }
    }
}

impl<'a> Part<'a> {
    /// The curves of whole layers; where there are only heads, none.
    pub fn layers(&self) -> impl Iterator<Item = &Curve<'a>> + Clone {
        self.curves.iter().filter(|curve| curve.head.is_none())
    }

    /// The curves of heads.
    pub fn heads(&self) -> impl Iterator<Item = &Curve<'a>> + Clone {
        self.curves.iter().filter(|curve| curve.head.is_some())
    }

    /// With layers in the place of steps, for results of a single step: the layers' own values as
    /// one curve, and one for each head.
    #[must_use]
    pub fn over_layers(&self) -> Self {
        let mut over = Self {
            component: self.component,
            curves: Vec::new(),
        };
        for curve in &self.curves {
            let Some(&point) = curve.points.last() else {
                continue;
            };
            let place = over
                .curves
                .iter()
                .position(|other| other.head == curve.head);
            let place = place.unwrap_or_else(|| {
                over.curves.push(Curve {
                    layer: 0,
                    head: curve.head,
                    points: Vec::new(),
                });
                over.curves.len() - 1
            });
            over.curves[place].points.push(Point {
                step: curve.layer,
                ..point
            });
        }
        over.sort();
        over
    }

    fn sort(&mut self) {
        self.curves.sort_by_key(|curve| (curve.layer, curve.head));
        for curve in &mut self.curves {
            curve.points.sort_by_key(|point| point.step);
        }
    }
}

impl<'a> Curve<'a> {
    /// The value at a step: none where there is no point or the point has no value.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        let place = self.points.binary_search_by_key(&step, |point| point.step);
        self.points.get(place.ok()?)?.value
    }

    /// (step, value), also where there is no value.
    pub fn pairs(&self) -> impl Iterator<Item = (u64, Option<f64>)> + Clone {
        self.points.iter().map(|point| (point.step, point.value))
    }

    /// (step, value) where there is a value.
    pub fn values(&self) -> impl Iterator<Item = (u64, f64)> + Clone {
        let defined = |point: &Point<'a>| Some((point.step, point.value?));
        self.points.iter().filter_map(defined)
    }
}

impl<'a> Point<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            step: record.step,
            value: record.value,
            status: record.status.as_deref(),
        }
    }
}

/// The layers and heads of some curves: what colours are given to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Layers.
    pub layers: BTreeSet<u64>,
    /// Heads.
    pub heads: BTreeSet<u64>,
}

impl Seen {
    /// Of curves.
    #[must_use]
    pub fn of<'a, 'b: 'a>(curves: impl Iterator<Item = &'a Curve<'b>>) -> Self {
        let mut seen = Self::default();
        for curve in curves {
            seen.layers.insert(curve.layer);
            seen.heads.extend(curve.head);
        }
        seen
    }
}

/// The last part of a suffix: `v_proj` of `attention.v_proj`, `v_proj · run 1.5` of
/// `attention.v_proj · run 1.5`, which is of one run of several.
#[must_use]
pub fn short(component: &str) -> &str {
    let suffix = component.split(SEPARATOR).next().unwrap_or(component);
    let start = suffix.rfind('.').map_or(0, |dot| dot + 1);
    component.get(start..).unwrap_or(component)
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_short_name_keeps_the_run() {
        assert_eq!(short("attention.v_proj"), "v_proj");
        assert_eq!(short("ov_circuit"), "ov_circuit");
        assert_eq!(
            short("attention.o_proj · Qwen2.5-0.5B"),
            "o_proj · Qwen2.5-0.5B"
        );
        assert_eq!(
            short("ov_circuit · run 1.5 · again"),
            "ov_circuit · run 1.5 · again"
        );
    }
}

//! Series as curves: arranged by panel, component, layer and head, as charts and tables want them.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use ckptscope_results::{PanelId, Results, Series, SeriesPoint, Subject};

/// All curves that can share an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelCurves<'a> {
    /// What they are of.
    pub id: PanelId,
    /// By component, in the config's order.
    pub parts: Vec<PartCurves<'a>>,
}

/// The curves of one component, of one run where several are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct PartCurves<'a> {
    /// The component and its run; neither layer nor head.
    pub of: Subject,
    /// The component and its run, in full, with the stack where there are several:
    /// `attention.o_proj · seed 1`.
    pub name: String,
    /// The same with the component's last part only: `o_proj · seed 1`.
    pub short: String,
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
    series: Cow<'a, Series>,
}

/// The curves of some results, in the order of their series.
#[must_use]
pub fn panels(results: &Results) -> Vec<PanelCurves<'_>> {
    let mut panels: Vec<PanelCurves<'_>> = Vec::new();
    let mut places = HashMap::new();
    let names_stacks = results.names_stacks();
    for series in results.series.iter() {
        let of_part = Subject {
            layer: None,
            head: None,
            ..series.id.subject(names_stacks)
        };
        let id = series.id.panel();
        let place = places.entry((id, of_part));
        let (panel, part) = *place.or_insert_with_key(|(id, of_part)| {
            let panel = panels.iter().position(|panel| panel.id == *id);
            let panel = panel.unwrap_or_else(|| {
                panels.push(PanelCurves {
                    id: id.clone(),
                    parts: Vec::new(),
                });
                panels.len() - 1
            });
            panels[panel].parts.push(PartCurves {
                of: of_part.clone(),
                name: of_part.part(),
                short: of_part.short_part(),
                curves: Vec::new(),
            });
            (panel, panels[panel].parts.len() - 1)
        });
        panels[panel].parts[part].curves.push(Curve {
            layer: series.id.layer,
            head: series.id.head,
            series: Cow::Borrowed(series),
        });
    }
    for part in panels.iter_mut().flat_map(|panel| &mut panel.parts) {
        part.sort();
    }
    panels
}

impl<'a> PanelCurves<'a> {
    /// All its curves.
    pub fn curves(&self) -> impl Iterator<Item = &Curve<'a>> + Clone {
        self.parts.iter().flat_map(|part| &part.curves)
    }

    /// The steps at which any of its curves has a point, ascending.
    #[must_use]
    pub fn steps(&self) -> Vec<u64> {
        let steps: BTreeSet<u64> = self.curves().flat_map(Curve::steps).collect();
        steps.into_iter().collect()
    }

    /// What one of its components is called where there is little room: its short name, or all of
    /// it where another one has the same.
    #[must_use]
    pub fn brief<'b>(&self, part: &'b PartCurves<'_>) -> &'b str {
        let is_same = |other: &PartCurves<'_>| other.name != part.name && other.short == part.short;
        if self.parts.iter().any(is_same) {
            &part.name
        } else {
            &part.short
        }
    }
}

impl<'a> PartCurves<'a> {
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
        let mut curves: Vec<Curve<'_>> = Vec::new();
        for curve in &self.curves {
            let Some(point) = curve.series.points().next_back() else {
                continue;
            };
            let place = curves.iter().position(|other| other.head == curve.head);
            let place = place.unwrap_or_else(|| {
                curves.push(Curve {
                    layer: 0,
                    head: curve.head,
                    series: Cow::Owned(Series::new(curve.series.id.clone())),
                });
                curves.len() - 1
            });
            let over = curves[place].series.to_mut();
            over.insert(curve.layer, point.value.cloned(), point.status.cloned());
        }
        let mut over = Self {
            name: self.name.clone(),
            of: self.of.clone(),
            short: self.short.clone(),
            curves,
        };
        over.sort();
        over
    }

    fn sort(&mut self) {
        self.curves.sort_by_key(|curve| (curve.layer, curve.head));
    }
}

impl Curve<'_> {
    /// All points, by ascending step.
    pub fn points(&self) -> impl Iterator<Item = SeriesPoint<'_>> + Clone {
        self.series.points()
    }

    /// The value at a step: none where there is no point or the point has no value.
    #[must_use]
    pub fn at(&self, step: u64) -> Option<f64> {
        self.series.number(step)
    }

    /// (step, value), also where there is no value.
    pub fn pairs(&self) -> impl Iterator<Item = (u64, Option<f64>)> + Clone {
        self.series.numbers()
    }

    /// (step, value) where there is a value.
    pub fn values(&self) -> impl Iterator<Item = (u64, f64)> + Clone {
        self.series.defined()
    }

    fn steps(&self) -> impl Iterator<Item = u64> {
        self.series.steps().iter().copied()
    }
}

/// The layers and heads of some curves: what colours are given to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LayersAndHeads {
    /// Layers.
    pub layers: BTreeSet<u64>,
    /// Heads.
    pub heads: BTreeSet<u64>,
}

impl LayersAndHeads {
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

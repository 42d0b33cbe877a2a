//! The curves of results, arranged by panel and component as charts and tables want them.

use std::sync::Arc;

use ckptscope_chart::{Curve, Tiles, grouped, over_layers};
use ckptscope_results::{Names, PanelId, Results, Subject};

/// All curves that can share an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct PanelCurves {
    /// What they are of.
    pub id: PanelId,
    /// By component, in the config's order.
    pub parts: Vec<PartCurves>,
}

/// The curves of one component, of one run where several are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct PartCurves {
    /// The component and its run; neither layer nor head.
    pub of: Subject,
    /// The component and its run, in full, with the stack where there are several:
    /// `attention.o_proj · seed 1`.
    pub name: String,
    /// The same with as much of the component as no other of the results has: `o_proj · seed 1`.
    pub short: String,
    /// By layer; each layer's own before those of its heads.
    pub curves: Vec<Curve>,
}

/// The curves of some results, in the order of their series.
#[must_use]
pub fn panels(results: &Results) -> Vec<PanelCurves> {
    let names_stacks = results.names_stacks();
    let curves = results.series.iter().map(|series| Curve {
        subject: series.id.subject(names_stacks),
        series: Arc::clone(series),
    });
    let names = Names::of_components(results.series.iter().map(|series| &series.id.component));
    let panels = grouped(curves, |curve| curve.series.id.panel()).into_iter();
    panels
        .map(|(id, curves)| PanelCurves {
            id,
            parts: parts(curves, &names),
        })
        .collect()
}

fn parts(curves: Vec<Curve>, names: &Names) -> Vec<PartCurves> {
    let parts = grouped(curves, |curve| Tiles::Component.common(&curve.subject)).into_iter();
    let part = |(of, mut curves): (Subject, Vec<Curve>)| {
        curves.sort_by_key(|curve| (curve.subject.layer, curve.subject.head));
        PartCurves {
            name: of.part(),
            short: names.part(&of),
            of,
            curves,
        }
    };
    parts.map(part).collect()
}

impl PanelCurves {
    /// All its curves.
    pub fn curves(&self) -> impl Iterator<Item = &Curve> + Clone {
        self.parts.iter().flat_map(|part| &part.curves)
    }
}

impl PartCurves {
    /// The curves of whole layers; where there are only heads, none.
    #[must_use]
    pub fn layers(&self) -> Vec<&Curve> {
        let curves = self.curves.iter();
        curves
            .filter(|curve| curve.subject.head.is_none())
            .collect()
    }

    /// The curves of heads.
    #[must_use]
    pub fn heads(&self) -> Vec<&Curve> {
        let curves = self.curves.iter();
        curves
            .filter(|curve| curve.subject.head.is_some())
            .collect()
    }

    /// With layers in the place of steps, for results of a single step: the layers' own values as
    /// one curve, and one for each head. With it, how many curves have no layer.
    #[must_use]
    pub fn over_layers(&self) -> (Self, usize) {
        let over = over_layers(&self.curves);
        let part = Self {
            curves: over.curves,
            ..self.clone()
        };
        (part, over.left_out)
    }
}

/// A layer's number; a dash outside of layers.
pub(crate) fn layer_number(layer: Option<u64>) -> String {
    layer.map_or_else(|| "–".to_owned(), |layer| layer.to_string())
}

//! What colours stand for.

use std::collections::BTreeSet;

use ckptscope_plot::{
    Colour, Dash, Series, head_colours, layer_colours, part_colours, part_dashes,
};

use super::{By, Choice};
use crate::curve::{Curve, LayersAndHeads, PanelCurves};

/// As many lines have a legend; more have their numbers at their ends.
const MOST_IN_LEGEND: usize = 6;

/// What colours stand for.
pub(super) struct Palette {
    by: By,
    names: Vec<String>,
    /// Of each name.
    looks: Vec<(Colour, Dash)>,
}

impl Palette {
    pub(super) fn of(panel: &PanelCurves<'_>, choice: &Choice) -> Self {
        let by = choice.by;
        let seen = LayersAndHeads::of(panel.curves());
        let numbers = |all: &BTreeSet<u64>| all.iter().map(u64::to_string).collect();
        let names: Vec<String> = match by {
            By::Layer => numbers(&seen.layers),
            By::Head => numbers(&seen.heads),
            By::Component => {
                let parts = panel.parts.iter();
                parts.map(|part| part.name.to_owned()).collect()
            }
        };
        let (count, theme) = (names.len(), choice.theme);
        let solid = || vec![Dash::Solid; count];
        let (colours, dashes) = match by {
            By::Layer => (layer_colours(count, theme), solid()),
            By::Head => (head_colours(count, theme), solid()),
            By::Component => (part_colours(count, theme), part_dashes(count)),
        };
        Self {
            by,
            names,
            looks: colours.into_iter().zip(dashes).collect(),
        }
    }

    pub(super) fn series(&self, component: &str, curve: &Curve<'_>) -> Series {
        let name = match self.by {
            By::Layer => curve.layer.to_string(),
            By::Head => curve.head.unwrap_or_default().to_string(),
            By::Component => component.to_owned(),
        };
        let place = self.names.iter().position(|other| *other == name);
        let end_label = if self.is_at_ends() {
            name.clone()
        } else {
            String::new()
        };
        let look = place.and_then(|place| self.looks.get(place));
        let (colour, dash) = look.copied().unwrap_or_default();
        Series {
            name: self.said(&name),
            colour,
            dash,
            end_label,
            points: curve.pairs().map(|(x, value)| (x as f64, value)).collect(),
            ..Series::default()
        }
    }

    /// Whether lines have their numbers at their ends instead of in a legend.
    fn is_at_ends(&self) -> bool {
        self.by != By::Component && self.names.len() > MOST_IN_LEGEND
    }

    fn said(&self, name: &str) -> String {
        match self.by {
            By::Layer => format!("layer {name}"),
            By::Head => format!("head {name}"),
            By::Component => name.to_owned(),
        }
    }

    pub(super) fn legend(&self) -> Vec<Series> {
        if self.is_at_ends() {
            return Vec::new();
        }
        let entries = self.names.iter().zip(&self.looks);
        entries
            .map(|(name, &(colour, dash))| Series {
                name: self.said(name),
                colour,
                dash,
                ..Series::default()
            })
            .collect()
    }

    pub(super) fn remark(&self) -> &'static str {
        match self.by {
            By::Layer if self.is_at_ends() => " · numbers: layers",
            By::Head if self.is_at_ends() => " · numbers: heads",
            _ => "",
        }
    }
}

//! Single figures for a paper: the curves of one panel, chosen and arranged.

mod lines;
mod palette;
mod rows;

use std::collections::BTreeSet;

use ckptscope_chart::{Along, Chart, Curve, Draw, Of, OverLayers, scale_of_values, steps};
use ckptscope_plot::{MOST_PARTS, Scale, Size, Theme};
use ckptscope_results::Entry;

use crate::curve::{PanelCurves, PartCurves};
use crate::markup::counted;
use ckptscope_results::title::Title;

use lines::lines;
use rows::rows;

/// How a panel is drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    /// Components, as series name them; all where empty.
    pub components: Vec<String>,
    /// Layers; all where it is none.
    pub layers: Option<BTreeSet<u64>>,
    /// Heads instead of whole layers.
    pub heads: bool,
    /// What draws it.
    pub chart: &'static Chart,
    /// What colours of lines mean; every chart has one value of what else there is.
    pub by: By,
    /// The axis of steps, of lines; chosen by the steps where it is none.
    pub x: Option<Scale>,
    /// The axis of values; chosen by the values where it is none.
    pub y: Option<Scale>,
    /// Whether each chart of lines has a y axis of its own.
    pub free_y: bool,
    /// Which colours the figure's own parts have.
    pub theme: Theme,
    /// The whole drawing's width in CSS pixels; one or two columns of a paper where it is none.
    pub width: Option<u32>,
    /// The whole drawing's height in CSS pixels; as many as its charts want where it is none.
    pub height: Option<u32>,
}

/// What colours mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// The layer, in an order.
    #[default]
    Layer,
    /// The head, in an order.
    Head,
    /// The component.
    Component,
}

/// A drawing and how large it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// An SVG document whose texts are texts.
    pub svg: String,
    /// In CSS pixels.
    pub size: Size,
    /// How many values it does not show, and why; none where it shows all.
    pub omitted: Option<String>,
}

/// A figure that cannot be drawn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FigureError {
    /// Nothing is left to draw.
    #[error("there is nothing to draw: {reason}")]
    Nothing {
        /// Why.
        reason: String,
    },
    /// More components than there are lines that look different.
    #[error(
        "there are {components} components, and only {MOST_PARTS} lines that look different; choose \
         fewer components, or let colours mean layers"
    )]
    Alike {
        /// How many there would be.
        components: usize,
    },
    /// Too many charts for the size.
    #[error(
        "{} of {width} by {height} pixels would show nothing; make the figure larger, or choose \
         fewer layers, components or heads",
        counted(*charts, "chart")
    )]
    Crowded {
        /// How many there would be.
        charts: usize,
        /// Of each.
        width: u32,
        /// Of each.
        height: u32,
    },
    /// Rows that nobody would see.
    #[error(
        "{rows} rows would have less than a pixel each; make the figure higher, or choose fewer \
         layers, components or heads"
    )]
    Thin {
        /// How many there would be.
        rows: usize,
    },
}

/// A column of a paper, 8.5 cm.
const COLUMN: u32 = 321;
/// The width of a page, 17 cm.
const PAGE: u32 = 643;
/// Below this a chart says nothing.
const LEAST: Size = Size {
    width: 90,
    height: 60,
};

/// Draws a panel of results with these entries.
///
/// # Errors
/// [`FigureError`].
pub fn draw(panel: &PanelCurves, entries: &[Entry], choice: &Choice) -> Result<Drawn, FigureError> {
    let choice = &Choice {
        by: choice.means(),
        ..choice.clone()
    };
    let chosen = chosen(panel, choice)?;
    let title = Title::of(&panel.id, entries);
    match (choice.chart.draw, steps(chosen.curves()).as_slice()) {
        (Draw::Rows(draw), _) => rows(&chosen, draw, &title, choice),
        (Draw::Lines(draw), [step]) if has_layers(&chosen) => {
            let (over, title) = over_layers(chosen, *step, title);
            lines(&over, (draw, Along::Layers), &title, &choice.over_layers())
        }
        (Draw::Lines(draw), _) => lines(&chosen, (draw, Along::Steps), &title, choice),
    }
}

fn has_layers(panel: &PanelCurves) -> bool {
    let mut curves = panel.curves();
    curves.any(|curve| curve.subject.layer.is_some())
}

/// The panel over layers, of a single step.
fn over_layers(mut panel: PanelCurves, step: u64, mut title: Title) -> (PanelCurves, Title) {
    let mut all_left_out = 0;
    for part in &mut panel.parts {
        let (over, left_out) = part.over_layers();
        *part = over;
        all_left_out += left_out;
    }
    panel.parts.retain(|part| !part.curves.is_empty());
    let step = format!("step {step}");
    // What a narrow figure cuts off stands last.
    let left_out = OverLayers::left_out_in_words(all_left_out);
    let details = [left_out, Some(title.details), Some(step)].into_iter();
    title.details = details.flatten().collect::<Vec<_>>().join(" · ");
    (panel, title)
}

/// The panel with nothing but the curves that were chosen.
fn chosen(panel: &PanelCurves, choice: &Choice) -> Result<PanelCurves, FigureError> {
    let heads = choice.heads || choice.by == By::Head;
    let layers = choice.layers.as_ref();
    let is_wanted = |part: &PartCurves| {
        let mut names = choice.components.iter();
        choice.components.is_empty() || names.any(|name| *name == part.name)
    };
    let is_chosen = |layer: Option<u64>| {
        layers.is_none_or(|all| layer.is_some_and(|layer| all.contains(&layer)))
    };
    let mut chosen = panel.clone();
    chosen.parts.retain(is_wanted);
    for part in &mut chosen.parts {
        part.curves.retain(|Curve { subject, .. }| {
            subject.head.is_some() == heads && is_chosen(subject.layer)
        });
    }
    chosen.parts.retain(|part| !part.curves.is_empty());
    if chosen.parts.is_empty() {
        let what = if heads { "heads" } else { "whole layers" };
        let reason = format!("no values of {what} were computed for what was chosen");
        return Err(FigureError::Nothing { reason });
    }
    Ok(chosen)
}

impl Choice {
    /// What colours mean: what was chosen, where the chart leaves that open.
    fn means(&self) -> By {
        match self.chart.of {
            Of::Heads => By::Head,
            Of::LayersOrHeads => self.by,
        }
    }

    /// Over layers colours mean components, or heads.
    fn over_layers(&self) -> Self {
        let by = match self.by {
            By::Layer if self.heads => By::Head,
            By::Layer => By::Component,
            by => by,
        };
        Self { by, ..self.clone() }
    }
}

impl FigureError {
    /// Refuses charts so small that they say nothing.
    fn if_crowded(charts: usize, each: Size) -> Result<(), Self> {
        let Size { width, height } = each;
        if width < LEAST.width || height < LEAST.height {
            return Err(Self::Crowded {
                charts,
                width,
                height,
            });
        }
        Ok(())
    }
}

fn of_values(chosen: &PanelCurves) -> Scale {
    let values = chosen.curves().flat_map(Curve::values);
    scale_of_values(values.map(|(_, value)| value))
}

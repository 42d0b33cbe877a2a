//! Which colour and dashes a line has.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use ckptscope_chart::{Subjects, Tiles, rank};
use ckptscope_plot::{Colour, Dash, Theme, head_colours, layer_colours, part_colours};
use ckptscope_results::Names;

use super::{Panel, Subject};
use crate::choices::{Choices, ColourBy};

/// Colours that a line can be given for good.
pub const PINS: usize = 8;

const DASHES: [Dash; 4] = [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDotted];

/// What a line looks like, and whether it is drawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineLook {
    /// The line.
    pub subject: Subject,
    /// What it is called.
    pub name: String,
    /// Stands at its end and before its name, where another line has its colour and dashes; else
    /// empty.
    pub mark: String,
    /// Its colour.
    pub colour: Colour,
    /// Its dashes.
    pub dash: Dash,
    /// Whether it is drawn: neither hidden nor beside an isolated one.
    pub is_drawn: bool,
}

/// Numbers the lines that look like another one that is drawn: dashes run out.
fn mark_twins(looks: &mut [LineLook]) {
    let mut counts: HashMap<(Colour, Dash), usize> = HashMap::new();
    for look in looks.iter().filter(|look| look.is_drawn) {
        *counts.entry((look.colour, look.dash)).or_default() += 1;
    }
    for (look, number) in looks.iter_mut().zip(1..) {
        if counts.get(&(look.colour, look.dash)) > Some(&1) {
            look.mark = format!("{number}");
        }
    }
}

/// The colours of all charts together: a layer has the same one in each of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Palette {
    /// What lines are called, in all charts the same.
    pub names: Arc<Names>,
    seen: Subjects,
    colour_by: ColourBy,
    pinned: BTreeMap<Subject, u8>,
    layers: Vec<Colour>,
    heads: Vec<Colour>,
    parts: Vec<Colour>,
    pins: Vec<Colour>,
}

impl Palette {
    /// For charts with these components, layers and heads.
    #[must_use]
    pub fn new(
        seen: Subjects,
        colour_by: ColourBy,
        pinned: BTreeMap<Subject, u8>,
        theme: Theme,
    ) -> Self {
        Self {
            names: Arc::new(Names::of(&seen.parts)),
            layers: layer_colours(seen.layers.len(), theme),
            heads: head_colours(seen.heads.len(), theme),
            parts: part_colours(seen.parts.len(), theme),
            pins: part_colours(PINS, theme),
            seen,
            colour_by,
            pinned,
        }
    }

    /// The looks of a chart's lines, in their order.
    #[must_use]
    pub fn looks(&self, panel: &Panel, choices: &Choices) -> Vec<LineLook> {
        let isolated = choices.isolated.as_ref();
        let isolated = isolated.filter(|subject| panel.line(subject).is_some());
        let look = |subject: &Subject| LineLook {
            mark: String::new(),
            subject: subject.clone(),
            name: self.names.name(subject),
            colour: self.colour(subject),
            dash: self.dash(subject),
            is_drawn: match isolated {
                Some(isolated) => isolated == subject,
                None => !choices.hidden.contains(subject),
            },
        };
        let mut looks: Vec<LineLook> = panel.lines.iter().map(|line| look(&line.subject)).collect();
        mark_twins(&mut looks);
        looks
    }

    /// The colour of a line.
    #[must_use]
    pub fn colour(&self, subject: &Subject) -> Colour {
        let pin = self.pinned.get(subject);
        if let Some(colour) = pin.and_then(|pin| self.pins.get(usize::from(*pin))) {
            return *colour;
        }
        let colours = match self.means(subject) {
            ColourBy::Layer => self.layers.get(rank(&self.seen.layers, subject.layer)),
            ColourBy::Head => self.heads.get(rank(&self.seen.heads, subject.head)),
            ColourBy::Part => self.parts.get(self.part(subject)),
        };
        colours.copied().unwrap_or_default()
    }

    /// Dashes tell apart what colours do not.
    fn dash(&self, subject: &Subject) -> Dash {
        let rest = match self.means(subject) {
            ColourBy::Layer => match subject.head {
                Some(head) => rank(&self.seen.heads, Some(head)),
                None => self.part(subject),
            },
            ColourBy::Head => match subject.layer {
                Some(layer) => rank(&self.seen.layers, Some(layer)),
                None => self.part(subject),
            },
            ColourBy::Part => match subject.layer {
                Some(layer) => rank(&self.seen.layers, Some(layer)),
                None => rank(&self.seen.heads, subject.head),
            },
        };
        DASHES[rest % DASHES.len()]
    }

    /// What the colour of a line means: what was chosen, where the line has it.
    fn means(&self, subject: &Subject) -> ColourBy {
        let has_layer = subject.layer.is_some();
        match (self.colour_by, subject.head) {
            (ColourBy::Part, _) => ColourBy::Part,
            (ColourBy::Head, Some(_)) => ColourBy::Head,
            _ if has_layer => ColourBy::Layer,
            (_, Some(_)) => ColourBy::Head,
            (_, None) => ColourBy::Part,
        }
    }

    fn part(&self, subject: &Subject) -> usize {
        let part = Tiles::Component.common(subject);
        let mut parts = self.seen.parts.iter();
        parts.position(|one| *one == part).unwrap_or(0)
    }
}

//! Drawings that stand alone: a heading, a legend and a ground of their own.

use crate::canvas::{Anchor, Canvas, Layer, Stroke, Text};
use crate::colour::Colour;
use crate::line_chart::Dash;
use crate::size::{Rectangle, Size};
use crate::theme::Theme;
use crate::words::{CommonEnds, fitting, width_of};

/// What a drawing needs beside the plot to be published as it is. It is drawn around the plot, on
/// the theme's ground; a page that has a heading and a legend of its own does without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figure {
    /// The first line.
    pub title: String,
    /// The second line, smaller; nothing where empty.
    pub subtitle: String,
}

/// One entry of a legend.
pub(crate) struct Entry<'a> {
    pub name: &'a str,
    pub colour: Colour,
    pub dash: Dash,
}

/// A plot and, where there is a figure, what surrounds it.
pub(crate) struct Sheet<'a> {
    pub figure: Option<&'a Figure>,
    pub plot: Size,
    pub theme: Theme,
    pub entries: Vec<Entry<'a>>,
}

const PADDING: f64 = 14.0;
const TITLE_TEXT: f64 = 14.0;
const SUBTITLE_TEXT: f64 = 11.0;
const TITLE_LINE: f64 = 20.0;
const SUBTITLE_LINE: f64 = 17.0;
const ENTRY_TEXT: f64 = 11.0;
const ENTRY_LINE: f64 = 17.0;
const SWATCH: f64 = 22.0;
const SWATCH_GAP: f64 = 6.0;
const COLUMN_GAP: f64 = 14.0;

impl Sheet<'_> {
    /// The whole drawing: the plot, a heading above, a legend below.
    pub(crate) fn size(&self) -> Size {
        Size {
            width: self.plot.width,
            height: self
                .plot
                .height
                .saturating_add((self.top() + self.legend_height()).ceil() as u32),
        }
    }

    /// Where the plot begins.
    pub(crate) fn top(&self) -> f64 {
        let line = |words: &str, height| if words.is_empty() { 0.0 } else { height };
        self.figure.map_or(0.0, |figure| {
            PADDING + line(&figure.title, TITLE_LINE) + line(&figure.subtitle, SUBTITLE_LINE)
        })
    }

    /// A drawing of all that is not the plot.
    pub(crate) fn canvas(&self, title: &str) -> Canvas {
        let mut canvas = Canvas::new(self.size(), title);
        if let Some(figure) = self.figure {
            canvas.group("figure", |layer| self.draw(figure, layer));
            canvas.open(&[("class", "legend")]);
            self.draw_legend(&mut canvas);
            canvas.close();
        }
        canvas
    }

    fn draw(&self, figure: &Figure, layer: &mut Layer<'_>) {
        let size = self.size();
        let all = Rectangle {
            left: 0.0,
            top: 0.0,
            width: f64::from(size.width),
            height: f64::from(size.height),
        };
        layer.rectangle(all, self.theme.ground());
        let text = |size, colour, is_bold| Text {
            size,
            colour,
            anchor: Anchor::Left,
            is_bold,
        };
        let width = all.width - 2.0 * PADDING;
        let mut top = PADDING;
        if !figure.title.is_empty() {
            // Bold words are wider.
            let title = fitting(&figure.title, TITLE_TEXT * 1.1, width);
            let place = (PADDING, top + TITLE_TEXT / 2.0);
            layer.text(&title, place, text(TITLE_TEXT, self.theme.ink(), true));
            top += TITLE_LINE;
        }
        if !figure.subtitle.is_empty() {
            let subtitle = fitting(&figure.subtitle, SUBTITLE_TEXT, width);
            let place = (PADDING, top + SUBTITLE_TEXT / 2.0);
            layer.text(
                &subtitle,
                place,
                text(SUBTITLE_TEXT, self.theme.dim(), false),
            );
        }
    }

    fn draw_legend(&self, canvas: &mut Canvas) {
        let (columns, column_width) = self.columns();
        let top = self.top() + f64::from(self.plot.height) + ENTRY_LINE;
        let text = Text {
            size: ENTRY_TEXT,
            colour: self.theme.ink(),
            anchor: Anchor::Left,
            is_bold: false,
        };
        let ends = CommonEnds::of(self.entries.iter().map(|entry| entry.name));
        for (index, entry) in self.entries.iter().enumerate() {
            let left = PADDING + (index % columns) as f64 * column_width;
            let middle = top + (index / columns) as f64 * ENTRY_LINE;
            let swatch = [(left, middle), (left + SWATCH, middle)];
            let stroke = Stroke {
                width: 2.0,
                colour: entry.colour,
            };
            canvas.open(&[("stroke-dasharray", entry.dash.pattern())]);
            canvas.draw(|layer| layer.line(&swatch, stroke));
            canvas.close();
            let beside = left + SWATCH + SWATCH_GAP;
            let room = column_width - SWATCH - SWATCH_GAP - COLUMN_GAP;
            let name = ends.fitting(entry.name, ENTRY_TEXT, room.max(SWATCH));
            canvas.draw(|layer| layer.text(&name, (beside, middle), text));
        }
    }

    /// How many columns the legend has, and how wide they are.
    fn columns(&self) -> (usize, f64) {
        let width = f64::from(self.plot.width) - 2.0 * PADDING + COLUMN_GAP;
        let names = self
            .entries
            .iter()
            .map(|entry| width_of(entry.name, ENTRY_TEXT));
        let entry = SWATCH + SWATCH_GAP + names.fold(0.0, f64::max) + COLUMN_GAP + 1.0;
        let columns = ((width / entry) as usize).clamp(1, self.entries.len().max(1));
        (columns, if columns == 1 { width } else { entry })
    }

    fn legend_height(&self) -> f64 {
        if self.figure.is_none() {
            return 0.0;
        }
        let rows = self.entries.len().div_ceil(self.columns().0) as f64;
        if rows > 0.0 {
            rows * ENTRY_LINE + PADDING
        } else {
            PADDING / 2.0
        }
    }
}

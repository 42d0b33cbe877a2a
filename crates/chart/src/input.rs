//! What charts are drawn of.

use std::borrow::Cow;

use ckptscope_plot::{Figure, Scale, Series, Size, Theme};
use ckptscope_results::Subject;

use crate::Curve;

/// Curves, and how whoever shows them wants one drawing of them.
pub struct ChartInput<'a> {
    /// What the drawing shows; for screen readers and hover, not drawn.
    pub title: String,
    /// The curves, in order.
    pub curves: Vec<StyledCurve<'a>>,
    /// The steps, or layers, that rows have cells for, ascending.
    pub columns: Vec<u64>,
    /// What a row is called, where rows are.
    pub row_name: Box<dyn Fn(&Subject) -> String + 'a>,
    /// Under the x axis; nothing where empty. What is not linear says so besides.
    pub x_label: Cow<'a, str>,
    /// Above what shows values; nothing where empty. What is not linear says so besides.
    pub value_label: &'a str,
    /// How steps, or layers, become positions.
    pub x_scale: Scale,
    /// How values become positions or colours.
    pub value_scale: Scale,
    /// The plot's size.
    pub size: Size,
    /// What the drawing stands on.
    pub theme: Theme,
    /// What makes the drawing one that can be published.
    pub figure: Option<Figure>,
}

/// A curve and what it looks like.
#[derive(Clone, Debug)]
pub struct StyledCurve<'a> {
    /// The curve.
    pub curve: &'a Curve,
    /// Its name, colour, dashes and label. It has no points.
    pub style: Series,
}

impl StyledCurve<'_> {
    /// The curve as a line.
    #[must_use]
    pub fn line(&self) -> Series {
        let points = self.curve.points();
        Series {
            points: points.map(|(x, value)| (x as f64, value)).collect(),
            ..self.style.clone()
        }
    }
}

/// How high a drawing of rows is, in pixels.
#[derive(Clone, Copy, Debug)]
pub struct RowHeights {
    /// Of a row, where there is room.
    pub row: u32,
    /// Around the rows.
    pub around: u32,
    /// The drawing's least height.
    pub least: u32,
    /// The drawing's largest height.
    pub most: u32,
}

impl RowHeights {
    /// The height for so many rows.
    #[must_use]
    pub fn of(self, rows: usize) -> u32 {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        let wanted = rows.saturating_mul(self.row).saturating_add(self.around);
        wanted.clamp(self.least, self.most.max(self.least))
    }
}

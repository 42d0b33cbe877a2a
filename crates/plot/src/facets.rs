//! Several line charts as one drawing.

use crate::axis::Scale;
use crate::figure::{Entry, Figure, Sheet};
use crate::line_chart::{LineChart, Series};
use crate::size::Size;
use crate::theme::Theme;

/// Line charts side by side, with one heading and one legend, for a publication: what would be
/// too many lines for one chart.
#[derive(Clone, Debug, PartialEq)]
pub struct Facets {
    /// What the drawing shows; for screen readers and hover, not drawn.
    pub title: String,
    /// The heading.
    pub figure: Figure,
    /// The charts, from left to right and from top to bottom. Their own sizes, themes and figures
    /// do not count; what each is of stands in its `y_label`.
    pub charts: Vec<LineChart>,
    /// How many stand side by side.
    pub columns: usize,
    /// What the legend shows: names, colours and dashes count.
    pub legend: Vec<Series>,
    /// The size of all charts together, without heading and legend.
    pub size: Size,
    /// Which colours the drawing's own parts have.
    pub theme: Theme,
}

const GAP: u32 = 8;

impl Facets {
    /// The drawing.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let sheet = self.sheet();
        let mut canvas = sheet.canvas(&self.title);
        let (columns, size) = (self.columns.max(1), self.size_of_each());
        let top = sheet.top();
        for (index, chart) in self.charts.iter().enumerate() {
            let chart = LineChart {
                size,
                theme: self.theme,
                figure: None,
                ..chart.clone()
            };
            let (column, row) = ((index % columns) as f64, (index / columns) as f64);
            let left = column * f64::from(size.width + GAP);
            let below = top + row * f64::from(size.height + GAP);
            canvas.place(&chart.to_svg(), (left, below));
        }
        canvas.finish()
    }

    /// The size of the whole drawing.
    #[must_use]
    pub fn drawn_size(&self) -> Size {
        self.sheet().size()
    }

    /// The size of one chart.
    #[must_use]
    pub fn size_of_each(&self) -> Size {
        let part = |length: u32, count: usize| {
            let count = u32::try_from(count.max(1)).unwrap_or(u32::MAX);
            let gaps = (count - 1).saturating_mul(GAP);
            length.saturating_sub(gaps) / count
        };
        let columns = self.columns.max(1);
        Size {
            width: part(self.size.width, columns),
            height: part(self.size.height, self.charts.len().div_ceil(columns)),
        }
    }

    fn sheet(&self) -> Sheet<'_> {
        let entries = self.legend.iter().map(|series| Entry {
            name: &series.name,
            colour: series.colour,
            dash: series.dash,
        });
        Sheet {
            figure: Some(&self.figure),
            plot: self.size,
            theme: self.theme,
            entries: entries.collect(),
        }
    }
}

/// Gives all charts the axes that hold the values of all of them; the y axes only where `with_y`.
pub fn share_axes(charts: &mut [LineChart], with_y: bool) {
    let all = || {
        let series = charts.iter().flat_map(|chart| &chart.series);
        series.flat_map(|series| &series.points)
    };
    let defined = || all().filter_map(|&(x, y)| Some((x, y?)));
    let y_scale = charts.first().map(|chart| chart.y_scale);
    let has_place = |y: &f64| y_scale != Some(Scale::Log) || *y > 0.0;
    let given = charts.iter().filter_map(|chart| chart.x_range);
    let given = given.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    let x = given.or_else(|| ends(defined().map(|(x, _)| x)));
    let y = ends(defined().map(|(_, y)| y).filter(has_place));
    for chart in charts {
        chart.x_range = x;
        if with_y {
            chart.y_range = y;
        }
    }
}

fn ends(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let ends = values.fold(None, |ends: Option<(f64, f64)>, value| {
        let (low, high) = ends.unwrap_or((value, value));
        Some((low.min(value), high.max(value)))
    });
    ends.filter(|(low, high)| low < high)
}

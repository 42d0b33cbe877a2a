//! The heatmap.

use crate::axis::{Axis, Scale, Tick};
use crate::canvas::{Anchor, Layer, Stroke, Text};
use crate::cell_lines::draw_cells;
use crate::cells::Cells;
use crate::colour::{HEATS, heat_colours};
use crate::figure::{Figure, Sheet};
use crate::plane::{Label, Measures};
use crate::shared_pixels::{merged, size_of};
use crate::size::{Rectangle, Size};
use crate::theme::Theme;
use crate::words::{CommonEnds, fitting, width_of};

/// Values as colours: a row for each part of a model, a column for each training step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heatmap {
    /// What the chart shows; for screen readers and hover, not drawn.
    pub title: String,
    /// Under the columns; nothing where empty.
    pub x_label: String,
    /// Above the colour bar: what the colours stand for; nothing where empty. Colours that are not
    /// linear say so besides.
    pub value_label: String,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// The columns' names, from left to right. Those that would overlap others are not drawn.
    pub columns: Vec<String>,
    /// How a value becomes a colour.
    pub scale: Scale,
    /// The values of the first and the last colour; the smallest and the largest value where it
    /// is none. For heatmaps that share a scale. What lies outside has the nearer end's colour.
    pub range: Option<(f64, f64)>,
    /// The plot's size, which is the drawing's where there is no figure.
    pub size: Size,
    /// Which colours the chart has.
    pub theme: Theme,
    /// Makes a figure that can be published: a heading above, a ground. The drawing becomes
    /// higher than `size`.
    pub figure: Option<Figure>,
}

/// One row of a heatmap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// What stands to its left; nothing where empty, as in rows that the one above stands for.
    pub name: String,
    /// One per column; what is missing, or has no place on the scale, is hatched.
    pub values: Vec<Option<f64>>,
}

/// Names of rows are so far apart at least, in pixels.
const ROW_SPACING: f64 = 11.0;
const COLUMN_SPACING: f64 = 8.0;
const BAR: f64 = 10.0;
const BAR_SPACING: f64 = 18.0;
const HATCH_SPACING: f64 = 5.0;

/// Where everything stands.
struct Layout {
    /// Left edge of the colour bar.
    bar: f64,
    /// From values to the pixels of the colour bar.
    values: Axis,
    ticks: Vec<Tick>,
    cells: Cells,
}

impl Heatmap {
    /// The drawing: an SVG element that can stand in a page or, as it is, in a file. The cells are
    /// a group of the class `cells`.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let layout = self.layout();
        let levels = self.levels(&layout.values);
        let is_level = |level: &Option<usize>| level.is_some();
        let has_values = levels.iter().flatten().any(is_level);
        let has_gaps = !levels.iter().flatten().all(is_level);
        let mut canvas = self.sheet().canvas(&self.title);
        canvas.group("frame", |layer| {
            if has_gaps {
                self.draw_hatching(&layout.cells, layer);
            }
            self.draw_row_names(&layout, layer);
            self.draw_column_names(&layout, layer);
            if has_values {
                self.draw_bar_labels(&layout, layer);
            } else {
                self.say_no_values(layout.cells.area(), layer);
            }
        });
        let colours = heat_colours(HEATS, self.theme);
        canvas.open(&[("class", "cells"), ("shape-rendering", "crispEdges")]);
        let (rows, columns) = layout.cells.parts();
        let levels = merged(&levels, &rows, &columns, HEATS - 1);
        let drawn = layout.cells.of(&rows, &columns);
        draw_cells(&levels, &drawn, &colours, &mut canvas);
        if has_values {
            canvas.draw(|layer| draw_bar(&layout, self.theme, layer));
        }
        canvas.close();
        canvas.finish()
    }

    /// The size of the whole drawing, with its figure if it has one.
    #[must_use]
    pub fn drawn_size(&self) -> Size {
        self.sheet().size()
    }

    /// Where the cells stand in the drawing.
    #[must_use]
    pub fn cells(&self) -> Cells {
        self.layout().cells
    }

    /// How many cells of a row share a pixel, at least and at most; none where each has its own.
    /// Such a pixel shows the one that is furthest from the row's middle.
    #[must_use]
    pub fn per_column(&self) -> Option<(usize, usize)> {
        size_of(&self.layout().cells.parts().1)
    }

    /// As [`Heatmap::per_column`], of rows.
    #[must_use]
    pub fn per_row(&self) -> Option<(usize, usize)> {
        size_of(&self.layout().cells.parts().0)
    }

    fn sheet(&self) -> Sheet<'_> {
        Sheet {
            figure: self.figure.as_ref(),
            plot: self.size,
            theme: self.theme,
            entries: Vec::new(),
        }
    }

    fn layout(&self) -> Layout {
        let measures = Measures::of(self.size);
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        let line = |label: &str| if label.is_empty() { 0.0 } else { measures.line };
        let above = self.sheet().top();
        let value_line = if self.label().is_empty() {
            0.0
        } else {
            measures.line
        };
        let top = above + measures.top + value_line;
        let bottom = above + height - measures.bottom - line(&self.x_label);
        let bottom = bottom.max(top);
        let all = self.rows.iter().flat_map(|row| &row.values);
        let all = all.copied().flatten();
        let values = Axis::over(self.scale, self.range, all, (bottom, top));
        let ticks = values.ticks_and_ends(BAR_SPACING);
        let words = widest(ticks.iter().map(|tick| tick.label.as_str()), measures.text);
        let bar = (width - words - measures.gap - BAR - 2.0).max(0.0);
        let names = widest(self.rows.iter().map(|row| row.name.as_str()), measures.text);
        let left = (names + measures.gap + 2.0).clamp(10.0, (width * 0.35).max(10.0));
        let right = (bar - measures.right).max(left);
        let columns = (left, right, self.columns.len());
        let cells = Cells::new(columns, (top, bottom, self.rows.len()));
        Layout {
            bar,
            values,
            ticks,
            cells,
        }
    }

    /// What stands above the colour bar.
    fn label(&self) -> Label<'_> {
        Label {
            name: &self.value_label,
            scale: self.scale,
        }
    }

    /// The colour of every cell, by its index; rows are as long as there are columns.
    fn levels(&self, axis: &Axis) -> Vec<Vec<Option<usize>>> {
        let level = |value: f64| Some((axis.part(value)? * (HEATS - 1) as f64).round() as usize);
        let row = |row: &Row| {
            (0..self.columns.len())
                .map(|column| row.values.get(column).copied().flatten().and_then(level))
                .collect()
        };
        self.rows.iter().map(row).collect()
    }

    fn text(&self, anchor: Anchor) -> Text {
        Text {
            size: Measures::of(self.size).text,
            colour: self.theme.dim(),
            anchor,
            is_bold: false,
        }
    }

    /// What shows where no cell covers it: stripes, as one line to and fro.
    fn draw_hatching(&self, cells: &Cells, layer: &mut Layer<'_>) {
        let mut area = cells.area();
        // The end of the last cells may be a line.
        area.width -= 1.0;
        area.height -= 1.0;
        layer.rectangle(area, self.theme.grid());
        // Stripes turn within the edges, which would show half of their width.
        let area = Rectangle {
            left: area.left + 1.0,
            top: area.top + 1.0,
            width: (area.width - 2.0).max(0.0),
            height: (area.height - 2.0).max(0.0),
        };
        let stripes = ((area.width + area.height) / HATCH_SPACING) as u32;
        let mut line = Vec::new();
        for index in 1..=stripes {
            let along = f64::from(index) * HATCH_SPACING;
            let past = (along - area.width).max(0.0);
            let below = (area.left + along - past, area.top + past);
            let past = (along - area.height).max(0.0);
            let above = (area.left + past, area.top + along - past);
            line.extend(if index.is_multiple_of(2) {
                [below, above]
            } else {
                [above, below]
            });
        }
        let stroke = Stroke {
            width: 1.0,
            colour: self.theme.hatching(),
        };
        layer.line(&line, stroke);
        let ground = Stroke {
            width: 1.0,
            colour: self.theme.ground(),
        };
        layer.line(&cells.lines(), ground);
    }

    fn draw_row_names(&self, layout: &Layout, layer: &mut Layer<'_>) {
        let text = self.text(Anchor::Right);
        let gap = Measures::of(self.size).gap;
        let area = layout.cells.area();
        let mut free_from = f64::NEG_INFINITY;
        let ends = CommonEnds::of(self.rows.iter().map(|row| row.name.as_str()));
        for (index, row) in self.rows.iter().enumerate() {
            let Some(cell) = layout.cells.rectangle(index, 0) else {
                continue;
            };
            let middle = cell.top + cell.height / 2.0;
            if middle < free_from || row.name.is_empty() {
                continue;
            }
            let name = ends.fitting(&row.name, text.size, area.left - gap - 1.0);
            layer.text(&name, (area.left - gap, middle), text);
            free_from = middle + ROW_SPACING;
        }
    }

    fn draw_column_names(&self, layout: &Layout, layer: &mut Layer<'_>) {
        let text = self.text(Anchor::Middle);
        let measures = Measures::of(self.size);
        let area = layout.cells.area();
        let bottom = area.top + area.height;
        for index in self.named_columns(area.width, text.size) {
            let (Some(name), Some(cell)) =
                (self.columns.get(index), layout.cells.rectangle(0, index))
            else {
                continue;
            };
            let place = (cell.left + cell.width / 2.0, bottom + measures.below());
            layer.text(name, place, text);
        }
        if !self.x_label.is_empty() {
            let below = bottom + measures.below() + measures.line;
            let place = (area.left + area.width / 2.0, below);
            let label = match size_of(&layout.cells.parts().1) {
                Some((least, most)) => {
                    format!("{} ({} in a column)", self.x_label, between(least, most))
                }
                None => self.x_label.clone(),
            };
            layer.text(&fitting(&label, text.size, area.width), place, text);
        }
    }

    /// The first column, the last one, and as many in equal distances as have room.
    fn named_columns(&self, width: f64, size: f64) -> Vec<usize> {
        let pitch = width / self.columns.len().max(1) as f64;
        let widest = widest(self.columns.iter().map(String::as_str), size);
        let stride = ((widest + COLUMN_SPACING) / pitch).ceil().max(1.0) as usize;
        let mut named: Vec<usize> = (0..self.columns.len()).step_by(stride).collect();
        if let (Some(&one), Some(end)) = (named.last(), self.columns.len().checked_sub(1))
            && one != end
        {
            // The one before the last is not wanted where both would not have room.
            if named.len() > 1 && end - one < stride {
                named.pop();
            }
            if end >= stride {
                named.push(end);
            }
        }
        named
    }

    fn draw_bar_labels(&self, layout: &Layout, layer: &mut Layer<'_>) {
        let measures = Measures::of(self.size);
        let text = self.text(Anchor::Left);
        let beside = layout.bar + BAR + measures.gap - 2.0;
        for tick in &layout.ticks {
            layer.text(&tick.label, (beside, tick.position), text);
        }
        if !self.label().is_empty() {
            let width = f64::from(self.size.width) - 4.0;
            let label = self.label().words((text.size, width), fitting);
            let (_, top) = layout.values.pixels();
            let place = (width + 2.0, top - measures.line + 2.0);
            layer.text(&label, place, self.text(Anchor::Right));
        }
    }

    fn say_no_values(&self, area: Rectangle, layer: &mut Layer<'_>) {
        let place = (area.left + area.width / 2.0, area.top + area.height / 2.0);
        let text = Text {
            colour: self.theme.ink(),
            ..self.text(Anchor::Middle)
        };
        let width = width_of("no values", text.size) + 8.0;
        let ground = Rectangle {
            left: place.0 - width / 2.0,
            top: place.1 - text.size,
            width,
            height: text.size * 2.0,
        };
        layer.rectangle(ground, self.theme.ground());
        layer.text("no values", place, text);
    }
}

/// `2`, `2 to 4`.
#[must_use]
pub fn between(least: usize, most: usize) -> String {
    if least == most {
        most.to_string()
    } else {
        format!("{least} to {most}")
    }
}

fn draw_bar(layout: &Layout, theme: Theme, layer: &mut Layer<'_>) {
    let (bottom, top) = layout.values.pixels();
    // Two pixels for a colour: in a low bar fewer of them look the same.
    let count = ((bottom - top) / 2.0).round() as usize;
    let stride = HEATS.div_ceil(count.max(1));
    let mut colours = heat_colours(HEATS, theme);
    colours = colours.into_iter().step_by(stride).collect();
    let height = (bottom - top) / colours.len().max(1) as f64;
    for (index, &colour) in colours.iter().enumerate() {
        let area = Rectangle {
            left: layout.bar,
            top: bottom - (index + 1) as f64 * height,
            width: BAR,
            height,
        };
        layer.rectangle(area, colour);
    }
}

fn widest<'a>(words: impl Iterator<Item = &'a str>, size: f64) -> f64 {
    words.map(|words| width_of(words, size)).fold(0.0, f64::max)
}

//! Lines of which only some stretches show.
//!
//! plotters writes a hundred bytes for every circle and rectangle. A dash takes ten.

use crate::canvas::UNITS;

/// A line of which only some stretches show: the dashes of one long line.
#[derive(Default)]
pub(crate) struct Stretches {
    points: Vec<(f64, f64)>,
    length: f64,
    /// Where along the line it begins or ceases to show, by turns.
    turns: Vec<f64>,
}

impl Stretches {
    /// Goes on to a point, showing nothing on the way.
    pub(crate) fn go_to(&mut self, (x, y): (f64, f64)) {
        // As the drawing rounds it, so that lengths are those of the line that is drawn.
        let (x, y) = ((x * UNITS).round() / UNITS, (y * UNITS).round() / UNITS);
        if let Some(&(from_x, from_y)) = self.points.last() {
            self.length += (x - from_x).hypot(y - from_y);
        }
        self.points.push((x, y));
    }

    /// Shows the line between two distances from its current end, measured along it.
    pub(crate) fn show(&mut self, from: f64, to: f64) {
        let (from, to) = (self.length + from, self.length + to);
        match self.turns.last_mut() {
            Some(end) if from - *end < 0.01 => *end = to.max(*end),
            _ => self.turns.extend([from, to]),
        }
    }

    pub(crate) fn points(&self) -> &[(f64, f64)] {
        &self.points
    }

    /// Whether more than one stretch shows.
    pub(crate) fn are_several(&self) -> bool {
        self.turns.len() > 2
    }

    /// Shows so much on either side of the current end, unless what is shown reaches so far.
    pub(crate) fn show_around_here(&mut self, reach: f64) {
        let from = (self.length - reach).max(0.0) - self.length;
        let is_hidden = self
            .turns
            .last()
            .is_none_or(|&end| end + reach < self.length + from);
        if is_hidden {
            self.show(from, from + 2.0 * reach);
        }
    }

    /// As SVG writes it: shown and hidden lengths by turns, the first shown.
    pub(crate) fn dashes(&self) -> String {
        // In tenths of units, rounded before differences are taken: errors do not add up.
        let turns = self.turns.iter().map(|turn| (turn * UNITS * 10.0).round());
        let starts_shown = self.turns.first().is_some_and(|&turn| turn == 0.0);
        let skipped = usize::from(starts_shown);
        let lead = if starts_shown { "" } else { "0 " };
        let mut last = 0.0;
        let mut dashes = lead.to_owned();
        for turn in turns.skip(skipped) {
            dashes.push_str(&format!("{} ", (turn - last) / 10.0));
            last = turn;
        }
        // Nothing shows after the last stretch, however long the line is.
        dashes.push_str("1000000");
        dashes
    }
}

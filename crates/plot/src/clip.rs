//! Lines cut off at the edges of the plot.

use crate::plane::Axes;

/// A pixel, from left to right and from top to bottom.
pub(crate) type Position = (f64, f64);

/// So far outside counts as inside: a value at the end of its axis is drawn.
const TOLERANCE: f64 = 0.01;

impl Axes {
    /// Whether a position lies in the plot.
    pub(crate) fn contain(&self, (x, y): Position) -> bool {
        let [(left, right), (top, bottom)] = self.edges();
        (left..=right).contains(&x) && (top..=bottom).contains(&y)
    }

    /// The smallest and largest pixel of the plot in both directions.
    fn edges(&self) -> [(f64, f64); 2] {
        [&self.x, &self.y].map(|axis| {
            let (start, end) = axis.pixels();
            (start.min(end) - TOLERANCE, start.max(end) + TOLERANCE)
        })
    }
}

/// The lines that are left of a line where it is cut off at the plot's edges; those of one point
/// are none.
pub(crate) fn clipped(line: &[Position], axes: &Axes) -> Vec<Vec<Position>> {
    if line.len() < 2 {
        return Vec::new();
    }
    if line.iter().all(|&point| axes.contain(point)) {
        return vec![line.to_vec()];
    }
    let mut lines: Vec<Vec<Position>> = Vec::new();
    for (from, to) in line.iter().zip(line.iter().skip(1)) {
        let Some((from, to)) = clipped_segment(*from, *to, axes) else {
            continue;
        };
        match lines.last_mut() {
            Some(line) if line.last() == Some(&from) => line.push(to),
            _ => lines.push(vec![from, to]),
        }
    }
    lines
}

/// The part of a segment inside the plot (Liang and Barsky 1984).
fn clipped_segment(from: Position, to: Position, axes: &Axes) -> Option<(Position, Position)> {
    let across = [(from.0, to.0), (from.1, to.1)];
    let (mut enters, mut leaves) = (0.0, 1.0);
    for ((start, end), (low, high)) in across.into_iter().zip(axes.edges()) {
        let way = end - start;
        if way == 0.0 {
            if !(low..=high).contains(&start) {
                return None;
            }
            continue;
        }
        let (one, other) = ((low - start) / way, (high - start) / way);
        enters = one.min(other).max(enters);
        leaves = one.max(other).min(leaves);
    }
    let at = |part: f64| {
        (
            from.0 + part * (to.0 - from.0),
            from.1 + part * (to.1 - from.1),
        )
    };
    // The ends themselves stay as they are, so that segments join.
    let start = if enters > 0.0 { at(enters) } else { from };
    let end = if leaves < 1.0 { at(leaves) } else { to };
    (enters < leaves).then_some((start, end))
}

//! Labels beside the ends of lines.

use crate::canvas::{Anchor, Layer, Stroke, Text};
use crate::clip::Position;
use crate::colour::Colour;
use crate::plane::Axes;
use crate::words::width_of;

/// A label and where its line ends.
#[derive(Clone, Copy)]
pub(crate) struct End<'a> {
    pub label: &'a str,
    pub at: Position,
    pub colour: Colour,
}

/// From the end of the plot to the labels: room for what leads from a line to its label.
const GAP: f64 = 13.0;
/// Beyond the labels.
const EDGE: f64 = 4.0;
/// Between two labels, as a part of their height.
const LINE: f64 = 1.0;

/// The room that labels take beside the plot; none where there are none.
pub(crate) fn width<'a>(labels: impl Iterator<Item = &'a str>, text: f64) -> f64 {
    let widest = labels
        .map(|label| width_of(label, text))
        .fold(0.0, f64::max);
    if widest > 0.0 {
        GAP + widest + EDGE
    } else {
        0.0
    }
}

/// Draws labels beside the plot, near the ends of their lines and apart from each other, and what
/// leads to those that had to move.
pub(crate) fn draw(mut ends: Vec<End<'_>>, axes: &Axes, text: f64, layer: &mut Layer<'_>) {
    let (bottom, top) = axes.y.pixels();
    let (_, right) = axes.x.pixels();
    let spacing = text * LINE;
    let room = ((bottom - top) / spacing).floor().max(0.0) as usize + 1;
    // Of lines in an order, every second or third says where the others are.
    let stride = ends.len().div_ceil(room.max(1)).max(1);
    ends = ends.into_iter().step_by(stride).collect();
    ends.sort_by(|one, other| one.at.1.total_cmp(&other.at.1));
    let wanted: Vec<f64> = ends.iter().map(|end| end.at.1).collect();
    for (end, height) in ends.iter().zip(spread(&wanted, spacing, (top, bottom))) {
        let lead = [(end.at.0 + 3.0, end.at.1), (right + GAP - 2.0, height)];
        let stroke = Stroke {
            width: 0.6,
            colour: end.colour,
        };
        if (height - end.at.1).abs() > 1.0 || right - end.at.0 > 1.0 {
            layer.line(&lead, stroke);
        }
        let words = Text {
            size: text,
            colour: end.colour,
            anchor: Anchor::Left,
            is_bold: false,
        };
        layer.text(end.label, (right + GAP, height), words);
    }
}

/// Heights near the wanted ones, which ascend, with `spacing` between them and within the limits
/// where there is room. What is too near becomes a block around the middle of what it wants.
fn spread(wanted: &[f64], spacing: f64, (low, high): (f64, f64)) -> Vec<f64> {
    // Blocks of labels: how many, and the sum of where each would have the block begin.
    let mut blocks: Vec<(usize, f64)> = Vec::new();
    let start = |&(count, sum): &(usize, f64)| {
        let length = (count as f64 - 1.0) * spacing;
        (sum / count as f64).min(high - length).max(low)
    };
    for &height in wanted {
        let mut block = (1, height);
        while let Some(before) = blocks.last()
            && start(before) + before.0 as f64 * spacing > start(&block)
        {
            let shift = before.0 as f64 * spacing * block.0 as f64;
            block = (before.0 + block.0, before.1 + block.1 - shift);
            blocks.pop();
        }
        blocks.push(block);
    }
    let heights = blocks.iter().flat_map(|block| {
        let first = start(block);
        (0..block.0).map(move |index| first + index as f64 * spacing)
    });
    heights.collect()
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn what_is_apart_stays_where_it_is() {
        assert_eq!(
            spread(&[10.0, 30.0, 90.0], 10.0, (0.0, 100.0)),
            [10.0, 30.0, 90.0]
        );
    }

    #[test]
    fn what_is_too_near_stands_around_its_middle() {
        assert_eq!(
            spread(&[50.0, 50.0, 50.0], 10.0, (0.0, 100.0)),
            [40.0, 50.0, 60.0]
        );
    }

    #[test]
    fn nothing_leaves_the_limits_while_there_is_room() {
        assert_eq!(
            spread(&[99.0, 100.0, 100.0], 10.0, (0.0, 100.0)),
            [80.0, 90.0, 100.0]
        );
        assert_eq!(spread(&[0.0, 1.0], 10.0, (0.0, 100.0)), [0.0, 10.0]);
    }
}

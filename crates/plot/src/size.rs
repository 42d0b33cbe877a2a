//! Sizes and areas of a drawing.

/// Width and height in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// From left to right.
    pub width: u32,
    /// From top to bottom.
    pub height: u32,
}

/// An area of a drawing, in CSS pixels from its upper left corner.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rectangle {
    /// Of the left edge.
    pub left: f64,
    /// Of the upper edge.
    pub top: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            width: 470,
            height: 250,
        }
    }
}

impl Size {
    /// As small multiples are: what is not the plot itself has to be brief.
    pub(crate) fn is_small(self) -> bool {
        self.width < 260 || self.height < 150
    }
}

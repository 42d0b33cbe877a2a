//! Colours of a chart's own parts.

use crate::colour::Colour;

/// As many colours without an order can be told apart.
pub(crate) const PARTS: usize = 8;

/// What the chart stands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Theme {
    /// Dark ink on a light ground.
    #[default]
    Light,
    /// Light ink on a dark ground.
    Dark,
}

impl Theme {
    /// The ground that the colours are chosen for. It is not drawn.
    #[must_use]
    pub const fn ground(self) -> Colour {
        match self {
            Self::Light => Colour(0xff, 0xff, 0xff),
            Self::Dark => Colour(0x19, 0x1d, 0x23),
        }
    }

    /// Axes and their words.
    #[must_use]
    pub const fn dim(self) -> Colour {
        match self {
            Self::Light => Colour(0x5d, 0x66, 0x73),
            Self::Dark => Colour(0x9a, 0xa4, 0xb2),
        }
    }

    /// Grid lines.
    pub(crate) const fn grid(self) -> Colour {
        match self {
            Self::Light => Colour(0xe2, 0xe6, 0xec),
            Self::Dark => Colour(0x2a, 0x31, 0x3b),
        }
    }

    /// Stripes where a heatmap has no value.
    pub(crate) fn hatching(self) -> Colour {
        self.grid().towards(self.dim(), 0.4)
    }

    /// Words that matter.
    #[must_use]
    pub const fn ink(self) -> Colour {
        match self {
            Self::Light => Colour(0x1a, 0x1d, 0x23),
            Self::Dark => Colour(0xe8, 0xeb, 0xf0),
        }
    }

    /// First, middle and last colour of the layers. Lightness grows along it, so that the order
    /// can be seen without hue.
    pub(crate) const fn layers(self) -> [Colour; 3] {
        match self {
            Self::Light => [
                Colour(0x2f, 0x3f, 0xb8),
                Colour(0x12, 0x8c, 0x7e),
                Colour(0xcf, 0x7f, 0x14),
            ],
            Self::Dark => [
                Colour(0x7f, 0x93, 0xff),
                Colour(0x3f, 0xbf, 0xa8),
                Colour(0xf5, 0xb9, 0x55),
            ],
        }
    }

    /// First, middle and last colour of the heads: as the layers', by way of other hues.
    pub(crate) const fn heads(self) -> [Colour; 3] {
        match self {
            Self::Light => [
                Colour(0x6a, 0x1b, 0x9a),
                Colour(0xc2, 0x30, 0x6f),
                Colour(0xa9, 0x86, 0x00),
            ],
            Self::Dark => [
                Colour(0xb0, 0x7c, 0xff),
                Colour(0xff, 0x86, 0xb0),
                Colour(0xec, 0xe2, 0x7c),
            ],
        }
    }

    /// Colours without an order, found by search: far apart with all cones, without the red and
    /// without the green ones, the first four above all.
    pub(crate) const fn parts(self) -> [Colour; PARTS] {
        match self {
            Self::Light => [
                Colour(0x2e, 0x60, 0xff),
                Colour(0xff, 0x29, 0x00),
                Colour(0x00, 0xa1, 0xb0),
                Colour(0x89, 0x1a, 0x94),
                Colour(0x3a, 0x90, 0x48),
                Colour(0x21, 0x37, 0x59),
                Colour(0x72, 0x13, 0x01),
                Colour(0x6d, 0x58, 0x63),
            ],
            Self::Dark => [
                Colour(0x3a, 0xaa, 0xff),
                Colour(0xff, 0xa5, 0x00),
                Colour(0x46, 0xd9, 0x9c),
                Colour(0xc3, 0x7f, 0xac),
                Colour(0xf5, 0xf0, 0x5b),
                Colour(0x6e, 0x66, 0xd1),
                Colour(0xff, 0x48, 0x3c),
                Colour(0xc2, 0xd9, 0xff),
            ],
        }
    }

    /// Smallest, middle and largest value of a heatmap: the larger, the further from the ground.
    pub(crate) const fn heat(self) -> [Colour; 3] {
        match self {
            Self::Light => [
                Colour(0xe9, 0xf0, 0xd6),
                Colour(0x3f, 0xa7, 0xa0),
                Colour(0x1d, 0x23, 0x6b),
            ],
            Self::Dark => [
                Colour(0x24, 0x2a, 0x5e),
                Colour(0x2b, 0x93, 0x93),
                Colour(0xf6, 0xea, 0xa0),
            ],
        }
    }
}

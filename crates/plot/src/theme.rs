//! Colours of a chart's own parts.

use crate::colour::Colour;

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
    pub(crate) const fn dim(self) -> Colour {
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

    /// First, middle and last colour of an ordered ramp. Lightness grows along it, so that the
    /// order can be seen without hue.
    pub(crate) const fn ramp(self) -> [Colour; 3] {
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
}

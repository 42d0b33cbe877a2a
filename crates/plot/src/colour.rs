//! Colours, and what layers, heads, parts and values are coloured by.

use std::collections::BTreeSet;
use std::fmt;

use crate::line_chart::Dash;
use crate::theme::{PARTS, Theme};

/// Red, green and blue as sRGB writes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Colour(pub u8, pub u8, pub u8);

/// As many parts look different by colours and dashes.
pub const MOST_PARTS: usize = PARTS * Dash::ALL.len();

/// `count` colours in order, all of them legible on the theme's ground and distinguishable
/// without seeing red or green.
///
/// Interpolated in Oklab (Ottosson 2020), where equal distances look equal.
#[must_use]
pub fn layer_colours(count: usize, theme: Theme) -> Vec<Colour> {
    ramp(theme.layers(), count)
}

/// As [`layer_colours`], of other hues: for the heads of a layer.
#[must_use]
pub fn head_colours(count: usize, theme: Theme) -> Vec<Colour> {
    ramp(theme.heads(), count)
}

/// `count` colours without an order, for the parts of a layer: eight that everybody can tell
/// apart, then the same again.
#[must_use]
pub fn part_colours(count: usize, theme: Theme) -> Vec<Colour> {
    theme.parts().into_iter().cycle().take(count).collect()
}

/// The dashes that go with [`part_colours`]: none for the first eight parts, long ones for those
/// that have the same colours again, and so on, so that the first [`MOST_PARTS`] look different.
#[must_use]
pub fn part_dashes(count: usize) -> Vec<Dash> {
    let of_each = Dash::ALL.into_iter().flat_map(|dash| [dash; PARTS]);
    of_each.cycle().take(count).collect()
}

/// The colours of a heatmap, from the smallest to the largest value.
pub(crate) fn heat_colours(count: usize, theme: Theme) -> Vec<Colour> {
    ramp(theme.heat(), count)
}

/// Every colour of drawings for a light ground, with the one that stands in its place on a dark
/// ground. With it a page that is read without a script shows one drawing in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Twins {
    /// How many layers have colours.
    pub layers: usize,
    /// How many heads have colours.
    pub heads: usize,
    /// How many parts have colours.
    pub parts: usize,
}

impl Twins {
    /// (on light, on dark), each light one once. Lines that stand back (`Series::faded`) have
    /// none.
    #[must_use]
    pub fn colours(self) -> Vec<(Colour, Colour)> {
        let [light, dark] = [Theme::Light, Theme::Dark].map(|theme| self.of(theme));
        let mut seen = BTreeSet::new();
        let pairs = light.into_iter().zip(dark);
        pairs
            .filter(|(light, _)| seen.insert(light.to_string()))
            .collect()
    }

    fn of(self, theme: Theme) -> Vec<Colour> {
        let own = [
            theme.ground(),
            theme.ink(),
            theme.dim(),
            theme.grid(),
            theme.hatching(),
        ];
        let ramps = [
            layer_colours(self.layers, theme),
            head_colours(self.heads, theme),
            part_colours(self.parts, theme),
            heat_colours(HEATS, theme),
        ];
        own.into_iter().chain(ramps.into_iter().flatten()).collect()
    }
}

/// Different colours of a heatmap; neighbours cannot be told apart, so that more would only take
/// room.
pub(crate) const HEATS: usize = 64;

fn ramp(ends_and_middle: [Colour; 3], count: usize) -> Vec<Colour> {
    let last = count.saturating_sub(1).max(1) as f64;
    let ramp = ends_and_middle.map(Oklab::of);
    (0..count)
        .map(|index| between(&ramp, index as f64 / last))
        .collect()
}

/// The colour at `part` (0 to 1) of a ramp of three.
fn between(ramp: &[Oklab; 3], part: f64) -> Colour {
    let [first, middle, last] = ramp;
    if part < 0.5 {
        first.mix(middle, part * 2.0).to_colour()
    } else {
        middle.mix(last, part * 2.0 - 1.0).to_colour()
    }
}

impl fmt::Display for Colour {
    /// `#rrggbb`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

impl Colour {
    /// On the way to `other`: itself at 0, the other at 1.
    pub(crate) fn towards(self, other: Self, part: f64) -> Self {
        Oklab::of(self).mix(&Oklab::of(other), part).to_colour()
    }

    /// Linear light of the three channels, 0 to 1.
    fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|channel| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        })
    }

    fn from_linear(light: [f64; 3]) -> Self {
        let [red, green, blue] = light.map(|value| {
            let value = value.clamp(0.0, 1.0);
            let encoded = if value <= 0.003_130_8 {
                value * 12.92
            } else {
                1.055 * value.powf(1.0 / 2.4) - 0.055
            };
            (encoded * 255.0).round() as u8
        });
        Self(red, green, blue)
    }
}

/// Lightness, green to red, blue to yellow.
#[derive(Clone, Copy)]
struct Oklab([f64; 3]);

const LIGHT_TO_CONES: [[f64; 3]; 3] = [
    [0.412_221_470_8, 0.536_332_536_3, 0.051_445_992_9],
    [0.211_903_498_2, 0.680_699_545_1, 0.107_396_956_6],
    [0.088_302_461_9, 0.281_718_837_6, 0.629_978_700_5],
];
const CONES_TO_OKLAB: [[f64; 3]; 3] = [
    [0.210_454_255_3, 0.793_617_785_0, -0.004_072_046_8],
    [1.977_998_495_1, -2.428_592_205_0, 0.450_593_709_9],
    [0.025_904_037_1, 0.782_771_766_2, -0.808_675_766_0],
];
const OKLAB_TO_CONES: [[f64; 3]; 3] = [
    [1.0, 0.396_337_777_4, 0.215_803_757_3],
    [1.0, -0.105_561_345_8, -0.063_854_172_8],
    [1.0, -0.089_484_177_5, -1.291_485_548_0],
];
const CONES_TO_LIGHT: [[f64; 3]; 3] = [
    [4.076_741_662_1, -3.307_711_591_3, 0.230_969_929_2],
    [-1.268_438_004_6, 2.609_757_401_1, -0.341_319_396_5],
    [-0.004_196_086_3, -0.703_418_614_7, 1.707_614_701_0],
];

impl Oklab {
    fn of(colour: Colour) -> Self {
        let cones = product(&LIGHT_TO_CONES, colour.linear()).map(f64::cbrt);
        Self(product(&CONES_TO_OKLAB, cones))
    }

    fn to_colour(self) -> Colour {
        let cones = product(&OKLAB_TO_CONES, self.0).map(|cone| cone.powi(3));
        Colour::from_linear(product(&CONES_TO_LIGHT, cones))
    }

    fn mix(&self, other: &Self, part: f64) -> Self {
        let mut mixed = self.0;
        for (own, others) in mixed.iter_mut().zip(other.0) {
            *own += (others - *own) * part;
        }
        Self(mixed)
    }
}

fn product(matrix: &[[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| {
        row.iter()
            .zip(vector)
            .map(|(weight, value)| weight * value)
            .sum()
    })
}

#[cfg(test)]
mod tests {
    use super::{
        Colour, MOST_PARTS, Oklab, head_colours, heat_colours, layer_colours, part_colours,
        part_dashes, product,
    };
    use crate::theme::Theme;

    /// What is seen without the red or the green cones, in linear light (Machado, Oliveira and
    /// Fernandes 2009, severity 1).
    const BLINDNESS: [[[f64; 3]; 3]; 2] = [
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ];

    const IDENTITY: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

    fn luminance(colour: Colour) -> f64 {
        let [red, green, blue] = colour.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn distance(one: Colour, other: Colour) -> f64 {
        let (one, other) = (Oklab::of(one).0, Oklab::of(other).0);
        one.iter()
            .zip(other)
            .map(|(a, b)| (a - b).powi(2))
            .sum::<f64>()
            .sqrt()
    }

    #[test]
    fn oklab_there_and_back() {
        for colour in [Colour(0, 0, 0), Colour(255, 255, 255), Colour(59, 76, 192)] {
            assert_eq!(Oklab::of(colour).to_colour(), colour);
        }
    }

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    fn contrast(one: Colour, other: Colour) -> f64 {
        let (a, b) = (luminance(one), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn lightness(colours: &[Colour]) -> Vec<f64> {
        colours
            .iter()
            .map(|&colour| Oklab::of(colour).0[0])
            .collect()
    }

    /// The smallest distance of any two, for who lacks the cones that like them least.
    fn least_distance(colours: &[Colour]) -> f64 {
        let mut least = f64::INFINITY;
        for matrix in [&IDENTITY].into_iter().chain(&BLINDNESS) {
            let seen = colours
                .iter()
                .map(|colour| Colour::from_linear(product(matrix, colour.linear())));
            let seen: Vec<Colour> = seen.collect();
            for (index, &one) in seen.iter().enumerate() {
                for &other in &seen[..index] {
                    least = least.min(distance(one, other));
                }
            }
        }
        least
    }

    #[test]
    fn every_colour_has_contrast_with_the_ground() {
        for theme in THEMES {
            let ramps = [layer_colours(24, theme), head_colours(24, theme)];
            let all = ramps.into_iter().flatten().chain(part_colours(8, theme));
            for colour in all.chain([theme.ink(), theme.dim()]) {
                let contrast = contrast(colour, theme.ground());
                assert!(contrast >= 3.0, "{colour} on {theme:?}: {contrast:.2}");
            }
        }
    }

    #[test]
    fn lightness_grows_along_the_ramps() {
        for theme in THEMES {
            for ramp in [layer_colours(24, theme), head_colours(24, theme)] {
                let lightness = lightness(&ramp);
                assert!(lightness.is_sorted(), "{theme:?}: {lightness:?}");
            }
        }
    }

    #[test]
    fn three_of_a_ramp_differ_for_everybody() {
        for theme in THEMES {
            for ramp in [layer_colours(3, theme), head_colours(3, theme)] {
                assert!(least_distance(&ramp) > 0.1, "{theme:?} {ramp:?}");
            }
        }
    }

    #[test]
    fn eight_parts_differ_for_everybody_and_four_even_more() {
        for theme in THEMES {
            let parts = part_colours(9, theme);
            assert!(least_distance(&parts[..8]) > 0.1, "{theme:?}");
            assert!(least_distance(&parts[..4]) > 0.12, "{theme:?}");
            assert_eq!(parts[8], parts[0]);
        }
    }

    #[test]
    fn dashes_tell_apart_what_has_the_same_colour() {
        for theme in THEMES {
            let colours = part_colours(MOST_PARTS + 1, theme);
            let colours = colours.iter().map(Colour::to_string);
            let dashes = part_dashes(MOST_PARTS + 1);
            let mut looks: Vec<_> = colours.zip(dashes).collect();
            assert_eq!(looks.pop().as_ref(), looks.first());
            for (place, look) in looks.iter().enumerate() {
                assert!(!looks[..place].contains(look), "{place}");
            }
        }
    }

    #[test]
    fn larger_values_are_further_from_the_ground() {
        for theme in THEMES {
            let ground = theme.ground();
            let distances: Vec<f64> = heat_colours(64, theme)
                .into_iter()
                .map(|colour| contrast(colour, ground))
                .collect();
            assert!(distances.is_sorted(), "{theme:?}: {distances:?}");
            assert!(
                distances[0] > 1.1,
                "the smallest value shows: {distances:?}"
            );
        }
    }

    #[test]
    fn equal_differences_of_values_are_equally_visible() {
        for theme in THEMES {
            let steps: Vec<f64> = lightness(&heat_colours(9, theme))
                .windows(2)
                .map(|pair| (pair[1] - pair[0]).abs())
                .collect();
            let (least, most) = steps
                .iter()
                .fold((f64::INFINITY, 0f64), |(a, b), &s| (a.min(s), b.max(s)));
            assert!(least > 0.04 && most < 2.0 * least, "{theme:?}: {steps:?}");
        }
    }
}

//! Axes: from values to pixels, and where the ticks are.

use crate::number::{brief, significant, tick_label};

/// How a value becomes a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Equal differences are equally far apart.
    #[default]
    Linear,
    /// Equal ratios are equally far apart; what is not positive has no place.
    Log,
    /// $\log(1 + x)$: as [`Scale::Log`] for large values, with a place for 0. For training steps.
    LogFromZero,
}

/// One axis of a drawing.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    scale: Scale,
    /// The scaled values at both ends.
    from: f64,
    to: f64,
    /// The pixels at both ends.
    start: f64,
    end: f64,
    /// The least difference of two ticks.
    grain: f64,
    /// The value, where there is only one.
    only: Option<f64>,
    /// Whether there is nothing to show, and so nothing to mark.
    is_empty: bool,
}

/// One marked value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its pixel.
    pub position: f64,
    /// The value in words.
    pub label: String,
}

impl Scale {
    /// The value on a linear axis; `None` where it has no place.
    fn apply(self, value: f64) -> Option<f64> {
        let scaled = match self {
            Self::Linear => value,
            Self::Log if value > 0.0 => value.ln(),
            Self::LogFromZero if value >= 0.0 => value.ln_1p(),
            Self::Log | Self::LogFromZero => return None,
        };
        scaled.is_finite().then_some(scaled)
    }

    fn undo(self, scaled: f64) -> f64 {
        match self {
            Self::Linear => scaled,
            Self::Log => scaled.exp(),
            Self::LogFromZero => scaled.exp_m1(),
        }
    }
}

impl Axis {
    /// From the smallest to the largest of `values`, laid from one pixel to another.
    pub(crate) fn tight(
        scale: Scale,
        values: impl Iterator<Item = f64>,
        pixels: (f64, f64),
    ) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut first = None;
        for value in values {
            if let Some(scaled) = scale.apply(value) {
                (low, high) = (low.min(scaled), high.max(scaled));
                first = first.or(Some(value));
            }
        }
        let is_wide = high - low > low.abs().max(high.abs()) * 1e-12;
        let (from, to) = match (first, is_wide) {
            (None, _) => (0.0, 1.0),
            (Some(_), true) => (low, high),
            (Some(_), false) => (low - room_around(low), low + room_around(low)),
        };
        Self {
            scale,
            from,
            to,
            start: pixels.0,
            end: pixels.1,
            grain: 0.0,
            only: first.filter(|_| !is_wide),
            is_empty: first.is_none(),
        }
    }

    /// As [`Axis::tight`], but over `range` where it is one: ascending, with a place on the scale.
    pub(crate) fn over(
        scale: Scale,
        range: Option<(f64, f64)>,
        values: impl Iterator<Item = f64>,
        pixels: (f64, f64),
    ) -> Self {
        let tight = Self::tight(scale, values, pixels);
        let ends = range.and_then(|(low, high)| Some((scale.apply(low)?, scale.apply(high)?)));
        match ends {
            Some((from, to)) if from < to => Self {
                from,
                to,
                only: None,
                is_empty: false,
                ..tight
            },
            _ => tight,
        }
    }

    /// With a little room at both ends.
    pub(crate) fn with_room(self) -> Self {
        let room = (self.to - self.from) * 0.05;
        Self {
            from: self.from - room,
            to: self.to + room,
            ..self
        }
    }

    /// With ticks at whole numbers only: for what is counted.
    pub(crate) fn counting(self) -> Self {
        Self { grain: 1.0, ..self }
    }

    /// The pixel of a value; `None` where it has no place on this scale. It lies outside
    /// [`Axis::pixels`] where the axis does not reach to the value.
    #[must_use]
    pub fn position(&self, value: f64) -> Option<f64> {
        let part = (self.scale.apply(value)? - self.from) / (self.to - self.from);
        Some(self.start + part * (self.end - self.start))
    }

    /// The value at a pixel.
    #[must_use]
    pub fn value_at(&self, position: f64) -> f64 {
        let part = (position - self.start) / (self.end - self.start);
        self.scale.undo(self.from + part * (self.to - self.from))
    }

    /// The first and the last pixel.
    #[must_use]
    pub fn pixels(&self) -> (f64, f64) {
        (self.start, self.end)
    }

    /// The values at both ends.
    pub(crate) fn ends(&self) -> (f64, f64) {
        (self.scale.undo(self.from), self.scale.undo(self.to))
    }

    /// Round values, at least `spacing` pixels apart; the value itself where there is only one,
    /// nothing where there is none. A logarithmic axis that has room for one of them only has its
    /// last value instead.
    #[must_use]
    pub fn ticks(&self, spacing: f64) -> Vec<Tick> {
        if self.is_empty {
            return Vec::new();
        }
        if let Some(only) = self.only {
            let label = if self.grain > 0.0 && only.abs() < 1e12 {
                format!("{only:.0}")
            } else {
                brief(only)
            };
            return self.tick(only, label).into_iter().collect();
        }
        let mut ticks: Vec<Tick> = Vec::new();
        // The roundest come first, and what would stand too close to them stays away.
        for tick in self.candidates(spacing) {
            let is_free = ticks
                .iter()
                .all(|other| (other.position - tick.position).abs() >= spacing);
            if is_free {
                ticks.push(tick);
            }
        }
        if ticks.len() < 2 && self.scale != Scale::Linear {
            let (_, last) = self.ends();
            ticks = self.tick(last, last_label(last)).into_iter().collect();
        }
        ticks.sort_by(|a, b| a.position.total_cmp(&b.position));
        ticks
    }

    /// The values at both ends, to three digits of what lies between them, and round values at
    /// least `spacing` pixels from each other and from the ends.
    pub(crate) fn ticks_and_ends(&self, spacing: f64) -> Vec<Tick> {
        if self.only.is_some() || self.is_empty {
            return self.ticks(spacing);
        }
        let (low, high) = self.ends();
        let step = (high - low) / 100.0;
        let label = |value: f64| {
            if self.scale == Scale::Linear || high < low * 10.0 {
                tick_label(value, step, high.abs().max(low.abs()))
            } else {
                significant(value, 3)
            }
        };
        let between = |tick: &Tick| {
            let distance = |end: f64| (tick.position - end).abs();
            distance(self.start).min(distance(self.end)) >= spacing
        };
        let mut ticks = self.ticks(spacing * 1.5);
        ticks.retain(between);
        ticks.extend(
            [low, high]
                .map(|end| self.tick(end, label(end)))
                .into_iter()
                .flatten(),
        );
        ticks
    }

    /// How far a value is on the way from one end to the other, 0 to 1; `None` where it has no
    /// place on this scale.
    pub(crate) fn part(&self, value: f64) -> Option<f64> {
        let part = (self.scale.apply(value)? - self.from) / (self.to - self.from);
        Some(part.clamp(0.0, 1.0))
    }

    fn tick(&self, value: f64, label: String) -> Option<Tick> {
        let position = self.position(value).filter(|at| at.is_finite())?;
        Some(Tick { position, label })
    }

    /// Values that may be marked, the most wanted first.
    fn candidates(&self, spacing: f64) -> Vec<Tick> {
        let most = ((self.end - self.start).abs() / spacing).floor().max(1.0);
        match self.scale {
            Scale::Linear => self.linear_ticks((self.from, self.to), most),
            Scale::Log | Scale::LogFromZero => self.log_ticks(most),
        }
    }

    /// Multiples of 1, 2 or 5 times a power of ten, at most `most` of them.
    fn linear_ticks(&self, (low, high): (f64, f64), most: f64) -> Vec<Tick> {
        let step = round_up((high - low) / most).max(self.grain);
        let first = (low / step - 1e-9).ceil();
        let count = ((high / step + 1e-9).floor() - first).clamp(-1.0, 1000.0) + 1.0;
        let largest = low.abs().max(high.abs());
        (0..count as u32)
            .filter_map(|index| {
                let value = snap((first + f64::from(index)) * step, step);
                self.tick(value, tick_label(value, step, largest))
            })
            .collect()
    }

    /// Zero where there is one, the last power of ten and the first, the others, then 2 and 5 times
    /// powers of ten; then multiples as on a linear axis where the axis spans less than a decade.
    fn log_ticks(&self, most: f64) -> Vec<Tick> {
        let (low, high) = self.ends();
        let from_zero = self.scale == Scale::LogFromZero;
        let lowest = if from_zero { low.max(1.0) } else { low };
        // The room at both ends may reach to where a float64 has no more powers.
        let lowest = lowest.max(f64::MIN_POSITIVE);
        let decades = (high.min(f64::MAX) / lowest).log10().min(MOST_DECADES);
        let stride = (decades / most).ceil().max(1.0);
        let count = decades.max(0.0) as u32 + 2;
        let of = |factor: f64| {
            let first = lowest.log10().floor();
            let marks = (0..=count).map(move |i| factor * 10f64.powf(first + f64::from(i)));
            marks.filter(move |&mark| mark >= low * 0.9999 && mark <= high * 1.0001)
        };
        let zero = (from_zero && low <= 1e-9).then_some(0.0);
        let ends = of(1.0).next_back().into_iter().chain(of(1.0).next());
        // Evenly spread ones first, and others where they have room.
        let powers = of(1.0).step_by(stride as usize).chain(of(1.0));
        let factors: &[f64] = if stride > 1.0 { &[] } else { &[2.0, 5.0] };
        let between = factors.iter().flat_map(|factor| of(*factor));
        let marks = zero.into_iter().chain(ends).chain(powers).chain(between);
        let ticks = marks.filter_map(|value| self.tick(value, brief(value)));
        let is_short = decades < 1.0;
        let linear = is_short.then(|| self.linear_ticks((low, high), most));
        ticks.chain(linear.into_iter().flatten()).collect()
    }
}

/// From the smallest to the largest float64.
const MOST_DECADES: f64 = 620.0;

/// The last value of an axis: a step as it is, anything else to three digits.
fn last_label(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e6 {
        brief(value)
    } else {
        significant(value, 3)
    }
}

/// Half the height of an axis whose values are all the same.
fn room_around(value: f64) -> f64 {
    if value == 0.0 { 1.0 } else { value.abs() * 0.1 }
}

/// The next larger of 1, 2 or 5 times a power of ten.
fn round_up(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    let factor = factors
        .into_iter()
        .find(|factor| factor * power >= value * 0.999_999);
    factor.unwrap_or(10.0) * power
}

/// Zero where rounding left almost zero.
fn snap(value: f64, step: f64) -> f64 {
    if value.abs() < step * 1e-9 {
        0.0
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, Scale};

    fn labels(scale: Scale, values: &[f64], length: f64) -> Vec<String> {
        let axis = Axis::tight(scale, values.iter().copied(), (0.0, length));
        axis.ticks(34.0)
            .into_iter()
            .map(|tick| tick.label)
            .collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            labels(Scale::Linear, &[0.0, 1.0], 240.0),
            ["0", "0.2", "0.4", "0.6", "0.8", "1"]
        );
        assert_eq!(labels(Scale::Linear, &[-1.0, 1.0], 120.0), ["-1", "0", "1"]);
    }

    #[test]
    fn log_ticks_are_powers_of_ten() {
        assert_eq!(
            labels(Scale::Log, &[1.0, 1e4], 240.0),
            ["1", "10", "100", "1000", "10000"]
        );
    }

    #[test]
    fn steps_start_at_zero_on_a_log_axis() {
        let steps = labels(Scale::LogFromZero, &[0.0, 2000.0], 420.0);
        assert_eq!(steps.first().map(String::as_str), Some("0"));
        assert!(steps.contains(&"100".to_owned()), "{steps:?}");
    }

    #[test]
    fn the_first_and_the_last_power_are_ticks() {
        // One of nine decades has room for three.
        assert_eq!(
            labels(Scale::Log, &[1e-5, 1e4], 90.0),
            ["1e-5", "1", "10000"]
        );
        assert_eq!(labels(Scale::Log, &[2e-5, 8e4], 60.0), ["0.0001", "10000"]);
        let steps = labels(Scale::LogFromZero, &[0.0, 143_000.0], 110.0);
        assert_eq!((&*steps[0], &**steps.last().unwrap()), ("0", "100000"));
    }

    #[test]
    fn where_there_is_no_room_the_last_value_is_a_tick() {
        assert_eq!(
            labels(Scale::LogFromZero, &[0.0, 143_000.0], 30.0),
            ["143000"]
        );
        assert_eq!(labels(Scale::Log, &[3.1, 3.9], 30.0), ["3.90"]);
    }

    #[test]
    fn less_than_a_decade_still_has_ticks() {
        assert!(labels(Scale::Log, &[3.0, 4.0], 200.0).len() > 1);
    }

    #[test]
    fn less_than_a_decade_has_its_power_of_ten() {
        for (from, to) in [(16.0, 128.0), (700.0, 1000.0), (100.0, 130.0), (0.07, 0.5)] {
            let power = 10f64.powf(f64::log10(to).floor());
            for length in [80.0, 120.0, 240.0, 480.0, 960.0] {
                let found = labels(Scale::Log, &[from, to], length);
                assert!(found.contains(&crate::number::brief(power)), "{found:?}");
                let set: std::collections::BTreeSet<_> = found.iter().collect();
                assert_eq!(set.len(), found.len(), "{found:?}");
            }
        }
        let steps = labels(Scale::LogFromZero, &[0.0, 8.0], 300.0);
        assert_eq!(&steps[..2], ["0", "1"]);
    }

    #[test]
    fn positions_and_values_are_inverse() {
        for scale in [Scale::Linear, Scale::Log, Scale::LogFromZero] {
            let axis = Axis::tight(scale, [1.0, 500.0].into_iter(), (40.0, 400.0));
            for value in [1.0, 7.5, 499.0] {
                let back = axis.position(value).map(|position| axis.value_at(position));
                assert!(
                    back.is_some_and(|back| (back - value).abs() < 1e-9 * value),
                    "{scale:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_not_positive_has_no_place_on_a_log_axis() {
        let axis = Axis::tight(Scale::Log, [1.0, 10.0].into_iter(), (0.0, 100.0));
        assert_eq!(axis.position(0.0), None);
        assert_eq!(axis.position(-1.0), None);
    }
}

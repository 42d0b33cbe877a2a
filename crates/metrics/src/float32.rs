//! Entries of 32 bits, in half as much memory as they are stored in.
//!
//! The upper 16 bits of a float32 are its sign, its exponent and the beginning of its fraction: its
//! part. Within a part, numbers are whole multiples of one power of two. So sums over a part are
//! sums of integers, which are exact: they do not depend on where entries stand. One pass takes
//! them. Where the order is wanted too, a second pass puts the lower 16 bits of each entry beside
//! those of its part, and parts are sorted one at a time, when somebody asks.

use std::ops::RangeInclusive;

use crate::facts::sum::Compensated;
use crate::sort::sort_lows;

/// How many entries are kept like this. Fewer are better held as they are: a table of parts has to
/// be worth its filling. Of more, sums of products of ranks would leave the range of 64 bits.
pub const SUITABLE: RangeInclusive<u64> = 1 << 17..=1 << 31;

/// Products of two ranks that are added up as integers.
const AT_ONCE: usize = 8;

/// Values of the upper 16 bits; the second half of them has a sign.
const PARTS: usize = 1 << 16;

/// The part of -0.
const SIGN: usize = PARTS / 2;

/// The first part of infinities and NaN.
const NOT_FINITE: usize = 0x7f80;

/// Values of the lower 16 bits.
const LOWS: usize = 1 << 16;

/// More entries of a part are counted by their lower bits; fewer are sorted.
const MANY: usize = 1 << 13;

/// Elements as a little-endian file has them.
type Elements<'a> = &'a [[u8; 4]];

/// The entries of a matrix of float32, wherever they stand.
#[derive(Clone, Debug)]
pub struct Float32Entries {
    parts: Vec<Part>,
    /// The bits of the largest magnitude.
    largest: u32,
    /// Where the lower bits of the next entry of each part go; where they are complete, the part's
    /// end. None where no order is wanted.
    ends: Vec<usize>,
    /// The lower bits of all entries, part after part, those of the smallest entries first.
    lows: Vec<u16>,
    /// What numbers are multiplied by: a power of two.
    factor: f64,
}

/// Of the entries with the same upper bits.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    entries: u64,
    /// The sum of their lower bits.
    lows: u64,
    /// The sum of the squares of their lower bits.
    squares: u64,
}

/// By what entries are put in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By value.
    Entries,
    /// By magnitude.
    Magnitudes,
}

impl Default for Float32Entries {
    fn default() -> Self {
        Self {
            parts: vec![Part::default(); PARTS],
            largest: 0,
            ends: Vec::new(),
            lows: Vec::new(),
            factor: 1.0,
        }
    }
}

impl Float32Entries {
    /// Takes entries into the sums. Whoever wants their order shows them again after
    /// [`Float32Entries::begin_order`].
    pub fn count(&mut self, elements: Elements<'_>) {
        let Some(parts) = self.parts.first_chunk_mut::<PARTS>() else {
            return;
        };
        for &element in elements {
            let bits = u32::from_le_bytes(element);
            let low = u64::from(bits & 0xffff);
            let part = &mut parts[(bits >> 16) as usize];
            part.entries += 1;
            part.lows += low;
            part.squares += low * low;
            self.largest = self.largest.max(bits & i32::MAX.cast_unsigned());
        }
    }

    /// Makes room for the order of the entries that were counted. `None` where there is no memory.
    #[must_use]
    pub fn begin_order(&mut self) -> Option<()> {
        let mut before = 0;
        self.ends = vec![0; PARTS];
        for part in 0..PARTS {
            let (upper, _) = Order::Entries.uppers(part);
            self.ends[upper] = before;
            before += self.parts[upper].len();
        }
        self.lows.try_reserve_exact(before).ok()?;
        self.lows.resize(before, 0);
        Some(())
    }

    /// Puts entries where they belong in the order.
    pub fn place(&mut self, elements: Elements<'_>) {
        let Some(ends) = self.ends.first_chunk_mut::<PARTS>() else {
            return;
        };
        for &element in elements {
            let bits = u32::from_le_bytes(element);
            let place = &mut ends[(bits >> 16) as usize];
            if let Some(low) = self.lows.get_mut(*place) {
                *low = bits as u16;
            }
            *place += 1;
        }
    }

    /// Whether every entry that was counted was put in its place.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        let mut end = 0;
        !self.ends.is_empty()
            && (0..PARTS).all(|part| {
                let (upper, _) = Order::Entries.uppers(part);
                end += self.parts[upper].len();
                self.ends[upper] == end
            })
    }

    /// Of float64s that all are exact as float32 once they are multiplied by a power of two; none
    /// where they are not, or not [`SUITABLE`].
    pub(crate) fn of_exact(numbers: &[f64], factor: f64) -> Option<Self> {
        if !SUITABLE.contains(&(numbers.len() as u64)) || !factor.is_normal() {
            return None;
        }
        let mut entries = Self::default().times(1.0 / factor);
        for_each_chunk(numbers, factor, &mut |elements| entries.count(elements))?;
        Some(entries)
    }

    /// The same with their order, which the numbers show that they were made of.
    pub(crate) fn ordered_as(&self, numbers: &[f64]) -> Option<Self> {
        let mut entries = self.clone();
        entries.begin_order()?;
        let place = &mut |elements: Elements<'_>| entries.place(elements);
        for_each_chunk(numbers, 1.0 / self.factor, place)?;
        Some(entries)
    }

    /// The same entries, each times a power of two.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            factor: self.factor * factor,
            ..self
        }
    }

    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// How many are NaN or infinite.
    pub(crate) fn not_finite(&self) -> usize {
        let sides = [NOT_FINITE..SIGN, SIGN + NOT_FINITE..PARTS];
        let parts = sides.into_iter().flatten();
        parts.map(|part| self.parts[part].len()).sum()
    }

    /// The largest magnitude.
    pub(crate) fn largest(&self) -> f64 {
        self.number(self.largest)
    }

    /// Whether all magnitudes are equal.
    pub(crate) fn has_even_magnitudes(&self) -> bool {
        let part = self.magnitudes((self.largest >> 16) as usize);
        part.len() == self.len() && part.lows == part.entries * u64::from(self.largest & 0xffff)
    }

    /// The sum of magnitudes, and that of squares.
    pub(crate) fn sums(&self) -> (f64, f64) {
        let (mut sum, mut squares) = (Compensated::default(), Compensated::default());
        for upper in 0..NOT_FINITE {
            let Part {
                entries,
                lows,
                squares: of_lows,
            } = self.magnitudes(upper);
            if entries > 0 {
                let (base, unit) = self.base_and_unit(upper);
                sum.add((entries * base + lows) as f64 * unit);
                // The base has no more than 8 bits, before 16 zeros.
                let (top, square) = (base >> 16, unit * unit);
                squares.add((entries * top * top) as f64 * (LOWS as f64).powi(2) * square);
                squares.add((2 * top * lows) as f64 * LOWS as f64 * square);
                squares.add(of_lows as f64 * square);
            }
        }
        (sum.total(), squares.total())
    }

    /// `sum (2i - N - 1) / N a_i` over the `N` magnitudes in ascending order.
    ///
    /// That is the integral of `F (N - F)` over all numbers `t`, with `F` magnitudes not above `t`:
    /// no term is negative, so that nothing cancels.
    pub(crate) fn weighted_by_rank(&self) -> f64 {
        let all = self.len() as u64;
        let mut below = 0;
        let mut counts = vec![0_u32; LOWS];
        let mut sum = Compensated::default();
        for upper in 0..NOT_FINITE {
            let entries = self.magnitudes(upper).len();
            if entries == 0 && (below == 0 || below == all) {
                continue;
            }
            let mut weight = 0.0;
            if entries > MANY {
                let lows = self.lows_of(upper).iter().chain(self.lows_of(SIGN + upper));
                lows.for_each(|low| counts[usize::from(*low)] += 1);
                for counts in counts.as_chunks_mut::<AT_ONCE>().0 {
                    let mut products = 0;
                    for count in counts {
                        below += u64::from(std::mem::take(count));
                        products += below * (all - below);
                    }
                    weight += products as f64;
                }
            } else {
                let mut from = 0;
                let mut go_to = |low: u32| {
                    weight += (below * (all - below)) as f64 * f64::from(low - from);
                    from = low;
                    below += 1;
                };
                let lows = self.sorted_lows(upper, Some(SIGN + upper));
                lows.into_iter().for_each(|low| go_to(low.into()));
                go_to(LOWS as u32);
                below -= 1;
            }
            let (_, unit) = self.base_and_unit(upper);
            sum.add(weight * unit);
        }
        sum.total() / all as f64
    }

    /// The one at a place, counted from the smallest.
    pub(crate) fn get(&self, order: Order, place: usize) -> Option<f64> {
        let (mut part, mut end) = (0, order.parts());
        while part < end {
            let middle = usize::midpoint(part, end);
            if self.until(order, middle) <= place {
                part = middle + 1;
            } else {
                end = middle;
            }
        }
        let before = part.checked_sub(1).map_or(0, |it| self.until(order, it));
        let numbers = (part < order.parts()).then(|| self.numbers(order, part))?;
        numbers.get(place - before).copied()
    }

    /// How many entries there are up to the end of a part. Magnitudes up to one lie side by side:
    /// negative entries before positive ones, from its negative part to its positive one.
    fn until(&self, order: Order, part: usize) -> usize {
        let (upper, other) = order.uppers(part);
        let start = |upper: usize| self.ends[upper] - self.parts[upper].len();
        self.ends[upper] - other.map_or(0, start)
    }

    /// The numbers of a part, ascending.
    pub(crate) fn numbers(&self, order: Order, part: usize) -> Vec<f64> {
        let (upper, other) = order.uppers(part);
        let mut lows = self.sorted_lows(upper, other);
        if upper >= SIGN {
            lows.reverse();
        }
        let upper = (upper as u32) << 16;
        let bits = lows.into_iter().map(|low| upper | u32::from(low));
        bits.map(|bits| self.number(bits)).collect()
    }

    fn number(&self, bits: u32) -> f64 {
        f64::from(f32::from_bits(bits)) * self.factor
    }

    fn sorted_lows(&self, upper: usize, other: Option<usize>) -> Vec<u16> {
        let others = other.map_or(&[][..], |other| self.lows_of(other));
        let own = self.lows_of(upper);
        if own.is_empty() && others.is_empty() {
            return Vec::new();
        }
        sort_lows([own, others].concat())
    }

    fn lows_of(&self, upper: usize) -> &[u16] {
        let end = self.ends.get(upper).copied().unwrap_or(0);
        let start = end.saturating_sub(self.parts[upper].len());
        self.lows.get(start..end).unwrap_or_default()
    }

    /// Of both signs.
    fn magnitudes(&self, upper: usize) -> Part {
        let (one, other) = (self.parts[upper], self.parts[SIGN + upper]);
        Part {
            entries: one.entries + other.entries,
            lows: one.lows + other.lows,
            squares: one.squares + other.squares,
        }
    }

    /// A magnitude of a part is the sum of a base and its lower bits, times a unit.
    fn base_and_unit(&self, upper: usize) -> (u64, f64) {
        let (exponent, fraction) = (upper as u64 >> 7, (upper as u64 & 0x7f) << 16);
        // Subnormal numbers have the exponent of the smallest normal ones, and no leading bit.
        let leading = u64::from(exponent > 0) << 23;
        let power = f64::from_bits((exponent.max(1) + 1023 - 150) << 52);
        (leading + fraction, power * self.factor)
    }
}

impl Part {
    const fn len(&self) -> usize {
        self.entries as usize
    }
}

impl Order {
    /// How many parts there are in this order.
    pub(crate) const fn parts(self) -> usize {
        match self {
            Self::Entries => PARTS,
            Self::Magnitudes => SIGN,
        }
    }

    /// The upper bits of the entries of a part.
    const fn uppers(self, part: usize) -> (usize, Option<usize>) {
        match self {
            Self::Magnitudes => (part, Some(SIGN + part)),
            Self::Entries if part < SIGN => (PARTS - 1 - part, None),
            Self::Entries => (part - SIGN, None),
        }
    }
}

/// Shows float64s, times a power of two, as the float32s that they are; `None` at the first ones
/// that are none.
#[allow(clippy::cast_possible_truncation)] // what is lost is asked for
fn for_each_chunk(numbers: &[f64], factor: f64, look: &mut dyn FnMut(Elements<'_>)) -> Option<()> {
    let inverse = 1.0 / factor;
    let mut elements = [[0; 4]; 1024];
    for chunk in numbers.chunks(elements.len()) {
        let mut is_exact = true;
        for (element, number) in elements.iter_mut().zip(chunk) {
            let narrow = (number * factor) as f32;
            is_exact &= f64::from(narrow) * inverse == *number;
            *element = narrow.to_le_bytes();
        }
        if !is_exact {
            return None;
        }
        look(elements.get(..chunk.len())?);
    }
    Some(())
}

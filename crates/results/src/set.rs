//! All numbers of an analysis, each known by what it is of.

use std::collections::HashMap;
use std::sync::Arc;

use crate::{Number, Series, SeriesId};

/// All numbers of an analysis, as columns. No two series of a set are of the same thing.
///
/// Whoever shows some of them keeps the [`Arc`]s: numbers are held once.
#[derive(Clone, Debug, Default)]
pub struct SeriesSet {
    series: Vec<Arc<Series>>,
    places: HashMap<SeriesId, usize>,
}

impl SeriesSet {
    /// Takes in a number, in place of one of the same series and step. Gives the series.
    pub fn insert(&mut self, number: Number) -> &Arc<Series> {
        let place = self.place_of(&number.id);
        let series = &mut self.series[place];
        Arc::make_mut(series).insert(number.step, number.value, number.status);
        series
    }

    /// Takes in a series; numbers of one that is there are added to it.
    pub fn insert_series(&mut self, series: Series) {
        if let Some(place) = self.places.get(&series.id) {
            let known = Arc::make_mut(&mut self.series[*place]);
            for point in series.points() {
                known.insert(point.step, point.value.cloned(), point.status.cloned());
            }
            return;
        }
        self.places.insert(series.id.clone(), self.series.len());
        self.series.push(Arc::new(series));
    }

    /// Takes in several series.
    pub fn extend_series(&mut self, series: impl IntoIterator<Item = Series>) {
        for one in series {
            self.insert_series(one);
        }
    }

    /// The series of that id.
    #[must_use]
    pub fn get(&self, id: &SeriesId) -> Option<&Arc<Series>> {
        self.series.get(*self.places.get(id)?)
    }

    /// All series, in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Series>> + Clone {
        self.series.iter()
    }

    /// All series, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Arc<Series>] {
        &self.series
    }

    /// Every number by itself, series after series.
    pub fn each(&self) -> impl Iterator<Item = Number> {
        self.series.iter().flat_map(|series| {
            series.points().map(|point| Number {
                id: series.id.clone(),
                step: point.step,
                value: point.value.cloned(),
                status: point.status.cloned(),
            })
        })
    }

    /// How many series there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.series.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// How many numbers there are, undefined ones counted.
    #[must_use]
    pub fn numbers(&self) -> usize {
        self.series.iter().map(|series| series.len()).sum()
    }

    /// How many numbers are undefined.
    #[must_use]
    pub fn undefined(&self) -> usize {
        let points = self.series.iter().flat_map(|series| series.points());
        points.filter(|point| point.value.is_none()).count()
    }

    /// Puts the series into the order of a key.
    pub fn sort_by_cached_key<K: Ord>(&mut self, key: impl Fn(&SeriesId) -> K) {
        self.series.sort_by_cached_key(|series| key(&series.id));
        let places = self.series.iter().enumerate();
        self.places = places
            .map(|(place, series)| (series.id.clone(), place))
            .collect();
    }

    /// Leaves out the series that `is_wanted` does not want.
    pub fn retain(&mut self, is_wanted: impl Fn(&SeriesId) -> bool) {
        self.series.retain(|series| is_wanted(&series.id));
        self.sort_by_cached_key(|_| ());
    }

    fn place_of(&mut self, id: &SeriesId) -> usize {
        if let Some(place) = self.places.get(id) {
            return *place;
        }
        let place = self.series.len();
        self.series.push(Arc::new(Series::new(id.clone())));
        self.places.insert(id.clone(), place);
        place
    }
}

impl PartialEq for SeriesSet {
    fn eq(&self, other: &Self) -> bool {
        self.series == other.series
    }
}

impl Extend<Number> for SeriesSet {
    fn extend<T: IntoIterator<Item = Number>>(&mut self, numbers: T) {
        for number in numbers {
            self.insert(number);
        }
    }
}

impl FromIterator<Number> for SeriesSet {
    fn from_iter<T: IntoIterator<Item = Number>>(numbers: T) -> Self {
        let mut set = Self::default();
        set.extend(numbers);
        set
    }
}

impl FromIterator<Series> for SeriesSet {
    fn from_iter<T: IntoIterator<Item = Series>>(series: T) -> Self {
        let mut set = Self::default();
        set.extend_series(series);
        set
    }
}

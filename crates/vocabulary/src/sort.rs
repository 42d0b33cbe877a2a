//! Sorting in one copy for items of all types.
//!
//! The standard library's sort is compiled anew for every type and every order: 72 copies of some
//! 4 kB were a fifteenth of the page's program. Here one copy sorts the places of items. It takes
//! longer, which lists of files, steps and names do not feel.

use std::cmp::Ordering;

/// Sorts items; equal ones keep their order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// Sorts items by a key of each; those with equal keys keep their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |one, other| key(one).cmp(&key(other)));
}

/// Sorts items in this order; equal ones keep theirs.
pub fn sort_by<T>(items: &mut [T], mut order: impl FnMut(&T, &T) -> Ordering) {
    let mut places: Vec<usize> = (0..items.len()).collect();
    sort_places(&mut places, &mut |one, other| {
        order(&items[one], &items[other])
    });
    // Every item goes where it belongs along the cycles of places.
    for start in 0..places.len() {
        let mut place = start;
        loop {
            let from = std::mem::replace(&mut places[place], place);
            if from == start {
                break;
            }
            items.swap(place, from);
            place = from;
        }
    }
}

fn sort_places(places: &mut [usize], order: &mut dyn FnMut(usize, usize) -> Ordering) {
    places.sort_by(|one, other| order(*one, *other));
}

#[cfg(test)]
mod tests {
    use super::{sort, sort_by, sort_by_key};

    /// Numbers that look random, of which many are equal.
    fn numbers(count: usize) -> Vec<(u32, usize)> {
        let mut state = 1_u32;
        let mut next = |place| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            ((state >> 16) % 50, place)
        };
        (0..count).map(&mut next).collect()
    }

    #[test]
    fn items_are_sorted_as_the_standard_library_does() {
        for count in [0, 1, 2, 3, 20, 100, 1000] {
            let items = numbers(count);
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            let mut found = items.clone();
            sort_by_key(&mut found, |item| item.0);
            assert_eq!(found, expected);

            expected.sort_by_key(|item| std::cmp::Reverse(item.0));
            sort_by(&mut found, |one, other| other.0.cmp(&one.0));
            assert_eq!(found, expected);

            expected.sort();
            sort(&mut found);
            assert_eq!(found, expected);
        }
    }
}

//! What people are told to do with a token: in a page it is entered.

/// Before `a token that may read it`.
pub(crate) const SET_TOKEN: &str = "enter";

/// In `whose token .. is`.
pub(crate) const TOKEN: &str = "it";

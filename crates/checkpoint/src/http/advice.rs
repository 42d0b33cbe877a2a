//! What people are told to do with a token: here it comes from the environment.

/// Before `a token that may read it`.
pub(crate) const SET_TOKEN: &str = "set HF_TOKEN to";

/// In `whose token .. is`.
pub(crate) const TOKEN: &str = "HF_TOKEN";

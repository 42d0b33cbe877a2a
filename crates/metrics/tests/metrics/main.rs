//! Tests of the metrics through their public interface.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod ask;
mod counted;
mod debiased_cka;
mod documentation;
mod estimates;
mod factors;
mod float32;
mod identities;
mod matrices;
mod pwcca;
mod rank;
mod reference_signs;
mod registry;
mod scales;
mod schur;
mod sorting;
mod stored;
mod two_stages;
mod undefined;
mod worked_by_hand;

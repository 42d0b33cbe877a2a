//! Metrics of one matrix `X` `[m, n]` with entries `x_i`, `N = m n`, and singular values
//! `s_1 >= ... >= s_r`, `r = min(m, n)`.

pub mod condition_number;
pub mod copying;
pub mod entry_statistics;
pub mod gini;
pub mod hoyer;
pub mod norm;
pub mod participation_ratio;
pub mod per;
pub mod power_law;
pub mod quantile;
pub mod spectral_entropy_rank;
pub mod stable_rank;
pub mod top_k_values;

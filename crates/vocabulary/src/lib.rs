//! The words that all of ckptscope shares: each is defined here, once, and written the same in
//! configs, keys, file names, messages and results. One is a formula: [`quantile_of_sorted`].

mod data_kind;
mod model_shape;
mod quantile;
mod registry;
pub mod sort;
mod split;
mod words;
mod work;
mod wrapper;

pub use data_kind::DataKind;
pub use model_shape::{HeadShape, ModelShape};
pub use quantile::{between, quantile_of_sorted, quantile_place};
pub use split::Split;
pub use work::{Rates, Work};
pub use wrapper::{WRAPPERS, is_wrapper, without_wrappers};

/// A text that is none of a list of words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    /// The text.
    pub found: String,
    /// The words that there are.
    pub known: &'static [&'static str],
}

impl std::fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (found, known) = (&self.found, self.known.join(", "));
        write!(f, "`{found}` is none of: {known}")
    }
}

impl std::error::Error for UnknownWord {}

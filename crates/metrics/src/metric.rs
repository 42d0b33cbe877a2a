//! What a metric is.

pub use ckptscope_vocabulary::DataKind;
use ckptscope_vocabulary::Work;

use crate::facts::{Facts, MatrixExtent, Needs};
use crate::measurement::Measurement;
use crate::parameter::{Parameter, Parameters};

/// A number that says something about a matrix, or about a pair of them.
///
/// A metric is one file under `src/single` or `src/comparative`, named after it, and one line in
/// [`METRICS`](crate::METRICS).
pub trait Metric: Sync {
    /// What there is to know of it, whatever its parameters are.
    fn about(&self) -> About<'_>;

    /// Suffixes of the component key, one per number it gives.
    fn outputs(&self, _: &Parameters) -> &'static [&'static str] {
        &[""]
    }

    /// The facts it will ask for, so that they can be prepared together and their cost be known.
    fn needs(&self, parameters: &Parameters) -> Needs;

    /// What it computes of a matrix of this extent beside the facts that it needs; of a pair, beside
    /// the facts of both.
    fn work(&self, _: &Parameters, _: MatrixExtent) -> Work {
        Work::default()
    }

    /// Whether its numbers follow from how often each value occurs among the entries, wherever they
    /// stand. Entries of few bits are then counted as they are read, and never held.
    fn ignores_places(&self, _: &Parameters) -> bool {
        false
    }

    /// As [`About::name`].
    fn name(&self) -> &'static str {
        self.about().name
    }

    /// As [`About::title`].
    fn title(&self) -> &'static str {
        self.about().title
    }

    /// As [`About::summary`].
    fn summary(&self) -> &'static str {
        self.about().summary
    }

    /// As [`About::applies_to`].
    fn applies_to(&self) -> &'static [DataKind] {
        self.about().applies_to
    }

    /// As [`About::parameters`].
    fn parameters(&self) -> &'static [Parameter] {
        self.about().parameters
    }

    /// As [`About::form`].
    fn form(&self) -> Form<'_> {
        self.about().form
    }
}

/// What there is to know of a metric, whatever its parameters are.
#[derive(Clone, Copy)]
pub struct About<'a> {
    /// The name in a config file, and of its file here.
    pub name: &'static str,
    /// The name for people: of charts, in reports and forms.
    pub title: &'static str,
    /// One line for menus and help.
    pub summary: &'static str,
    /// What it is a metric of.
    pub applies_to: &'static [DataKind],
    /// The parameters a config may give.
    pub parameters: &'static [Parameter],
    /// How it is computed.
    pub form: Form<'a>,
}

/// How a metric is computed.
#[derive(Clone, Copy)]
pub enum Form<'a> {
    /// From one matrix.
    Single(&'a dyn Single),
    /// From a step's matrix and the target's.
    Comparative(&'a dyn Comparative),
}

/// A metric of one matrix.
pub trait Single: Sync {
    /// One measurement per output, in the order of [`Metric::outputs`].
    fn measure(&self, parameters: &Parameters, matrix: &Facts) -> Vec<Measurement>;
}

/// A metric of a pair of matrices with the same rows (samples), in the same order.
pub trait Comparative: Sync {
    /// One measurement per output, in the order of [`Metric::outputs`].
    fn measure(&self, parameters: &Parameters, step: &Facts, target: &Facts) -> Vec<Measurement>;

    /// What few samples do to its numbers on average.
    fn bias(&self, _: &Parameters) -> Option<Bias> {
        Some(Bias::Upwards)
    }
}

/// Where few samples move a number on average.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bias {
    /// It is too large.
    Upwards,
    /// It is too small.
    Downwards,
}

impl Bias {
    /// `upwards` or `downwards`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upwards => "upwards",
            Self::Downwards => "downwards",
        }
    }
}

impl Form<'_> {
    /// Whether it needs a target checkpoint.
    #[must_use]
    pub const fn is_comparative(&self) -> bool {
        matches!(self, Self::Comparative(_))
    }
}

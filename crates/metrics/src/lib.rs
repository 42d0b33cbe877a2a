//! The mathematics of ckptscope: matrices in, numbers out.
//!
//! [`Facts`] hold one matrix and what several metrics need of it, each fact computed once.
//! [`METRICS`] lists every [`Metric`]; a metric asks facts and answers with a [`Measurement`]: a
//! number, or the reason why there is none.

pub mod comparative;
pub mod facts;
pub mod linalg;
pub mod measurement;
pub mod metric;
pub mod parameter;
pub mod single;
pub mod sort;

pub use facts::{Facts, LargestRank, Needs, Precision};
pub use measurement::{Measurement, Status};
pub use metric::{Bias, Comparative, DataKind, Form, Metric, Single};
pub use parameter::{AUTO, Parameter, ParameterKind, ParameterValue, Parameters};

/// Every metric, in the order in which they are shown.
pub const METRICS: &[&dyn Metric] = &[
    &single::gini::Gini,
    &single::hoyer::Hoyer,
    &single::per::Per,
    &single::condition_number::ConditionNumber,
    &single::norm::Norm,
    &single::stable_rank::StableRank,
    &single::participation_ratio::ParticipationRatio,
    &single::spectral_entropy_rank::SpectralEntropyRank,
    &single::power_law::PowerLaw,
    &single::copying::Copying,
    &single::top_k_values::TopKValues,
    &single::quantile::Quantile,
    &single::entry_statistics::EntryStatistics,
    &comparative::cka::Cka,
    &comparative::cka_chance::CkaChance,
    &comparative::pwcca::Pwcca,
    &comparative::svcca::Svcca,
    &comparative::procrustes::Procrustes,
    &comparative::rsa::Rsa,
    &comparative::relative_change::RelativeChange,
    &comparative::cosine::Cosine,
];

//! Metrics of one matrix `X` `[m, n]` with entries `x_i`, `N = m n`, and singular values
//! `s_1 >= ... >= s_r`, `r = min(m, n)`.

ckptscope_vocabulary::registry! {
    /// Every metric of one matrix, in the order in which they are shown.
    pub(crate) const METRICS: [&dyn crate::Metric] = pub mod {
        gini: Gini;
        hoyer: Hoyer;
        per: Per;
        condition_number: ConditionNumber;
        norm: Norm;
        stable_rank: StableRank;
        participation_ratio: ParticipationRatio;
        spectral_entropy_rank: SpectralEntropyRank;
        power_law: PowerLaw;
        copying: Copying;
        top_k_values: TopKValues;
        quantile: Quantile;
        entry_statistics: EntryStatistics;
    }
}

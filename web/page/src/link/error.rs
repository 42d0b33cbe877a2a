//! What can be wrong with a link.

/// A link that cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinkError {
    /// Characters that links do not have.
    #[error("the link is damaged: {character:?} does not belong into it; copy it again, all of it")]
    Character {
        /// The first of them.
        character: char,
    },
    /// Its end is missing.
    #[error("the link is cut off: its end is missing; copy it again, all of it")]
    CutOff,
    /// It cannot be inflated.
    #[error("the link is damaged: what it carries cannot be unpacked; copy it again, all of it")]
    Damaged,
    /// It inflates to more than any link of this page holds.
    #[error("the link unpacks to more than {} MB, which no link of this page does", .bytes / 1_000_000)]
    TooLarge {
        /// The most that is unpacked.
        bytes: usize,
    },
    /// It can be unpacked and is something else.
    #[error("the link carries something else than an analysis: {reason}")]
    Foreign {
        /// What was expected.
        reason: String,
    },
    /// A later version of the page made it.
    #[error(
        "the link was made by a newer version of ckptscope (links of version {version}, this \
         page reads version {known}): reload this page, or open the link where it was made"
    )]
    Newer {
        /// Its version.
        version: u64,
        /// The latest that this page reads.
        known: u64,
    },
    /// The browser cannot pack or unpack.
    #[error("this browser cannot unpack links ({reason}): a newer one can")]
    Unsupported {
        /// In the browser's words.
        reason: String,
    },
}

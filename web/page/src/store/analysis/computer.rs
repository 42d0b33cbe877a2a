//! Who computes an analysis, and what the page hears of it.
//!
//! Web workers and a native worker tell the same news; charts, tally, warnings and cancel know no
//! difference.

use std::rc::Rc;

use ckptscope_protocol::Cost;
use ckptscope_protocol::service::AnalysisInfo;
use ckptscope_results::Results;

use super::phase::Phase;
use crate::pool::LaneNews;

/// Who computes an analysis: the web workers of this tab, or a native worker. It tells its
/// [`Listener`] what comes of it until it is dropped.
pub(crate) trait Computer {
    /// Ends the computing; what is done stays.
    fn stop(&self) -> Stopped;
}

/// How soon an analysis is over that was stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It is: nothing more will be told.
    AtOnce,
    /// [`News::Ended`] will say.
    Soon,
}

/// Hears what comes of an analysis.
pub(crate) type Listener = Rc<dyn Fn(News)>;

/// What happens to an analysis.
pub(crate) enum News {
    /// What will come. Told again where that has changed.
    Planned(Box<Plan>),
    /// One of the plan's lanes tells something.
    Lane(usize, LaneNews),
    /// What a native worker says of it.
    State(Box<AnalysisInfo>),
    /// How things stand with the connection to a native worker.
    Connection(Connection),
    /// It could not be stopped; in words.
    NotStopped(String),
    /// Nothing more will come.
    Ended(Phase),
}

/// What will come of an analysis.
pub(crate) struct Plan {
    /// What it costs.
    pub cost: Cost,
    /// Its results, with everything but the numbers.
    pub results: Results,
    /// What is told apart, and begins again apart: names for messages.
    pub lanes: Vec<String>,
}

/// How things stand with the connection to a native worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Connection {
    /// It was asked and has not answered yet.
    Opening,
    /// It tells what happens.
    Up,
    /// It is tried again after so many seconds; in words, what happened.
    Lost { reason: String, seconds: u32 },
    /// The worker wants another token; it is tried again when that is given.
    WantsToken,
}

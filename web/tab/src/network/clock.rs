//! Time as the browser has it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ckptscope_checkpoint::http::{Clock, Waiting};
use futures_util::future::LocalBoxFuture;
use gloo_timers::future::TimeoutFuture;
use js_sys::Date;

/// A browser's timers take no more.
const MOST_MILLISECONDS: u64 = i32::MAX as u64;

/// The browser's timers. It remembers how long a server wants no requests.
#[derive(Default)]
pub(super) struct BrowserClock {
    /// In milliseconds since 1970.
    waits_until: AtomicU64,
}

impl BrowserClock {
    /// Seconds until the server takes requests again.
    pub(super) fn seconds_to_wait(&self) -> u64 {
        let until = self.waits_until.load(Ordering::Relaxed);
        until.saturating_sub(now_milliseconds()).div_ceil(1000)
    }
}

impl Clock for BrowserClock {
    fn unix_seconds(&self) -> u64 {
        now_milliseconds() / 1000
    }

    fn wait(&self, duration: Duration, waiting: Waiting) -> LocalBoxFuture<'static, ()> {
        let milliseconds = duration.as_millis() as u64;
        if waiting == Waiting::ForRateLimit {
            let until = now_milliseconds() + milliseconds;
            self.waits_until.fetch_max(until, Ordering::Relaxed);
        }
        Box::pin(TimeoutFuture::new(
            milliseconds.min(MOST_MILLISECONDS) as u32
        ))
    }
}

fn now_milliseconds() -> u64 {
    Date::now() as u64
}

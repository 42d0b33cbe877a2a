//! Time as the browser has it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ckptscope_checkpoint::http::{Clock, Waiting};
use futures_channel::oneshot;
use futures_util::future::LocalBoxFuture;
use js_sys::{Date, Function};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The same functions in a window and in a web worker.
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// The browser's timers. It remembers how long a server wants no requests.
#[derive(Default)]
pub(super) struct BrowserClock {
    /// In milliseconds since 1970.
    waits_until: AtomicU64,
}

/// A timer that is running; dropping it stops it.
struct Timer {
    id: JsValue,
    _callback: Closure<dyn FnMut()>,
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
        Box::pin(async move {
            let (sender, receiver) = oneshot::channel();
            let callback = Closure::once(move || {
                // Fails where nobody waits any more.
                let _ = sender.send(());
            });
            let function: &Function = callback.as_ref().unchecked_ref();
            let _timer = Timer {
                id: set_timeout(function, milliseconds as f64),
                _callback: callback,
            };
            let _ = receiver.await;
        })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        clear_timeout(&self.id);
    }
}

fn now_milliseconds() -> u64 {
    Date::now() as u64
}

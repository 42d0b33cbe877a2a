//! Numbers on their way to the page.

use ckptscope_protocol::tab::{News, Reply};
use ckptscope_protocol::{Event, LaneUpdate};
use wasm_bindgen::JsCast;
use web_sys::Performance;

/// Most numbers that wait to go out together.
const NUMBERS: usize = 500;

/// The longest that they wait, where a step takes longer.
const MILLISECONDS: f64 = 30.0;

/// What a lane tells, in pieces that go out together, so that the page has time to draw between them.
pub(super) struct Outbox<'a> {
    number: u64,
    tell: &'a dyn Fn(&Reply),
    waiting: LaneUpdate,
    last: f64,
}

impl<'a> Outbox<'a> {
    /// For the answers to one question.
    pub(super) fn new(number: u64, tell: &'a dyn Fn(&Reply)) -> Self {
        Self {
            number,
            tell,
            waiting: LaneUpdate::default(),
            last: now(),
        }
    }

    /// Adds an event; what waits goes out when it is much, or has waited long.
    pub(super) fn add(&mut self, event: Event) {
        self.waiting.add(event);
        if self.waiting.numbers.0.len() >= NUMBERS || now() - self.last >= MILLISECONDS {
            self.flush();
        }
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let news = News::Lane(std::mem::take(&mut self.waiting));
            let number = self.number;
            (self.tell)(&Reply { number, news });
        }
        self.last = now();
    }
}

/// Milliseconds from some beginning.
pub(super) fn now() -> f64 {
    let performance = js_sys::Reflect::get(&js_sys::global(), &"performance".into());
    let performance = performance.and_then(JsCast::dyn_into::<Performance>);
    performance.map_or_else(|_| js_sys::Date::now(), |performance| performance.now())
}

//! What the browser tells: colour scheme, time, sizes of elements.

use std::cell::Cell;

use ckptscope_plot::Theme;
use gloo_events::EventListener;
use js_sys::Array;
use leptos::ev;
use leptos::html::Div;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{MediaQueryList, ResizeObserver, ResizeObserverEntry};

thread_local! {
    static IS_PRINTING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the page is about to be printed: what is drawn later is not on the paper.
pub fn is_printing() -> bool {
    IS_PRINTING.get()
}

/// The same, now and when it changes.
pub fn is_printed() -> ReadSignal<bool> {
    let (is_printed, set_printed) = signal(is_printing());
    let before = window_event_listener(ev::beforeprint, move |_| set_printed.set(true));
    let after = window_event_listener(ev::afterprint, move |_| set_printed.set(false));
    on_cleanup(move || {
        before.remove();
        after.remove();
    });
    is_printed
}

/// The preferred colour scheme, now and when it changes; the light one while the page is printed.
pub fn theme() -> ReadSignal<Theme> {
    let query = window()
        .match_media("(prefers-color-scheme: dark)")
        .ok()
        .flatten();
    let (theme, set_theme) = signal(theme_of(
        query.as_ref().is_some_and(MediaQueryList::matches),
    ));
    // Paper is light.
    let before = EventListener::new(&window(), "beforeprint", move |_| {
        IS_PRINTING.set(true);
        set_theme.set(Theme::Light);
    });
    let own = query.clone();
    let after = EventListener::new(&window(), "afterprint", move |_| {
        IS_PRINTING.set(false);
        set_theme.set(theme_of(own.as_ref().is_some_and(MediaQueryList::matches)));
    });
    before.forget();
    after.forget();
    if let Some(query) = query {
        let now = query.clone();
        let listener = EventListener::new(&query, "change", move |_| {
            set_theme.set(theme_of(now.matches()));
        });
        // The page lives as long as the tab.
        listener.forget();
    }
    theme
}

/// Seconds since the page was opened.
pub fn now_seconds() -> f64 {
    window()
        .performance()
        .map_or(0.0, |clock| clock.now() / 1000.0)
}

/// The width of an element in CSS pixels, now and when it changes; 0 until it is there.
pub fn width_of(element: NodeRef<Div>) -> ReadSignal<u32> {
    let (width, set_width) = signal(0);
    element.on_load(move |element| {
        if is_printing() {
            set_width.set(element.client_width().max(0) as u32);
        }
        let listener = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
            // What the observer measured: asking the element would lay out the page once more.
            if let Some(entry) = entries.iter().last() {
                let entry: ResizeObserverEntry = entry.unchecked_into();
                set_width.set(entry.content_rect().width() as u32);
            }
        });
        if let Ok(observer) = ResizeObserver::new(listener.as_ref().unchecked_ref()) {
            observer.observe(&element);
            let kept = StoredValue::new_local((observer.clone(), listener));
            on_cleanup(move || {
                observer.disconnect();
                kept.dispose();
            });
        }
    });
    width
}

const fn theme_of(is_dark: bool) -> Theme {
    if is_dark { Theme::Dark } else { Theme::Light }
}

//! Whether something is near the part of the page that is seen.

use js_sys::Array;
use leptos::ev;
use leptos::html::Article;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{Element, IntersectionObserver, IntersectionObserverEntry, IntersectionObserverInit};

/// All of it is near when the page is printed; afterwards it is looked at again.
fn print_with_the_rest(
    observer: &IntersectionObserver,
    element: &Element,
    set_near: WriteSignal<bool>,
) {
    let before = window_event_listener(ev::beforeprint, move |_| set_near.set(true));
    let again = StoredValue::new_local((observer.clone(), element.clone()));
    let after = window_event_listener(ev::afterprint, move |_| {
        again.with_value(|(observer, element)| {
            observer.unobserve(element);
            observer.observe(element);
        });
    });
    on_cleanup(move || {
        before.remove();
        after.remove();
    });
}

/// How far below and above the window counts as near: less than a screen.
const MARGIN: &str = "500px 0px";

/// Whether a card is near the window, now and when that changes.
pub(super) fn near(element: NodeRef<Article>) -> ReadSignal<bool> {
    let (is_near, set_near) = signal(false);
    element.on_load(move |element| {
        let listener = Closure::<dyn FnMut(Array)>::new(move |entries: Array| {
            if let Some(entry) = entries.iter().last() {
                let entry: IntersectionObserverEntry = entry.unchecked_into();
                set_near.set(entry.is_intersecting());
            }
        });
        let options = IntersectionObserverInit::new();
        options.set_root_margin(MARGIN);
        let observer =
            IntersectionObserver::new_with_options(listener.as_ref().unchecked_ref(), &options);
        // Without an observer everything is near.
        let Ok(observer) = observer else {
            set_near.set(true);
            return;
        };
        observer.observe(&element);
        print_with_the_rest(&observer, &element, set_near);
        let kept = StoredValue::new_local((observer.clone(), listener));
        on_cleanup(move || {
            observer.disconnect();
            kept.dispose();
        });
    });
    is_near
}

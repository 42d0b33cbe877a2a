//! How far something is.

use leptos::prelude::*;

/// How far something is, in percent; something moves where that is not known.
#[component]
pub(super) fn Track(
    /// What it is of, for screen readers.
    #[prop(into)]
    label: String,
    #[prop(into)] percent: Signal<Option<f64>>,
) -> impl IntoView {
    let bar = move || match percent.get() {
        None => view! { <i class="moving"></i> }.into_any(),
        Some(percent) => view! { <i style:width=format!("{percent:.1}%")></i> }.into_any(),
    };
    view! {
        <div
            class="track"
            role="progressbar"
            aria-label=label
            aria-valuemin="0"
            aria-valuemax="100"
            aria-valuenow=move || percent.get().map(|percent| format!("{percent:.0}"))
        >
            {bar}
        </div>
    }
}

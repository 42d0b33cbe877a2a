//! Where results come from that were read from a file.

use leptos::prelude::*;

use crate::save::Download;
use crate::screens::readout;
use crate::store::State;

/// What the file says of itself, and its config.
#[component]
pub(super) fn Past() -> impl IntoView {
    let state = State::here();
    move || {
        let results = state.analysis.results.get()?;
        let config = results.config.clone();
        let facts = [
            ("analysis", results.analysis_name),
            ("of the run", results.source),
            ("steps", readout::count(results.steps.len() as u64)),
            ("written by", results.program),
        ];
        let facts = facts.map(|(name, value)| view! { <div><dt>{name}</dt><dd>{value}</dd></div> });
        let kept = config.clone();
        let save = move |_| {
            let download = Download {
                name: "config.yaml".to_owned(),
                media_type: "application/yaml",
                bytes: kept.clone().into_bytes(),
            };
            // The browser says itself what it does not allow.
            let _ = download.save();
        };
        Some(view! {
            <h2>"Saved results"</h2>
            <dl class="facts-list" data-test="results-source">{facts.collect_view()}</dl>
            <p class="label">"To ask something else, open the run itself."</p>
            <details>
                <summary>"Its config"</summary>
                <pre class="config">{config}</pre>
                <button data-test="save-config" on:click=save>"Save as config.yaml"</button>
            </details>
        })
    }
}

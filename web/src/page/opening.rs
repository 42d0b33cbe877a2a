//! The page before a run is open.

use leptos::prelude::*;

use super::readout;
use super::state::{Stage, State};

/// What the tool does, and the way in.
#[component]
pub(super) fn Opening() -> impl IntoView {
    let state = State::here();
    let is_busy = move || matches!(state.stage.get(), Stage::Opening { .. });
    let status = move || {
        match state.stage.get() {
        Stage::Opening { bytes: Some((bytes, of)), .. } => {
            let words = format!("{} of {}", readout::bytes(bytes), readout::bytes(of));
            let part = bytes as f64 / of.max(1) as f64 * 100.0;
            view! {
                <div class="track"><i style:width=format!("{part:.1}%")></i></div>
                <span class="label">{words}</span>
            }
            .into_any()
        }
        Stage::Failed(message) => view! {
            <p class="failure" role="alert" data-test="state-failed">{message}</p>
        }
        .into_any(),
        _ => view! {
            <span class="label">
                "a 3-layer decoder, 15 checkpoints of its training, "{readout::bytes(crate::demo::bytes())}
            </span>
        }
        .into_any(),
    }
    };
    view! {
        <main class="hero">
            <h1>"See how a language model develops while it trains"</h1>
            <p>"Rank, conditioning, sparsity, norms and similarity of every layer and head, over all checkpoints of a run."</p>
            <div class="invitation">
                <button class="primary" data-test="demo" disabled=is_busy on:click=move |_| state.open_demo()>
                    "Try the demo run"
                </button>
                {status}
            </div>
            <div class="facts">
                <div><b>"Nothing to install"</b>"Reading and computing happen in this tab."</div>
                <div><b>"Nothing leaves"</b>"Files are never uploaded anywhere."</div>
                <div><b>"Every step"</b>"All checkpoints are computed, never sampled."</div>
            </div>
        </main>
    }
}

//! The ways in: what a person drops or picks, and the page before a run is open.

mod choices;
mod drop_zone;
mod picker;
mod remote;
pub(super) mod taking;
mod under_way;

pub(super) use choices::Choices;
pub(super) use drop_zone::DropZone;
pub(super) use picker::{OpenMenu, PickText};
pub(super) use under_way::UnderWay;

use leptos::prelude::*;

use super::native_worker::fetching::shown;
use super::readout;
use crate::store::State;
use crate::store::open_request::OpenRequest;
use picker::Pickers;
use remote::RemoteFields;
use under_way::Status;

/// What the tool does, and the way in.
#[component]
pub(super) fn Opening() -> impl IntoView {
    let state = State::here();
    let demo = format!(
        "The demo run is a 3-layer decoder with 15 checkpoints, {}.",
        readout::bytes(crate::demo::bytes())
    );
    view! {
        <main class="hero">
            <h1>"See how a language model develops while it trains"</h1>
            <p>
                "Rank, conditioning, sparsity, norms and similarity of every layer and head, over all checkpoints of a run."
            </p>
            <div class="invitation" data-test="drop-zone">
                <strong>"Drop checkpoints or a whole run folder here"</strong>
                <span class="label">
                    "safetensors, PyTorch .pt and .bin, pico-train runs, sharded models, results files; of any size, read in place"
                </span>
                <div class="row centred">
                    <Pickers/>
                    <button class="primary" data-test="demo" on:click=move |_| state.open(OpenRequest::Demo)>
                        "Try the demo run"
                    </button>
                </div>
                <span class="label">{demo}</span>
                <RemoteFields/>
                <Status/>
            </div>
            {move || state.kept.part.get().map(|part| (part.list)())}
            {shown(state.native_worker, |views| (views.runs)())}
            <div class="facts">
                <div><b>"Stays with you"</b>"Files are read on this machine and go nowhere, unless you send them to a worker of your own."</div>
                <div><b>"Reads only what it needs"</b>"A few tensors of a 30 GB checkpoint cost a few tensors."</div>
                <div><b>"Every step"</b>"All checkpoints are computed, never sampled."</div>
            </div>
        </main>
    }
}

//! The web worker: reads, computes, and tells the page.

use std::ops::ControlFlow;

use trainscope_analysis::protocol::Event;
use trainscope_analysis::{Config, Lane, Plan, Registry, run_lane};
use trainscope_checkpoint::{Run, Tree};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::demo;
use crate::message::{Answer, Request, RunSummary};

/// Answers the page's requests from now on.
pub fn listen() {
    let listener = Closure::<dyn FnMut(MessageEvent)>::new(|event: MessageEvent| {
        let text = event.data().as_string().unwrap_or_default();
        match serde_json::from_str(&text) {
            Ok(Request::Demo) => spawn_local(demo_analysis()),
            Err(error) => tell(&Answer::Failed {
                message: format!("a request not understood: {error}"),
            }),
        }
    });
    scope().set_onmessage(Some(listener.as_ref().unchecked_ref()));
    listener.forget();
    tell(&Answer::Ready);
}

async fn demo_analysis() {
    if let Err(message) = analyse_demo().await {
        tell(&Answer::Failed { message });
    }
}

/// The demo run from its files to the last record. Errors are in words: they go to a person.
async fn analyse_demo() -> Result<(), String> {
    let of = demo::bytes();
    let fetched = |bytes| tell(&Answer::Fetched { bytes, of });
    let tree = demo::run(fetched)
        .await
        .map_err(|error| error.to_string())?;
    let text = demo::config().await.map_err(|error| error.to_string())?;
    let run = Run::find(&tree).await.map_err(|error| error.to_string())?;
    tell(&Answer::Opened(summary(&run, &tree)));
    let config = Config::parse(&text, &Registry::default()).map_err(|errors| errors.to_string())?;
    let plan = Plan::make(&config, &run, &tree)
        .await
        .map_err(|errors| errors.to_string())?;
    tell_events(vec![Event::Planned(plan.cost)]);
    for message in plan.warnings {
        tell_events(vec![Event::Warning { message }]);
    }
    for lane in &plan.lanes {
        compute(lane, &tree).await?;
    }
    tell_events(vec![Event::Done]);
    Ok(())
}

/// Computes one lane; its events go out step by step.
async fn compute(lane: &Lane, tree: &dyn Tree) -> Result<(), String> {
    let mut waiting = Vec::new();
    let mut listener = |event: Event| {
        let is_step_end = matches!(event, Event::Progress(_));
        waiting.push(event);
        if is_step_end {
            tell_events(std::mem::take(&mut waiting));
        }
        ControlFlow::Continue(())
    };
    let result = run_lane(lane, tree, &mut listener).await;
    if !waiting.is_empty() {
        tell_events(waiting);
    }
    result.map_err(|error| format!("layer {}: {error}", lane.layer))
}

fn summary(run: &Run, tree: &dyn Tree) -> RunSummary {
    let model = run.model.as_ref();
    RunSummary {
        name: tree.name().to_owned(),
        steps: run.steps.iter().map(|step| step.number).collect(),
        files: tree.files().len() as u64,
        bytes: tree.files().iter().map(|file| file.bytes).sum(),
        n_layers: model.and_then(|model| model.n_layers),
        n_heads: model.and_then(|model| model.n_heads),
        n_kv_heads: model.and_then(|model| model.n_kv_heads),
        d_model: model.and_then(|model| model.d_model),
    }
}

fn tell_events(events: Vec<Event>) {
    tell(&Answer::Events { events });
}

fn tell(answer: &Answer) {
    // Both can fail only where the page is gone, and then nobody listens.
    if let Ok(text) = serde_json::to_string(answer) {
        let _ = scope().post_message(&text.into());
    }
}

fn scope() -> DedicatedWorkerGlobalScope {
    js_sys::global().unchecked_into()
}

//! What there is to say of an analysis that a native worker computes.

use ckptscope_protocol::service;
use leptos::prelude::*;

use crate::screens::readout;
use crate::store::State;
use crate::store::analysis::computer::Connection;
use crate::store::analysis::{OnWorker, Phase};

/// Where it is computed, and how things stand with the connection; nothing where it is computed
/// in this tab.
#[component]
pub(super) fn OnWorkerStatus() -> impl IntoView {
    let state = State::here();
    let analysis = state.analysis;
    let place = Memo::new(move |_| {
        let on_worker = analysis.on_worker.get()?;
        let is_over = !matches!(analysis.phase.get(), Phase::Planning | Phase::Computing);
        let host = &on_worker.host;
        Some(match is_over {
            true => format!("Computed by the worker at {host}, which keeps it."),
            false => format!("On the worker at {host}. It goes on when this tab is closed."),
        })
    });
    let came_of_it = move || {
        let is_done = matches!(analysis.phase.get(), Phase::Done(_));
        let message = analysis.on_worker.get()?.info.message.filter(|_| is_done)?;
        Some(
            view! { <p class="label outcome" data-test="wandb-outcome">"Weights & Biases: " {message}</p> },
        )
    };
    let lost = move || {
        let on_worker = analysis.on_worker.get()?;
        let words = connection_words(&on_worker.connection).filter(|_| analysis.is_busy())?;
        Some(
            view! { <div class="remark" role="alert" data-test="connection-lost"><p>{words}</p></div> },
        )
    };
    let not_stopped = move || {
        let reason = analysis.on_worker.get()?.not_stopped?;
        Some(view! {
            <div class="remark bad" role="alert" data-test="not-stopped">
                <p>{format!("It could not be stopped: {reason}")}</p>
            </div>
        })
    };
    view! {
        <Show when=move || place.with(Option::is_some)>
            <p class="label" data-test="on-worker">{place}</p>
        </Show>
        {came_of_it}
        {lost}
        {not_stopped}
    }
}

/// What it waits for before numbers come.
pub(super) fn waiting_words(on_worker: &OnWorker) -> String {
    match (&on_worker.connection, on_worker.info.phase) {
        (Connection::Opening, _) => "Asking the worker…".to_owned(),
        (_, service::Phase::Queued) => match on_worker.info.ahead {
            0 => "Queued…".to_owned(),
            1 => "Queued, one analysis before it…".to_owned(),
            ahead => format!("Queued, {} analyses before it…", readout::count(ahead)),
        },
        _ => "Planning…".to_owned(),
    }
}

/// What is wrong with a connection; none where nothing is.
fn connection_words(connection: &Connection) -> Option<String> {
    match connection {
        Connection::Opening | Connection::Up => None,
        Connection::Lost { reason, seconds } => Some(format!(
            "Connection lost, trying again in {seconds} s ({reason}). The analysis goes on as long as the worker runs."
        )),
        Connection::WantsToken => Some(
            "The worker wants another token now: give it at the top right. The analysis goes on as long as the worker \
             runs."
                .to_owned(),
        ),
    }
}

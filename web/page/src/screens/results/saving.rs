//! All results as files.

use ckptscope_protocol::tab::WriteReport;
use ckptscope_results::Results;
use leptos::html::Details;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::export::NotSaved;
use crate::save::{self, Download};
use crate::store::State;

/// What can be saved.
#[derive(Clone, Copy)]
enum Kind {
    Report,
    Table,
    Results,
    Config,
}

const KINDS: [(Kind, &str, &str, &str); 4] = [
    (
        Kind::Report,
        "Report, to read and to print",
        "HTML",
        "save-report",
    ),
    (Kind::Table, "All numbers", "CSV", "save-all-csv"),
    (
        Kind::Results,
        "Results file, to open here again",
        "JSON",
        "save-results",
    ),
    (Kind::Config, "Config", "YAML", "save-config"),
];

/// A menu of files.
#[component]
pub(super) fn Saving() -> impl IntoView {
    let state = State::here();
    let menu = NodeRef::<Details>::new();
    let said = RwSignal::new(None::<String>);
    let close = move || {
        if let Some(menu) = menu.get_untracked() {
            menu.set_open(false);
        }
    };
    let item = move |(kind, words, format, test): (
        Kind,
        &'static str,
        &'static str,
        &'static str,
    )| {
        let save = move |_| {
            close();
            said.set(None);
            spawn_local(async move {
                let file = file(state, kind).await;
                let saved = file.and_then(|file| file.save());
                if saved.is_ok() && matches!(kind, Kind::Results) {
                    state.analysis.is_unsaved.set(false);
                }
                said.set(saved.err());
            });
        };
        view! {
            <button data-test=test on:click=save><span>{words}</span><span class="sub">{format}</span></button>
        }
    };
    view! {
        <Show when=move || state.analysis.results.with(Option::is_some)>
            <details class="menu" node_ref=menu data-test="save-menu">
                <summary>"Save"</summary>
                <div>{KINDS.map(item).collect_view()}</div>
            </details>
            <NotSaved said/>
        </Show>
    }
}

async fn file(state: State, kind: Kind) -> Result<Download, String> {
    let results = state
        .analysis
        .with_numbers()
        .ok_or("there are no results")?;
    let name = |extension| save::file_name(&[&results.analysis_name], extension);
    Ok(match kind {
        Kind::Report => Download {
            name: name("html"),
            media_type: "text/html",
            bytes: written_report(state, results).await?,
        },
        Kind::Table => Download {
            name: save::file_name(&[&results.analysis_name, "results"], "csv"),
            media_type: "text/csv",
            bytes: results.long_csv().map_err(|error| error.to_string())?,
        },
        Kind::Results => Download {
            name: name("ckptscope.json"),
            media_type: "application/json",
            bytes: results.to_json().map_err(|error| error.to_string())?,
        },
        Kind::Config => Download {
            name: name("yaml"),
            media_type: "application/yaml",
            bytes: results.config.clone().into_bytes(),
        },
    })
}

/// The content of a report; a web worker writes it, because that takes a while.
async fn written_report(state: State, results: Results) -> Result<Vec<u8>, String> {
    let results = Box::new(results);
    let report = state.web_workers.ask(WriteReport { results }).await?;
    Ok(report.html.into_bytes())
}

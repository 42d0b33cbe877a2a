//! An analysis on its way to the native worker, as a person sees it.

use leptos::html::Dialog;
use leptos::prelude::*;

use crate::screens::dialog::show_modal;
use crate::screens::readout;
use crate::screens::track::Track;
use crate::store::State;
use crate::store::native_worker::sending::{Agreement, Copying, Lost, Stage};

/// More files than this are not listed one by one.
const MOST_LISTED: usize = 500;

/// How far it is, what went wrong, and the question whether files may be copied.
#[component]
pub(super) fn SendingStatus() -> impl IntoView {
    let state = State::here();
    let stage = state.sending.stage;
    view! {
        {move || match stage.get() {
            Stage::Idle | Stage::Agreeing(_) => ().into_any(),
            Stage::Sampling { files, of } => {
                let count = format!("{} of {}", readout::count(files), readout::counted(of, "file"));
                view! { <Passing words=format!("Looking whether the worker has these files: {count}…")/> }
                    .into_any()
            }
            Stage::Asking => view! { <Passing words="Asking the worker…".to_owned()/> }.into_any(),
            Stage::Copying(copying) => view! { <CopyingStatus copying/> }.into_any(),
            Stage::Failed(message) => view! { <Failure message/> }.into_any(),
        }}
        <WhereFilesAre/>
        <AgreementDialog/>
    }
}

#[component]
fn Passing(words: String) -> impl IntoView {
    view! {
        <div class="row">
            <span class="label" role="status" data-test="sending">{words}</span>
            <span class="grow"></span>
            <GiveUp/>
        </div>
    }
}

#[component]
fn GiveUp() -> impl IntoView {
    let sending = State::here().sending;
    view! {
        <button class="quiet" data-test="cancel-sending" on:click=move |_| sending.cancel()>"Cancel"</button>
    }
}

#[component]
fn CopyingStatus(copying: Copying) -> impl IntoView {
    let percent = copying.bytes as f64 / copying.of_bytes.max(1) as f64 * 100.0;
    let lost = copying.lost.as_ref().map(|Lost { reason, seconds }| {
        format!("Interrupted, trying again in {seconds} s ({reason}). It goes on where it was.")
    });
    view! {
        <div class="progress" data-test="copying">
            <Track label="Copying files to the worker" percent=Signal::stored(Some(percent))/>
            <div class="row">
                <span class="label">{in_words(&copying)}</span>
                <span class="grow"></span>
                <GiveUp/>
            </div>
            {lost.map(|lost| view! { <p class="label lost" role="alert" data-test="copying-lost">{lost}</p> })}
        </div>
    }
}

/// `2.1 MB of 5.9 MB copied · 3.4 MB/s · 1.1 s left`.
fn in_words(copying: &Copying) -> String {
    let mut parts = vec![format!(
        "{} of {} copied",
        readout::bytes(copying.bytes),
        readout::bytes(copying.of_bytes)
    )];
    let rate = copying.bytes_per_second.filter(|rate| *rate >= 1.0);
    if let Some(rate) = rate.filter(|_| copying.lost.is_none()) {
        let left = copying.of_bytes.saturating_sub(copying.bytes) as f64 / rate;
        parts.push(format!("{}/s", readout::bytes(rate as u64)));
        parts.push(format!("{} left", readout::duration(left)));
    }
    parts.push("keep this tab open".to_owned());
    parts.join(" · ")
}

#[component]
fn Failure(message: String) -> impl IntoView {
    let stage = State::here().sending.stage;
    view! {
        <div class="remark bad" role="alert" data-test="sending-failed">
            <p>{message}</p>
            <button
                class="quiet"
                aria-label="Dismiss"
                title="Dismiss"
                on:click=move |_| stage.set(Stage::Idle)
            >
                "×"
            </button>
        </div>
    }
}

/// Whether the worker reads the files in place, or has a copy.
#[component]
fn WhereFilesAre() -> impl IntoView {
    let state = State::here();
    move || {
        let known = state.known_files()?;
        let words = match known.folder {
            Some(folder) => format!("The worker reads these files in place: {folder}"),
            None => "The worker has a copy of these files.".to_owned(),
        };
        Some(view! { <p class="label" data-test="worker-files">{words}</p> })
    }
}

#[component]
fn AgreementDialog() -> impl IntoView {
    let sending = State::here().sending;
    let agreement = Memo::new(move |_| {
        sending.stage.with(|stage| match stage {
            Stage::Agreeing(agreement) => Some(agreement.clone()),
            _ => None,
        })
    });
    let dialog = NodeRef::<Dialog>::new();
    Effect::new(move |_| {
        let is_wanted = agreement.with(Option::is_some);
        if let Some(dialog) = dialog.get() {
            show_modal(&dialog, is_wanted);
        }
    });
    view! {
        <dialog
            class="share"
            node_ref=dialog
            aria-label="copy files to the worker"
            data-test="agreement"
            on:close=move |_| sending.agree(false)
        >
            {move || agreement.get().map(|agreement| view! { <Question agreement/> })}
        </dialog>
    }
}

#[component]
fn Question(agreement: Agreement) -> impl IntoView {
    let sending = State::here().sending;
    let fits = agreement.fits();
    let (count, bytes) = (agreement.files.len(), readout::bytes(agreement.bytes()));
    let files = readout::counted(count as u64, "file");
    let left_out = match agreement.left_out {
        (0, _) => None,
        (count, bytes) => Some(format!(
            "{} that no analysis reads stay here ({}): optimizer states and the like.",
            readout::counted(count, "file"),
            readout::bytes(bytes)
        )),
    };
    let most = agreement.most_bytes.map(readout::bytes);
    let too_much = (!fits).then(|| {
        let most = most.unwrap_or_default();
        view! {
            <p class="failure" data-test="too-many-bytes">
                {format!("The worker takes {most} at most. Start it with --root at a folder above the run, on the machine where the files are: then it reads them in place.")}
            </p>
        }
    });
    let listed = agreement.files.into_iter().take(MOST_LISTED);
    let listed = listed.map(|(path, bytes)| {
        view! { <li><span class="mono">{path}</span>" "<span class="label">{readout::bytes(bytes)}</span></li> }
    });
    let rest = count.saturating_sub(MOST_LISTED);
    let rest = (rest > 0).then(
        || view! { <li>{format!("and {}", readout::counted(rest as u64, "more file"))}</li> },
    );
    view! {
        <header><h3>"Copy files to the worker?"</h3></header>
        <p>
            <b>{format!("{files}, {bytes},")}</b>
            {format!(" will be copied to the worker at {}; nothing else leaves this machine.", agreement.host)}
        </p>
        {left_out.map(|words| view! { <p class="label" data-test="left-out">{words}</p> })}
        <p class="label">
            "The worker does not see these files below its own folders, where it would read them in place."
        </p>
        {too_much}
        <details>
            <summary>"Which files"</summary>
            <ul class="file-list" tabindex="0" aria-label="Files">{listed.collect_view()}{rest}</ul>
        </details>
        <div class="row">
            <span class="grow"></span>
            <button data-test="disagree" on:click=move |_| sending.agree(false)>"Cancel"</button>
            <button
                class="primary"
                disabled=!fits
                data-test="agree"
                on:click=move |_| sending.agree(true)
            >
                {format!("Copy {bytes}")}
            </button>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_is_left_follows_from_the_rate() {
        let copying = Copying {
            bytes: 2_000_000,
            of_bytes: 6_000_000,
            bytes_per_second: Some(1_000_000.0),
            lost: None,
        };
        assert_eq!(
            in_words(&copying),
            "2.0 MB of 6.0 MB copied · 1.0 MB/s · 4.0 s left · keep this tab open"
        );
    }
}

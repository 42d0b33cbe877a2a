//! From what is to be opened to the part of the program that opens it.

use ckptscope_web_browser::part::{MissingPart, begin};
#[cfg(feature = "split")]
use ckptscope_web_browser::wasm_split::wasm_split;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::opening::taking;
use super::{arrival, kept, workbench};
use crate::run_place::RunPlace;
use crate::store::open_request::OpenRequest;
use crate::store::{OpenTask, State};

/// Opens something with the part of the program that does so.
pub(super) fn open(state: State, task: OpenTask, request: OpenRequest) {
    spawn_local(async move {
        if let Err(missing) = begin!(open_with(state, task, request)) {
            task.fail(&missing);
        }
    });
}

/// Fetches the part of the program that opens things before anything is to be opened, and finds
/// what earlier visits left.
pub(super) fn prepare(state: State) {
    spawn_local(async move {
        // Whoever needs it tries again, and says so when it fails.
        let _ = begin!(get_ready(state));
        let _ = begin!(kept::begin(state));
    });
}

/// Has the part that opens things fetched, and web workers started.
#[cfg_attr(
    feature = "split",
    wasm_split(workbench, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn get_ready(state: State) -> Result<(), MissingPart> {
    spawn_local(state.web_workers.get_ready());
    Ok(())
}

#[cfg_attr(
    feature = "split",
    wasm_split(workbench, wasm_split_path = ::ckptscope_web_browser::wasm_split, fallible)
)]
#[expect(clippy::unnecessary_wraps, reason = "fails where the part is missing")]
fn open_with(state: State, task: OpenTask, request: OpenRequest) -> Result<(), MissingPart> {
    state.workbench.set_value(Some(workbench::VIEWS));
    match request {
        OpenRequest::Demo => spawn_local(task.open_demo(None)),
        OpenRequest::Dropped(dropped) => taking::dropped(state, task, dropped),
        OpenRequest::Picked(files) => taking::picked(state, task, files),
        OpenRequest::Place(_) => spawn_local(task.open_given()),
        OpenRequest::Run(remote) => spawn_local(task.open(RunPlace::Remote(remote), None)),
        OpenRequest::Brought(brought) => state.show_brought(*brought),
        OpenRequest::Analysis(worker, info) => state.follow(worker, *info),
        OpenRequest::Address(address) => spawn_local(async move {
            if let Err(missing) = begin!(arrival::open(state, task, address)) {
                task.fail(&missing);
            }
        }),
        OpenRequest::PickFolder => spawn_local(async move {
            if let Err(missing) = begin!(kept::pick(state, task)) {
                task.fail(&missing);
            }
        }),
        OpenRequest::Again(run) => spawn_local(async move {
            if let Err(missing) = begin!(kept::open_again(state, task, run)) {
                task.fail(&missing);
            }
        }),
        OpenRequest::Kept(info, wish) => spawn_local(async move {
            if let Err(missing) = begin!(kept::open(state, task, *info, wish)) {
                task.fail(&missing);
            }
        }),
    }
    Ok(())
}

//! What is in the worker's menu: how things stand, and what can be done about it.

use ckptscope_protocol::service::Machine;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::starting::{Command, WITH_PAGE, from_elsewhere};
use crate::native::NativeWorker;
use crate::screens::readout;
use crate::store::State;
use crate::store::native_worker::{NativeConnection, Standing, storage};

/// The menu.
pub(super) fn view() -> AnyView {
    let native_worker = State::here().native_worker;
    let content = move || match native_worker.standing.get() {
        Standing::None => view! { <WithoutWorker native_worker/> }.into_any(),
        Standing::Connecting => view! { <Connecting native_worker/> }.into_any(),
        Standing::Ready(machine) => view! { <Connected native_worker machine/> }.into_any(),
        Standing::WantsToken => view! { <WantsToken native_worker/> }.into_any(),
        Standing::Lost(reason) => view! { <Lost native_worker reason/> }.into_any(),
    };
    content.into_any()
}

/// What a worker is for, how one is started, and how one that runs is used.
#[component]
fn WithoutWorker(native_worker: NativeConnection) -> impl IntoView {
    let own = NativeWorker::of_this_page("");
    let is_elsewhere = own.is_none();
    let again = own.map(|own| {
        let token = storage::token(own.address()).unwrap_or_default();
        let connect = move |_| {
            if let Some(worker) = NativeWorker::at(own.address(), &token) {
                spawn_local(native_worker.connect_by_hand(worker));
            }
        };
        view! { <button data-test="worker-again" on:click=connect>"Use the worker that this page came from"</button> }
    });
    view! {
        <h3>"Everything is computed in this tab"</h3>
        <p>
            "What is too heavy for a tab, a worker does: the same program on your workstation or server, with all of \
             its cores and its memory. It goes on when the tab is closed, and keeps what it found."
        </p>
        {again}
        <p class="label">"Start one, and it opens this page with itself connected:"</p>
        <Command text=WITH_PAGE test="worker-command"/>
        <Show when=move || is_elsewhere>
            <p class="label">"Or start one for this page, and give its address below:"</p>
            <Command text=from_elsewhere() test="worker-command-elsewhere"/>
        </Show>
        <ConnectForm native_worker/>
    }
}

/// Fields for an address and a token.
#[component]
fn ConnectForm(native_worker: NativeConnection) -> impl IntoView {
    let address = RwSignal::new("127.0.0.1:8790".to_owned());
    let token = RwSignal::new(String::new());
    let problem = RwSignal::new(None::<String>);
    let connect = move |event: SubmitEvent| {
        event.prevent_default();
        match NativeWorker::at(&address.get_untracked(), &token.get_untracked()) {
            Some(worker) => spawn_local(native_worker.connect_by_hand(worker)),
            None => problem.set(Some("This is no address: give host:port.".to_owned())),
        }
    };
    view! {
        <form class="connect" on:submit=connect>
            <label class="field">
                <span>"Address of a worker"</span>
                <input
                    type="text"
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    data-test="worker-address"
                    aria-invalid=move || problem.get().is_some().then_some("true")
                    prop:value=address
                    on:input=move |event| {
                        problem.set(None);
                        address.set(event_target_value(&event));
                    }
                />
            </label>
            <TokenField token label="Token, if it wants one"/>
            <button type="submit" class="primary" data-test="worker-connect">"Connect"</button>
        </form>
        {move || problem.get().map(|problem| view! { <p class="failure" role="alert">{problem}</p> })}
        <p class="label">
            "The address is kept in this browser for your next visit, the token in this tab until it is closed; it is \
             sent to the worker alone, and never in links or results."
        </p>
    }
}

#[component]
fn TokenField(token: RwSignal<String>, label: &'static str) -> impl IntoView {
    view! {
        <label class="field">
            <span>{label}</span>
            <input
                type="password"
                autocomplete="off"
                data-test="worker-token"
                prop:value=token
                on:input=move |event| token.set(event_target_value(&event))
            />
        </label>
    }
}

#[component]
fn Connecting(native_worker: NativeConnection) -> impl IntoView {
    view! {
        <h3>"Connecting to a worker …"</h3>
        <div class="track"><i class="moving"></i></div>
        <p class="label" role="status">{address(native_worker)}</p>
        <button data-test="worker-disconnect" on:click=move |_| native_worker.disconnect()>"Give up"</button>
    }
}

/// What the worker can do.
#[component]
fn Connected(native_worker: NativeConnection, machine: Machine) -> impl IntoView {
    let show_history = move |_| {
        native_worker.is_menu_open.set(false);
        native_worker.is_history_open.set(true);
    };
    let at_once = match machine.analyses_at_once {
        1 => "one after the other".to_owned(),
        several => format!("{several} at once"),
    };
    let state = State::here();
    let this_run = move || {
        let words = match (state.run_source(), state.known_files()) {
            _ if state.opened.with(Option::is_none) => return None,
            (Some(_), _) => "the worker reads it by itself",
            (None, Some(known)) if known.folder.is_some() => "the worker reads it by itself",
            (None, Some(_)) => "the worker has a copy of it",
            (None, None) => "the worker does not have it",
        };
        Some(view! { <div><dt>"The open run"</dt><dd>{words}</dd></div> })
    };
    view! {
        <h3>"Connected to a worker"</h3>
        <dl class="facts-list" data-test="worker-facts">
            <div><dt>"Address"</dt><dd>{address(native_worker)}</dd></div>
            <div><dt>"Threads"</dt><dd>{machine.threads}</dd></div>
            <div><dt>"Memory"</dt><dd>{readout::bytes(machine.memory_bytes)}</dd></div>
            <div><dt>"Analyses"</dt><dd>{at_once}", up to "{machine.queue_length}" more wait"</dd></div>
            <div><dt>"Version"</dt><dd>{move || native_worker.version.get()}</dd></div>
            {this_run}
        </dl>
        <p class="label">
            "Its runs are on the opening page and in the menu “Open…”. Whatever you analyse can be computed there \
             instead of in this tab."
        </p>
        <div class="row">
            <button class="primary" data-test="worker-history" on:click=show_history>"Its analyses"</button>
            <button data-test="worker-disconnect" on:click=move |_| native_worker.disconnect()>"Disconnect"</button>
        </div>
    }
}

#[component]
fn WantsToken(native_worker: NativeConnection) -> impl IntoView {
    let token = RwSignal::new(String::new());
    let worker = native_worker.worker.get_untracked();
    let was_given = worker.is_some_and(|worker| !worker.token().0.is_empty());
    let connect = move |event: SubmitEvent| {
        event.prevent_default();
        let worker = native_worker.worker.get_untracked();
        let worker = worker.and_then(|it| NativeWorker::at(it.address(), &token.get_untracked()));
        if let Some(worker) = worker {
            spawn_local(native_worker.connect_by_hand(worker));
        }
    };
    view! {
        <h3>"The worker wants a token"</h3>
        <Show when=move || was_given>
            <p class="failure" role="alert" data-test="worker-refused">
                "The token that it was shown is not its own: copy it again, all of it."
            </p>
        </Show>
        <p>
            "The worker at "{address(native_worker)}" prints an address with its token when it starts. Open that address, \
             or give the token here."
        </p>
        <form class="connect" on:submit=connect>
            <TokenField token label="Token"/>
            <button type="submit" class="primary" data-test="worker-connect">"Connect"</button>
        </form>
        <p class="label">"It stays in this tab until that is closed, and is sent to the worker alone."</p>
        <button data-test="worker-disconnect" on:click=move |_| native_worker.disconnect()>"Do without it"</button>
    }
}

#[component]
fn Lost(native_worker: NativeConnection, reason: String) -> impl IntoView {
    let retry = move |_| {
        native_worker.standing.set(Standing::Connecting);
        spawn_local(native_worker.look());
    };
    view! {
        <h3>"The worker cannot be used"</h3>
        <p class="failure" role="alert" data-test="worker-lost">{reason}</p>
        <p class="label">
            "What it computes goes on without this page. It is asked again every few seconds while this menu is open; \
             once it answers, everything goes on."
        </p>
        <div class="row">
            <button class="primary" data-test="worker-retry" on:click=retry>"Try again"</button>
            <button data-test="worker-disconnect" on:click=move |_| native_worker.disconnect()>"Do without it"</button>
        </div>
    }
}

fn address(native_worker: NativeConnection) -> String {
    let worker = native_worker.worker.get_untracked();
    worker.map_or_else(String::new, |worker| worker.address().to_owned())
}

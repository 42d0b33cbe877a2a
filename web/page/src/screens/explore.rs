//! What is in a run: the tensors of one part of one step, and one of them from near; and whether its
//! steps are what they say.

mod audit;
mod distribution;
mod grouping;
mod tensor;
mod tree;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::store::State;
use crate::store::explore::Loadable;
use audit::Audit;
use tensor::Tensor;
use tree::Tree;

/// The tensors of the chosen part, and the chosen one of them.
#[component]
pub(super) fn ExploreView() -> impl IntoView {
    let explore = State::here().explore;
    Effect::new(move |_| {
        let Some(part) = explore.part.get() else {
            return;
        };
        let is_here = explore
            .list
            .with_untracked(|list| matches!(list, Loadable::Loaded(list) if list.part == part));
        if !is_here {
            spawn_local(explore.list_tensors(part));
        }
    });
    view! {
        <div class="explore" data-test="explore">
            <Audit/>
            <Tree/>
            <Tensor/>
        </div>
    }
}

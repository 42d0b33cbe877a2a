//! The control of one parameter.

use ckptscope_protocol::{ParameterMenu, ParameterValues};
use leptos::prelude::*;

use super::field::{Problems, Typed};
use crate::store::ask::Pace;

/// The control of a parameter, of a metric or a component.
#[component]
pub(super) fn Value(
    menu: ParameterMenu,
    path: String,
    #[prop(into)] value: Signal<String>,
    set: Callback<(Pace, String)>,
) -> impl IntoView {
    let label = menu.name.replace('_', " ");
    let is_boolean = menu.values == ParameterValues::Boolean;
    let choose = move |value: String| set.run((Pace::Chosen, value));
    let type_value = Callback::new(move |value: String| set.run((Pace::Typed, value)));
    let control = match menu.values {
        ParameterValues::Choice(words) => {
            let options = words.into_iter().map(move |word| {
                let (here, option) = (word.clone(), word.clone());
                let is_on = move || value.with(|value| *value == here);
                view! { <option value=option prop:selected=is_on>{word}</option> }
            });
            view! {
                <select
                    data-test="parameter"
                    on:change:target=move |event| choose(event.target().value())
                >
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
        ParameterValues::Integer(least, most) => {
            let hint = format!("a whole number from {least} to {most}");
            view! { <Typed value path=path.clone() change=type_value hint mode="numeric" test="parameter"/> }
                .into_any()
        }
        ParameterValues::Fraction(range) => {
            let hint = format!("in {range}");
            view! { <Typed value path=path.clone() change=type_value hint mode="decimal" test="parameter"/> }
                .into_any()
        }
        ParameterValues::Boolean => view! {
            <input
                type="checkbox"
                data-test="parameter"
                prop:checked=move || value.get() == "true"
                on:change:target=move |event| choose(event.target().checked().to_string())
            />
        }
        .into_any(),
    };
    view! {
        <div class="parameter">
            <label class="field" class:tick=is_boolean><span>{label}</span>{control}</label>
            <p class="label">{menu.summary}</p>
            <Problems path=path/>
        </div>
    }
}

/// The value that a config gives.
pub(super) fn value_of(parameters: &[(String, String)], name: &str) -> Option<String> {
    let given = parameters.iter().find(|(given, _)| given == name);
    given.map(|(_, value)| value.clone())
}

pub(super) fn set_value(parameters: &mut Vec<(String, String)>, name: String, value: String) {
    match parameters.iter_mut().find(|(given, _)| *given == name) {
        Some((_, given)) => *given = value,
        None => parameters.push((name, value)),
    }
}

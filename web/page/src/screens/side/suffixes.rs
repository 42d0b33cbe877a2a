//! The suffixes of a component in the form.

use ckptscope_protocol::{ComponentForm, ComponentMenu};

/// Adds a suffix to the list of a component without roles, or takes it away. It is of suffixes then,
/// and of no parts.
pub(super) fn toggle(component: &mut ComponentForm, suffix: &str) {
    component.parts.clear();
    toggle_in(&mut component.suffixes, suffix);
}

/// The same of a part of the model.
pub(super) fn toggle_part(component: &mut ComponentForm, part: &str) {
    component.suffixes.clear();
    toggle_in(&mut component.parts, part);
}

fn toggle_in(names: &mut Vec<String>, name: &str) {
    match names.iter().position(|here| here == name) {
        Some(place) => {
            names.remove(place);
        }
        None => names.push(name.to_owned()),
    }
}

/// Gives a role of a component its suffix.
pub(super) fn set_role(component: &mut ComponentForm, role: usize, suffix: String) {
    let wanted = component.suffixes.len().max(role + 1);
    component.suffixes.resize(wanted, String::new());
    if let Some(place) = component.suffixes.get_mut(role) {
        *place = suffix;
    }
}

/// Makes a component another kind. It keeps its list where neither has roles, and its first suffix
/// where it has none any more; where it has, it takes the likeliest of `offered` for each.
pub(super) fn change_kind(
    component: &mut ComponentForm,
    had_roles: bool,
    kind: &ComponentMenu,
    offered: &[String],
) {
    component.component.clone_from(&kind.name);
    component.parameters = Vec::new();
    let roles = kind.roles.iter();
    match (had_roles, kind.roles.is_empty()) {
        (false, true) => {}
        (true, true) => component.suffixes.truncate(1),
        (_, false) => {
            component.parts.clear();
            component.suffixes = roles.map(|role| likeliest(role, offered)).collect();
        }
    }
}

/// The suffix that a role is named after: `attention.o_proj` for `output_layer`.
fn likeliest(role: &str, suffixes: &[String]) -> String {
    let initial = role.get(..1).unwrap_or_default();
    let projection = format!("{initial}_proj");
    let is_it = |suffix: &&String| suffix.rsplit('.').next() == Some(projection.as_str());
    suffixes.iter().find(is_it).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn kind(name: &str, roles: &[&str]) -> ComponentMenu {
        ComponentMenu {
            name: name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..ComponentMenu::default()
        }
    }

    fn simple(suffixes: &[&str]) -> ComponentForm {
        ComponentForm {
            component: "simple".to_owned(),
            suffixes: suffixes.iter().map(|suffix| (*suffix).to_owned()).collect(),
            ..ComponentForm::default()
        }
    }

    #[test]
    fn suffixes_come_and_go_in_the_order_of_their_choice() {
        let mut component = simple(&["b"]);
        toggle(&mut component, "a");
        assert_eq!(component.suffixes, ["b", "a"]);
        toggle(&mut component, "b");
        toggle(&mut component, "a");
        assert_eq!(component.suffixes, [""; 0]);
        toggle(&mut component, "c");
        assert_eq!(component.suffixes, ["c"]);
    }

    #[test]
    fn a_component_is_of_suffixes_or_of_parts() {
        let mut component = simple(&["a"]);
        toggle_part(&mut component, "value");
        toggle_part(&mut component, "down");
        assert_eq!(component.parts, ["value", "down"]);
        assert_eq!(component.suffixes, [""; 0]);
        toggle(&mut component, "b");
        assert_eq!(component.parts, [""; 0]);
        assert_eq!(component.suffixes, ["b"]);
    }

    #[test]
    fn a_role_has_its_place_even_where_those_before_it_are_blank() {
        let mut component = simple(&[]);
        set_role(&mut component, 1, "v".to_owned());
        assert_eq!(component.suffixes, ["", "v"]);
        set_role(&mut component, 0, "o".to_owned());
        assert_eq!(component.suffixes, ["o", "v"]);
    }

    #[test]
    fn a_circuit_takes_the_likeliest_suffixes() {
        let mut component = simple(&["a", "b"]);
        let offered = ["attention.v_proj".to_owned(), "attention.o_proj".to_owned()];
        let circuit = kind("ov_circuit", &["output_layer", "value_layer"]);
        change_kind(&mut component, false, &circuit, &offered);
        assert_eq!(component.component, "ov_circuit");
        assert_eq!(component.suffixes, ["attention.o_proj", "attention.v_proj"]);
        change_kind(&mut component, true, &kind("simple", &[]), &offered);
        assert_eq!(component.suffixes, ["attention.o_proj"]);
    }
}

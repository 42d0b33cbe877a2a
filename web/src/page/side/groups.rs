//! Components that differ in their suffix alone, as one.

use ckptscope_analysis::config::{ComponentForm, ComponentMenu};

/// Places of neighbouring components that are shown as one: the same component of the same data in
/// the same layers, each with one suffix of its own.
pub(super) fn groups(components: &[ComponentForm], menu: &[ComponentMenu]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (index, component) in components.iter().enumerate() {
        let group = groups.last_mut().filter(|group| {
            let mut members = group.iter().filter_map(|member| components.get(*member));
            is_plain(component, menu) && members.all(|member| is_like(member, component))
        });
        match group {
            Some(group) => group.push(index),
            None => groups.push(vec![index]),
        }
    }
    groups
}

/// Whether it takes one plain suffix.
fn is_plain(component: &ComponentForm, menu: &[ComponentMenu]) -> bool {
    let entry = menu.iter().find(|entry| entry.name == component.component);
    entry.is_some_and(|entry| entry.roles.is_empty()) && component.suffixes.len() <= 1
}

fn is_like(one: &ComponentForm, other: &ComponentForm) -> bool {
    one.component == other.component
        && one.data_type == other.data_type
        && one.layers == other.layers
        && one.parameters == other.parameters
        && one.suffixes != other.suffixes
}

/// Adds the suffix to a group, or takes it away. The last one leaves a blank, so that the rest of
/// the group stays.
pub(super) fn toggle_suffix(components: &mut Vec<ComponentForm>, group: &[usize], suffix: &str) {
    let has = |component: &ComponentForm, suffix: &str| {
        component
            .suffixes
            .first()
            .is_some_and(|here| here == suffix)
    };
    let place = |components: &[ComponentForm], suffix: &str| {
        let mut members = group.iter().copied();
        members.find(|member| components.get(*member).is_some_and(|it| has(it, suffix)))
    };
    if let Some(member) = place(components, suffix) {
        if group.len() > 1 {
            components.remove(member);
        } else if let Some(only) = components.get_mut(member) {
            only.suffixes = vec![String::new()];
        }
        return;
    }
    if let Some(blank) = place(components, "").and_then(|member| components.get_mut(member)) {
        blank.suffixes = vec![suffix.to_owned()];
        return;
    }
    let last = group.last().copied().unwrap_or_default();
    if let Some(like) = components.get(last).cloned() {
        let added = ComponentForm {
            suffixes: vec![suffix.to_owned()],
            ..like
        };
        components.insert(last + 1, added);
    }
}

/// Takes a group away.
pub(super) fn remove(components: &mut Vec<ComponentForm>, group: &[usize]) {
    let mut index = 0;
    components.retain(|_| {
        index += 1;
        !group.contains(&(index - 1))
    });
}

/// Makes a group another kind of component: each suffix a component of its own where the kind
/// takes plain suffixes, else one component with the likeliest suffix in each role.
pub(super) fn change_kind(
    components: &mut Vec<ComponentForm>,
    group: &[usize],
    kind: &ComponentMenu,
    suffixes: &[String],
) {
    let is_plain = kind.roles.is_empty();
    let (kept, dropped) = group.split_at(if is_plain {
        group.len()
    } else {
        1.min(group.len())
    });
    remove(components, dropped);
    for member in kept {
        let Some(component) = components.get_mut(*member) else {
            continue;
        };
        component.component.clone_from(&kind.name);
        component.parameters = Vec::new();
        if is_plain {
            component.suffixes.truncate(1);
        } else {
            component.suffixes = kind
                .roles
                .iter()
                .map(|role| likeliest(role, suffixes))
                .collect();
        }
    }
}

/// The suffix that a role is named after: `attention.o_proj` for `output_layer`.
pub(super) fn likeliest(role: &str, suffixes: &[String]) -> String {
    let initial = role.get(..1).unwrap_or_default();
    let projection = format!("{initial}_proj");
    let is_it = |suffix: &&String| suffix.rsplit('.').next() == Some(projection.as_str());
    suffixes.iter().find(is_it).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    fn menu() -> Vec<ComponentMenu> {
        let entry = |name: &str, roles: &[&str]| ComponentMenu {
            name: name.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..ComponentMenu::default()
        };
        vec![
            entry("simple", &[]),
            entry("ov_circuit", &["output_layer", "value_layer"]),
        ]
    }

    fn simple(data_type: &str, suffix: &str) -> ComponentForm {
        ComponentForm {
            component: "simple".to_owned(),
            data_type: data_type.to_owned(),
            suffixes: vec![suffix.to_owned()],
            layers: "all".to_owned(),
            ..ComponentForm::default()
        }
    }

    fn suffixes(components: &[ComponentForm]) -> Vec<&str> {
        components
            .iter()
            .map(|it| it.suffixes[0].as_str())
            .collect()
    }

    #[test]
    fn only_the_suffix_may_differ_within_a_group() {
        let mut components = vec![
            simple("weights", "a"),
            simple("weights", "b"),
            simple("gradients", "a"),
            simple("gradients", "b"),
        ];
        assert_eq!(groups(&components, &menu()), [vec![0, 1], vec![2, 3]]);
        components[1].layers = "0".to_owned();
        assert_eq!(groups(&components, &menu()), [vec![0], vec![1], vec![2, 3]]);
    }

    #[test]
    fn a_suffix_given_twice_and_a_circuit_stay_apart() {
        let circuit = ComponentForm {
            component: "ov_circuit".to_owned(),
            ..simple("weights", "a")
        };
        let components = [simple("weights", "a"), simple("weights", "a"), circuit];
        assert_eq!(groups(&components, &menu()), [vec![0], vec![1], vec![2]]);
    }

    #[test]
    fn suffixes_come_and_go_and_the_last_leaves_a_blank() {
        let mut components = vec![simple("weights", "a"), simple("gradients", "x")];
        toggle_suffix(&mut components, &[0], "b");
        assert_eq!(suffixes(&components), ["a", "b", "x"]);
        toggle_suffix(&mut components, &[0, 1], "a");
        assert_eq!(suffixes(&components), ["b", "x"]);
        toggle_suffix(&mut components, &[0], "b");
        assert_eq!(suffixes(&components), ["", "x"]);
        toggle_suffix(&mut components, &[0], "c");
        assert_eq!(suffixes(&components), ["c", "x"]);
    }

    #[test]
    fn a_circuit_takes_the_likeliest_suffixes() {
        let mut components = vec![simple("weights", "a"), simple("weights", "b")];
        let offered = ["attention.v_proj".to_owned(), "attention.o_proj".to_owned()];
        change_kind(&mut components, &[0, 1], &menu()[1], &offered);
        assert_eq!(components.len(), 1);
        assert_eq!(
            components[0].suffixes,
            ["attention.o_proj", "attention.v_proj"]
        );
        change_kind(&mut components, &[0], &menu()[0], &offered);
        assert_eq!(components[0].suffixes, ["attention.o_proj"]);
    }
}

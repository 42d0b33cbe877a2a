//! What an object of a pickle holds: a module its parameters, a distributed tensor its local part,
//! anything else its attributes and items.

use super::value::{Object, Value, Values};

/// The dicts, lists and tuples whose content an object has, in order; [`Value::None`] for none.
pub(super) type Sections = [Value; 5];

/// What an object is to somebody who looks for tensors.
pub(super) enum Meaning {
    /// Something that holds values, by names and positions.
    Holder(Sections),
    /// The same, and a module of PyTorch: its `state_dict()` would have these names.
    Module(Sections),
    /// Another value in a wrapper.
    Wraps(Value),
    /// A value that is no tensor and holds none: a date, a path, a size.
    Plain,
    /// What may have been a tensor, and why it cannot be read.
    Unknown(String),
}

/// What an object is.
pub(super) fn meaning(values: &Values<'_>, object: &Object<'_>) -> Meaning {
    if (object.module, object.name) == ("torch._utils", "_rebuild_wrapper_subclass") {
        return wrapper(values, object);
    }
    if let Some(sections) = module_sections(values, object) {
        return Meaning::Module(sections);
    }
    let sections = sections(values, object);
    let is_list_or_dict = [object.entries, object.items] != [Value::None; 2];
    let has_attributes = matches!(
        sections,
        [_, _, Value::Dict(_), ..] | [_, _, _, Value::Dict(_), _]
    );
    if is_list_or_dict || has_attributes {
        Meaning::Holder(sections)
    } else if makes_plain_values(object) {
        Meaning::Plain
    } else if object.is_instance {
        Meaning::Holder(sections)
    } else {
        Meaning::Unknown(unknown(object))
    }
}

/// A module's own tensors, then those of the modules in it, as `state_dict()` has them.
fn module_sections(values: &Values<'_>, object: &Object<'_>) -> Option<Sections> {
    let part = |name| values.attribute(object.state, name);
    let (parameters, modules) = (part("_parameters")?, part("_modules")?);
    let buffers = part("_buffers").unwrap_or(Value::None);
    Some([parameters, buffers, modules, Value::None, Value::None])
}

/// Entries, items, attributes, those of `__slots__`, and what an instance was made of.
fn sections(values: &Values<'_>, object: &Object<'_>) -> Sections {
    let is_attributes = |value: Value| matches!(value, Value::None | Value::Dict(_));
    let (attributes, slots) = match values.items(object.state) {
        Some(&[attributes, slots]) if is_attributes(attributes) && is_attributes(slots) => {
            (attributes, slots)
        }
        _ => (object.state, Value::None),
    };
    let made_of = if object.is_instance {
        object.arguments
    } else {
        Value::None
    };
    [object.entries, object.items, attributes, slots, made_of]
}

/// `_rebuild_wrapper_subclass((class, dtype, size, ...))` makes a tensor that keeps others in its
/// state. Of those a DTensor is known: where its local part is as large as it, that is it.
fn wrapper(values: &Values<'_>, object: &Object<'_>) -> Meaning {
    let arguments = values.items(object.arguments).unwrap_or_default();
    let class = arguments.first().and_then(|class| values.global(*class));
    let (module, name) = class.unwrap_or(("torch", "Tensor"));
    if name != "DTensor" {
        return Meaning::Unknown(format!(
            "it is a {module}.{name}, which keeps its elements in its own way: save it as a plain \
             tensor"
        ));
    }
    let told = |what: &str| {
        Meaning::Unknown(format!(
            "it is a DTensor, of which this file has {what}: save `t.full_tensor()`"
        ))
    };
    let attribute = |name| {
        let parts = values.items(object.state).unwrap_or_default();
        let in_parts = || parts.iter().find_map(|part| values.attribute(*part, name));
        values.attribute(object.state, name).or_else(in_parts)
    };
    let local = attribute("_local_tensor").unwrap_or(Value::None);
    let Value::Tensor(index) = local else {
        return told("no local part");
    };
    let whole = arguments.get(2).and_then(|size| extents(values, *size));
    let part = values
        .tensor(index)
        .and_then(|it| extents(values, it.shape));
    let placements = attribute("_spec").and_then(|spec| {
        let state = values.object(spec).map_or(spec, |spec| spec.state);
        values.attribute(state, "placements")
    });
    let is_sum = |placement: &Value| {
        let object = values.object(*placement);
        object.is_some_and(|it| it.name.contains("Partial"))
    };
    let placements = placements.and_then(|them| values.items(them));
    match (whole, part, placements) {
        (Some(whole), Some(part), _) if whole != part => told("a part"),
        (Some(_), Some(_), Some(placements)) if !placements.iter().any(is_sum) => {
            Meaning::Wraps(local)
        }
        (Some(_), Some(_), Some(_)) => told("one summand of several"),
        _ => told("no placements"),
    }
}

fn extents(values: &Values<'_>, shape: Value) -> Option<Vec<u64>> {
    let shape = values
        .object(shape)
        .map_or(shape, |size| size_of(values, size));
    let items = values.items(shape)?.iter();
    items.map(|item| values.natural(*item)).collect()
}

/// The tuple that `torch.Size` was made of.
fn size_of(values: &Values<'_>, size: &Object<'_>) -> Value {
    let arguments = values.items(size.arguments).unwrap_or_default();
    arguments.first().copied().unwrap_or(Value::None)
}

/// Whether an object is made by what makes plain values only.
fn makes_plain_values(object: &Object<'_>) -> bool {
    let package = object.module.split('.').next().unwrap_or_default();
    match object.module {
        "torch" => matches!(object.name, "Size" | "device" | "dtype" | "Generator"),
        "torch.serialization" => object.name == "_get_layout",
        "builtins" | "__builtin__" => BUILTINS.contains(&object.name),
        "numpy" => object.name == "dtype",
        module if module.starts_with("numpy.random") => true,
        _ => PLAIN_PACKAGES.contains(&package),
    }
}

/// Python's own packages, and others, whose functions and classes make plain values.
const PLAIN_PACKAGES: &[&str] = &[
    "_codecs",
    "collections",
    "datetime",
    "decimal",
    "enum",
    "fractions",
    "functools",
    "ipaddress",
    "operator",
    "pathlib",
    "pytz",
    "re",
    "time",
    "types",
    "uuid",
    "zoneinfo",
];

const BUILTINS: &[&str] = &[
    "bytearray",
    "bytes",
    "complex",
    "frozenset",
    "getattr",
    "list",
    "object",
    "range",
    "set",
    "slice",
    "tuple",
    "xrange",
];

/// Why what a function made cannot be read, and what to do.
fn unknown(object: &Object<'_>) -> String {
    let (module, name) = (object.module, object.name);
    let advice = match (module, name) {
        ("torch._utils", "_rebuild_qtensor") => "a quantised tensor: save `t.dequantize()`",
        ("torch._utils", "_rebuild_sparse_tensor" | "_rebuild_sparse_csr_tensor") => {
            "a sparse tensor: save `t.to_dense()`"
        }
        ("torch._utils", "_rebuild_meta_tensor_no_storage") => {
            "a tensor of the device `meta`, which has no elements"
        }
        ("torch._utils", "_rebuild_nested_tensor") => {
            "a nested tensor: save `t.to_padded_tensor(0)` or its parts"
        }
        _ => return format!("it is made by {module}.{name}, not a tensor"),
    };
    format!("it is {advice}")
}

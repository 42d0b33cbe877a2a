//! What calls and persistent ids of a pickle make: descriptions of tensors and storages, maps,
//! and objects. Nothing is ever looked up, imported or run.

use super::pickle::{Machine, NESTING_LIMIT};
use super::storage::{StorageType, dtype_of_global};
use super::value::{Object, Opaque, StorageValue, TensorValue, Value};
use crate::error::PickleError;

/// The arguments of a tensor's rebuild function.
struct View {
    storage: Value,
    offset: Value,
    shape: Value,
    strides: Value,
    /// The dtype, where the storage does not say it.
    dtype: Option<Value>,
    /// What else is to be known of the tensor, by name.
    properties: Value,
}

impl<'p> Machine<'p> {
    /// Calls a global with a tuple of arguments. Of what it makes, tensors, maps and bytes are
    /// known; anything else is an object that remembers how it was made.
    pub(super) fn call(
        &mut self,
        callable: Value,
        arguments: Value,
        is_instance: bool,
    ) -> Result<Value, PickleError> {
        let Value::Tuple(_) = arguments else {
            return Err(self.unexpected("a tuple of arguments", arguments));
        };
        let Call {
            callable,
            arguments,
            state,
        } = self.innermost(callable, arguments)?;
        let Some(function) = self.values.global(callable) else {
            return self.made_by_value(callable);
        };
        let items = self.values.items(arguments).unwrap_or_default();
        match (function, items) {
            (("torch._utils" | "torch._tensor", name), _) => match rebuilt(name, items) {
                Some(Rebuilt::View(view)) => self.new_tensor(function, &view),
                Some(Rebuilt::Same(tensor)) => Ok(tensor),
                None if REBUILDERS.contains(&name) => Err(self.bad_arguments(function)),
                None => self.new_object(function, arguments, state, is_instance),
            },
            (("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict"), &[]) => {
                self.map(function, None)
            }
            (("collections", "OrderedDict") | ("builtins" | "__builtin__", "dict"), &[pairs]) => {
                self.map(function, Some(pairs))
            }
            (("_codecs", "encode"), &[text, encoding])
            | (("builtins" | "__builtin__", "bytearray"), &[text, encoding]) => {
                match (text, self.values.text(encoding)) {
                    (Value::Text(text), Some("latin1" | "latin-1")) => Ok(Value::BytesAsText(text)),
                    _ => self.new_object(function, arguments, state, is_instance),
                }
            }
            (("builtins" | "__builtin__", "bytes" | "bytearray"), &[]) => self.no_bytes(),
            (
                ("builtins" | "__builtin__", "bytes" | "bytearray"),
                &[bytes @ (Value::Bytes(_) | Value::BytesAsText(_))],
            ) => Ok(bytes),
            _ => self.new_object(function, arguments, state, is_instance),
        }
    }

    /// `_rebuild_from_type_v2(function, type, arguments, state)` calls another function: the one
    /// that is called in the end, with its arguments and its state.
    fn innermost(&self, callable: Value, arguments: Value) -> Result<Call, PickleError> {
        let mut call = Call {
            callable,
            arguments,
            state: Value::None,
        };
        for _ in 0..NESTING_LIMIT {
            let wraps = Some(("torch._tensor", "_rebuild_from_type_v2"));
            match self.values.items(call.arguments) {
                Some(&[callable, _, arguments, state])
                    if self.values.global(call.callable) == wraps =>
                {
                    call = Call {
                        callable,
                        arguments,
                        state,
                    };
                }
                _ => return Ok(call),
            }
        }
        Err(PickleError::TooDeep {
            limit: NESTING_LIMIT,
        })
    }

    /// What a callable makes that is no global: more of what it is itself.
    pub(super) fn made_by_value(&self, callable: Value) -> Result<Value, PickleError> {
        match callable {
            Value::Object(_) | Value::Opaque(_) => Ok(callable),
            other => Err(self.unexpected("a function", other)),
        }
    }

    /// An instance of a class.
    pub(super) fn new_instance(
        &mut self,
        class: (&'p str, &'p str),
        arguments: &[Value],
    ) -> Result<Value, PickleError> {
        let arguments = self.new_tuple(arguments)?;
        self.new_object(class, arguments, Value::None, true)
    }

    fn new_object(
        &mut self,
        (module, name): (&'p str, &'p str),
        arguments: Value,
        state: Value,
        is_instance: bool,
    ) -> Result<Value, PickleError> {
        let object = Object {
            module,
            name,
            is_instance,
            arguments,
            state,
            entries: Value::None,
            items: Value::None,
        };
        Ok(Value::Object(
            self.account.number(&mut self.values.objects, object)?,
        ))
    }

    pub(super) fn new_opaque(&mut self, opaque: Opaque<'p>) -> Result<Value, PickleError> {
        Ok(Value::Opaque(
            self.account.number(&mut self.values.opaques, opaque)?,
        ))
    }

    fn no_bytes(&mut self) -> Result<Value, PickleError> {
        Ok(Value::Bytes(
            self.account.number(&mut self.values.bytes, (0, 0))?,
        ))
    }

    fn map(&mut self, function: (&str, &str), pairs: Option<Value>) -> Result<Value, PickleError> {
        let mut entries = Vec::new();
        let pairs = pairs
            .and_then(|pairs| self.values.items(pairs))
            .unwrap_or_default();
        for pair in pairs {
            let Some([key, value]) = self.values.items(*pair) else {
                return Err(self.bad_arguments(function));
            };
            self.account.push(&mut entries, (*key, *value))?;
        }
        Ok(Value::Dict(
            self.account.number(&mut self.values.dicts, entries)?,
        ))
    }

    fn new_tensor(&mut self, function: (&str, &str), view: &View) -> Result<Value, PickleError> {
        let storage = match view.storage {
            Value::Storage(index) => index,
            Value::Opaque(_) => return Ok(view.storage),
            _ => return Err(self.bad_arguments(function)),
        };
        let elements = self
            .values
            .storage(storage)
            .map(|storage| storage.storage_type);
        let named = view.dtype.map(|dtype| self.values.global(dtype));
        let dtype = match (named, elements) {
            (Some(Some((module, name))), _) => dtype_of_global(module, name).ok_or(name),
            (None, Some(StorageType::Known(dtype))) => Ok(dtype),
            (None, Some(StorageType::Other { name, .. })) => Err(name),
            _ => return Err(self.bad_arguments(function)),
        };
        let dtype = match dtype {
            Ok(dtype) => dtype,
            Err(name) => return self.new_opaque(Opaque::Elements(name)),
        };
        let negated = match self.is_negated(view.properties) {
            Ok(negated) => negated,
            Err(property) => return self.new_opaque(Opaque::Property(property)),
        };
        let tensor = TensorValue {
            storage,
            dtype,
            offset: view.offset,
            shape: view.shape,
            strides: view.strides,
            negated,
        };
        Ok(Value::Tensor(
            self.account.number(&mut self.values.tensors, tensor)?,
        ))
    }

    /// Whether a tensor's properties say that its values have the other sign. The conjugate of real
    /// numbers are they themselves. The error is a property that is not known.
    fn is_negated(&self, properties: Value) -> Result<bool, &'p str> {
        if properties == Value::None {
            return Ok(false);
        }
        let mut negated = false;
        for (key, value) in self.values.entries(properties).ok_or("no dict")? {
            match (self.values.text(*key), value) {
                (Some("neg"), Value::Bool(is_set)) => negated = *is_set,
                (Some("conj"), Value::Bool(_)) => {}
                (name, _) => return Err(name.unwrap_or("no text")),
            }
        }
        Ok(negated)
    }

    fn bad_arguments(&self, (module, name): (&str, &str)) -> PickleError {
        PickleError::BadArguments {
            function: format!("{module}.{name}"),
            position: self.instruction,
        }
    }

    /// `('storage', torch.FloatStorage, key, device, elements)`, and in legacy files the part of
    /// the storage that is viewed: `None` or `(key, offset, elements)`. Legacy files also have
    /// `('module', class, source file, source)` for a class.
    pub(super) fn persistent(&mut self, id: Value) -> Result<Value, PickleError> {
        if let Some(&[kind, class, _, _]) = self.values.items(id)
            && self.values.text(kind) == Some("module")
        {
            return Ok(class);
        }
        match self.described_storage(id) {
            Some(storage) => Ok(Value::Storage(
                self.account.number(&mut self.values.storages, storage)?,
            )),
            None => self.new_opaque(Opaque::PersistentId),
        }
    }

    fn described_storage(&self, id: Value) -> Option<StorageValue<'p>> {
        let values = &self.values;
        let (kind, class, key, elements, view) = match *values.items(id)? {
            [kind, class, key, _, elements] => (kind, class, key, elements, Value::None),
            [kind, class, key, _, elements, view] => (kind, class, key, elements, view),
            _ => return None,
        };
        if values.text(kind)? != "storage" {
            return None;
        }
        let (module, class) = values.global(class)?;
        let view = match view {
            Value::None => None,
            view => match *values.items(view)? {
                [_, offset, elements] => Some((values.natural(offset)?, values.natural(elements)?)),
                _ => return None,
            },
        };
        Some(StorageValue {
            storage_type: StorageType::of_class(module, class)?,
            key: values.text(key)?,
            elements: values.natural(elements)?,
            view,
        })
    }
}

/// What is called in the end, with its arguments, and the state of what it makes.
struct Call {
    callable: Value,
    arguments: Value,
    state: Value,
}

/// What a rebuild function makes.
enum Rebuilt {
    View(View),
    /// What it was given, as a parameter or on another device.
    Same(Value),
}

/// What a rebuild function makes of its arguments; none where it does not take them.
fn rebuilt(function: &str, arguments: &[Value]) -> Option<Rebuilt> {
    let view = |storage, offset, shape, strides, dtype, properties| {
        Some(Rebuilt::View(View {
            storage,
            offset,
            shape,
            strides,
            dtype,
            properties,
        }))
    };
    match (function, arguments) {
        ("_rebuild_tensor", &[storage, offset, shape, strides])
        | ("_rebuild_tensor_v2", &[storage, offset, shape, strides, _, _]) => {
            view(storage, offset, shape, strides, None, Value::None)
        }
        ("_rebuild_tensor_v2", &[storage, offset, shape, strides, _, _, properties]) => {
            view(storage, offset, shape, strides, None, properties)
        }
        ("_rebuild_tensor_v3", &[storage, offset, shape, strides, _, _, dtype]) => {
            view(storage, offset, shape, strides, Some(dtype), Value::None)
        }
        ("_rebuild_tensor_v3", &[storage, offset, shape, strides, _, _, dtype, properties]) => {
            view(storage, offset, shape, strides, Some(dtype), properties)
        }
        ("_rebuild_parameter", &[data, _, _])
        | ("_rebuild_parameter_with_state", &[data, _, _, _])
        | (
            "_rebuild_device_tensor_from_numpy"
            | "_rebuild_device_tensor_from_cpu_tensor"
            | "_rebuild_xla_tensor",
            &[data, _, _, _],
        ) => Some(Rebuilt::Same(data)),
        _ => None,
    }
}

/// The functions that every file has; with arguments that they do not take the pickle is broken.
const REBUILDERS: &[&str] = &[
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_parameter",
    "_rebuild_parameter_with_state",
    "_rebuild_from_type_v2",
];

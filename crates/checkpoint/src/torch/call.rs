//! What calls and persistent ids of a pickle make: descriptions of tensors and storages, maps,
//! and opaque values. Nothing is ever looked up, imported or run.

use super::pickle::{Machine, NESTING_LIMIT};
use super::storage::{StorageType, dtype_of_global};
use super::value::{Opaque, StorageValue, TensorValue, Value};
use crate::error::PickleError;

impl<'p> Machine<'p> {
    /// Calls a global with a tuple of arguments. Of what it makes, tensors and maps are known.
    pub(super) fn call(&mut self, callable: Value, arguments: Value) -> Result<Value, PickleError> {
        let Value::Tuple(_) = arguments else {
            return Err(self.unexpected("a tuple of arguments", arguments));
        };
        let (callable, arguments) = self.innermost(callable, arguments)?;
        let Some(function) = self.values.global(callable) else {
            return self.made_by(callable);
        };
        let items = self.values.items(arguments).unwrap_or_default();
        match (function, items) {
            (("torch._utils", "_rebuild_tensor"), &[storage, offset, shape, strides])
            | (
                ("torch._utils", "_rebuild_tensor_v2"),
                &[storage, offset, shape, strides, _, _]
                | &[storage, offset, shape, strides, _, _, _],
            ) => self.new_tensor(function, (storage, offset, shape, strides), None),
            (
                ("torch._utils", "_rebuild_tensor_v3"),
                &[storage, offset, shape, strides, _, _, dtype]
                | &[storage, offset, shape, strides, _, _, dtype, _],
            ) => self.new_tensor(function, (storage, offset, shape, strides), Some(dtype)),
            (("torch._utils", "_rebuild_parameter"), &[data, _, _])
            | (("torch._utils", "_rebuild_parameter_with_state"), &[data, _, _, _]) => Ok(data),
            (("collections", "OrderedDict"), &[]) => self.ordered_dict(None),
            (("collections", "OrderedDict"), &[pairs]) => self.ordered_dict(Some(pairs)),
            (("torch._utils" | "torch._tensor", name), _) if REBUILDERS.contains(&name) => {
                Err(self.bad_arguments(function))
            }
            _ => self.made_by(callable),
        }
    }

    /// `_rebuild_from_type_v2(function, type, arguments, state)` calls another function: the one
    /// that is called in the end, with its arguments.
    fn innermost(&self, callable: Value, arguments: Value) -> Result<(Value, Value), PickleError> {
        let (mut callable, mut arguments) = (callable, arguments);
        for _ in 0..NESTING_LIMIT {
            let wraps = Some(("torch._tensor", "_rebuild_from_type_v2"));
            match self.values.items(arguments) {
                Some(&[inner, _, inner_arguments, _]) if self.values.global(callable) == wraps => {
                    (callable, arguments) = (inner, inner_arguments);
                }
                _ => return Ok((callable, arguments)),
            }
        }
        Err(PickleError::TooDeep {
            limit: NESTING_LIMIT,
        })
    }

    /// What a callable makes that is not known: an opaque value that says its name.
    pub(super) fn made_by(&mut self, callable: Value) -> Result<Value, PickleError> {
        match callable {
            Value::Global(_) => {
                let (module, name) = self.values.global(callable).unwrap_or_default();
                self.new_opaque(Opaque::Made { module, name })
            }
            Value::Opaque(_) => Ok(callable),
            other => Err(self.unexpected("a function", other)),
        }
    }

    pub(super) fn new_opaque(&mut self, opaque: Opaque<'p>) -> Result<Value, PickleError> {
        Ok(Value::Opaque(
            self.account.number(&mut self.values.opaques, opaque)?,
        ))
    }

    fn ordered_dict(&mut self, pairs: Option<Value>) -> Result<Value, PickleError> {
        let mut entries = Vec::new();
        let pairs = pairs
            .and_then(|pairs| self.values.items(pairs))
            .unwrap_or_default();
        for pair in pairs {
            let Some([key, value]) = self.values.items(*pair) else {
                return Err(self.bad_arguments(("collections", "OrderedDict")));
            };
            self.account.push(&mut entries, (*key, *value))?;
        }
        Ok(Value::Dict(
            self.account.number(&mut self.values.dicts, entries)?,
        ))
    }

    fn new_tensor(
        &mut self,
        function: (&str, &str),
        (storage, offset, shape, strides): (Value, Value, Value, Value),
        dtype: Option<Value>,
    ) -> Result<Value, PickleError> {
        let storage = match storage {
            Value::Storage(index) => index,
            Value::Opaque(_) => return Ok(storage),
            _ => return Err(self.bad_arguments(function)),
        };
        let elements = self
            .values
            .storage(storage)
            .map(|storage| storage.storage_type);
        let named = dtype.map(|dtype| self.values.global(dtype));
        let dtype = match (named, elements) {
            (Some(Some((module, name))), _) => dtype_of_global(module, name).ok_or(name),
            (None, Some(StorageType::Known(dtype))) => Ok(dtype),
            (None, Some(StorageType::Other { name, .. })) => Err(name),
            _ => return Err(self.bad_arguments(function)),
        };
        match dtype {
            Ok(dtype) => {
                let tensor = TensorValue {
                    storage,
                    dtype,
                    offset,
                    shape,
                    strides,
                };
                Ok(Value::Tensor(
                    self.account.number(&mut self.values.tensors, tensor)?,
                ))
            }
            Err(name) => self.new_opaque(Opaque::Elements(name)),
        }
    }

    fn bad_arguments(&self, (module, name): (&str, &str)) -> PickleError {
        PickleError::BadArguments {
            function: format!("{module}.{name}"),
            position: self.instruction,
        }
    }

    /// `('storage', torch.FloatStorage, key, device, elements)`, and in legacy files the part of
    /// the storage that is viewed: `None` or `(key, offset, elements)`.
    pub(super) fn storage(&mut self, id: Value) -> Result<Value, PickleError> {
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

/// The functions that make tensors; others of their modules are opaque.
const REBUILDERS: &[&str] = &[
    "_rebuild_tensor",
    "_rebuild_tensor_v2",
    "_rebuild_tensor_v3",
    "_rebuild_parameter",
    "_rebuild_parameter_with_state",
    "_rebuild_from_type_v2",
];

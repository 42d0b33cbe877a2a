//! Pickle as an inert value machine.
//!
//! A pickle is a program for a stack machine. This one knows no code: a global is a pair of
//! words, and calling one makes a tensor's description, a map, or an opaque value. Values live in
//! flat arenas and refer to each other by number, so aliases cost nothing, cycles do no harm, and
//! nothing is recursive, not even dropping.
//!
//! The instructions are those of CPython's `pickletools`, protocols 0 to 5.

use std::collections::HashMap;

use super::storage::{StorageType, dtype_of_global};
use crate::dtype::Dtype;
use crate::error::PickleError;

/// Longer pickles are refused.
pub(super) const PICKLE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// More instructions than this are refused, and more memorised values.
const OPCODES_LIMIT: u64 = 10_000_000;

/// Deeper nesting is refused: of marks here, of values where they are unfolded.
pub(super) const NESTING_LIMIT: usize = 200;

/// The values of a pickle may take this many times its length, and [`VALUES_FLOOR_BYTES`].
/// State dicts take 4 to 5 times theirs.
const VALUES_PER_BYTE: u64 = 8;

/// What the values of any pickle may take.
const VALUES_FLOOR_BYTES: u64 = 256 * 1024;

/// A value: small ones by themselves, others by their number in an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i32),
    /// An integer beyond 32 bits.
    Wide(u32),
    /// A float, bytes, a set, an integer beyond 128 bits: nothing a tensor is made of.
    Scalar,
    Text(u32),
    Global(u32),
    Tuple(u32),
    List(u32),
    Dict(u32),
    Storage(u32),
    Tensor(u32),
    Opaque(u32),
}

/// The values that a pickle made.
#[derive(Debug, Default)]
pub(super) struct Values<'p> {
    integers: Vec<i128>,
    texts: Vec<&'p str>,
    globals: Vec<(&'p str, &'p str)>,
    tuple_items: Vec<Value>,
    tuples: Vec<(u32, u32)>,
    lists: Vec<Vec<Value>>,
    dicts: Vec<Vec<(Value, Value)>>,
    storages: Vec<StorageValue<'p>>,
    tensors: Vec<TensorValue>,
    opaques: Vec<Opaque<'p>>,
}

/// A storage as its persistent id describes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct StorageValue<'p> {
    pub(super) storage_type: StorageType,
    pub(super) key: &'p str,
    /// Elements of the storage; bytes of an untyped one.
    pub(super) elements: u64,
    /// The part that is a storage of its own in old files: (first element, elements).
    pub(super) view: Option<(u64, u64)>,
}

/// A tensor as its rebuild function was called.
#[derive(Clone, Copy, Debug)]
pub(super) struct TensorValue {
    pub(super) storage: u32,
    pub(super) dtype: Dtype,
    pub(super) offset: Value,
    pub(super) shape: Value,
    pub(super) strides: Value,
}

/// Why a value is not understood.
#[derive(Clone, Copy, Debug)]
pub(super) enum Opaque<'p> {
    /// What a global would have made.
    Made { module: &'p str, name: &'p str },
    /// A tensor of elements that cannot be read.
    Elements(&'p str),
    /// A persistent id that names no storage.
    PersistentId,
}

/// One pickle, run to its end.
#[derive(Debug)]
pub(super) struct Pickle<'p> {
    pub(super) values: Values<'p>,
    pub(super) root: Value,
    /// Bytes up to and including the last instruction.
    pub(super) length: usize,
}

impl<'p> Pickle<'p> {
    /// Runs the pickle at the start of `bytes`.
    pub(super) fn read(bytes: &'p [u8]) -> Result<Self, PickleError> {
        let length = bytes.len() as u64;
        if length > PICKLE_LIMIT_BYTES {
            return Err(PickleError::TooLong {
                bytes: length,
                limit: PICKLE_LIMIT_BYTES,
            });
        }
        match bytes {
            [] => return Err(PickleError::Ended { position: 0 }),
            [0x80, 2..=5, ..] => {}
            _ => return Err(PickleError::Protocol),
        }
        Machine::new(bytes).run()
    }
}

impl<'p> Values<'p> {
    /// An integer, where the value is one that 128 bits hold.
    pub(super) fn integer(&self, value: Value) -> Option<i128> {
        match value {
            Value::Int(integer) => Some(integer.into()),
            Value::Wide(index) => get(&self.integers, index).copied(),
            Value::Bool(truth) => Some(truth.into()),
            _ => None,
        }
    }

    /// A natural number of 64 bits, where the value is one.
    pub(super) fn natural(&self, value: Value) -> Option<u64> {
        self.integer(value)
            .and_then(|integer| u64::try_from(integer).ok())
    }

    /// A text, where the value is one.
    pub(super) fn text(&self, value: Value) -> Option<&'p str> {
        match value {
            Value::Text(index) => get(&self.texts, index).copied(),
            _ => None,
        }
    }

    /// A global's module and name, where the value is one.
    pub(super) fn global(&self, value: Value) -> Option<(&'p str, &'p str)> {
        match value {
            Value::Global(index) => get(&self.globals, index).copied(),
            _ => None,
        }
    }

    /// The items of a tuple or a list, where the value is one.
    pub(super) fn items(&self, value: Value) -> Option<&[Value]> {
        match value {
            Value::Tuple(index) => {
                let (start, length) = *get(&self.tuples, index)?;
                let rest = self.tuple_items.get(start as usize..)?;
                rest.get(..length as usize)
            }
            Value::List(index) => get(&self.lists, index).map(Vec::as_slice),
            _ => None,
        }
    }

    /// The items of a dict, where the value is one.
    pub(super) fn entries(&self, value: Value) -> Option<&[(Value, Value)]> {
        match value {
            Value::Dict(index) => get(&self.dicts, index).map(Vec::as_slice),
            _ => None,
        }
    }

    /// A storage, by its number.
    pub(super) fn storage(&self, index: u32) -> Option<&StorageValue<'p>> {
        get(&self.storages, index)
    }

    /// Every storage, as often as it was named.
    pub(super) fn storages(&self) -> &[StorageValue<'p>] {
        &self.storages
    }

    /// A tensor, by its number.
    pub(super) fn tensor(&self, index: u32) -> Option<&TensorValue> {
        get(&self.tensors, index)
    }

    /// An opaque value, by its number.
    pub(super) fn opaque(&self, index: u32) -> Option<&Opaque<'p>> {
        get(&self.opaques, index)
    }
}

/// The machine in its run.
struct Machine<'p> {
    pickle: &'p [u8],
    position: usize,
    /// Where the instruction in hand begins.
    instruction: usize,
    stack: Vec<Value>,
    /// Stack heights.
    marks: Vec<usize>,
    memo: Memo,
    values: Values<'p>,
    /// What the values take, about.
    used_bytes: u64,
    limit_bytes: u64,
}

impl<'p> Machine<'p> {
    fn new(pickle: &'p [u8]) -> Self {
        Self {
            pickle,
            position: 0,
            instruction: 0,
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Memo::default(),
            values: Values::default(),
            used_bytes: 0,
            limit_bytes: VALUES_FLOOR_BYTES + VALUES_PER_BYTE * pickle.len() as u64,
        }
    }

    fn run(mut self) -> Result<Pickle<'p>, PickleError> {
        for _ in 0..OPCODES_LIMIT {
            self.instruction = self.position;
            let opcode = self.u8()?;
            if opcode == b'.' {
                let root = self.pop()?;
                return Ok(Pickle {
                    values: self.values,
                    root,
                    length: self.position,
                });
            }
            self.step(opcode)?;
            self.check_size()?;
        }
        Err(PickleError::TooManyOpcodes {
            limit: OPCODES_LIMIT,
        })
    }

    fn step(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            0x80 => self.protocol(),
            0x95 => self.take(8).map(drop),
            b'(' => self.mark(),
            b'0' => self.pop_one(),
            b'1' => self.pop_mark().map(drop),
            b'2' => self.duplicate(),
            b'N' | 0x88 | 0x89 | b'I' | b'J' | b'K' | b'M' | b'L' | 0x8a | 0x8b => {
                self.number(opcode)
            }
            b'F' | b'G' | b'B' | b'C' | 0x8e | 0x96 => self.scalar(opcode),
            b'S' | b'T' | b'U' | b'V' | b'X' | 0x8c | 0x8d => self.text(opcode),
            b')' | b't' | 0x85..=0x87 => self.tuple(opcode),
            b']' | b'l' | b'a' | b'e' => self.list(opcode),
            b'}' | b'd' | b's' | b'u' => self.dict(opcode),
            0x8f..=0x91 => self.set(opcode),
            b'p' | b'q' | b'r' | 0x94 => self.memorise(opcode),
            b'g' | b'h' | b'j' => self.recall(opcode),
            b'c' | 0x93 => self.global(opcode),
            b'R' | 0x81 | 0x92 | b'i' | b'o' => self.make(opcode),
            b'b' => self.build(),
            b'P' | b'Q' => self.persistent(opcode),
            _ => Err(PickleError::UnknownOpcode {
                opcode,
                position: self.instruction,
            }),
        }
    }

    fn protocol(&mut self) -> Result<(), PickleError> {
        if self.u8()? > 5 {
            Err(PickleError::Protocol)
        } else {
            Ok(())
        }
    }

    fn mark(&mut self) -> Result<(), PickleError> {
        if self.marks.len() == NESTING_LIMIT {
            return Err(PickleError::TooDeep {
                limit: NESTING_LIMIT,
            });
        }
        self.marks.push(self.stack.len());
        Ok(())
    }

    /// POP takes a value, or a mark where one is on top.
    fn pop_one(&mut self) -> Result<(), PickleError> {
        if self.marks.last() == Some(&self.stack.len()) {
            self.marks.pop();
            return Ok(());
        }
        self.pop().map(drop)
    }

    fn duplicate(&mut self) -> Result<(), PickleError> {
        let top = self.top()?;
        self.stack.push(top);
        Ok(())
    }

    fn number(&mut self, opcode: u8) -> Result<(), PickleError> {
        let value = match opcode {
            b'N' => Value::None,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'J' => Value::Int(i32::from_le_bytes(self.array()?)),
            b'K' => Value::Int(self.u8()?.into()),
            b'M' => Value::Int(u16::from_le_bytes(self.array()?).into()),
            b'I' | b'L' => self.decimal()?,
            0x8a => {
                let length = self.u8()?.into();
                self.long(length)?
            }
            _ => {
                let length = self.u32()?.into();
                self.long(length)?
            }
        };
        self.stack.push(value);
        Ok(())
    }

    /// INT and LONG: a line of decimal digits; `00` and `01` are truth values.
    fn decimal(&mut self) -> Result<Value, PickleError> {
        let line = self.line()?;
        match line {
            "00" => return Ok(Value::Bool(false)),
            "01" => return Ok(Value::Bool(true)),
            _ => {}
        }
        let digits = line.strip_suffix('L').unwrap_or(line);
        let integer = digits.parse::<i128>();
        integer
            .map(|integer| self.integer(integer))
            .map_err(|_| PickleError::BadNumber {
                position: self.instruction,
            })
    }

    /// LONG1 and LONG4: two's complement, little-endian, of any length.
    fn long(&mut self, length: u64) -> Result<Value, PickleError> {
        let bytes = self.take(length)?;
        let sign = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
        let mut wide = [if sign { 0xff } else { 0 }; 16];
        let Some(low) = wide.get_mut(..bytes.len()) else {
            return Ok(Value::Scalar);
        };
        low.copy_from_slice(bytes);
        Ok(self.integer(i128::from_le_bytes(wide)))
    }

    fn integer(&mut self, integer: i128) -> Value {
        match i32::try_from(integer) {
            Ok(integer) => Value::Int(integer),
            Err(_) => Value::Wide(add(
                &mut self.values.integers,
                integer,
                &mut self.used_bytes,
            )),
        }
    }

    fn scalar(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            b'F' => self.line().map(drop)?,
            b'G' => self.take(8).map(drop)?,
            _ => {
                let length = match opcode {
                    b'B' => self.u32()?.into(),
                    b'C' => self.u8()?.into(),
                    _ => self.u64()?,
                };
                self.take(length)?;
            }
        }
        self.stack.push(Value::Scalar);
        Ok(())
    }

    fn text(&mut self, opcode: u8) -> Result<(), PickleError> {
        let bytes = match opcode {
            b'S' | b'V' => self.line()?.trim_matches(['\'', '"']).as_bytes(),
            _ => {
                let length = match opcode {
                    b'T' | b'X' => self.u32()?.into(),
                    b'U' | 0x8c => self.u8()?.into(),
                    _ => self.u64()?,
                };
                self.take(length)?
            }
        };
        let value = match std::str::from_utf8(bytes) {
            Ok(text) => self.new_text(text),
            // Texts of Python 2 are bytes, and need be no Unicode.
            Err(_) if matches!(opcode, b'T' | b'U') => Value::Scalar,
            Err(_) => {
                return Err(PickleError::BadText {
                    position: self.instruction,
                });
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn new_text(&mut self, text: &'p str) -> Value {
        Value::Text(add(&mut self.values.texts, text, &mut self.used_bytes))
    }

    fn tuple(&mut self, opcode: u8) -> Result<(), PickleError> {
        let start = match opcode {
            b')' => self.stack.len(),
            b't' => self.pop_mark_height()?,
            _ => self.height_of_last(usize::from(opcode - 0x84))?,
        };
        let items = self.stack.get(start..).unwrap_or_default();
        let place = (self.values.tuple_items.len() as u32, items.len() as u32);
        self.used_bytes += size_of_val(items) as u64;
        self.values.tuple_items.extend_from_slice(items);
        self.stack.truncate(start);
        let index = add(&mut self.values.tuples, place, &mut self.used_bytes);
        self.stack.push(Value::Tuple(index));
        Ok(())
    }

    fn list(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            b']' => self.new_list(Vec::new()),
            b'l' => {
                let items = self.pop_mark()?;
                self.new_list(items);
            }
            _ => {
                let items = if opcode == b'a' {
                    vec![self.pop()?]
                } else {
                    self.pop_mark()?
                };
                return self.append(&items);
            }
        }
        Ok(())
    }

    fn new_list(&mut self, items: Vec<Value>) {
        self.used_bytes += size_of_val(items.as_slice()) as u64;
        let index = add(&mut self.values.lists, items, &mut self.used_bytes);
        self.stack.push(Value::List(index));
    }

    fn append(&mut self, items: &[Value]) -> Result<(), PickleError> {
        match self.top()? {
            Value::List(index) => {
                if let Some(list) = self.values.lists.get_mut(index as usize) {
                    extend(list, items.iter().copied(), &mut self.used_bytes);
                }
                Ok(())
            }
            Value::Opaque(_) | Value::Scalar => Ok(()),
            other => Err(self.unexpected("a list", other)),
        }
    }

    fn dict(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            b'}' => self.new_dict(),
            b'd' => {
                let items = self.pop_mark()?;
                self.new_dict();
                return self.insert(&items);
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                return self.insert(&[key, value]);
            }
            _ => {
                let items = self.pop_mark()?;
                return self.insert(&items);
            }
        }
        Ok(())
    }

    fn new_dict(&mut self) {
        let index = add(&mut self.values.dicts, Vec::new(), &mut self.used_bytes);
        self.stack.push(Value::Dict(index));
    }

    fn insert(&mut self, items: &[Value]) -> Result<(), PickleError> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(PickleError::OddItems {
                position: self.instruction,
            });
        }
        match self.top()? {
            Value::Dict(index) => {
                let pairs = pairs.iter().map(|[key, value]| (*key, *value));
                if let Some(dict) = self.values.dicts.get_mut(index as usize) {
                    extend(dict, pairs, &mut self.used_bytes);
                }
                Ok(())
            }
            Value::Opaque(_) => Ok(()),
            other => Err(self.unexpected("a dict", other)),
        }
    }

    /// Sets hold nothing that a tensor is made of.
    fn set(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            0x8f => self.stack.push(Value::Scalar),
            0x90 => self.pop_mark().map(drop)?,
            _ => {
                self.pop_mark()?;
                self.stack.push(Value::Scalar);
            }
        }
        Ok(())
    }

    fn memorise(&mut self, opcode: u8) -> Result<(), PickleError> {
        let index = match opcode {
            b'p' => self.decimal_index()?,
            b'q' => self.u8()?.into(),
            b'r' => self.u32()?.into(),
            _ => self.memo.len(),
        };
        let value = self.top()?;
        self.used_bytes += self.memo.store(index, value);
        if self.memo.len() > OPCODES_LIMIT {
            return Err(PickleError::MemoTooLarge {
                limit: OPCODES_LIMIT,
            });
        }
        Ok(())
    }

    fn recall(&mut self, opcode: u8) -> Result<(), PickleError> {
        let index = match opcode {
            b'g' => self.decimal_index()?,
            b'h' => self.u8()?.into(),
            _ => self.u32()?.into(),
        };
        let value = self.memo.recall(index);
        let position = self.instruction;
        self.stack
            .push(value.ok_or(PickleError::NoSuchMemo { index, position })?);
        Ok(())
    }

    fn decimal_index(&mut self) -> Result<u64, PickleError> {
        let line = self.line()?;
        line.parse().map_err(|_| PickleError::BadNumber {
            position: self.instruction,
        })
    }

    fn global(&mut self, opcode: u8) -> Result<(), PickleError> {
        let (module, name) = if opcode == b'c' {
            (self.line()?, self.line()?)
        } else {
            let name = self.pop_text()?;
            (self.pop_text()?, name)
        };
        let index = add(
            &mut self.values.globals,
            (module, name),
            &mut self.used_bytes,
        );
        self.stack.push(Value::Global(index));
        Ok(())
    }

    fn pop_text(&mut self) -> Result<&'p str, PickleError> {
        let value = self.pop()?;
        self.values
            .text(value)
            .ok_or_else(|| self.unexpected("a text", value))
    }

    /// REDUCE, NEWOBJ and NEWOBJ_EX call what is on the stack; INST and OBJ make objects, of
    /// which none is known.
    fn make(&mut self, opcode: u8) -> Result<(), PickleError> {
        let value = match opcode {
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                self.pop_mark()?;
                self.new_opaque(Opaque::Made { module, name })
            }
            b'o' => {
                let class = self.pop_mark()?.first().copied();
                let class = class.ok_or(PickleError::StackEmpty {
                    position: self.instruction,
                })?;
                self.made_by(class)?
            }
            _ => {
                if opcode == 0x92 {
                    self.pop()?;
                }
                let arguments = self.pop()?;
                let callable = self.pop()?;
                self.call(callable, arguments)?
            }
        };
        self.stack.push(value);
        Ok(())
    }

    fn call(&mut self, callable: Value, arguments: Value) -> Result<Value, PickleError> {
        let Value::Tuple(_) = arguments else {
            return Err(self.unexpected("a tuple of arguments", arguments));
        };
        let (mut callable, mut arguments) = (callable, arguments);
        // `_rebuild_from_type_v2` calls another function; each turn unwraps one.
        for _ in 0..NESTING_LIMIT {
            let Some(function) = self.values.global(callable) else {
                return self.made_by(callable);
            };
            let items = self.values.items(arguments).unwrap_or_default();
            match (function, items) {
                (("torch._utils", "_rebuild_tensor"), [storage, offset, shape, strides])
                | (
                    ("torch._utils", "_rebuild_tensor_v2"),
                    [storage, offset, shape, strides, _, _]
                    | [storage, offset, shape, strides, _, _, _],
                ) => {
                    let view = (*storage, *offset, *shape, *strides);
                    return self.new_tensor(function, view, None);
                }
                (
                    ("torch._utils", "_rebuild_tensor_v3"),
                    [storage, offset, shape, strides, _, _, dtype]
                    | [storage, offset, shape, strides, _, _, dtype, _],
                ) => {
                    let view = (*storage, *offset, *shape, *strides);
                    return self.new_tensor(function, view, Some(*dtype));
                }
                (("torch._utils", "_rebuild_parameter"), [data, _, _])
                | (("torch._utils", "_rebuild_parameter_with_state"), [data, _, _, _]) => {
                    return Ok(*data);
                }
                (("torch._tensor", "_rebuild_from_type_v2"), [inner, _, inner_arguments, _]) => {
                    (callable, arguments) = (*inner, *inner_arguments);
                }
                (("collections", "OrderedDict"), []) => return self.ordered_dict(None),
                (("collections", "OrderedDict"), [pairs]) => {
                    let pairs = *pairs;
                    return self.ordered_dict(Some(pairs));
                }
                (("torch._utils" | "torch._tensor", name), _) if REBUILDERS.contains(&name) => {
                    return Err(self.bad_arguments(function));
                }
                _ => return self.made_by(callable),
            }
        }
        Err(PickleError::TooDeep {
            limit: NESTING_LIMIT,
        })
    }

    /// What a callable makes that is not known: an opaque value that says its name.
    fn made_by(&mut self, callable: Value) -> Result<Value, PickleError> {
        match callable {
            Value::Global(_) => {
                let (module, name) = self.values.global(callable).unwrap_or_default();
                Ok(self.new_opaque(Opaque::Made { module, name }))
            }
            Value::Opaque(_) => Ok(callable),
            other => Err(self.unexpected("a function", other)),
        }
    }

    fn new_opaque(&mut self, opaque: Opaque<'p>) -> Value {
        Value::Opaque(add(&mut self.values.opaques, opaque, &mut self.used_bytes))
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
            entries.push((*key, *value));
        }
        self.used_bytes += size_of_val(entries.as_slice()) as u64;
        Ok(Value::Dict(add(
            &mut self.values.dicts,
            entries,
            &mut self.used_bytes,
        )))
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
        Ok(match dtype {
            Ok(dtype) => {
                let tensor = TensorValue {
                    storage,
                    dtype,
                    offset,
                    shape,
                    strides,
                };
                Value::Tensor(add(&mut self.values.tensors, tensor, &mut self.used_bytes))
            }
            Err(name) => self.new_opaque(Opaque::Elements(name)),
        })
    }

    fn bad_arguments(&self, (module, name): (&str, &str)) -> PickleError {
        PickleError::BadArguments {
            function: format!("{module}.{name}"),
            position: self.instruction,
        }
    }

    /// BUILD gives an object its state. Of what is known here, none keeps a state that matters.
    fn build(&mut self) -> Result<(), PickleError> {
        self.pop()?;
        self.top().map(drop)
    }

    fn persistent(&mut self, opcode: u8) -> Result<(), PickleError> {
        let value = if opcode == b'P' {
            self.line()?;
            self.new_opaque(Opaque::PersistentId)
        } else {
            let id = self.pop()?;
            self.storage(id)
        };
        self.stack.push(value);
        Ok(())
    }

    /// `('storage', torch.FloatStorage, key, device, elements)`, and in legacy files the part of
    /// the storage that is viewed: `None` or `(key, offset, elements)`.
    fn storage(&mut self, id: Value) -> Value {
        match self.described_storage(id) {
            Some(storage) => Value::Storage(add(
                &mut self.values.storages,
                storage,
                &mut self.used_bytes,
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

    fn check_size(&self) -> Result<(), PickleError> {
        let stack = size_of_val(self.stack.as_slice()) as u64;
        if self.used_bytes + stack > self.limit_bytes {
            return Err(PickleError::TooManyValues {
                limit: self.limit_bytes,
            });
        }
        Ok(())
    }

    fn top(&self) -> Result<Value, PickleError> {
        let above = self
            .stack
            .get(self.floor()..)
            .and_then(<[Value]>::last)
            .copied();
        above.ok_or(PickleError::StackEmpty {
            position: self.instruction,
        })
    }

    fn pop(&mut self) -> Result<Value, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The height below which the innermost mark hides the stack.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn height_of_last(&self, count: usize) -> Result<usize, PickleError> {
        let height = self
            .stack
            .len()
            .checked_sub(count)
            .filter(|height| *height >= self.floor());
        height.ok_or(PickleError::StackEmpty {
            position: self.instruction,
        })
    }

    fn pop_mark_height(&mut self) -> Result<usize, PickleError> {
        self.marks.pop().ok_or(PickleError::NoMark {
            position: self.instruction,
        })
    }

    fn pop_mark(&mut self) -> Result<Vec<Value>, PickleError> {
        let height = self.pop_mark_height()?;
        Ok(self.stack.split_off(height.min(self.stack.len())))
    }

    fn unexpected(&self, expected: &'static str, found: Value) -> PickleError {
        PickleError::Unexpected {
            expected,
            found: found.kind(),
            position: self.instruction,
        }
    }

    fn take(&mut self, length: u64) -> Result<&'p [u8], PickleError> {
        let end = usize::try_from(length)
            .ok()
            .and_then(|n| self.position.checked_add(n));
        let taken = end.and_then(|end| Some((end, self.pickle.get(self.position..end)?)));
        let (end, taken) = taken.ok_or(PickleError::Ended {
            position: self.instruction,
        })?;
        self.position = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let taken = self.take(N as u64)?;
        taken.try_into().map_err(|_| PickleError::Ended {
            position: self.instruction,
        })
    }

    fn u8(&mut self) -> Result<u8, PickleError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u32(&mut self) -> Result<u32, PickleError> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, PickleError> {
        self.array().map(u64::from_le_bytes)
    }

    fn line(&mut self) -> Result<&'p str, PickleError> {
        let rest = self.pickle.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n');
        let length = length.ok_or(PickleError::Ended {
            position: self.instruction,
        })?;
        let line = self.take(length as u64)?;
        self.position += 1;
        std::str::from_utf8(line).map_err(|_| PickleError::BadText {
            position: self.instruction,
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

impl Value {
    /// What messages call it.
    fn kind(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Bool(_) => "a truth value",
            Self::Int(_) | Self::Wide(_) => "an integer",
            Self::Scalar => "a plain value",
            Self::Text(_) => "a text",
            Self::Global(_) => "a global",
            Self::Tuple(_) => "a tuple",
            Self::List(_) => "a list",
            Self::Dict(_) => "a dict",
            Self::Storage(_) => "a storage",
            Self::Tensor(_) => "a tensor",
            Self::Opaque(_) => "an unknown object",
        }
    }
}

/// Memorised values: picklers number them from 0 without gaps; others go into a map.
#[derive(Default)]
struct Memo {
    dense: Vec<Value>,
    sparse: HashMap<u64, Value>,
}

impl Memo {
    fn len(&self) -> u64 {
        (self.dense.len() + self.sparse.len()) as u64
    }

    /// Stores a value and returns about how many bytes that took.
    fn store(&mut self, index: u64, value: Value) -> u64 {
        let next = self.dense.len() as u64;
        if index == next {
            self.dense.push(value);
            return size_of::<Value>() as u64;
        }
        let slot = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get_mut(index));
        match slot {
            Some(slot) => {
                *slot = value;
                0
            }
            None => match self.sparse.insert(index, value) {
                Some(_) => 0,
                None => 2 * size_of::<(u64, Value)>() as u64,
            },
        }
    }

    fn recall(&self, index: u64) -> Option<Value> {
        let dense = usize::try_from(index)
            .ok()
            .and_then(|index| self.dense.get(index));
        dense.or_else(|| self.sparse.get(&index)).copied()
    }
}

fn get<T>(arena: &[T], index: u32) -> Option<&T> {
    arena.get(index as usize)
}

/// Adds to an arena, and to the account of what the values take. A pickle of 64 MiB cannot make
/// more values than 32 bits count.
fn add<T>(arena: &mut Vec<T>, item: T, used_bytes: &mut u64) -> u32 {
    *used_bytes += size_of::<T>() as u64;
    arena.push(item);
    (arena.len() - 1) as u32
}

/// Adds to a list or a dict, and what its allocation grew by to the account.
fn extend<T>(list: &mut Vec<T>, items: impl Iterator<Item = T>, used_bytes: &mut u64) {
    let before = list.capacity();
    list.extend(items);
    *used_bytes += ((list.capacity() - before) * size_of::<T>()) as u64;
}

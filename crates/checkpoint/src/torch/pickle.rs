//! Pickle as an inert value machine.
//!
//! A pickle is a program for a stack machine. This one knows no code: a global is a pair of
//! words, and calling one makes a tensor's description, a map, or an object, which is what was
//! said to make it. Values live in flat arenas and refer to each other by number, so aliases cost
//! nothing, cycles do no harm, and nothing is recursive, not even dropping.
//!
//! The instructions are those of CPython's `pickletools`, protocols 0 to 5.

use super::account::{Account, Memo};
use super::value::{Opaque, Value, Values};
use crate::error::PickleError;

/// Longer pickles are refused.
pub(super) const PICKLE_LIMIT_BYTES: u64 = 64 * 1024 * 1024;

/// More instructions than this are refused.
const OPCODES_LIMIT: u64 = 10_000_000;

/// Values are memorised by numbers below this.
const MEMO_LIMIT: u64 = 10_000_000;

/// Deeper nesting is refused: of marks here, of values where they are unfolded.
pub(super) const NESTING_LIMIT: usize = 200;

/// One pickle, run to its end.
#[derive(Debug)]
pub(super) struct Pickle<'p> {
    bytes: &'p [u8],
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

    /// Where a text of it stands, counted from its first byte.
    pub(super) fn position_of(&self, text: &str) -> Option<u64> {
        let position = text
            .as_ptr()
            .addr()
            .checked_sub(self.bytes.as_ptr().addr())?;
        (position <= self.bytes.len()).then_some(position as u64)
    }
}

/// The machine in its run.
pub(super) struct Machine<'p> {
    pickle: &'p [u8],
    position: usize,
    /// Where the instruction in hand begins.
    pub(super) instruction: usize,
    stack: Vec<Value>,
    /// Stack heights.
    marks: Vec<usize>,
    memo: Memo,
    pub(super) values: Values<'p>,
    pub(super) account: Account,
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
            account: Account::of_pickle(pickle.len()),
        }
    }

    fn run(mut self) -> Result<Pickle<'p>, PickleError> {
        for _ in 0..OPCODES_LIMIT {
            self.instruction = self.position;
            let opcode = self.u8()?;
            if opcode == b'.' {
                let root = self.pop()?;
                return Ok(Pickle {
                    bytes: self.pickle,
                    values: self.values,
                    root,
                    length: self.position,
                });
            }
            self.step(opcode)?;
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
            b'F' | b'G' => self.float(opcode),
            b'B' | b'C' | 0x8e | 0x96 => self.bytes(opcode),
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
            b'P' | b'Q' => self.persistent_id(opcode),
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
        self.push(top)
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
        self.push(value)
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
        match digits.parse::<i128>() {
            Ok(integer) => self.integer(integer),
            Err(_) => Err(PickleError::BadNumber {
                position: self.instruction,
            }),
        }
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
        self.integer(i128::from_le_bytes(wide))
    }

    fn integer(&mut self, integer: i128) -> Result<Value, PickleError> {
        match i32::try_from(integer) {
            Ok(integer) => Ok(Value::Int(integer)),
            Err(_) => Ok(Value::Wide(
                self.account.number(&mut self.values.integers, integer)?,
            )),
        }
    }

    fn float(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            b'F' => self.line().map(drop)?,
            _ => self.take(8).map(drop)?,
        }
        self.push(Value::Scalar)
    }

    fn bytes(&mut self, opcode: u8) -> Result<(), PickleError> {
        let length = match opcode {
            b'B' => self.u32()?.into(),
            b'C' => self.u8()?.into(),
            _ => self.u64()?,
        };
        let start = self.position;
        let length = self.take(length)?.len();
        let place = (start as u32, length as u32);
        let index = self.account.number(&mut self.values.bytes, place)?;
        self.push(Value::Bytes(index))
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
            Ok(text) => Value::Text(self.account.number(&mut self.values.texts, text)?),
            // Texts of Python 2 are bytes, and need be no Unicode.
            Err(_) if matches!(opcode, b'T' | b'U') => Value::Scalar,
            Err(_) => {
                return Err(PickleError::BadText {
                    position: self.instruction,
                });
            }
        };
        self.push(value)
    }

    fn tuple(&mut self, opcode: u8) -> Result<(), PickleError> {
        let start = match opcode {
            b')' => self.stack.len(),
            b't' => self.pop_mark_height()?,
            _ => self.height_of_last(usize::from(opcode - 0x84))?,
        };
        let items = self.stack.split_off(start.min(self.stack.len()));
        let tuple = self.new_tuple(&items)?;
        self.push(tuple)
    }

    pub(super) fn new_tuple(&mut self, items: &[Value]) -> Result<Value, PickleError> {
        let place = (self.values.tuple_items.len() as u32, items.len() as u32);
        self.account
            .extend(&mut self.values.tuple_items, items.iter().copied())?;
        let index = self.account.number(&mut self.values.tuples, place)?;
        Ok(Value::Tuple(index))
    }

    fn list(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            b']' => self.new_list(),
            b'l' => {
                let items = self.pop_mark()?;
                self.new_list()?;
                self.append(&items)
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])
            }
            _ => {
                let items = self.pop_mark()?;
                self.append(&items)
            }
        }
    }

    fn new_list(&mut self) -> Result<(), PickleError> {
        let index = self.account.number(&mut self.values.lists, Vec::new())?;
        self.push(Value::List(index))
    }

    /// APPEND and APPENDS: what takes items is a list, whatever made it.
    fn append(&mut self, items: &[Value]) -> Result<(), PickleError> {
        let index = match self.top()? {
            Value::List(index) => index,
            Value::Object(object) => self.items_of(object)?,
            Value::Opaque(_) | Value::Scalar => return Ok(()),
            other => return Err(self.unexpected("a list", other)),
        };
        let list = self.values.lists.get_mut(index as usize);
        list.map_or(Ok(()), |list| {
            self.account.extend(list, items.iter().copied())
        })
    }

    /// The list of an object's items, made where it has none yet.
    fn items_of(&mut self, object: u32) -> Result<u32, PickleError> {
        let new = self.values.lists.len() as u32;
        let object = self.values.objects.get_mut(object as usize);
        match object.map(|object| &mut object.items) {
            Some(Value::List(index)) => return Ok(*index),
            Some(items) => *items = Value::List(new),
            None => {}
        }
        self.account.number(&mut self.values.lists, Vec::new())
    }

    fn dict(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            b'}' => self.new_dict(),
            b'd' => {
                let items = self.pop_mark()?;
                self.new_dict()?;
                self.insert(&items)
            }
            b's' => {
                let value = self.pop()?;
                let key = self.pop()?;
                self.insert(&[key, value])
            }
            _ => {
                let items = self.pop_mark()?;
                self.insert(&items)
            }
        }
    }

    fn new_dict(&mut self) -> Result<(), PickleError> {
        let index = self.account.number(&mut self.values.dicts, Vec::new())?;
        self.push(Value::Dict(index))
    }

    /// SETITEM and SETITEMS: what takes items by key is a dict, whatever made it.
    fn insert(&mut self, items: &[Value]) -> Result<(), PickleError> {
        let (pairs, rest) = items.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(PickleError::OddItems {
                position: self.instruction,
            });
        }
        let index = match self.top()? {
            Value::Dict(index) => index,
            Value::Object(object) => self.entries_of(object)?,
            Value::Opaque(_) => return Ok(()),
            other => return Err(self.unexpected("a dict", other)),
        };
        let pairs = pairs.iter().map(|[key, value]| (*key, *value));
        let dict = self.values.dicts.get_mut(index as usize);
        dict.map_or(Ok(()), |dict| self.account.extend(dict, pairs))
    }

    /// The dict of an object's entries, made where it has none yet.
    fn entries_of(&mut self, object: u32) -> Result<u32, PickleError> {
        let new = self.values.dicts.len() as u32;
        let object = self.values.objects.get_mut(object as usize);
        match object.map(|object| &mut object.entries) {
            Some(Value::Dict(index)) => return Ok(*index),
            Some(entries) => *entries = Value::Dict(new),
            None => {}
        }
        self.account.number(&mut self.values.dicts, Vec::new())
    }

    /// Sets hold nothing that a tensor is made of.
    fn set(&mut self, opcode: u8) -> Result<(), PickleError> {
        match opcode {
            0x8f => self.push(Value::Scalar),
            0x90 => self.pop_mark().map(drop),
            _ => {
                self.pop_mark()?;
                self.push(Value::Scalar)
            }
        }
    }

    fn memorise(&mut self, opcode: u8) -> Result<(), PickleError> {
        let index = match opcode {
            b'p' => self.decimal_index()?,
            b'q' => self.u8()?.into(),
            b'r' => self.u32()?.into(),
            _ => self.memo.len(),
        };
        if index >= MEMO_LIMIT {
            return Err(PickleError::MemoTooLarge {
                index,
                limit: MEMO_LIMIT,
            });
        }
        let value = self.top()?;
        self.memo.store(index, value, &mut self.account)
    }

    fn recall(&mut self, opcode: u8) -> Result<(), PickleError> {
        let index = match opcode {
            b'g' => self.decimal_index()?,
            b'h' => self.u8()?.into(),
            _ => self.u32()?.into(),
        };
        let value = self.memo.recall(index);
        let position = self.instruction;
        self.push(value.ok_or(PickleError::NoSuchMemo { index, position })?)
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
        let index = self
            .account
            .number(&mut self.values.globals, (module, name))?;
        self.push(Value::Global(index))
    }

    fn pop_text(&mut self) -> Result<&'p str, PickleError> {
        let value = self.pop()?;
        self.values
            .text(value)
            .ok_or_else(|| self.unexpected("a text", value))
    }

    /// REDUCE calls a function; NEWOBJ, NEWOBJ_EX, INST and OBJ ask a class for an instance.
    fn make(&mut self, opcode: u8) -> Result<(), PickleError> {
        let value = match opcode {
            b'i' => {
                let class = (self.line()?, self.line()?);
                let arguments = self.pop_mark()?;
                self.new_instance(class, &arguments)?
            }
            b'o' => {
                let items = self.pop_mark()?;
                let (class, arguments) = items.split_first().ok_or(PickleError::StackEmpty {
                    position: self.instruction,
                })?;
                match self.values.global(*class) {
                    Some(class) => self.new_instance(class, arguments)?,
                    None => self.made_by_value(*class)?,
                }
            }
            _ => {
                if opcode == 0x92 {
                    self.pop()?;
                }
                let arguments = self.pop()?;
                let callable = self.pop()?;
                self.call(callable, arguments, opcode != b'R')?
            }
        };
        self.push(value)
    }

    /// BUILD gives an object its state. Of what else is known here, none keeps a state that
    /// matters.
    fn build(&mut self) -> Result<(), PickleError> {
        let state = self.pop()?;
        if let Value::Object(index) = self.top()?
            && let Some(object) = self.values.objects.get_mut(index as usize)
        {
            object.state = state;
        }
        Ok(())
    }

    fn persistent_id(&mut self, opcode: u8) -> Result<(), PickleError> {
        let value = if opcode == b'P' {
            self.line()?;
            self.new_opaque(Opaque::PersistentId)?
        } else {
            let id = self.pop()?;
            self.persistent(id)?
        };
        self.push(value)
    }

    fn push(&mut self, value: Value) -> Result<(), PickleError> {
        self.account.push(&mut self.stack, value)
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

    pub(super) fn unexpected(&self, expected: &'static str, found: Value) -> PickleError {
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

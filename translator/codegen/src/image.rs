//! Runs the start function ahead of time.
//!
//! wasm-ld gives a module with shared memory passive data segments and a start function,
//! `__wasm_init_memory`, that copies them into place once. What it does depends on nothing but the
//! module, so it is done here: the result is the initial memory and the initial globals.

use crate::error::{Error, Result};
use crate::module::{Module, Storage};
use wasmparser::{BlockType, MemArg, Operator};

/// The state of a module after its start function.
#[derive(Default)]
pub(crate) struct Image {
    /// Contents of the memory from address 0 on. Everything behind it is zero.
    pub bytes: Vec<u8>,
    /// End of everything that was written, zeros included.
    pub end: u64,
    /// Values of the mutable globals by context slot.
    pub slots: Vec<u64>,
}

/// Stretches of zeros up to this length are kept inside a run.
const GAP: usize = 4096;

/// Highest address that may hold something else than zero.
const MAX_BYTES: u64 = 1 << 30;

/// Operators that a start function may execute.
const MAX_STEPS: u64 = 1_000_000;

/// Calls may nest this deep.
const MAX_DEPTH: usize = 16;

impl Image {
    /// The parts of the memory that are not zero: address and bytes.
    pub(crate) fn runs(&self) -> Vec<(u32, &[u8])> {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let mut at = 0;
        while let Some(skip) = self.bytes[at..].iter().position(|b| *b != 0) {
            let start = at + skip;
            let len = self.bytes[start..]
                .iter()
                .position(|b| *b == 0)
                .unwrap_or(self.bytes.len() - start);
            match runs.last_mut() {
                Some(last) if start - last.1 < GAP => last.1 = start + len,
                _ => runs.push((start, start + len)),
            }
            at = start + len;
        }
        runs.into_iter().map(|(start, end)| (start as u32, &self.bytes[start..end])).collect()
    }

    fn range(&mut self, address: u64, len: u64, limit: u64) -> Result<&mut [u8]> {
        let end = address + len;
        if end > limit {
            return Err(Error::new(format!(
                "initial data ends at {end:#x}, the memory at {limit:#x}"
            )));
        }
        if end > MAX_BYTES {
            return Err(Error::new(format!("initial data above {MAX_BYTES:#x} is not supported")));
        }
        self.end = self.end.max(end);
        if self.bytes.len() < end as usize {
            self.bytes.resize(end as usize, 0);
        }
        Ok(&mut self.bytes[address as usize..end as usize])
    }

    /// Zeroes a range. Zeros behind the contents are not stored: a bss may be large.
    fn zero(&mut self, address: u64, len: u64, limit: u64) -> Result<()> {
        let end = address + len;
        if end > limit {
            return Err(Error::new(format!(
                "initial data ends at {end:#x}, the memory at {limit:#x}"
            )));
        }
        self.end = self.end.max(end);
        let stored = self.bytes.len() as u64;
        self.bytes[address.min(stored) as usize..end.min(stored) as usize].fill(0);
        Ok(())
    }
}

/// Copies the active segments and runs the start function.
pub(crate) fn evaluate(module: &Module) -> Result<Image> {
    let mut image = Image { bytes: Vec::new(), end: 0, slots: vec![0; module.slots_used as usize] };
    for global in &module.globals {
        if let Storage::Slot(slot) = global.storage {
            store_slot(&mut image.slots, slot, global.ty, global.value);
        }
    }
    let limit = module.memory_pages * linnet_abi::WASM_PAGE;
    for segment in &module.segments {
        if let Some(address) = segment.address {
            let len = segment.bytes.len() as u64;
            image.range(u64::from(address), len, limit)?.copy_from_slice(segment.bytes);
        }
    }
    if let Some(start) = module.start {
        let mut machine = Evaluator { module, image, limit, stack: Vec::new(), steps: 0, depth: 0 };
        machine.call(start)?;
        image = machine.image;
    }
    // Trailing zeros need no bytes.
    let used = image.bytes.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    image.bytes.truncate(used);
    Ok(image)
}

fn store_slot(slots: &mut [u64], slot: u32, ty: wasmparser::ValType, value: u128) {
    slots[slot as usize] = value as u64;
    if ty == wasmparser::ValType::V128 {
        slots[slot as usize + 1] = (value >> 64) as u64;
    }
}

/// A label of the function that is being run.
struct Label {
    /// Operator to continue at after a branch here: behind the `end`, or the head of a loop.
    target: usize,
    height: usize,
    arity: usize,
    is_loop: bool,
}

struct Evaluator<'m, 'a> {
    module: &'m Module<'a>,
    image: Image,
    limit: u64,
    /// Operands; i32 values are zero-extended.
    stack: Vec<u64>,
    steps: u64,
    depth: usize,
}

fn unsupported(what: &str) -> Error {
    Error::new(format!("the start function cannot be run ahead of time: {what}"))
        .hint("only what wasm-ld generates is supported as a start function; use constructors for initialisation")
}

impl<'a> Evaluator<'_, 'a> {
    fn call(&mut self, function: u32) -> Result<()> {
        let name = self.module.function_name(function);
        let Some(index) = function.checked_sub(self.module.imported()) else {
            return Err(unsupported("it calls an imported function").in_function(function, name));
        };
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(unsupported("its calls nest too deep").in_function(function, name));
        }
        let mut operators = Vec::new();
        let body = &self.module.bodies[index as usize].body;
        let mut reader = body.get_operators_reader()?;
        while !reader.eof() {
            operators.push(reader.read_with_offset()?);
        }
        let ty = self.module.function_type(function);
        let args = self
            .stack
            .len()
            .checked_sub(ty.params().len())
            .ok_or_else(|| unsupported("invalid code"))?;
        let mut locals = self.stack.split_off(args);
        for local in body.get_locals_reader()? {
            let (count, _) = local?;
            locals.resize(locals.len() + count as usize, 0);
        }
        self.run(&operators, &mut locals, ty.results().len())
            .map_err(|e| e.in_function(function, name))?;
        self.depth -= 1;
        Ok(())
    }

    fn run(
        &mut self,
        operators: &[(Operator<'a>, u64)],
        locals: &mut [u64],
        results: usize,
    ) -> Result<()> {
        let ends = block_ends(operators);
        let mut labels = vec![Label {
            target: operators.len(),
            height: self.stack.len(),
            arity: results,
            is_loop: false,
        }];
        let mut at = 0;
        while let Some((operator, offset)) = operators.get(at) {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(unsupported("it runs too long").at(*offset));
            }
            at = self.step(operator, at, &ends, &mut labels, locals).map_err(|e| e.at(*offset))?;
        }
        Ok(())
    }

    /// Runs one operator; the result is the next one.
    fn step(
        &mut self,
        operator: &Operator<'a>,
        at: usize,
        ends: &[usize],
        labels: &mut Vec<Label>,
        locals: &mut [u64],
    ) -> Result<usize> {
        use Operator as O;
        match operator {
            O::Nop | O::AtomicFence { .. } | O::DataDrop { .. } => {}
            O::Block { blockty } => {
                let label = self.label(*blockty, ends[at] + 1, false)?;
                labels.push(label);
            }
            O::Loop { blockty } => {
                let label = self.label(*blockty, at + 1, true)?;
                labels.push(label);
            }
            O::End => {
                labels.pop();
            }
            O::Br { relative_depth } => return self.branch(labels, *relative_depth),
            O::BrIf { relative_depth } => {
                if self.pop()? != 0 {
                    return self.branch(labels, *relative_depth);
                }
            }
            O::BrTable { targets } => {
                let index = self.pop()?;
                let target =
                    targets.targets().nth(index as usize).unwrap_or(Ok(targets.default()))?;
                return self.branch(labels, target);
            }
            O::Return => return self.branch(labels, labels.len() as u32 - 1),
            O::Call { function_index } => self.call(*function_index)?,
            O::Drop => {
                self.pop()?;
            }
            O::LocalGet { local_index } => self.stack.push(locals[*local_index as usize]),
            O::LocalSet { local_index } => locals[*local_index as usize] = self.pop()?,
            O::LocalTee { local_index } => {
                let value = self.pop()?;
                locals[*local_index as usize] = value;
                self.stack.push(value);
            }
            O::GlobalGet { global_index } => {
                let global = &self.module.globals[*global_index as usize];
                self.stack.push(match global.storage {
                    Storage::Constant => global.value as u64,
                    Storage::Slot(slot) => self.image.slots[slot as usize],
                    _ => return Err(unsupported("it reads an imported global")),
                });
            }
            O::GlobalSet { global_index } => {
                let value = self.pop()?;
                if let Storage::Slot(slot) = self.module.globals[*global_index as usize].storage {
                    self.image.slots[slot as usize] = value;
                }
            }
            O::I32Const { value } => self.stack.push(u64::from(*value as u32)),
            O::I64Const { value } => self.stack.push(*value as u64),
            O::I32Eqz => self.unary(|a| u32::from(a == 0))?,
            O::I32Eq => self.binary(|a, b| u32::from(a == b))?,
            O::I32Ne => self.binary(|a, b| u32::from(a != b))?,
            O::I32LtU => self.binary(|a, b| u32::from(a < b))?,
            O::I32GeU => self.binary(|a, b| u32::from(a >= b))?,
            O::I32Add => self.binary(u32::wrapping_add)?,
            O::I32Sub => self.binary(u32::wrapping_sub)?,
            O::I32Mul => self.binary(u32::wrapping_mul)?,
            O::I32And => self.binary(|a, b| a & b)?,
            O::I32Or => self.binary(|a, b| a | b)?,
            O::I32Shl => self.binary(u32::wrapping_shl)?,
            O::I32Load { memarg } | O::I32AtomicLoad { memarg } => {
                let address = self.address(memarg)?;
                let value = self.load(address)?;
                self.stack.push(u64::from(value));
            }
            O::I32Store { memarg } | O::I32AtomicStore { memarg } => {
                let value = self.pop()? as u32;
                let address = self.address(memarg)?;
                self.store(address, value)?;
            }
            O::I32AtomicRmwCmpxchg { memarg } => {
                let new = self.pop()? as u32;
                let expected = self.pop()? as u32;
                let address = self.address(memarg)?;
                let old = self.load(address)?;
                if old == expected {
                    self.store(address, new)?;
                }
                self.stack.push(u64::from(old));
            }
            // Nobody else runs yet: nobody to wake.
            O::MemoryAtomicNotify { memarg } => {
                self.pop()?;
                self.address(memarg)?;
                self.stack.push(0);
            }
            O::MemoryInit { data_index, .. } => {
                let (len, from, to) = (self.pop()?, self.pop()?, self.pop()?);
                let bytes = self.module.segments[*data_index as usize].bytes;
                let Some(part) = bytes.get(from as usize..(from + len) as usize) else {
                    return Err(unsupported("memory.init reads past the end of its segment"));
                };
                self.image.range(to, len, self.limit)?.copy_from_slice(part);
            }
            O::MemoryFill { .. } => {
                let (len, value, to) = (self.pop()?, self.pop()?, self.pop()?);
                if value as u8 == 0 {
                    self.image.zero(to, len, self.limit)?;
                } else {
                    self.image.range(to, len, self.limit)?.fill(value as u8);
                }
            }
            other => {
                return Err(unsupported(&format!(
                    "it uses {}",
                    crate::error::operator_name(other)
                )));
            }
        }
        Ok(at + 1)
    }

    fn label(&self, ty: BlockType, target: usize, is_loop: bool) -> Result<Label> {
        let (params, results) = match ty {
            BlockType::Empty => (0, 0),
            BlockType::Type(_) => (0, 1),
            BlockType::FuncType(ty) => {
                let ty = &self.module.types[ty as usize];
                (ty.params().len(), ty.results().len())
            }
        };
        let height =
            self.stack.len().checked_sub(params).ok_or_else(|| unsupported("invalid code"))?;
        Ok(Label { target, height, arity: if is_loop { params } else { results }, is_loop })
    }

    fn branch(&mut self, labels: &mut Vec<Label>, depth: u32) -> Result<usize> {
        let index = labels
            .len()
            .checked_sub(1 + depth as usize)
            .ok_or_else(|| unsupported("invalid code"))?;
        let Label { target, height, arity, is_loop } = labels[index];
        let from =
            self.stack.len().checked_sub(arity).ok_or_else(|| unsupported("invalid code"))?;
        self.stack.drain(height.min(from)..from);
        // A loop goes on behind the operator that pushed its label, so the label stays.
        labels.truncate(if is_loop { index + 1 } else { index });
        Ok(target)
    }

    fn pop(&mut self) -> Result<u64> {
        self.stack.pop().ok_or_else(|| unsupported("invalid code"))
    }

    fn unary(&mut self, f: impl Fn(u32) -> u32) -> Result<()> {
        let a = self.pop()? as u32;
        self.stack.push(u64::from(f(a)));
        Ok(())
    }

    fn binary(&mut self, f: impl Fn(u32, u32) -> u32) -> Result<()> {
        let b = self.pop()? as u32;
        let a = self.pop()? as u32;
        self.stack.push(u64::from(f(a, b)));
        Ok(())
    }

    fn address(&mut self, memarg: &MemArg) -> Result<u64> {
        Ok(self.pop()? + memarg.offset)
    }

    fn load(&mut self, address: u64) -> Result<u32> {
        let bytes = self.image.range(address, 4, self.limit)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn store(&mut self, address: u64, value: u32) -> Result<()> {
        self.image.range(address, 4, self.limit)?.copy_from_slice(&value.to_le_bytes());
        Ok(())
    }
}

/// For each `block`, the operator that ends it.
fn block_ends(operators: &[(Operator, u64)]) -> Vec<usize> {
    let mut ends = vec![operators.len(); operators.len()];
    let mut open = Vec::new();
    for (at, (operator, _)) in operators.iter().enumerate() {
        match operator {
            Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => open.push(at),
            Operator::End => {
                if let Some(start) = open.pop() {
                    ends[start] = at;
                }
            }
            _ => {}
        }
    }
    ends
}

//! Random programs that end, give the same on every instruction set, and stand in many kinds of places
//! when they are interrupted.
//!
//! They note what they compute with the host (`runtime/frames/host`), call it in the middle of
//! expressions, are called back by it, call each other directly and through the table with operands on
//! the stack, loop with calls and without, throw and catch in both encodings, and let others take their
//! place, the host among them. Every call and every round of a loop takes fuel. NaNs, whose bits differ
//! between instruction sets, are replaced as they arise.

use std::borrow::Cow;
use wasm_encoder::{
    BlockType, Catch, CodeSection, ConstExpr, ElementSection, Elements, EntityType, ExportKind,
    ExportSection, Function, FunctionSection, GlobalSection, GlobalType, ImportSection,
    InstructionSink, MemArg, MemArgTarget, MemorySection, MemoryType, Module, NameMap, NameSection,
    RefType, TableSection, TableType, TagKind, TagSection, TagType, TypeSection, ValType,
};

/// A generator of numbers (xorshift64*).
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// One of 0 to `n` - 1.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.next() >> 33) % n as u64) as usize
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())]
    }
}

const SCALARS: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];

/// Numbers of the types that every program has.
const SYSCALL_TYPE: u32 = 0;
const HANDLER_TYPE: u32 = 1;
const CALLBACK_TYPE: u32 = 2;
const START_TYPE: u32 = 3;
const FIRST_TAG_TYPE: u32 = 4;

/// Numbers of the imports.
const SYSCALL: u32 = 0;
const CALL_HANDLER: u32 = 1;
const IMPORTS: u32 = 2;

/// The last functions of a program: so small that they may be put in place of calls of them.
const SMALL: usize = 4;

/// Globals besides the stack pointer.
const FUEL: u32 = 1;
const FIRST_GLOBAL: u32 = 2;
const GLOBALS: [ValType; 4] = [ValType::I32, ValType::I64, ValType::F32, ValType::F64];

/// Payloads of the tags.
const TAGS: [&[ValType]; 2] = [&[ValType::I64], &[ValType::I32, ValType::F64]];

const MEMORY: u64 = 0x1_fff0;

#[derive(Clone)]
struct Signature {
    params: Vec<ValType>,
    results: Vec<ValType>,
}

/// A program of that seed; with vectors, which not all instruction sets have, and with tail calls, which
/// need another calling convention.
pub fn program(seed: u64, vectors: bool, tail_calls: bool) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut kinds = SCALARS.to_vec();
    if vectors {
        kinds.push(ValType::V128);
    }
    use ValType::{I32, I64};
    let mut types = vec![
        Signature { params: [vec![I32], vec![I64; 6]].concat(), results: vec![I64] },
        Signature { params: vec![I32; 4], results: vec![] },
        Signature { params: vec![I32], results: vec![I32] },
        Signature { params: vec![], results: vec![] },
    ];
    types.extend(TAGS.map(|tag| Signature { params: tag.to_vec(), results: vec![] }));
    // What a call through the table may call in place of the type that it names.
    types.push(Signature { params: vec![I32; 3], results: vec![] });
    for _ in 0..4 {
        let list = |random: &mut Random, most| -> Vec<ValType> {
            (0..random.below(most)).map(|_| random.pick(&kinds)).collect()
        };
        // More than are passed in registers.
        let params = list(&mut random, if tail_calls { 10 } else { 6 });
        let most = if random.one_in(4) { 5 } else { 2 };
        types.push(Signature { params, results: list(&mut random, most) });
    }
    let first_random = FIRST_TAG_TYPE + TAGS.len() as u32;
    let mut functions = vec![START_TYPE, CALLBACK_TYPE, CALLBACK_TYPE];
    for _ in 0..6 + SMALL {
        functions.push(first_random + random.below(types.len() - first_random as usize) as u32);
    }
    let program = Program { types, functions, kinds, tail_calls };
    program.encode(&mut random)
}

struct Program {
    types: Vec<Signature>,
    /// Types of the functions that the program defines; the first is its entry.
    functions: Vec<u32>,
    kinds: Vec<ValType>,
    tail_calls: bool,
}

impl Program {
    fn encode(&self, random: &mut Random) -> Vec<u8> {
        let mut types = TypeSection::new();
        for ty in &self.types {
            types.ty().function(ty.params.iter().copied(), ty.results.iter().copied());
        }
        let mut imports = ImportSection::new();
        imports.import("linux", "syscall", EntityType::Function(SYSCALL_TYPE));
        imports.import("linux", "call_handler", EntityType::Function(HANDLER_TYPE));
        let mut functions = FunctionSection::new();
        for ty in &self.functions {
            functions.function(*ty);
        }
        let count = self.functions.len() as u64;
        let mut tables = TableSection::new();
        tables.table(TableType {
            element_type: RefType::FUNCREF,
            table64: false,
            minimum: count + 1,
            maximum: None,
            shared: false,
        });
        let mut memories = MemorySection::new();
        memories.memory(MemoryType {
            minimum: 2,
            maximum: None,
            memory64: false,
            shared: false,
            page_size_log2: None,
        });
        let mut tags = TagSection::new();
        for i in 0..TAGS.len() as u32 {
            tags.tag(TagType { kind: TagKind::Exception, func_type_idx: FIRST_TAG_TYPE + i });
        }
        let mut globals = GlobalSection::new();
        let mut global = |ty, value: ConstExpr| {
            globals.global(GlobalType { val_type: ty, mutable: true, shared: false }, &value);
        };
        global(ValType::I32, ConstExpr::i32_const(0x1_0000));
        global(ValType::I32, ConstExpr::i32_const(60));
        global(ValType::I32, ConstExpr::i32_const(7));
        global(ValType::I64, ConstExpr::i64_const(-9));
        global(ValType::F32, ConstExpr::f32_const(1.5_f32.into()));
        global(ValType::F64, ConstExpr::f64_const(2.25_f64.into()));
        let mut exports = ExportSection::new();
        exports.export("_start", ExportKind::Func, IMPORTS);
        let mut elements = ElementSection::new();
        let own = (0..count as u32).map(|i| IMPORTS + i);
        let list: Vec<u32> = own.chain([SYSCALL]).collect();
        elements.active(None, &ConstExpr::i32_const(0), Elements::Functions(Cow::Owned(list)));
        let mut code = CodeSection::new();
        for i in 0..self.functions.len() {
            code.function(&Body::new(self, random, i).write());
        }
        let mut names = NameSection::new();
        let mut global_names = NameMap::new();
        global_names.append(0, "__stack_pointer");
        names.globals(&global_names);
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&functions).section(&tables);
        module.section(&memories).section(&tags).section(&globals).section(&exports);
        module.section(&elements).section(&code).section(&names);
        module.finish()
    }

    fn is_small(&self, function: usize) -> bool {
        function + SMALL >= self.functions.len()
    }

    fn signature(&self, function: usize) -> &Signature {
        &self.types[self.functions[function] as usize]
    }

    /// A type with these results by which the table lets a function be called: with more arguments than it
    /// takes, as long as all are passed in registers.
    fn type_that_fits(&self, function: &Signature, results: &[ValType]) -> Option<u32> {
        let fits = |ty: &Signature| {
            let words = ty.params.iter().map(|ty| if *ty == ValType::V128 { 2 } else { 1 });
            let longer = ty.params.starts_with(&function.params) && words.sum::<usize>() <= 5;
            ty.results == results && (ty.params == function.params || longer)
        };
        self.types.iter().position(fits).map(|found| found as u32)
    }

    /// The table entry of the host.
    fn host_entry(&self) -> i32 {
        self.functions.len() as i32
    }

    /// Whether a function lets nothing out that was thrown: nobody would catch it.
    fn is_guarded(&self, function: usize) -> bool {
        self.functions[function] < FIRST_TAG_TYPE
    }
}

/// What an open block is, as far as branches care.
#[derive(Clone, Copy, PartialEq)]
enum Label {
    /// Has no results.
    Plain,
    /// Must not be branched to.
    Closed,
    /// The clause of a legacy `try`.
    Clause,
}

struct Body<'p, 'r> {
    program: &'p Program,
    random: &'r mut Random,
    index: usize,
    locals: Vec<ValType>,
    /// Those that count the rounds of loops, by depth.
    counters: u32,
    labels: Vec<Label>,
    loops: u32,
    function: Function,
}

const MAX_LOOPS: u32 = 3;

impl<'p, 'r> Body<'p, 'r> {
    fn new(program: &'p Program, random: &'r mut Random, index: usize) -> Self {
        let params = &program.signature(index).params;
        // One of each kind to take a value for a moment, some more, the counters.
        let mut declared = program.kinds.clone();
        let (more, loops) = if program.is_small(index) { (0, 1) } else { (8, MAX_LOOPS) };
        for _ in 0..more.min(random.below(8)) {
            declared.push(random.pick(&program.kinds));
        }
        let counters = (params.len() + declared.len()) as u32;
        declared.extend(vec![ValType::I32; loops as usize]);
        let locals = params.iter().chain(&declared).copied().collect();
        let function = Function::new(declared.into_iter().map(|ty| (1, ty)));
        let (labels, loops) = (Vec::new(), 0);
        Body { program, random, index, locals, counters, labels, loops, function }
    }

    fn out(&mut self) -> InstructionSink<'_> {
        self.function.instructions()
    }

    fn write(mut self) -> Function {
        if self.program.is_small(self.index) {
            return self.write_small();
        }
        let results = self.program.signature(self.index).results.clone();
        self.out().global_get(FUEL).i32_const(1).i32_sub().global_set(FUEL);
        self.out().global_get(FUEL).i32_const(0).i32_lt_s().if_(BlockType::Empty);
        results.iter().for_each(|ty| self.constant(*ty));
        self.out().return_().end();
        let guarded = self.program.is_guarded(self.index);
        if guarded {
            self.out().try_(BlockType::Empty);
            self.labels.push(Label::Plain);
        }
        let rounds = if self.index == 0 { 6 } else { 2 };
        for _ in 0..rounds + self.random.below(4) {
            self.statement(4);
        }
        if guarded {
            self.out().catch_all();
            self.note_locals();
            self.out().end();
            self.labels.pop();
        }
        self.note_locals();
        for ty in results {
            self.expression(ty, 3);
        }
        self.out().end();
        self.function
    }

    /// Polls, throws or calls the host, and nobody else: such functions would call each other for ever.
    fn write_small(mut self) -> Function {
        let (word, condition) = (self.local(ValType::I64), self.local(ValType::I32));
        if self.random.one_in(2) {
            let (rounds, counter) = (1 + self.random.below(3) as i32, self.counters);
            self.out().i32_const(rounds).local_set(counter).loop_(BlockType::Empty);
            self.out().local_get(word).i64_const(3).i64_rotl().local_set(word);
            self.out().local_get(counter).i32_const(1).i32_sub().local_tee(counter).br_if(0).end();
        }
        if self.random.one_in(3) {
            self.out().local_get(condition).i32_const(3).i32_and().i32_eqz();
            self.out().if_(BlockType::Empty).local_get(word).throw(0).end();
        }
        let results = self.program.signature(self.index).results.clone();
        if self.program.tail_calls && results == [ValType::I64] {
            self.out().i32_const(0).local_get(word);
            self.fill_host(2);
            self.out().return_call(SYSCALL).end();
            return self.function;
        }
        for ty in results {
            let local = self.local(ty);
            self.out().local_get(local);
        }
        if self.random.one_in(2) {
            self.note(word);
        }
        self.out().end();
        self.function
    }

    fn constant(&mut self, ty: ValType) {
        let value = self.random.next();
        let small = (value % 2000) as i64 - 1000;
        match ty {
            ValType::I32 if value & 1 << 40 == 0 => self.out().i32_const(small as i32),
            ValType::I32 => self.out().i32_const((value >> 32) as i32),
            ValType::I64 if value & 1 << 40 == 0 => self.out().i64_const(small),
            ValType::I64 => self.out().i64_const(value as i64),
            ValType::F32 => self.out().f32_const((small as f32 / 8.0).into()),
            ValType::F64 => self.out().f64_const((small as f64 / 16.0).into()),
            _ => self.out().v128_const(i128::from(value) * i128::from(value as u32)),
        };
    }

    /// Operands of a call of the host are on the stack as far as `i32, i64...`; fills up to seven.
    fn host(&mut self, given: usize) {
        self.fill_host(given);
        if self.program.tail_calls && self.random.one_in(4) {
            let entry = self.program.host_entry();
            self.out().i32_const(entry).call_indirect(0, SYSCALL_TYPE);
        } else {
            self.out().call(SYSCALL);
        }
    }

    fn fill_host(&mut self, given: usize) {
        for _ in given..7 {
            self.out().i64_const(0);
        }
    }

    /// Notes an `i64` that is on the stack. It takes the place of a local meanwhile.
    fn note(&mut self, local: u32) {
        self.out().i32_const(1).local_get(local);
        self.host(2);
        self.out().drop();
    }

    /// Notes all scalar locals.
    fn note_locals(&mut self) {
        for local in 0..self.locals.len() as u32 {
            let ty = self.locals[local as usize];
            let mut out = self.out();
            out.i32_const(1).local_get(local);
            match ty {
                ValType::I32 => out.i64_extend_i32_u(),
                ValType::I64 => &mut out,
                ValType::F32 => out.i32_reinterpret_f32().i64_extend_i32_u(),
                ValType::F64 => out.i64_reinterpret_f64(),
                _ => out.i64x2_extract_lane(1),
            };
            self.host(2);
            self.out().drop();
        }
    }

    /// A local of that type that is no counter.
    fn local(&mut self, ty: ValType) -> u32 {
        let all = self.locals[..self.counters as usize].iter().enumerate();
        let fitting: Vec<u32> = all.filter(|l| *l.1 == ty).map(|l| l.0 as u32).collect();
        self.random.pick(&fitting)
    }

    fn statements(&mut self, depth: u32) {
        for _ in 0..1 + self.random.below(3) {
            self.statement(depth);
        }
    }

    fn statement(&mut self, depth: u32) {
        let may_leave = self.program.tail_calls && !self.program.is_guarded(self.index);
        if may_leave && self.random.one_in(6) {
            return self.tail_call();
        }
        let kind = if depth == 0 { self.random.below(5) } else { self.random.below(16) };
        match kind {
            0 | 1 => {
                let ty = self.random.pick(&self.program.kinds);
                self.expression(ty, 3);
                let local = self.local(ty);
                self.out().local_set(local);
            }
            2 => {
                let i = self.random.below(GLOBALS.len());
                self.expression(GLOBALS[i], 2);
                self.out().global_set(FIRST_GLOBAL + i as u32);
            }
            3 => {
                let local = self.local(ValType::I64);
                self.note(local);
            }
            4 => {
                self.address();
                self.expression(ValType::I64, 2);
                self.out().i64_store(memarg(3));
            }
            5 | 6 => {
                self.expression(ValType::I32, 2);
                self.out().i32_const(1).i32_and().if_(BlockType::Empty);
                self.labels.push(Label::Plain);
                self.statements(depth - 1);
                if self.random.one_in(2) {
                    self.out().else_();
                    self.statements(depth - 1);
                }
                self.out().end();
                self.labels.pop();
            }
            7 | 8 if self.loops < MAX_LOOPS => self.counted_loop(depth),
            9 => {
                self.out().block(BlockType::Empty);
                self.labels.push(Label::Plain);
                self.statements(depth - 1);
                self.branch_out();
                self.statements(depth - 1);
                self.out().end();
                self.labels.pop();
            }
            10 | 11 => self.legacy_try(depth),
            12 => self.try_table(depth),
            13 => self.throw(),
            14 => {
                self.handler();
                self.out().call(CALL_HANDLER);
            }
            _ => self.call_into_locals(),
        }
    }

    fn counted_loop(&mut self, depth: u32) {
        let counter = self.counters + self.loops;
        let rounds = 1 + self.random.below(4) as i32;
        // A loop may take operands along.
        let carries = self.random.one_in(3);
        if carries {
            self.expression(ValType::I64, 1);
        }
        self.out().i32_const(rounds).local_set(counter).loop_(BlockType::Empty);
        self.labels.push(Label::Closed);
        self.loops += 1;
        if self.random.one_in(2) {
            self.statements(depth - 1);
        } else {
            // Without a call.
            let (a, b) = (self.local(ValType::I64), self.local(ValType::I64));
            let f = self.local(ValType::F64);
            self.out().local_get(a).local_get(b).i64_xor().i64_const(13).i64_rotl().local_set(a);
            self.out().local_get(f).f64_const(0.5.into()).f64_mul().local_set(f);
        }
        self.loops -= 1;
        self.out().global_get(FUEL).i32_const(1).i32_sub().global_set(FUEL);
        self.out().local_get(counter).i32_const(1).i32_sub().local_tee(counter);
        self.out().i32_const(0).i32_gt_s().global_get(FUEL).i32_const(0).i32_gt_s().i32_and();
        self.out().br_if(0).end();
        self.labels.pop();
        if carries {
            let local = self.local(ValType::I64);
            self.out().local_set(local);
        }
    }

    /// Leaves a plain block early, perhaps.
    fn branch_out(&mut self) {
        let plain: Vec<u32> = (0..)
            .zip(self.labels.iter().rev())
            .filter(|(_, label)| **label != Label::Closed)
            .map(|(depth, _)| depth)
            .collect();
        let depth = self.random.pick(&plain);
        self.expression(ValType::I32, 2);
        if self.random.one_in(2) {
            self.out().i32_const(3).i32_and().br_if(depth);
        } else {
            let other = self.random.pick(&plain);
            self.out().i32_const(1).i32_and().if_(BlockType::Empty);
            self.labels.push(Label::Plain);
            self.expression(ValType::I32, 1);
            self.out().br_table(vec![depth + 1, 0, other + 1], 0).end();
            self.labels.pop();
        }
    }

    fn legacy_try(&mut self, depth: u32) {
        self.out().try_(BlockType::Empty);
        self.labels.push(Label::Plain);
        self.statements(depth - 1);
        self.throw();
        self.labels.pop();
        if self.random.one_in(6) && !self.labels.is_empty() {
            self.out().delegate(0);
            return;
        }
        self.labels.push(Label::Clause);
        for (tag, payload) in TAGS.into_iter().enumerate() {
            if self.random.one_in(2) {
                self.out().catch(tag as u32);
                for ty in payload.iter().rev() {
                    let local = self.local(*ty);
                    self.out().local_set(local);
                }
                self.statements(depth - 1);
                self.rethrow();
            }
        }
        if self.random.one_in(2) {
            self.out().catch_all();
            self.statements(depth - 1);
            self.rethrow();
        }
        self.labels.pop();
        self.out().end();
    }

    fn rethrow(&mut self) {
        let clauses: Vec<u32> = (0..)
            .zip(self.labels.iter().rev())
            .filter(|(_, label)| **label == Label::Clause)
            .map(|(depth, _)| depth)
            .collect();
        if self.random.one_in(2) {
            let depth = self.random.pick(&clauses);
            self.expression(ValType::I32, 2);
            self.out().i32_const(3).i32_and().i32_eqz().if_(BlockType::Empty);
            self.out().rethrow(depth + 1).end();
        }
    }

    fn try_table(&mut self, depth: u32) {
        self.out().block(BlockType::Empty).block(BlockType::Result(ValType::I64));
        let catches = [Catch::One { tag: 0, label: 0 }, Catch::All { label: 1 }];
        let count = 1 + self.random.below(2);
        self.out().try_table(BlockType::Empty, catches.into_iter().take(count));
        self.labels.extend([Label::Plain, Label::Closed, Label::Plain]);
        self.statements(depth - 1);
        self.throw();
        self.labels.truncate(self.labels.len() - 2);
        self.out().end();
        self.expression(ValType::I64, 1);
        self.out().end();
        let local = self.local(ValType::I64);
        self.out().local_set(local).end();
        self.labels.pop();
    }

    fn throw(&mut self) {
        let tag = self.random.below(TAGS.len());
        self.expression(ValType::I32, 2);
        self.out().i32_const(3).i32_and().i32_eqz().if_(BlockType::Empty);
        for ty in TAGS[tag] {
            self.expression(*ty, 2);
        }
        self.out().throw(tag as u32).end();
    }

    /// Calls a function, whatever it gives.
    fn call_into_locals(&mut self) {
        let callee = 1 + self.random.below(self.program.functions.len() - 1);
        self.call(callee);
        for ty in self.program.signature(callee).results.clone().into_iter().rev() {
            let local = self.local(ty);
            self.out().local_set(local);
        }
    }

    /// Operands of a call of a handler of signals, which gives no result and may take fewer arguments.
    fn handler(&mut self) {
        let entry = if self.random.one_in(2) { 1 } else { 2 };
        self.out().i32_const(entry);
        (0..3).for_each(|_| self.expression(ValType::I32, 1));
    }

    /// Perhaps lets another function take this one's place.
    fn tail_call(&mut self) {
        let results = self.program.signature(self.index).results.clone();
        self.expression(ValType::I32, 2);
        self.out().i32_const(3).i32_and().i32_eqz().if_(BlockType::Empty);
        // Of a type that gives the same; a function without a result may be called as one that gives one.
        let all = 1..self.program.functions.len();
        let fits = |callee: usize| {
            let given = &self.program.signature(callee).results;
            *given == results || (given.is_empty() && results.len() == 1)
        };
        let fitting: Vec<usize> = all.filter(|callee| fits(*callee)).collect();
        if results.is_empty() && self.random.one_in(3) {
            self.handler();
            self.out().return_call(CALL_HANDLER);
        } else if results == [ValType::I64] && self.random.one_in(3) {
            self.out().i32_const(0);
            self.expression(ValType::I64, 1);
            self.fill_host(2);
            if self.random.one_in(2) {
                self.out().return_call(SYSCALL);
            } else {
                let entry = self.program.host_entry();
                self.out().i32_const(entry).return_call_indirect(0, SYSCALL_TYPE);
            }
        } else if !fitting.is_empty() {
            let callee = self.random.pick(&fitting);
            let own = self.program.signature(callee).clone();
            if own.results == results && self.random.one_in(2) {
                own.params.iter().for_each(|ty| self.expression(*ty, 1));
                self.out().return_call(IMPORTS + callee as u32);
            } else if let Some(ty) = self.program.type_that_fits(&own, &results) {
                let params = self.program.types[ty as usize].params.clone();
                params.iter().for_each(|ty| self.expression(*ty, 1));
                self.out().i32_const(callee as i32).return_call_indirect(0, ty);
            }
        }
        self.out().end();
    }

    fn call(&mut self, callee: usize) {
        for ty in self.program.signature(callee).params.clone() {
            self.expression(ty, 1);
        }
        if self.random.one_in(2) {
            self.out().call(IMPORTS + callee as u32);
        } else {
            let ty = self.program.functions[callee];
            self.out().i32_const(callee as i32).call_indirect(0, ty);
        }
    }

    fn address(&mut self) {
        self.expression(ValType::I32, 1);
        self.out().i32_const(MEMORY as i32).i32_and();
    }

    fn expression(&mut self, ty: ValType, depth: u32) {
        if depth == 0 || self.random.one_in(5) {
            if self.random.one_in(3) {
                self.constant(ty);
            } else {
                let local = self.local(ty);
                self.out().local_get(local);
            }
            return;
        }
        match self.random.below(8) {
            0 => {
                // A call with whatever is on the stack below.
                let fitting: Vec<usize> = (1..self.program.functions.len())
                    .filter(|f| self.program.signature(*f).results == [ty])
                    .collect();
                if !fitting.is_empty() {
                    let callee = self.random.pick(&fitting);
                    return self.call(callee);
                }
            }
            1 => {
                self.expression(ValType::I32, depth - 1);
                self.out().i32_const(1).i32_and().if_(BlockType::Result(ty));
                self.labels.push(Label::Closed);
                self.expression(ty, depth - 1);
                self.out().else_();
                self.expression(ty, depth - 1);
                self.out().end();
                self.labels.pop();
                return;
            }
            2 => {
                self.expression(ty, depth - 1);
                self.expression(ty, depth - 1);
                self.expression(ValType::I32, depth - 1);
                self.out().select();
                return;
            }
            3 => {
                if let Some(i) = GLOBALS.iter().position(|g| *g == ty) {
                    self.out().global_get(FIRST_GLOBAL + i as u32);
                    return;
                }
            }
            _ => {}
        }
        match ty {
            ValType::I32 => self.i32(depth - 1),
            ValType::I64 => self.i64(depth - 1),
            ValType::F32 => {
                self.float(ty, depth - 1);
                let local = self.local(ty);
                self.out().local_tee(local).f32_const(0.75.into()).local_get(local);
                self.out().local_get(local).f32_eq().select();
            }
            ValType::F64 => {
                self.float(ty, depth - 1);
                let local = self.local(ty);
                self.out().local_tee(local).f64_const(0.25.into()).local_get(local);
                self.out().local_get(local).f64_eq().select();
            }
            _ => self.vector(depth - 1),
        }
    }

    fn i32(&mut self, depth: u32) {
        match self.random.below(6) {
            0 => {
                self.expression(ValType::I64, depth);
                self.out().i32_wrap_i64();
            }
            1 => {
                self.expression(ValType::F64, depth);
                self.out().i32_trunc_sat_f64_s();
            }
            2 => {
                // Waits for a word that nobody changes.
                self.address();
                self.expression(ValType::I32, depth);
                self.out().i64_const(0).memory_atomic_wait32(memarg(2));
            }
            3 => {
                self.expression(ValType::F32, depth);
                self.out().i32_reinterpret_f32();
            }
            _ => {
                self.expression(ValType::I32, depth);
                self.expression(ValType::I32, depth);
                match self.random.below(5) {
                    0 => self.out().i32_add(),
                    1 => self.out().i32_mul(),
                    2 => self.out().i32_xor(),
                    3 => self.out().i32_lt_s(),
                    _ => self.out().i32_const(1).i32_or().i32_div_u(),
                };
            }
        }
    }

    fn i64(&mut self, depth: u32) {
        match self.random.below(8) {
            0 => {
                self.expression(ValType::I32, depth);
                self.out().i64_extend_i32_s();
            }
            1 => {
                self.address();
                self.out().i64_load(memarg(3));
            }
            2 | 3 => {
                self.out().i32_const(0);
                self.expression(ValType::I64, depth);
                self.host(2);
            }
            4 => {
                // A host function that calls back.
                let entry = 1 + self.random.below(2) as i64;
                self.out().i32_const(2).i64_const(entry);
                self.expression(ValType::I64, depth);
                self.host(3);
            }
            _ => {
                self.expression(ValType::I64, depth);
                self.expression(ValType::I64, depth);
                match self.random.below(4) {
                    0 => self.out().i64_add(),
                    1 => self.out().i64_mul(),
                    2 => self.out().i64_xor(),
                    _ => self.out().i64_rotl(),
                };
            }
        }
    }

    /// May give a NaN.
    fn float(&mut self, ty: ValType, depth: u32) {
        let is_f32 = ty == ValType::F32;
        match self.random.below(4) {
            0 => {
                self.expression(ValType::I64, depth);
                if is_f32 {
                    self.out().f32_convert_i64_s();
                } else {
                    self.out().f64_convert_i64_s();
                }
            }
            1 => {
                self.expression(if is_f32 { ValType::F64 } else { ValType::F32 }, depth);
                if is_f32 {
                    self.out().f32_demote_f64();
                } else {
                    self.out().f64_promote_f32();
                }
            }
            kind => {
                self.expression(ty, depth);
                self.expression(ty, depth);
                match (kind, is_f32) {
                    (2, true) => self.out().f32_add(),
                    (2, false) => self.out().f64_add(),
                    (_, true) => self.out().f32_mul(),
                    (_, false) => self.out().f64_mul(),
                };
            }
        }
    }

    fn vector(&mut self, depth: u32) {
        match self.random.below(3) {
            0 => {
                self.expression(ValType::I64, depth);
                self.out().i64x2_splat();
            }
            1 => {
                self.expression(ValType::V128, depth);
                self.expression(ValType::I32, depth);
                self.out().i32x4_replace_lane(2);
            }
            _ => {
                self.expression(ValType::V128, depth);
                self.expression(ValType::V128, depth);
                self.out().i32x4_add();
            }
        }
    }
}

fn memarg(align: u32) -> MemArg {
    MemArg { offset: 0, align, target: MemArgTarget::Memory(0), ordering: None }
}

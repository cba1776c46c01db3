//! One function: validation and CLIF together.
//!
//! A function keeps wasm's operand stack as a list of CLIF values and wasm's locals as the
//! builder's variables. Operators are translated by family; each family's function says whether the
//! operator was one of its own.

pub(crate) mod adapter;
mod atomic;
mod call;
mod capture_point;
mod control;
pub(crate) mod environment;
mod exception;
mod host_exceptions;
pub(crate) mod initialize;
mod inline;
mod instance;
mod locals;
mod memory;
mod numeric;
mod pointer_spill;
mod reference;
mod safepoint;
pub(crate) mod setjmp;
mod simd;
mod simd_scalarized;
pub(crate) mod tail;

use crate::compile::{self, Code};
use crate::debug::Sources;
use crate::error::{Error, Result, operator_name};
use crate::frames;
use crate::imports::Symbol;
use crate::module::{Body, Module};
use crate::names::{HEAP, data, namespace};
use crate::options::Options;
use crate::polls::Polls;
use capture_point::CapturePoints;
use control::Frame;
use cranelift_codegen::ir::types::{F32, F64, I8X16, I32, I64, I128};
use cranelift_codegen::ir::{
    AbiParam, AliasRegion, AliasRegionData, ExtFuncData, ExternalName, FuncRef, Function,
    GlobalValue, GlobalValueData, InstBuilder, MemFlagsData, SigRef, Signature, SourceLoc, Type,
    UserExternalName, UserFuncName, Value,
};
use cranelift_codegen::isa::{CallConv, TargetIsa};
use cranelift_codegen::{Context, FxHashMap};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use environment::Environment;
use exception::Clauses;
use inline::Inlinable;
use linnet_abi::context::offset;
use locals::Local;
use pointer_spill::PointerSpill;
use setjmp::ReturnPoint;
use std::cmp::Reverse;
use std::sync::atomic::{AtomicUsize, Ordering};
use wasmparser::{
    FuncType, FuncValidatorAllocations, FunctionBody, Operator, OperatorsReader, ValType,
};

/// What every function of a module shares.
pub(crate) struct Env<'m, 'a> {
    pub module: &'m Module<'a>,
    pub environment: &'m dyn Environment,
    /// What imported functions are.
    pub symbols: &'m [Symbol],
    /// Whether functions call others in their own place. Then all of the module's have the convention that
    /// this needs.
    pub tail_calls: bool,
    /// The stack pointer's global, if the program looks for pointers on its stack.
    pub spill_pointers: Option<u32>,
    /// What `setjmp` is made of, if the module has it.
    pub setjmp: Option<setjmp::Functions>,
    /// Where functions poll besides at loop heads.
    pub polls: Polls,
    /// Functions that can be on the stack when frames are captured; empty if that is left out.
    pub capturable: Vec<bool>,
    pub isa: &'m dyn TargetIsa,
    pub options: &'m Options,
    pub sources: &'m Sources<'a>,
}

/// Which conventions a call follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abi {
    /// Translated code on both sides.
    Internal,
    /// The runtime on one side: the C convention to the letter.
    Runtime,
    /// Perhaps another module on one side: the C convention, but for the upper bits of words.
    CrossModule,
}

impl Env<'_, '_> {
    /// CLIF type of a wasm value. All vectors are `I8X16` between operators, or `I128` where the target has
    /// none.
    pub(crate) fn clif_type(&self, ty: ValType) -> Result<Type> {
        Ok(match ty {
            ValType::I32 => I32,
            ValType::I64 => I64,
            ValType::F32 => F32,
            ValType::F64 => F64,
            ValType::V128 if self.options.target.has_vectors() => I8X16,
            ValType::V128 => I128,
            ValType::Ref(reference) => self.environment.check_reference(reference).map(|()| I64)?,
        })
    }

    pub(crate) fn clif_types(&self, types: &[ValType]) -> Result<Vec<Type>> {
        types.iter().map(|t| self.clif_type(*t)).collect()
    }

    /// An `i32` or `i64` that crosses a border.
    pub(crate) fn param(&self, ty: Type, abi: Abi) -> AbiParam {
        if abi == Abi::Runtime && ty == I32 && self.options.target.extends_words() {
            AbiParam::new(ty).sext()
        } else {
            AbiParam::new(ty)
        }
    }

    /// Signature of a wasm type: the context comes first.
    pub(crate) fn signature(&self, ty: &FuncType, abi: Abi) -> Result<Signature> {
        let mut signature = Signature::new(self.convention(abi));
        signature.params.push(AbiParam::new(I64));
        for param in ty.params() {
            signature.params.push(self.param(self.clif_type(*param)?, abi));
        }
        for result in ty.results() {
            signature.returns.push(self.param(self.clif_type(*result)?, abi));
        }
        Ok(signature)
    }

    /// Whether it is known which lines of which file a function comes from.
    fn has_lines(&self, body: &FunctionBody) -> bool {
        self.environment.needs_locations()
            || self.sources.function(self.module.code_address(body)).is_some()
    }

    pub(crate) fn convention(&self, abi: Abi) -> CallConv {
        if abi == Abi::Internal && self.tail_calls { CallConv::Tail } else { CallConv::SystemV }
    }

    /// Whether the runtime calls the function itself.
    fn is_exported(&self, function: u32) -> bool {
        self.environment.calls_exports()
            && !self.tail_calls
            && self.module.function_exports.iter().any(|e| e.1 == function)
    }
}

/// A function of the module.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub code: Code,
    /// Where its frames can be captured.
    pub capture_points: Vec<frames::CapturePoint>,
    /// The variant that goes on with a captured frame, if there are such capture points.
    pub resume: Option<Code>,
}

/// Whether a function begins at its beginning or where a captured frame of it stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Variant {
    Call,
    Resume,
}

/// Compiles every function of the module. The result does not depend on the number of threads.
pub(crate) fn compile_all(env: &Env) -> Result<Vec<Compiled>> {
    let bodies = &env.module.bodies;
    // Large ones first, so that no thread is left alone with one at the end.
    let mut order: Vec<usize> = (0..bodies.len()).collect();
    order.sort_by_key(|i| {
        let range = bodies[*i].body.range();
        Reverse(range.end - range.start)
    });
    let inlinable = Inlinable::find(env);
    let next = AtomicUsize::new(0);
    let shares = rayon::broadcast(|_| {
        let mut worker = Worker::new();
        let mut share = Vec::new();
        while let Some(i) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let index = env.module.imported() + *i as u32;
            let code = worker.compile(env, &inlinable, index, &bodies[*i]);
            share.push((
                *i,
                code.map_err(|e| e.in_function(index, env.module.function_name(index))),
            ));
        }
        share
    });
    let mut results: Vec<_> = shares.into_iter().flatten().collect();
    results.sort_unstable_by_key(|r| r.0);
    // The first error in the module, not the first in time.
    results.into_iter().map(|r| r.1).collect()
}

/// Memory that a thread uses again for each function.
struct Worker {
    context: Context,
    builder: FunctionBuilderContext,
    registers: regalloc2::Ctx,
    validator: FuncValidatorAllocations,
}

impl Worker {
    fn new() -> Worker {
        Worker {
            context: Context::new(),
            builder: FunctionBuilderContext::new(),
            registers: regalloc2::Ctx::default(),
            validator: FuncValidatorAllocations::default(),
        }
    }

    fn compile(
        &mut self,
        env: &Env,
        inlinable: &Inlinable,
        index: u32,
        body: &Body,
    ) -> Result<Compiled> {
        if let Some(function) = adapter::mismatched(env, index) {
            let code = adapter::direct(env, env.module.function_type(index), function)?;
            return Ok(Compiled { code, capture_points: Vec::new(), resume: None });
        }
        let mut has_many_phis = false;
        let mut compile = |variant| -> Result<_> {
            let mut points = self.build(env, index, body, variant, has_many_phis)?;
            if !has_many_phis && locals::has_many_phis(&self.context.func, &body.body) {
                has_many_phis = true;
                points = self.build(env, index, body, variant, has_many_phis)?;
            }
            let range = body.body.range();
            let mut inliner = inlinable.apply(range.end - range.start, &mut self.context);
            self.context
                .inline(&mut inliner)
                .map_err(|e| Error::new(format!("code generator: {e}")))?;
            inliner.finish(&mut self.context.func);
            let mut code =
                compile::compile(&mut self.context, &mut self.registers, env.isa, env.options)?;
            inlinable.resolve(index, &mut code.native_points);
            Ok((code, points))
        };
        let (code, points) = compile(Variant::Call)?;
        let resume = if points.is_empty() { None } else { Some(compile(Variant::Resume)?) };
        debug_assert!(resume.as_ref().is_none_or(|r| r.1 == points));
        Ok(Compiled { code, capture_points: points, resume: resume.map(|r| r.0) })
    }

    /// Leaves the function's CLIF in `self.context`.
    fn build(
        &mut self,
        env: &Env,
        index: u32,
        body: &Body,
        variant: Variant,
        has_many_phis: bool,
    ) -> Result<Vec<frames::CapturePoint>> {
        let built = self.translate(env, index, body, variant, has_many_phis);
        if built.is_err() {
            // An unfinished function leaves its traces here.
            self.builder = FunctionBuilderContext::new();
        }
        built
    }

    fn translate(
        &mut self,
        env: &Env,
        index: u32,
        body: &Body,
        variant: Variant,
        has_many_phis: bool,
    ) -> Result<Vec<frames::CapturePoint>> {
        let abi = if env.is_exported(index) { Abi::Runtime } else { Abi::Internal };
        let mut signature = env.signature(env.module.function_type(index), abi)?;
        let mut space = namespace::FUNCTION;
        if variant == Variant::Resume {
            signature.params.truncate(1);
            space = namespace::RESUME;
        }
        // Cleared and not replaced: it keeps its memory.
        self.context.clear();
        // The code generator keeps these of the function before (0.135): inlining would go by them.
        self.context.func.dfg.exception_tables.clear();
        self.context.func.name = UserFuncName::user(space, index);
        self.context.func.signature = signature;
        let builder = FunctionBuilder::new(&mut self.context.func, &mut self.builder);
        let allocations = std::mem::take(&mut self.validator);
        let mut translator = Translator::new(env, builder, index, Some(body), variant)?;
        translator.has_many_phis = has_many_phis;
        let (validator, points) = translator.run(body, allocations)?;
        self.validator = validator;
        Ok(points)
    }
}

/// Kinds of memory that never overlap.
struct Regions {
    heap: AliasRegion,
    context: AliasRegion,
    constant: AliasRegion,
}

/// The translation of one function.
pub(crate) struct Translator<'e, 'm, 'a, 'b> {
    env: &'e Env<'m, 'a>,
    module: &'m Module<'a>,
    b: FunctionBuilder<'b>,
    function: u32,
    variant: Variant,
    regions: Regions,
    context: Value,
    heap_base: Value,
    stack: Vec<Value>,
    locals: Vec<Local>,
    /// Whether it is known that variables would make too many block parameters of the locals.
    has_many_phis: bool,
    frames: Vec<Frame>,
    /// Where the current operator is in the module.
    offset: u64,
    /// Whether the current operator can be reached. While not, none is translated.
    reachable: bool,
    /// What the function's legacy `try` blocks catch, once one was met.
    clauses: Option<Clauses>,
    /// In functions that `setjmp` returns to.
    return_point: Option<ReturnPoint>,
    /// In functions whose pointers lie in memory.
    pointer_spill: Option<PointerSpill>,
    /// In functions whose frames can be captured.
    capture_points: Option<CapturePoints>,
    function_refs: FxHashMap<(u32, u32), FuncRef>,
    data_refs: FxHashMap<u32, GlobalValue>,
    signature_refs: FxHashMap<u32, SigRef>,
}

impl<'e, 'm, 'a, 'b> Translator<'e, 'm, 'a, 'b> {
    fn new(
        env: &'e Env<'m, 'a>,
        mut b: FunctionBuilder<'b>,
        function: u32,
        body: Option<&Body>,
        variant: Variant,
    ) -> Result<Self> {
        let regions = regions(b.func);
        // The first name in every function: see `inline`.
        b.func.declare_imported_user_function(UserExternalName::new(namespace::DATA, data::TABLE));
        let entry = b.create_block();
        b.append_block_params_for_function_params(entry);
        b.switch_to_block(entry);
        b.seal_block(entry);
        let context = b.block_params(entry)[0];
        let mut translator = Translator {
            env,
            module: env.module,
            b,
            function,
            variant,
            regions,
            context,
            heap_base: context,
            stack: Vec::new(),
            locals: Vec::new(),
            has_many_phis: false,
            frames: Vec::new(),
            offset: 0,
            reachable: true,
            clauses: None,
            return_point: None,
            pointer_spill: None,
            capture_points: None,
            function_refs: FxHashMap::default(),
            data_refs: FxHashMap::default(),
            signature_refs: FxHashMap::default(),
        };
        // Constant while the function runs. Not needed: dropped. Needed: loaded once, unless a call may fork: see
        // `passes::relocate`.
        let flags = translator.constant_flags();
        translator.heap_base = translator.b.ins().load(I64, flags, context, offset::HEAP_BASE);
        if let Some(body) = body {
            translator.find_return_point(body)?;
        }
        Ok(translator)
    }

    fn context(&self) -> Value {
        self.context
    }

    fn heap_base(&self) -> Value {
        self.heap_base
    }

    fn run(
        mut self,
        body: &Body<'a>,
        allocations: FuncValidatorAllocations,
    ) -> Result<(FuncValidatorAllocations, Vec<frames::CapturePoint>)> {
        let mut validator = body.validator(allocations);
        let body = &body.body;
        let mut reader = body.get_binary_reader();
        validator.read_locals(&mut reader)?;
        self.declare_locals(body)?;
        self.begin_capture_points(body);
        self.push_function_frame()?;
        self.begin_pointer_spill(body)?;
        if self.env.polls.at_entry(self.function) {
            // No operator begins there.
            self.offset = body.range().start;
            self.poll()?;
            self.settle();
        }
        let has_lines = self.env.has_lines(body);
        let mut operators = OperatorsReader::new(reader);
        while !operators.eof() {
            let (operator, offset) = operators.read_with_offset()?;
            validator.op(offset, &operator)?;
            if has_lines {
                let address = offset - self.module.code_start;
                self.b.set_srcloc(SourceLoc::new(address as u32));
            }
            self.offset = offset;
            self.operator(&operator, body).map_err(|e| e.at(offset))?;
            self.settle();
        }
        operators.finish()?;
        self.end_return_point()?;
        self.end_pointer_spill();
        let points = self.end_capture_points();
        self.b.seal_all_blocks();
        self.b.finalize(self.env.isa.frontend_config());
        Ok((validator.into_allocations(), points))
    }

    fn operator(&mut self, operator: &Operator<'a>, body: &FunctionBody<'a>) -> Result<()> {
        if !self.reachable {
            return self.skip(operator, body);
        }
        let done = self.numeric(operator)
            || self.variable(operator)?
            || self.memory(operator)?
            || self.control(operator)?
            || self.call(operator)?
            || self.tail_call(operator)?
            || self.atomic(operator)?
            || self.exception(operator, body)?
            || self.simd(operator)?
            || self.reference(operator)?;
        if done { Ok(()) } else { Err(Error::garbage_collection(&operator_name(operator))) }
    }

    fn environment(&self) -> &'m dyn Environment {
        self.env.environment
    }

    /// Locals and globals.
    fn variable(&mut self, operator: &Operator) -> Result<bool> {
        match operator {
            Operator::LocalGet { local_index } => {
                let value = self.get_local(*local_index);
                self.push(value);
            }
            Operator::LocalSet { local_index } => {
                let value = self.pop();
                self.set_local(*local_index, value);
            }
            Operator::LocalTee { local_index } => {
                let value = self.peek();
                self.set_local(*local_index, value);
            }
            Operator::GlobalGet { global_index } => self.global_get(*global_index)?,
            Operator::GlobalSet { global_index } => self.global_set(*global_index),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(value);
    }

    /// The validator has seen the operator first: what it takes is there.
    fn pop(&mut self) -> Value {
        self.stack.pop().expect("validated: an operand")
    }

    fn peek(&self) -> Value {
        *self.stack.last().expect("validated: an operand")
    }

    fn pop_many(&mut self, count: usize) -> Vec<Value> {
        self.stack.split_off(self.stack.len() - count)
    }

    fn zero(&mut self, ty: Type) -> Value {
        match ty {
            F32 => self.b.ins().f32const(0.0),
            F64 => self.b.ins().f64const(0.0),
            I8X16 | I128 => self.vector_constant([0; 16]),
            ty => self.b.ins().iconst(ty, 0),
        }
    }

    fn vector_constant(&mut self, bytes: [u8; 16]) -> Value {
        if !self.env.options.target.has_vectors() {
            let bits = u128::from_le_bytes(bytes);
            let low = self.b.ins().iconst(I64, bits as i64);
            let high = self.b.ins().iconst(I64, (bits >> 64) as i64);
            return self.b.ins().iconcat(low, high);
        }
        let constant = self.b.func.dfg.constants.insert(bytes.to_vec().into());
        self.b.ins().vconst(I8X16, constant)
    }

    /// Flags of an access to the context.
    fn context_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted().with_alias_region(Some(self.regions.context))
    }

    /// Flags of a load from the object's read-only data.
    fn constant_flags(&self) -> MemFlagsData {
        MemFlagsData::trusted()
            .with_readonly()
            .with_can_move()
            .with_alias_region(Some(self.regions.constant))
    }

    fn function_ref(&mut self, space: u32, index: u32, signature: Signature) -> FuncRef {
        if let Some(known) = self.function_refs.get(&(space, index)) {
            return *known;
        }
        let function = import_function(self.b.func, space, index, signature);
        self.function_refs.insert((space, index), function);
        function
    }

    fn signature_ref(&mut self, ty: u32) -> Result<SigRef> {
        let canonical = self.module.canonical[ty as usize];
        if let Some(known) = self.signature_refs.get(&canonical) {
            return Ok(*known);
        }
        let signature = self.env.signature(&self.module.types[ty as usize], Abi::Internal)?;
        let reference = self.b.import_signature(signature);
        self.signature_refs.insert(canonical, reference);
        Ok(reference)
    }

    /// Address of a datum of the object.
    fn data_address(&mut self, index: u32) -> Value {
        let value = match self.data_refs.get(&index) {
            Some(known) => *known,
            None => {
                // A function type may be that of another library in the process.
                let types = data::FIRST_SEGMENT + self.module.segments.len() as u32;
                let value = import_data(self.b.func, index, index < types);
                self.data_refs.insert(index, value);
                value
            }
        };
        self.b.ins().symbol_value(I64, value)
    }

    fn table_address(&mut self) -> Value {
        self.data_address(data::TABLE)
    }
}

fn regions(func: &mut Function) -> Regions {
    let mut region = |user_id, description: &'static str| {
        func.dfg.alias_regions.insert(AliasRegionData { user_id, description: description.into() })
    };
    Regions {
        heap: region(HEAP, "heap"),
        context: region(2, "context"),
        constant: region(3, "constant"),
    }
}

/// Declares a function of the object or of the runtime. All of them end up in one static executable.
pub(crate) fn import_function(
    func: &mut Function,
    space: u32,
    index: u32,
    signature: Signature,
) -> FuncRef {
    let name = func.declare_imported_user_function(UserExternalName::new(space, index));
    let signature = func.import_signature(signature);
    func.import_function(ExtFuncData {
        name: ExternalName::user(name),
        signature,
        colocated: true,
        patchable: false,
    })
}

pub(crate) fn import_data(func: &mut Function, index: u32, colocated: bool) -> GlobalValue {
    let name = func.declare_imported_user_function(UserExternalName::new(namespace::DATA, index));
    func.create_global_value(GlobalValueData::Symbol {
        name: ExternalName::user(name),
        offset: 0.into(),
        colocated,
        tls: false,
    })
}

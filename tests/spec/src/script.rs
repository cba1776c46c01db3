//! A file of the test suite, as a script for the driver.

use std::fmt::Write as _;
use wast::core::{AbstractHeapType, HeapType, NanPattern, V128Pattern, WastArgCore, WastRetCore};
use wast::lexer::Lexer;
use wast::parser::{self, ParseBuffer};
use wast::token::Id;
use wast::{QuoteWat, Wast, WastArg, WastDirective, WastExecute, WastInvoke, WastRet, Wat};

/// What the translator must say to a module that the suite calls wrong.
#[derive(Debug)]
pub struct Wrong {
    pub line: usize,
    pub directive: &'static str,
    pub message: String,
    /// None: the text does not even become a binary.
    pub wasm: Option<Vec<u8>>,
}

/// A module that is translated and linked.
#[derive(Debug)]
pub struct Good {
    pub line: usize,
    pub wasm: Vec<u8>,
}

/// The directives of a file.
#[derive(Debug, Default)]
pub struct Script {
    /// Lines for the driver. `@n` stands for the number of the n-th module in the program.
    pub lines: Vec<(usize, String)>,
    pub modules: Vec<Good>,
    pub wrong: Vec<Wrong>,
    /// What cannot be said in a script: line and cause.
    pub failures: Vec<(usize, String)>,
}

impl Script {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// It is not in the suite's format.
    pub fn parse(text: &str) -> Result<Script, String> {
        let mut lexer = Lexer::new(text);
        lexer.allow_confusing_unicode(true);
        let buffer = ParseBuffer::new_with_lexer(lexer).map_err(|e| e.to_string())?;
        let wast = parser::parse::<Wast>(&buffer).map_err(|e| e.to_string())?;
        let mut script = Script::default();
        for directive in wast.directives {
            let line = directive.span().linecol_in(text).0 + 1;
            if let Err(cause) = script.directive(line, directive) {
                script.failures.push((line, cause));
            }
        }
        Ok(script)
    }

    fn module(&mut self, line: usize, wat: &mut QuoteWat) -> Result<usize, String> {
        let wasm = wat.encode().map_err(|e| format!("not a module: {e}"))?;
        self.modules.push(Good { line, wasm });
        Ok(self.modules.len() - 1)
    }

    fn line(&mut self, line: usize, directive: &str, rest: &str) {
        self.lines.push((line, format!("{directive} {line} {rest}")));
    }

    fn directive(&mut self, line: usize, directive: WastDirective) -> Result<(), String> {
        match directive {
            WastDirective::Module(mut wat) => {
                let name = id(wat.name());
                let number = self.module(line, &mut wat)?;
                self.line(line, "module", &format!("@{number} {name}"));
            }
            WastDirective::ModuleDefinition(mut wat) => {
                let name = id(wat.name());
                let number = self.module(line, &mut wat)?;
                self.line(line, "define", &format!("@{number} {name}"));
            }
            WastDirective::ModuleInstance { instance, module, .. } => {
                self.line(line, "instance", &format!("{} {}", id(instance), id(module)));
            }
            WastDirective::Register { name, module, .. } => {
                self.line(line, "register", &format!("{} {}", text(name), id(module)));
            }
            WastDirective::Invoke(invoke) => {
                let call = call(&invoke)?;
                self.line(line, "invoke", &call);
            }
            WastDirective::AssertReturn { exec, results, .. } => {
                let exec = self.execution(line, exec)?;
                let results = results.iter().map(result).collect::<Result<Vec<_>, _>>()?;
                let rest = format!("{exec} {} {}", results.len(), results.join(" "));
                self.line(line, "return", &rest);
            }
            WastDirective::AssertTrap { exec: WastExecute::Wat(wat), message, .. } => {
                let number = self.module(line, &mut QuoteWat::Wat(wat))?;
                self.line(line, "untenable", &format!("{} @{number}", text(message)));
            }
            WastDirective::AssertTrap { exec, message, .. } => {
                let exec = self.execution(line, exec)?;
                self.line(line, "trap", &format!("{} {exec}", text(message)));
            }
            WastDirective::AssertExhaustion { call: invoke, message, .. } => {
                let call = call(&invoke)?;
                self.line(line, "exhaustion", &format!("{} {call}", text(message)));
            }
            WastDirective::AssertException { exec, .. } => {
                let exec = self.execution(line, exec)?;
                self.line(line, "exception", &exec);
            }
            WastDirective::AssertUnlinkable { module, .. } => {
                let number = self.module(line, &mut QuoteWat::Wat(module))?;
                self.line(line, "unlinkable", &format!("@{number}"));
            }
            WastDirective::AssertMalformed { module, message, .. } => {
                self.wrong(line, "assert_malformed", module, message);
            }
            WastDirective::AssertInvalid { module, message, .. } => {
                self.wrong(line, "assert_invalid", module, message);
            }
            WastDirective::AssertInvalidCustom { .. }
            | WastDirective::AssertMalformedCustom { .. } => {
                return Err("custom sections are not looked at".to_owned());
            }
            WastDirective::AssertSuspension { .. } => {
                return Err("stack switching is not supported".to_owned());
            }
            WastDirective::Thread(_) | WastDirective::Wait { .. } => {
                return Err("threads of the suite are not supported".to_owned());
            }
        }
        Ok(())
    }

    fn wrong(&mut self, line: usize, directive: &'static str, mut module: QuoteWat, message: &str) {
        let wasm = module.encode().ok();
        self.wrong.push(Wrong { line, directive, message: message.to_owned(), wasm });
    }

    fn execution(&mut self, line: usize, exec: WastExecute) -> Result<String, String> {
        match exec {
            WastExecute::Invoke(invoke) => call(&invoke),
            WastExecute::Get { module, global, .. } => {
                Ok(format!("get {} {}", id(module), text(global)))
            }
            WastExecute::Wat(Wat::Module(_)) => {
                Err(format!("a module as an action in line {line}"))
            }
            WastExecute::Wat(Wat::Component(_)) => Err("a component".to_owned()),
        }
    }
}

fn id(id: Option<Id>) -> String {
    id.map_or_else(|| "-".to_owned(), |id| format!("${}", id.name().replace(' ', "_")))
}

fn text(text: &str) -> String {
    text.bytes().fold(":".to_owned(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

fn call(invoke: &WastInvoke) -> Result<String, String> {
    let args = invoke.args.iter().map(argument).collect::<Result<Vec<_>, _>>()?;
    let WastInvoke { module, name, .. } = invoke;
    Ok(format!("call {} {} {} {}", id(*module), text(name), args.len(), args.join(" ")))
}

fn argument(arg: &WastArg) -> Result<String, String> {
    let WastArg::Core(arg) = arg else { return Err("a component's value".to_owned()) };
    Ok(match arg {
        WastArgCore::I32(value) => format!("i32:{value:x}"),
        WastArgCore::I64(value) => format!("i64:{value:x}"),
        WastArgCore::F32(value) => format!("f32:{:x}", value.bits),
        WastArgCore::F64(value) => format!("f64:{:x}", value.bits),
        WastArgCore::V128(value) => {
            format!("v128:{:x}", u128::from_le_bytes(value.to_le_bytes()))
        }
        WastArgCore::RefNull(ty) => null(ty)?.to_owned(),
        WastArgCore::RefExtern(number) => format!("extern:{number:x}"),
        WastArgCore::RefHost(_) => return Err("an anyref of the host".to_owned()),
    })
}

fn null(ty: &HeapType) -> Result<&'static str, String> {
    Ok(match ty {
        HeapType::Concrete(_) => "nullfunc",
        HeapType::Abstract { ty, .. } => match ty {
            AbstractHeapType::Func | AbstractHeapType::NoFunc => "nullfunc",
            AbstractHeapType::Extern | AbstractHeapType::NoExtern => "nullextern",
            AbstractHeapType::Exn | AbstractHeapType::NoExn => "nullexn",
            other => return Err(format!("a null of type {other:?}")),
        },
        other => return Err(format!("a null of type {other:?}")),
    })
}

fn result(result: &WastRet) -> Result<String, String> {
    let WastRet::Core(result) = result else { return Err("a component's value".to_owned()) };
    core_result(result)
}

fn nan<T>(pattern: &NanPattern<T>, bits: impl Fn(&T) -> u64) -> String {
    match pattern {
        NanPattern::CanonicalNan => "canonical".to_owned(),
        NanPattern::ArithmeticNan => "arithmetic".to_owned(),
        NanPattern::Value(value) => format!("{:x}", bits(value)),
    }
}

fn core_result(result: &WastRetCore) -> Result<String, String> {
    Ok(match result {
        WastRetCore::I32(value) => format!("i32:{value:x}"),
        WastRetCore::I64(value) => format!("i64:{value:x}"),
        WastRetCore::F32(pattern) => format!("f32:{}", nan(pattern, |f| u64::from(f.bits))),
        WastRetCore::F64(pattern) => format!("f64:{}", nan(pattern, |f| f.bits)),
        WastRetCore::V128(pattern) => vector(pattern),
        WastRetCore::RefNull(None) => "null".to_owned(),
        WastRetCore::RefNull(Some(ty)) => null(ty)?.to_owned(),
        WastRetCore::RefExtern(None) => "extern".to_owned(),
        WastRetCore::RefExtern(Some(number)) => format!("extern:{number:x}"),
        WastRetCore::RefFunc(_) => "func".to_owned(),
        WastRetCore::Either(cases) => {
            cases.iter().map(core_result).collect::<Result<Vec<_>, _>>()?.join(";")
        }
        other => return Err(format!("a result of type {other:?}")),
    })
}

fn vector(pattern: &V128Pattern) -> String {
    let bytes: Vec<u8> = match pattern {
        V128Pattern::F32x4(lanes) => {
            let lanes = lanes.iter().map(|p| nan(p, |f| u64::from(f.bits)));
            return format!("v32x4:{}", lanes.collect::<Vec<_>>().join(","));
        }
        V128Pattern::F64x2(lanes) => {
            let lanes = lanes.iter().map(|p| nan(p, |f| f.bits));
            return format!("v64x2:{}", lanes.collect::<Vec<_>>().join(","));
        }
        V128Pattern::I8x16(lanes) => lanes.iter().map(|lane| *lane as u8).collect(),
        V128Pattern::I16x8(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
        V128Pattern::I32x4(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
        V128Pattern::I64x2(lanes) => lanes.iter().flat_map(|lane| lane.to_le_bytes()).collect(),
    };
    let bits = bytes.iter().rev().fold(0, |bits, byte| bits << 8 | u128::from(*byte));
    format!("v128:{bits:x}")
}

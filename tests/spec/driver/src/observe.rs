//! What modules without a known answer do: lines `OUT number ...` for whoever compares them.

use crate::script::Tokens;
use crate::values;
use crate::{Outcome, Runner, module};
use linnet_embed::{Error, Extern, Memory, Value};

impl Runner {
    /// Does what a directive asks for if it wants to see what happens.
    pub(crate) fn observe(&mut self, directive: &str, tokens: &mut Tokens) -> Option<String> {
        let none = || "no instance".to_owned();
        Some(match directive {
            "see-module" => self.see_module(tokens.number()),
            "see-call" if self.current.is_none() => none(),
            "see-call" => match self.run(tokens) {
                Ok(Outcome::Values(values)) => show_all(&values),
                Ok(Outcome::Error(error)) => failure(&error),
                Err(cause) => cause,
            },
            "see-state" => self.current.as_ref().map_or_else(none, |instance| {
                let exports = instance.exports().filter_map(|(_, export)| state(&export));
                exports.collect::<Vec<_>>().join(" ")
            }),
            _ => return None,
        })
    }

    fn see_module(&mut self, number: usize) -> String {
        self.forget();
        self.current = None;
        let module = match module(number) {
            Ok(module) => module,
            Err(cause) => return cause,
        };
        match self.instantiate(&module) {
            Ok(instance) => {
                self.current = Some(instance);
                "instance".to_owned()
            }
            Err(error) => failure(&error),
        }
    }
}

fn failure(error: &Error) -> String {
    match error {
        Error::Trap(trap) => format!("trap: {}", trap.message()),
        other => other.to_string().replace('\n', "; "),
    }
}

fn show_all(values: &[Value]) -> String {
    values.iter().map(show).collect::<Vec<_>>().join(" ")
}

fn show(value: &Value) -> String {
    match value {
        Value::FuncRef(None) | Value::ExternRef(None) | Value::ExnRef(None) => "null".to_owned(),
        Value::FuncRef(Some(_)) => "func".to_owned(),
        Value::ExternRef(Some(_)) => "extern".to_owned(),
        Value::ExnRef(Some(_)) => "exn".to_owned(),
        number => values::show(number),
    }
}

fn state(export: &Extern) -> Option<String> {
    Some(match export {
        Extern::Global(global) => show(&global.get()),
        Extern::Memory(memory) => format!("{}:{:x}", memory.size(), hash(memory)),
        Extern::Table(table) => {
            let used = (0..table.size()).filter(|i| !is_null(table.get(*i))).count();
            format!("{}/{used}", table.size())
        }
        Extern::Func(_) | Extern::Tag(_) => return None,
    })
}

fn is_null(element: Option<Value>) -> bool {
    element.is_none_or(|value| show(&value) == "null")
}

/// FNV-1a, of 8 bytes at a time.
fn hash(memory: &Memory) -> u64 {
    let mut bytes = vec![0; memory.size() as usize];
    if memory.read(0, &mut bytes).is_err() {
        return 0;
    }
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |hash, chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        (hash ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3)
    })
}

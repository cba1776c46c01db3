//! Which functions can be on the stack when frames are captured.
//!
//! A capture begins at a host call, at a wait or at a poll. A function that can come to none of these,
//! directly or through functions that it calls, needs no capture points, and a call of it is none.

use crate::calls::Function;
use crate::imports::Symbol;
use crate::polls::Polls;
use linnet_abi::calls::{HOST_CAPTURES, HOST_PREFIX, USER_CAPTURES_NOT, USER_PREFIX};

/// Whether frames can be captured during a call of an imported function.
fn may_capture(symbol: &Symbol) -> bool {
    match symbol {
        Symbol::Barrier => false,
        Symbol::CallHandler => true,
        Symbol::Runtime(name) => match name.strip_prefix(HOST_PREFIX) {
            Some(call) => HOST_CAPTURES.contains(&call),
            None => !name.strip_prefix(USER_PREFIX).is_some_and(|c| USER_CAPTURES_NOT.contains(&c)),
        },
    }
}

/// Whether each function can, by wasm index. `polls`: of a module that does. Whoever calls `setjmp` polls
/// behind it.
pub(crate) fn find(
    functions: &[Function],
    symbols: &[Symbol],
    polls: Option<&Polls>,
    setjmp: Option<u32>,
    never: &[u32],
) -> Vec<bool> {
    let imported = symbols.len();
    let mut capturable: Vec<bool> = symbols.iter().map(may_capture).collect();
    capturable.extend((imported as u32..).zip(functions).map(|(index, function)| {
        let may_poll = |polls: &Polls| {
            let calls_setjmp = setjmp.is_some_and(|setjmp| function.callees.contains(&setjmp));
            function.has_loop || calls_setjmp || polls.at_entry(index)
        };
        function.indirect > 0 || function.waits || polls.is_some_and(may_poll)
    }));
    let mut callers = vec![Vec::new(); capturable.len()];
    for (i, function) in functions.iter().enumerate() {
        for callee in &function.callees {
            if let Some(list) = callers.get_mut(*callee as usize) {
                list.push(imported + i);
            }
        }
    }
    for index in never {
        capturable[*index as usize] = false;
        callers[*index as usize].clear();
    }
    let mut todo: Vec<usize> = (0..capturable.len()).filter(|i| capturable[*i]).collect();
    while let Some(index) = todo.pop() {
        for caller in std::mem::take(&mut callers[index]) {
            if !capturable[caller] && !never.contains(&(caller as u32)) {
                capturable[caller] = true;
                todo.push(caller);
            }
        }
    }
    capturable
}

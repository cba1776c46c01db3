//! Traps as the code generator has them.

use cranelift_codegen::ir::TrapCode;
use linnet_abi::trap::Trap;

pub(crate) fn trap_code(trap: Trap) -> TrapCode {
    trap_number(trap as u8)
}

/// The same by its number, which may be one of `linnet_abi::instance::MoreTrap`.
pub(crate) fn trap_number(code: u8) -> TrapCode {
    TrapCode::unwrap_user(code)
}

/// The trap behind a code, our own or one of Cranelift's. None where only memory is touched: a fault
/// there is a page fault, also in the instructions that the code generator always records.
pub(crate) fn trap_of(code: TrapCode) -> Option<u32> {
    let trap = match code {
        TrapCode::HEAP_OUT_OF_BOUNDS => return None,
        TrapCode::STACK_OVERFLOW => Trap::StackOverflow,
        TrapCode::INTEGER_OVERFLOW => Trap::IntegerOverflow,
        TrapCode::INTEGER_DIVISION_BY_ZERO => Trap::IntegerDivisionByZero,
        TrapCode::BAD_CONVERSION_TO_INTEGER => Trap::BadConversionToInteger,
        own => return Some(u32::from(own.as_raw().get())),
    };
    Some(trap as u32)
}

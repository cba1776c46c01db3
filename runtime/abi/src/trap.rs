//! Why translated code stopped.

/// Calls `$m!` with every trap: `Name = code, signal, si_code, "what the specification says";`
///
/// Signal and `si_code` are Linux's (asm-generic/signal.h, asm-generic/siginfo.h): what the
/// kernel delivers when a program's code raises the trap.
#[macro_export]
macro_rules! for_each_trap {
    ($m:ident) => {
        $m! {
            Unreachable = 1, 4, 1, "unreachable executed";
            MemoryOutOfBounds = 2, 11, 1, "out of bounds memory access";
            TableOutOfBounds = 3, 11, 1, "undefined element";
            NullReference = 4, 11, 1, "uninitialized element";
            BadSignature = 5, 4, 2, "indirect call type mismatch";
            IntegerDivisionByZero = 6, 8, 1, "integer divide by zero";
            IntegerOverflow = 7, 8, 2, "integer overflow";
            BadConversionToInteger = 8, 8, 7, "invalid conversion to integer";
            UnalignedAtomic = 9, 7, 1, "unaligned atomic";
            StackOverflow = 10, 11, 1, "call stack exhausted";
            UncaughtException = 11, 6, 0, "uncaught exception";
        }
    };
}

macro_rules! define {
    ($($name:ident = $code:literal, $signal:literal, $si_code:literal, $text:literal;)*) => {
        /// A trap of translated code. The number is what the object file carries.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Trap { $(#[doc = $text] $name = $code,)* }

        impl Trap {
            /// Every trap, in order of its number.
            pub const ALL: &'static [Trap] = &[$(Trap::$name,)*];

            /// The trap of that number.
            #[must_use]
            pub const fn from_code(code: u8) -> Option<Trap> {
                match code { $($code => Some(Trap::$name),)* _ => None }
            }

            /// The Linux signal and `si_code` that a program gets for it.
            #[must_use]
            pub const fn signal(self) -> (u32, u32) {
                match self { $(Trap::$name => ($signal, $si_code),)* }
            }

            /// The words of the WebAssembly test suite for it.
            #[must_use]
            pub const fn message(self) -> &'static str {
                match self { $(Trap::$name => $text,)* }
            }
        }
    };
}
for_each_trap!(define);

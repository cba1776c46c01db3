//! What a machine and the translator of its new programs say to each other.
//!
//! They speak on a socket of packets, of which the translator has its end as standard input. The machine begins with
//! a [`Hello`]; from then on it sends requests, and gets one reply for each [`Request::TRANSLATE`]. A machine that
//! starts again says hello again, and forgets what it has asked for.
//!
//! | packet              | descriptor that comes with it                                         |
//! |---------------------|-----------------------------------------------------------------------|
//! | [`Hello`]           |                                                                       |
//! | [`Request`]         | the module, in a memory file, if it is to be translated               |
//! | [`Reply`]           | a sealed memory file, if the module was translated                    |
//!
//! The memory file holds code, then tables, then the module, from [`Reply::address`] on where the machine is to map
//! it. All its parts begin at multiples of [`ALIGN`].

use crate::calls::{LIBCALLS, USER_CALLS};

/// Alignment of the parts of a memory file: no host has larger pages.
pub const ALIGN: u64 = 65536;

/// Libcalls of programs: the first so many.
pub const PROGRAM_LIBCALLS: usize = 8;

/// What the code of a program calls: the calls of [`USER_CALLS`], libcalls, [`crate::calls::POLL`] and
/// [`crate::frames::CAPTURED`], in this order.
pub const IMPORTS: usize = USER_CALLS.len() + PROGRAM_LIBCALLS + 2;

const _: () = assert!(LIBCALLS[PROGRAM_LIBCALLS - 1].name.len() == "throw".len());

/// No larger module is translated.
pub const MAX_MODULE: u64 = 64 << 20;

/// Defines a packet of 64-bit words.
macro_rules! packet {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name { $($(#[$field_doc])* pub $field: u64,)* }

        impl $name {
            /// Length of the packet in bytes.
            pub const SIZE: usize = 8 * [$(stringify!($field)),*].len();

            #[must_use]
            pub fn to_bytes(&self) -> [u8; Self::SIZE] {
                let mut bytes = [0; Self::SIZE];
                let words = [$(self.$field),*];
                for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
                    to.copy_from_slice(&word.to_le_bytes());
                }
                bytes
            }

            #[must_use]
            pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
                let mut words = bytes.chunks_exact(8).map(|chunk| {
                    chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
                });
                let mut next = || words.next().unwrap_or_default();
                $name { $($field: next(),)* }
            }
        }
    };
}

packet! {
    /// What the machine is. Behind it come [`IMPORTS`] addresses of functions, 8 bytes each.
    Hello {
        /// [`Hello::MAGIC`]
        magic,
        /// [`crate::ABI_VERSION`]
        abi_version,
        /// [`Hello::release`]
        release,
        /// ELF's number of the machine's ISA.
        isa,
        /// Where code may lie.
        start,
        end,
    }
}

impl Hello {
    pub const MAGIC: u64 = u64::from_le_bytes(*b"LNNTRNS1");

    /// Length of all of it in bytes.
    pub const WHOLE: usize = Hello::SIZE + 8 * IMPORTS;

    /// A number for a version of Linnet: a machine and its translator are of the same.
    #[must_use]
    pub const fn release(version: &str) -> u64 {
        let (bytes, mut hash, mut i) = (version.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
        while i < bytes.len() {
            hash = (hash ^ bytes[i] as u64).wrapping_mul(0x100_0000_01b3);
            i += 1;
        }
        hash
    }
}

packet! {
    /// What the machine asks for.
    Request {
        kind,
        /// The machine's number for the module.
        tag,
    }
}

impl Request {
    pub const TRANSLATE: u64 = 1;
    /// What came for that number is mapped no more.
    pub const FORGET: u64 = 2;
}

packet! {
    /// What became of a module. Behind it come [`Reply::TEXT`] bytes that say why if it was not translated, with
    /// zeros at the end.
    Reply {
        tag,
        /// 0, or an errno.
        errno,
        /// Where to map the memory file, and how much of it is code, and how much there is.
        address,
        code_size,
        size,
        /// Address of the `linnet_abi::module::Module`.
        descriptor,
        /// Address and size of the module's own bytes.
        module,
        module_size,
        /// As in `linnet_abi::exec::ExecHeader`.
        image_address,
        image_size,
        memory_end,
        heap_base,
    }
}

impl Reply {
    pub const TEXT: usize = 160;

    /// Length of all of it in bytes.
    pub const WHOLE: usize = Reply::SIZE + Reply::TEXT;
}

//! Calls from translated code to the runtime, expanded from the table in `linnet-abi`.

use linnet_abi::calls::{self, Call};

macro_rules! define {
    ($($(#[doc = $doc:literal])* $name:ident($($arg:ident: $ty:ident),*) $(-> $ret:ident)?;)*) => {
        /// A libcall. The number is its row in [`calls::LIBCALLS`].
        #[allow(non_camel_case_types, reason = "the names are those of the table")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u32)]
        pub(crate) enum Libcall { $($(#[doc = $doc])* $name),* }
    };
}
linnet_abi::for_each_libcall!(define);

impl Libcall {
    /// Its signature.
    pub(crate) fn call(self) -> &'static Call {
        &calls::LIBCALLS[self as usize]
    }
}

/// Number behind the last libcall: that of [`calls::POLL`], which is not in the table because it
/// preserves every register.
pub(crate) const POLL_INDEX: u32 = calls::LIBCALLS.len() as u32;

/// Number of [`linnet_abi::frames::CAPTURED`], which is no call of translated code for its own sake.
pub(crate) const CAPTURED_INDEX: u32 = POLL_INDEX + 1;

/// Symbols of all libcalls by number.
pub(crate) fn symbols() -> impl Iterator<Item = String> {
    let table = calls::LIBCALLS.iter().map(|c| format!("{}{}", calls::LIBCALL_PREFIX, c.name));
    table.chain([calls::POLL.to_owned(), linnet_abi::frames::CAPTURED.to_owned()])
}

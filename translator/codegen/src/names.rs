//! Numbers by which the code of a function names what is elsewhere: other functions, data and memories.

/// What the numbers of a `UserExternalName` count.
pub(crate) mod namespace {
    /// Functions of the module, by their wasm index.
    pub(crate) const FUNCTION: u32 = 0;
    /// [`crate::libcall`].
    pub(crate) const LIBCALL: u32 = 1;
    /// [`crate::trampoline`].
    pub(crate) const TRAMPOLINE: u32 = 2;
    /// Functions of the module that go on with a captured frame, by their wasm index.
    pub(crate) const RESUME: u32 = 4;
    /// Data of the object: [`TABLE`](data::TABLE) and then the segments.
    pub(crate) const DATA: u32 = 3;
}

/// Numbers in [`namespace::DATA`].
pub(crate) mod data {
    /// The function table.
    pub(crate) const TABLE: u32 = 0;
    /// Of each function type the adapter through which functions of it are called as if they had another,
    /// see [`crate::func::adapter`], by [`linnet_abi::module::TableEntry::signature`].
    pub(crate) const ADAPTERS: u32 = 1;
    /// The active segments of a standalone module that are copied in a loop, one behind the other, and where each
    /// goes.
    pub(crate) const COPIED: u32 = 2;
    pub(crate) const PLACES: u32 = 3;
    /// Segment 0 of the module; the others follow, and then the function types of a standalone module.
    pub(crate) const FIRST_SEGMENT: u32 = 4;
}

/// Where a piece of [`data::COPIED`] goes, and how long it is.
#[repr(C)]
pub(crate) struct Place {
    pub(crate) to: u64,
    pub(crate) len: u64,
}

/// In a handler's tag: the handler is for all code of the function that has none of its own. It hangs
/// at a call that has no handler itself. The handler may be used behind the first code with a source
/// location.
pub(crate) const WIDE: u32 = 1 << 31;

/// The source location from which on that handler may be used. No operator has it: source locations
/// of operators are addresses in the code section.
pub(crate) const WIDE_BEGIN: u32 = 1;

/// Number of the alias region that linear memories are.
pub(crate) const HEAP: u32 = 1;

/// Numbers in [`namespace::TRAMPOLINE`].
pub(crate) mod thunk {
    /// Number of the thunk behind the import `call_handler`.
    pub(crate) const CALL_HANDLER: u32 = 0;
    /// Number of `linnet_abi::module::Module::call_thread`.
    pub(crate) const CALL_THREAD: u32 = 1;
    /// Number of `linnet_abi::module::Module::call_restorer`.
    pub(crate) const CALL_RESTORER: u32 = 2;

    /// Number of what initialises an instance of a standalone module. More of these have higher numbers, see
    /// [`crate::trampoline::thunk`].
    pub(crate) const INITIALIZE: u32 = 3;

    /// Number of the caller's adapter of a type, see [`crate::func::adapter`].
    pub(crate) fn caller_number(ty: u32) -> u32 {
        INITIALIZE + 1 + 2 * ty
    }

    /// Number of the callee's adapter of a type.
    pub(crate) fn callee_number(ty: u32) -> u32 {
        INITIALIZE + 2 + 2 * ty
    }

    /// Number of the thunk that calls functions of a type for a host.
    pub(crate) fn enter_number(ty: u32) -> u32 {
        INITIALIZE + 1 + 2 * ty
    }

    /// Number of the thunk that is a host's function of a type.
    pub(crate) fn host_number(ty: u32) -> u32 {
        INITIALIZE + 2 + 2 * ty
    }
}

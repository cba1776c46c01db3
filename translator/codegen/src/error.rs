//! Errors: what is wrong, where in the module, and what to do about it.

use std::fmt::{self, Display, Formatter};

/// Why a module could not be translated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    message: String,
    function: Option<(u32, String)>,
    offset: Option<u64>,
    hint: Option<String>,
}

pub(crate) type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Error {
        Error { message: message.into(), function: None, offset: None, hint: None }
    }

    /// The byte of the file, unless a place is known already.
    pub(crate) fn at(mut self, offset: u64) -> Error {
        self.offset.get_or_insert(offset);
        self
    }

    /// The function, unless one is known already.
    pub(crate) fn in_function(mut self, index: u32, name: &str) -> Error {
        self.function.get_or_insert_with(|| (index, name.to_owned()));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// What the user may do about it.
    #[must_use]
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Where in the WebAssembly file it is.
    #[must_use]
    pub fn offset(&self) -> Option<u64> {
        self.offset
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match (&self.function, self.offset) {
            (Some((index, name)), offset) => {
                write!(f, " (function {index}")?;
                if !name.is_empty() {
                    write!(f, " {name:?}")?;
                }
                if let Some(offset) = offset {
                    write!(f, ", offset {offset:#x}")?;
                }
                f.write_str(")")
            }
            (None, Some(offset)) => write!(f, " (offset {offset:#x})"),
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(e: wasmparser::BinaryReaderError) -> Error {
        Error::new(in_own_words(e.message())).at(e.offset())
    }
}

/// The validator says "relaxed SIMD support is not enabled", as if there were a switch.
fn in_own_words(message: &str) -> String {
    let unsupported = |what: &str| {
        let verb = if what.ends_with('s') { "are" } else { "is" };
        format!("{what} {verb} not supported")
    };
    if let Some(feature) = message.strip_suffix(" support is not enabled") {
        return unsupported(feature);
    }
    if let Some((feature, _)) = message.split_once(" must be enabled for ") {
        return unsupported(feature);
    }
    if let Some((what, _)) = message.split_once(" not supported without the ") {
        return unsupported(what);
    }
    match message {
        "multiple memories" | "multiple tables" => unsupported(message),
        message => message.to_owned(),
    }
}

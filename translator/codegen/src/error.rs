//! Errors: what is wrong, where in the module, and what to do about it.

use std::fmt::{self, Display, Formatter};
use wasmparser::Operator;

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

impl Error {
    /// The module uses a feature that there is not.
    pub(crate) fn unsupported(feature: &str) -> Error {
        let verb = if feature.ends_with('s') { "are" } else { "is" };
        let error = Error::new(format!("{feature} {verb} not supported"));
        match WITHOUT.iter().find(|(name, _)| *name == feature) {
            Some((_, hint)) => error.hint(*hint),
            None => error,
        }
    }

    /// The module uses garbage collection: the one feature that the validator of modules for hosts takes and
    /// the translator does not.
    pub(crate) fn garbage_collection(what: &str) -> Error {
        Error::new(format!("garbage collection is not supported: {what}"))
    }
}

impl From<wasmparser::BinaryReaderError> for Error {
    fn from(e: wasmparser::BinaryReaderError) -> Error {
        let message = e.message();
        let Some(feature) = disabled_feature(message) else {
            // Numbers in it may be padded.
            let words: Vec<_> = message.split_whitespace().collect();
            return Error::new(words.join(" ")).at(e.offset());
        };
        Error::unsupported(feature).at(e.offset())
    }
}

/// How to compile without a feature.
const WITHOUT: &[(&str, &str)] = &[
    ("memory64", "compile for wasm32"),
    ("multiple memories", "compile without -mmultimemory"),
    ("multiple tables", "link with one table, which is all that C and C++ need"),
    ("reference types", "compile without -mreference-types"),
];

/// The feature that the validator misses. It says "tail calls support is not enabled", as if there
/// were a switch, and has more than one name for some.
fn disabled_feature(message: &str) -> Option<&str> {
    if !MISSING.iter().any(|words| message.contains(words)) {
        return None;
    }
    FEATURES.iter().find(|(word, _)| message.contains(word)).map(|(_, feature)| *feature)
}

/// How the validator says that a feature is not there.
const MISSING: &[&str] = &[
    " disabled",
    " disallowed ",
    " enabled",
    " not supported",
    " proposal",
    " required for ",
    " without the ",
    "multiple memories",
    "multiple tables",
];

/// Words of the validator's, and what the feature is called. The first that fits counts.
const FEATURES: &[(&str, &str)] = &[
    ("continuation", "stack switching"),
    ("stack switching", "stack switching"),
    ("shared-everything", "shared-everything-threads"),
    ("custom descriptors", "custom descriptors"),
    ("function references", "typed function references"),
    ("function-references", "typed function references"),
    ("gc", "garbage collection"),
    ("acquire-release", "acquire-release atomics"),
    ("compact imports", "compact imports"),
    ("custom page sizes", "custom page sizes"),
    ("memory control", "memory control"),
    ("memory64", "memory64"),
    ("multibyte array", "garbage collection"),
    ("multiple memories", "multiple memories"),
    ("multiple tables", "multiple tables"),
    ("reference types", "reference types"),
    ("relaxed SIMD", "relaxed SIMD"),
    ("tail calls", "tail calls"),
    ("wide arithmetic", "wide arithmetic"),
];

/// An operator's name for messages, as close to the text format as its variant's name allows.
pub(crate) fn operator_name(operator: &Operator) -> String {
    let debug = format!("{operator:?}");
    let variant = debug.split([' ', '(', '{']).next().unwrap_or_default();
    let mut name = String::new();
    for c in variant.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    // `i32_add` is written `i32.add`, and `br_if` as it is.
    let is_control = |word| ["br", "call", "catch", "return", "throw", "try"].contains(&word);
    if name.split('_').next().is_some_and(is_control) { name } else { name.replacen('_', ".", 1) }
}

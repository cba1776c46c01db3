//! The one error type of the tools: what went wrong where, and what to do about it.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Shown as `error: <place>: <cause>` and, if there is something to try, `hint: <hint>`.
#[derive(Debug)]
pub struct Error {
    message: String,
    hint: Option<String>,
    is_usage: bool,
}

impl Error {
    pub fn new(message: impl fmt::Display) -> Self {
        let mut message = message.to_string();
        // The standard library puts the number behind the text of the system's errors.
        if let Some((text, _)) = message.split_once(" (os error ") {
            message.truncate(text.len());
        }
        Self { message, hint: None, is_usage: false }
    }

    /// Adds what the user can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }

    /// Puts a place before the cause.
    #[must_use]
    pub fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// What the user typed is wrong, whatever there is.
    #[must_use]
    pub fn usage(mut self) -> Self {
        self.is_usage = true;
        self
    }

    pub fn is_usage(&self) -> bool {
        self.is_usage
    }

    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Says where a foreign error happened.
pub trait At<T> {
    fn at(self, place: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> At<T> for std::result::Result<T, E> {
    fn at(self, place: impl fmt::Display) -> Result<T> {
        self.map_err(|cause| Error::new(cause).at(place))
    }
}

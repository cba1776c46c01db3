//! The words of a line.

pub(crate) struct Tokens<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Tokens<'a> {
    pub(crate) fn of(line: &'a str) -> Tokens<'a> {
        Tokens(line.split_whitespace())
    }

    /// The next word; empty at the end.
    pub(crate) fn next(&mut self) -> &'a str {
        self.0.next().unwrap_or_default()
    }

    pub(crate) fn number(&mut self) -> usize {
        self.next().parse().unwrap_or(usize::MAX)
    }

    /// A text, whose bytes are written in hexadecimal behind a colon.
    pub(crate) fn text(&mut self) -> String {
        let digits = self.next().trim_start_matches(':');
        let byte = |i: usize| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok();
        let bytes: Vec<u8> = (0..digits.len()).step_by(2).filter_map(byte).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

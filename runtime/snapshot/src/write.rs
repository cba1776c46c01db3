//! Writing one, into memory that the caller brings.

use crate::{HEADER, MAGIC, Run, VERSION, hash};

/// The memory is too small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Full;

/// All of a snapshot but the pages.
#[derive(Debug)]
pub struct Writer<'o> {
    words: &'o mut [u64],
    at: usize,
}

impl<'o> Writer<'o> {
    /// # Errors
    /// There is not even room for the header.
    pub fn new(words: &'o mut [u64]) -> Result<Writer<'o>, Full> {
        if words.len() < HEADER {
            return Err(Full);
        }
        Ok(Writer { words, at: HEADER })
    }

    /// Adds a word.
    ///
    /// # Errors
    /// There is no room.
    pub fn word(&mut self, word: u64) -> Result<(), Full> {
        *self.words.get_mut(self.at).ok_or(Full)? = word;
        self.at += 1;
        Ok(())
    }

    /// Adds words.
    ///
    /// # Errors
    /// There is no room.
    pub fn words(&mut self, words: impl IntoIterator<Item = u64>) -> Result<(), Full> {
        words.into_iter().try_for_each(|word| self.word(word))
    }

    /// Adds a hash of 32 bytes.
    ///
    /// # Errors
    /// There is no room.
    pub fn id(&mut self, id: &[u8; 32]) -> Result<(), Full> {
        self.words(
            id.chunks_exact(8).map(|part| part.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b))),
        )
    }

    /// Where the next word comes, to be set later.
    #[must_use]
    pub fn place(&self) -> usize {
        self.at
    }

    /// Sets a word that was added.
    pub fn set(&mut self, place: usize, word: u64) {
        if place < self.at {
            self.words[place] = word;
        }
    }

    /// Takes away all words that were added from a place on.
    pub fn cut(&mut self, place: usize) {
        self.at = self.at.min(place.max(HEADER));
    }

    /// What is left of the memory. The first `n` words of it become a part by [`Writer::take`].
    pub fn rest(&mut self) -> &mut [u64] {
        &mut self.words[self.at..]
    }

    /// Adds the next `n` words as they are.
    ///
    /// # Errors
    /// There is no room.
    pub fn take(&mut self, n: usize) -> Result<(), Full> {
        self.at = self.at.checked_add(n).filter(|at| *at <= self.words.len()).ok_or(Full)?;
        Ok(())
    }

    /// Adds the name of a function.
    ///
    /// # Errors
    /// There is no room.
    pub fn name(&mut self, module: u32, function: u32, name: &str) -> Result<(), Full> {
        self.words([u64::from(module) << 32 | u64::from(function), name.len() as u64])?;
        let word = |part: &[u8]| part.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b));
        self.words(name.as_bytes().chunks(8).map(word))
    }

    /// Words that were added, from a place on.
    #[must_use]
    pub fn added(&self, from: usize) -> &[u64] {
        self.words.get(from..self.at).unwrap_or_default()
    }

    /// Adds a run of guest memory.
    ///
    /// # Errors
    /// There is no room.
    pub fn run(&mut self, run: &Run) -> Result<(), Full> {
        self.words(run.words())
    }

    /// Bytes of the body.
    #[must_use]
    pub fn size(&self) -> u64 {
        8 * (self.at - HEADER) as u64
    }

    /// The header and the body, which are to be at `body` and their pages at `pages`. `as_bytes` shows words as
    /// the bytes of a file.
    pub fn finish(
        self,
        body: u64,
        pages: u64,
        as_bytes: impl Fn(&[u64]) -> &[u8],
    ) -> (&'o [u64], &'o [u64]) {
        let (header, words) = self.words[..self.at].split_at_mut(HEADER);
        let (count, hash) = (words.len() as u64, hash(as_bytes(words)));
        header.copy_from_slice(&[MAGIC, VERSION, count, hash, pages, body, 0, 0]);
        (header, words)
    }
}

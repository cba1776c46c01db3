//! A machine that waits becomes another one, as [`linnet_snapshot::stream`] tells.
//!
//! What comes is believed no more than a file: see [`thaw`](super::thaw).

use super::outgoing::{self, Lost};
use super::pages::as_bytes;
use super::thaw::{self, Error};
use crate::host::sys;
use crate::memory::image;
use crate::memory::ram::Ram;
use linnet_snapshot::{Header, RUN, Run, Snapshot, VERSION, run, stream};

/// A machine that comes.
pub struct Incoming {
    connection: i32,
    /// Bytes of its memory.
    pub memory: u64,
}

impl Incoming {
    /// The one that has connected, if it can become this one.
    pub fn new(connection: i32) -> Result<Incoming, Error> {
        let hello: [u64; stream::HELLO] = read_words(connection)?;
        if hello[0] != stream::MAGIC {
            return Err(Error::Wrong("what has connected is no machine"));
        }
        if hello[1] != VERSION {
            return Err(linnet_snapshot::Error::Version(hello[1]).into());
        }
        let id = image::kernel().id;
        if hello[2..6].iter().zip(id.as_chunks().0).any(|(word, id)| word.to_le_bytes() != *id) {
            return Err(Error::Kernel);
        }
        Ok(Incoming { connection, memory: hello[6] })
    }

    /// Lay out its memory, until all that there is besides has come.
    pub fn load(&self) -> Result<Snapshot<'static>, Error> {
        let buffer = thaw::room(RUN)?;
        loop {
            match self.read_word()? {
                stream::RUN => {
                    let words: [u64; run::COUNT] = read_words(self.connection)?;
                    let run = Run::from_words(words, Ram::get().size)?;
                    let stored = &mut buffer[..run.stored];
                    outgoing::read(self.connection, stored)?;
                    run.unpack(stored, thaw::memory_of(&run)?)?;
                }
                stream::BODY => break,
                _ => return Err(Error::Wrong("it says what nobody knows")),
            }
        }
        let [words, hash] = read_words(self.connection)?;
        let header = Header::of_body(words, hash);
        let body = thaw::room(header.body_size()?)?;
        outgoing::read(self.connection, body)?;
        let (snapshot, pages) = Snapshot::new(&header, body)?;
        if pages != 0 || snapshot.memory() != self.memory || snapshot.kernel() != image::kernel().id
        {
            return Err(Error::Wrong("it is not what it said it was"));
        }
        Ok(snapshot)
    }

    /// All is made: from here on it is this machine that runs.
    pub fn take_over(&self) -> Result<(), Error> {
        outgoing::write(self.connection, as_bytes(&[stream::READY]))?;
        if self.read_word()? != stream::GO {
            return Err(Error::Wrong("it says what nobody knows"));
        }
        // The other one does not run in any case.
        let _: Result<(), Lost> = outgoing::write(self.connection, as_bytes(&[stream::RUNS]));
        sys::close(self.connection);
        Ok(())
    }

    fn read_word(&self) -> Result<u64, Error> {
        let [word] = read_words(self.connection)?;
        Ok(word)
    }
}

fn read_words<const N: usize>(connection: i32) -> Result<[u64; N], Error> {
    let mut words = [[0; 8]; N];
    outgoing::read(connection, words.as_flattened_mut())?;
    Ok(words.map(u64::from_le_bytes))
}

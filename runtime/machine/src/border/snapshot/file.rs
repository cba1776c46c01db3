//! The file that snapshots go to.

use super::body::Count;
use super::failed::Failed;
use super::pages::{self, as_bytes};
use super::rewind;
use crate::host::{clock, sys};
use core::cell::Cell;
use linnet_snapshot::{ALIGN, Run, Writer, pack};

/// A file for snapshots.
pub struct File {
    pub fd: i32,
    /// Where in it the last one is.
    last: Cell<(u64, u64)>,
    /// When that was made, in nanoseconds since 1970; 0 if there is none.
    pub time: Cell<u64>,
}

fn tried(result: isize) -> Result<(), Failed> {
    if result < 0 { Err(Failed::File(-result as i32)) } else { Ok(()) }
}

impl File {
    /// One of that size.
    pub fn new(fd: i32, size: u64) -> File {
        let mut header = [0; 8 * linnet_snapshot::HEADER];
        // What is no snapshot is kept as if it was one.
        let is_read = sys::read_all_at(fd, &mut header, 0) == 0;
        let first = if is_read { linnet_snapshot::first_byte(&header).unwrap_or(0) } else { 0 };
        let time = Cell::new(rewind::time(fd).unwrap_or(0));
        File { fd, last: Cell::new((first.min(size) & !(ALIGN - 1), size)), time }
    }

    /// Writes a snapshot beside the last one. It is there when its header is: until then the file is the last one.
    /// What there is besides memory has been written to `writer`; `buffer` holds a run that is packed.
    pub fn write(&self, mut writer: Writer<'_>, buffer: &mut [u8]) -> Result<(), Failed> {
        let last = self.last.get();
        let behind = last.1.next_multiple_of(ALIGN).max(ALIGN);
        let before_runs = writer.place();
        let mut at = if last.0 > ALIGN { ALIGN } else { behind };
        let mut end = self.write_pages(&mut writer, at, buffer)?;
        if at < behind && end + 8 * writer.place() as u64 > last.0 {
            writer.cut(before_runs);
            at = behind;
            end = self.write_pages(&mut writer, at, buffer)?;
        }
        let to = end.next_multiple_of(8);
        let size = writer.size();
        let (header, body) = writer.finish(to, at, as_bytes);
        tried(sys::write_all_at(self.fd, as_bytes(body), to))?;
        tried(sys::fdatasync(self.fd))?;
        tried(sys::write_all_at(self.fd, as_bytes(header), 0))?;
        tried(sys::fdatasync(self.fd))?;
        self.last.set((at, to + size));
        self.time.set(clock::realtime());
        // The last one is not needed any more. A file system that cannot do that keeps it.
        if at == ALIGN {
            sys::truncate(self.fd, to + size);
        } else if last.1 > ALIGN {
            sys::punch_hole(self.fd, ALIGN, at - ALIGN);
        }
        Ok(())
    }

    /// Writes guest memory to a place, and the list of its runs; where it ends.
    fn write_pages(
        &self,
        writer: &mut Writer<'_>,
        mut to: u64,
        buffer: &mut [u8],
    ) -> Result<u64, Failed> {
        let mut count = Count::new(writer)?;
        for part in pages::used() {
            let bytes = pages::bytes(part.clone());
            let stored = pack(bytes, buffer);
            tried(sys::write_all_at(self.fd, stored, to))?;
            writer.run(&Run::new(part.start, bytes.len(), stored))?;
            count.add(writer);
            to += stored.len() as u64;
        }
        Ok(to)
    }
}

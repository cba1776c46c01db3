//! Several snapshots of one machine, in files that are numbered from 1: which one to go back to.

use crate::host::sys;
use core::ffi::CStr;
use linnet_snapshot::{HEADER, Header, MOST_FILES, machine};

/// When the snapshot in a file was made, in nanoseconds since 1970. It may be damaged all the same.
pub fn time(fd: i32) -> Option<u64> {
    let mut header = [0; 8 * HEADER];
    sys::read_file(fd, &mut header, 0).ok()?;
    let body = Header::new(&header).ok()?.body;
    let mut word = [0; 8];
    sys::read_file(fd, &mut word, body.checked_add(8 * machine::REALTIME as u64)?).ok()?;
    Some(u64::from_le_bytes(word))
}

/// The number of the file whose snapshot has `back` newer ones. `with_path` calls something with the path of a
/// numbered file.
pub fn choose(back: usize, with_path: impl Fn(usize, &mut dyn FnMut(&CStr))) -> Option<usize> {
    let mut times = [(0, 0); MOST_FILES];
    let mut count = 0;
    for number in 1..=MOST_FILES {
        with_path(number, &mut |path| {
            let Ok((fd, _)) = sys::open_to_read(path) else { return };
            if let Some(time) = time(fd) {
                times[count] = (time, number);
                count += 1;
            }
            sys::close(fd);
        });
    }
    let times = &mut times[..count];
    times.sort_unstable_by(|one, other| other.cmp(one));
    times.get(back).map(|(_, number)| *number)
}

//! Requests that no kernel makes.

use crate::folder::Folder;
use crate::fuse::{HEADER_SIZE, ROOT, operation};
use crate::host;
use crate::serve::Buffers;
use linnet_virtio::memory::IoVec;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::{format, fs, vec::Vec};

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }

    /// A number that may mean something.
    fn number(&mut self) -> u64 {
        match self.next(8) {
            0 => u64::MAX,
            1 => self.0,
            2 => self.next(1 << 33),
            3 => 0x8000 | self.next(0o1000),
            4 => self.next(400),
            5 => 1,
            _ => self.next(12),
        }
    }

    fn name(&mut self) -> &'static [u8] {
        const NAMES: [&[u8]; 12] = [
            b"a\0",
            b"b\0",
            b"dir\0",
            b"link\0",
            b"up\0",
            b"..\0",
            b".\0",
            b"../secret\0",
            b"/\0",
            b"user.a\0",
            b"\0",
            b"no-end",
        ];
        NAMES[self.next(NAMES.len() as u64) as usize]
    }
}

/// What is in a directory and beneath, but for one part of it.
fn listing(path: &Path, without: &Path) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path == without {
            continue;
        }
        found.push((path.clone(), fs::read(&path).unwrap()));
    }
    found.sort();
    found
}

#[test]
fn no_request_leads_out_of_the_folder() {
    let outside = std::env::temp_dir().join(format!("linnet-share-{}", std::process::id()));
    let inside = outside.join("folder");
    fs::create_dir_all(inside.join("dir")).unwrap();
    fs::write(outside.join("secret"), "secret").unwrap();
    std::os::unix::fs::symlink("../secret", inside.join("link")).unwrap();
    std::os::unix::fs::symlink("..", inside.join("up")).unwrap();
    let before = listing(&outside, &inside);

    let path = CString::new(inside.as_os_str().as_bytes()).unwrap();
    let root = host::open_folder(&path).unwrap();
    host::prepare().unwrap();
    let mut folder = Folder::new(root, false, 256).unwrap();
    let mut buffers = Buffers::default();
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut answered = 0;
    for _ in 0..200_000 {
        let mut request = Vec::new();
        let kind = random.next(54) as u32;
        let kind = match kind {
            // All of a file system is not to be written back each time, and not much is to be forgotten.
            operation::SYNCFS => operation::LOOKUP,
            operation::INIT | operation::DESTROY if random.next(100) != 0 => operation::CREATE,
            kind => kind,
        };
        request.extend_from_slice(&0_u32.to_le_bytes());
        request.extend_from_slice(&kind.to_le_bytes());
        request.extend_from_slice(&7_u64.to_le_bytes());
        let node = if random.next(2) == 0 { ROOT } else { random.number() };
        request.extend_from_slice(&node.to_le_bytes());
        request.resize(HEADER_SIZE, 0);
        for _ in 0..random.next(14) {
            match random.next(3) {
                0 => request.extend_from_slice(random.name()),
                1 => request.extend_from_slice(&random.number().to_le_bytes()),
                _ => request.extend_from_slice(&(random.number() as u32).to_le_bytes()),
            }
        }
        // Files stay small.
        if matches!(
            kind,
            operation::WRITE
                | operation::FALLOCATE
                | operation::SETATTR
                | operation::COPY_FILE_RANGE
        ) {
            for word in request[HEADER_SIZE..].chunks_exact_mut(8) {
                word[3..].fill(0);
            }
        }
        let mut answer = [0_u8; 4096];
        let room = random.next(answer.len() as u64) as usize;
        let cut = request.len()
            - (random.next(4) == 0) as usize * random.next(request.len() as u64) as usize;
        let mut readable = [IoVec { start: request.as_mut_ptr(), len: cut }];
        let mut writable = [IoVec { start: answer.as_mut_ptr(), len: room }];
        let len = buffers.answer(&mut readable, &mut writable, &mut folder) as usize;
        assert!(len <= room, "operation {kind}: {len} bytes in room for {room}");
        answered += usize::from(len > 16);
    }
    assert!(answered > 1000, "{answered} requests were answered");
    assert_eq!(listing(&outside, &inside), before);
    drop(folder);
    fs::remove_dir_all(&outside).unwrap();
}

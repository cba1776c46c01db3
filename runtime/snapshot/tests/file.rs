//! A file that was written is read as it was, and any other one is refused or read without harm.

use linnet_snapshot::{
    ALIGN, Error, GLOBALS, HEADER, NONE, PACKED, RUN, Run, Snapshot, Writer, machine, pack,
    task as word,
};

fn as_bytes(words: &[u64]) -> &[u8] {
    // SAFETY: words are bytes.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), 8 * words.len()) }
}

/// A file with two tasks and two runs.
fn file() -> Vec<u8> {
    let mut words = vec![0; 4096];
    let mut writer = Writer::new(&mut words).unwrap();
    writer.id(&[7; 32]).unwrap();
    let mut machine = [NONE; machine::COUNT];
    machine[machine::MEMORY] = 64 << 20;
    machine[machine::PAGE_SHIFT] = 14;
    machine[machine::DISKS] = 512;
    writer.words(machine[machine::MEMORY..].iter().copied()).unwrap();
    writer.word(1).unwrap();
    writer.id(&[9; 32]).unwrap();
    writer.words([2, 5, 6]).unwrap();
    writer.word(2).unwrap();
    for n in 0..2_u64 {
        let mut task = [0; word::COUNT];
        task[word::ID] = 0x1000 * (n + 1);
        task[word::PROGRAM] = if n == 0 { NONE } else { 0 };
        task[word::KERNEL_RECORD] = 16;
        task[word::USER_RECORD] = 8 * n;
        writer.words(task).unwrap();
        writer.words((0..2 * GLOBALS as u64).map(|global| global + n)).unwrap();
        writer.words([1, 2]).unwrap();
        writer.words((0..n).map(|_| 3)).unwrap();
    }
    writer.word(1).unwrap();
    writer.name(1, 33, "a_function").unwrap();
    writer.word(2).unwrap();
    let pages: [Vec<u8>; 2] =
        [(0..16384_u32).map(|n| ((n * n) >> 7) as u8).collect(), vec![2; 12288]];
    let mut buffers = [vec![0; PACKED], vec![0; PACKED]];
    let mut stored = Vec::new();
    for ((offset, bytes), buffer) in [0x10000, 0x20000].into_iter().zip(&pages).zip(&mut buffers) {
        let packed = pack(bytes, buffer);
        writer.run(&Run::new(offset, bytes.len(), packed)).unwrap();
        stored.extend_from_slice(packed);
    }
    let (at, size) = (8 * HEADER, writer.size() as usize);
    let (header, body) = writer.finish(at as u64, ALIGN, as_bytes);
    let mut file = [as_bytes(header), as_bytes(body)].concat();
    assert_eq!(file.len(), at + size);
    file.resize(ALIGN as usize, 0);
    file.extend(stored);
    file
}

/// Makes the hash fit again.
fn fit(file: &mut [u8]) {
    let words = u64::from_le_bytes(file[16..24].try_into().unwrap());
    let end = usize::try_from(words).ok().and_then(|words| words.checked_mul(8));
    let end = end.and_then(|size| size.checked_add(8 * HEADER));
    if let Some(body) = end.and_then(|end| file.get(8 * HEADER..end)) {
        let hash = twox_hash::XxHash3_64::oneshot(body);
        file[24..32].copy_from_slice(&hash.to_le_bytes());
    }
}

/// Where the word is first.
fn place(file: &[u8], value: u64) -> usize {
    let bytes = value.to_le_bytes();
    file.chunks_exact(8).position(|word| word == bytes).unwrap() * 8
}

#[test]
fn what_was_written_is_read() {
    let file = file();
    let (snapshot, pages) = Snapshot::of_file(&file).unwrap();
    assert_eq!(snapshot.kernel(), [7; 32]);
    let disks = (snapshot.disk(0), snapshot.disk(1));
    assert_eq!((snapshot.memory(), disks), (64 << 20, (Some(512), None)));
    assert_eq!((snapshot.program(0), snapshot.program(1)), (Some([9; 32]), None));
    assert_eq!(snapshot.memories().collect::<Vec<_>>(), [5, 6]);
    let tasks: Vec<_> = snapshot.tasks().collect();
    assert_eq!(tasks.len(), 2);
    assert_eq!(tasks[1].word32(word::ID), Ok(0x2000));
    assert!(tasks[0].word32(word::PROGRAM).is_err());
    let globals = (tasks[1].kernel_global(3), tasks[1].user_global(0));
    assert_eq!(globals, (4, GLOBALS as u64 + 1));
    assert_eq!((tasks[0].kernel_record.len(), tasks[0].user_record.len()), (16, 0));
    assert_eq!(tasks[1].user_record, 3_u64.to_le_bytes());
    let names: Vec<_> = snapshot.names().map(|n| (n.module, n.function, n.name)).collect();
    assert_eq!(names, [(1, 33, "a_function")]);
    let runs: Vec<_> = snapshot.runs().collect();
    assert_eq!((runs[1].offset, runs[1].size), (0x20000, 12288));
    assert!(runs[1].stored < 1000 && runs[0].stored + runs[1].stored == pages.len());
    let mut bytes = vec![0; 12288];
    runs[1].unpack(&pages[runs[0].stored..], &mut bytes).unwrap();
    assert_eq!(bytes, [2; 12288]);
    let mut elsewhere = runs[1];
    elsewhere.offset ^= 1 << 20;
    assert_eq!(elsewhere.unpack(&pages[runs[0].stored..], &mut bytes), Err(Error::Damaged));
}

#[test]
fn what_is_no_snapshot_is_refused() {
    let whole = file();
    let error = |file: &[u8]| Snapshot::of_file(file).err();
    assert_eq!(error(&[]), Some(Error::NotASnapshot));
    assert_eq!(error(&whole[1..]), Some(Error::NotASnapshot));
    assert_eq!(error(&whole[..whole.len() - 1]), Some(Error::Length));
    assert_eq!(error(&[&whole[..], &[0]].concat()), None, "there may be an older one behind it");
    let mut other = whole.clone();
    other[8] = 9;
    assert_eq!(error(&other), Some(Error::Version(9)));
    let mut damaged = whole.clone();
    damaged[8 * HEADER + 100] ^= 1;
    assert_eq!(error(&damaged), Some(Error::Damaged));
    let mut page = whole;
    *page.last_mut().unwrap() ^= 1;
    let (snapshot, pages) = Snapshot::of_file(&page).unwrap();
    let last = snapshot.runs().last().unwrap();
    let stored = &pages[pages.len() - last.stored..];
    assert_eq!(last.unpack(stored, &mut vec![0; last.size]), Err(Error::Damaged));
}

#[test]
fn runs_lie_in_memory_one_behind_the_other() {
    let whole = file();
    let (offset, size) = (place(&whole, 0x20000), place(&whole, 12288));
    for (at, value) in [
        (offset, 0x10000_u64),
        (offset, 64 << 20),
        (offset, u64::MAX - 5),
        (size, 0),
        (size, RUN as u64 + 1),
    ] {
        let mut file = whole.clone();
        file[at..at + 8].copy_from_slice(&value.to_le_bytes());
        fit(&mut file);
        assert!(Snapshot::of_file(&file).is_err(), "{value:#x} at {at}");
    }
}

/// Whatever is changed, with a hash that fits: everything that can be asked is answered.
#[test]
fn changed_files_do_no_harm() {
    let whole = file();
    let words = place(&whole, 0x20000) as u64 / 8 + 3;
    let mut state = 0x1234_5678_9abc_def1_u64;
    let mut next = |below: u64| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let rounds = if cfg!(miri) { 30 } else { 30_000 };
    let mut read = 0;
    for _ in 0..rounds {
        let mut file = whole.clone();
        for _ in 0..=next(3) {
            let at = 8 * next(words) as usize;
            let old = u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
            let word = match next(5) {
                0 => next(4),
                1 => u64::MAX - next(4),
                2 => 1 << next(64),
                3 => next(1 << 20),
                _ => old ^ 1 << next(64),
            };
            file[at..at + 8].copy_from_slice(&word.to_le_bytes());
        }
        if next(10) == 0 {
            file.truncate(next(file.len() as u64) as usize);
        }
        if file.len() > 8 * HEADER {
            fit(&mut file);
        }
        let Ok((snapshot, pages)) = Snapshot::of_file(&file) else { continue };
        read += 1;
        let records = snapshot.tasks().map(|t| t.kernel_record.len() + t.user_record.len());
        let mut rest = pages;
        let mut memory = [0; RUN];
        let bytes = snapshot.runs().map(|run| {
            let (stored, behind) = rest.split_at(run.stored);
            rest = behind;
            let _ = run.unpack(stored, &mut memory[..run.size]);
            run.stored
        });
        let names = snapshot.names().map(|name| name.name.len());
        let sum: usize = records.chain(bytes).chain(names).sum();
        assert!(sum < file.len() && snapshot.memories().count() < file.len());
    }
    assert!(read > rounds / 10, "{read}");
}

/// Blocks of LZ4 that anybody can have made: they give as many bytes as there are to be, or an error.
#[test]
fn changed_pages_do_no_harm() {
    let text: Vec<u8> = (0..2000_u32).flat_map(|n| n.to_string().into_bytes()).collect();
    let mut buffer = vec![0; PACKED];
    let whole = pack(&text, &mut buffer).to_vec();
    assert!(whole.len() < text.len());
    let mut memory = vec![0; text.len()];
    let run = Run::new(0, text.len(), &whole);
    run.unpack(&whole, &mut memory).unwrap();
    assert_eq!(memory, text);
    for at in (0..whole.len()).step_by(if cfg!(miri) { 501 } else { 1 }) {
        for value in [0, 0xff, whole[at] ^ 1, whole[at] ^ 0x80] {
            let mut changed = whole.clone();
            changed[at] = value;
            let _ = Run::new(0, text.len(), &changed).unpack(&changed, &mut memory);
            changed.truncate(at);
            let run = Run::new(0, text.len(), &changed);
            assert_eq!(run.unpack(&changed, &mut memory).is_ok(), at == 0, "cut at {at}");
        }
    }
    Run::new(0, text.len(), &[]).unpack(&[], &mut memory).unwrap();
    assert!(memory.iter().all(|byte| *byte == 0), "nothing is stored of zeros");
}

#[test]
fn a_run_lies_in_one_piece_of_memory() {
    let at = |offset, size| Run::from_words([offset, size, 0, 0], 1 << 20);
    let most = RUN as u64;
    assert!(at(most, most).is_ok() && at(most + 1, most - 1).is_ok() && at(most, 1).is_ok());
    assert!(at(most + 1, most).is_err() && at(2 * most - 1, 2).is_err() && at(most, 0).is_err());
}

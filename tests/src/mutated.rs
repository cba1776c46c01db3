//! Snapshots that somebody has changed, at the machine itself: each is refused, or resumed without harm to anybody but
//! the guest.
//!
//! `SNAPSHOT_MUTATIONS=100000` makes so many of them; `SNAPSHOT_SEED` others.

use std::fs;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, host};
use linnet_snapshot::{HEADER, Run, Snapshot, hash, run};

use crate::freeze::{Place, check, command, has_status};
use crate::player::number;
use crate::{Test, machine};

/// What a guest may do that has lost its mind, and what nobody waits for any longer.
const LIMIT: Duration = Duration::from_secs(2);
const MUTATIONS: u64 = 300;

/// Exit status of a runtime that has a mistake: see docs/src/reference/exit-codes.md.
const BUG: i32 = 71;

pub(crate) fn tests() -> Vec<Test> {
    let name = "mutated::snapshots-do-no-harm-to-the-host".to_owned();
    vec![(name, Box::new(|| Ok(mutations()?)))]
}

/// Numbers that look random, the same ones for each seed (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let n = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ n >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ n >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

fn word(file: &[u8], at: usize) -> u64 {
    file.get(at..at + 8).map_or(0, |word| u64::from_le_bytes(word.try_into().unwrap_or_default()))
}

/// Where the parts of a snapshot are in its file.
struct Parts {
    body: usize,
    words: usize,
    pages: usize,
    /// The first word of the list of runs.
    runs: usize,
    stored: Vec<usize>,
}

impl Parts {
    fn of(file: &[u8]) -> Result<Parts> {
        let (snapshot, _) =
            Snapshot::of_file(file).map_err(|error| Error::new(error.to_string()))?;
        let stored: Vec<usize> = snapshot.runs().map(|run| run.stored).collect();
        let (words, body) = (word(file, 16) as usize, word(file, 40) as usize);
        let runs = words - run::COUNT * stored.len();
        Ok(Parts { body, words, pages: word(file, 32) as usize, runs, stored })
    }

    /// One change, after which all hashes fit unless it is there to be seen by them.
    fn mutate(&self, file: &mut Vec<u8>, random: &mut Random) {
        match random.below(10) {
            0 => file.truncate(random.below(file.len())),
            1 => {
                let at = random.below(file.len());
                file[at] ^= 1 << random.below(8);
            }
            2 => {
                let at = 8 * random.below(HEADER);
                let value = self.value(file, at, random);
                file[at..at + 8].copy_from_slice(&value.to_le_bytes());
            }
            3 | 4 => self.mutate_pages(file, random),
            kind => {
                // Where machine and tasks are, or anywhere.
                let words = if kind < 8 { self.runs } else { self.words };
                for _ in 0..1 + random.below(3) {
                    let at = self.body + 8 * random.below(words);
                    let value = self.value(file, at, random);
                    file[at..at + 8].copy_from_slice(&value.to_le_bytes());
                }
                self.fit(file);
            }
        }
    }

    /// What a word may become.
    fn value(&self, file: &[u8], at: usize, random: &mut Random) -> u64 {
        const EDGES: [u64; 10] =
            [0, 1, 63, 1 << 14, 1 << 16, 1 << 31, u32::MAX as u64, 1 << 32, 1 << 63, u64::MAX];
        let old = word(file, at);
        match random.below(6) {
            0 => EDGES[random.below(EDGES.len())],
            1 => old.wrapping_add(1),
            2 => old.wrapping_sub(1),
            3 => old ^ 1 << random.below(64),
            // That of another place.
            4 => word(file, self.body + 8 * random.below(self.words)),
            _ => random.next() >> random.below(64),
        }
    }

    /// Changes what is stored of a part of memory.
    fn mutate_pages(&self, file: &mut [u8], random: &mut Random) {
        let n = random.below(self.stored.len());
        let start = self.pages + self.stored[..n].iter().sum::<usize>();
        let stored = start..start + self.stored[n];
        for _ in 0..1 + random.below(8) {
            let at = start + random.below(stored.len());
            file[at] = random.next() as u8;
        }
        let at = self.body + 8 * (self.runs + run::COUNT * n);
        let made = Run::new(word(file, at), word(file, at + 8) as usize, &file[stored]);
        for (n, word) in made.words().into_iter().enumerate() {
            file[at + 8 * n..at + 8 * n + 8].copy_from_slice(&word.to_le_bytes());
        }
        self.fit(file);
    }

    /// Makes the hash of the body fit.
    fn fit(&self, file: &mut [u8]) {
        let made = hash(&file[self.body..self.body + 8 * self.words]);
        file[24..32].copy_from_slice(&made.to_le_bytes());
    }
}

fn mutations() -> Result<()> {
    let place = Place::new("mutated")?;
    let file = place.path("snapshot");
    let script = "echo a >/tmp/a; sleep 100 & cat </dev/zero >/dev/null & freeze --exit; kill %1 %2; \
        read a </tmp/a; echo $a | cat";
    let mut first = command(host()?)?;
    let arguments = ["--memory", "64M", "--cpus", "2", "--freeze-to", &file, "--", "sh", "-c"];
    first.args(arguments).arg(script);
    has_status(&machine::run(&mut first, &[], Duration::from_secs(40))?, 0)?;
    let whole = fs::read(&file).at(&file)?;
    let parts = Parts::of(&whole)?;
    let count = number("SNAPSHOT_MUTATIONS").unwrap_or(MUTATIONS);
    let seed = number("SNAPSHOT_SEED").unwrap_or(1);
    let next = AtomicU64::new(0);
    let work = |worker: usize| -> Result<()> {
        let path = place.path(&worker.to_string());
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= count {
                return Ok(());
            }
            let mut bytes = whole.clone();
            parts.mutate(&mut bytes, &mut Random(seed << 32 | n));
            fs::write(&path, bytes).at(&path)?;
            let mut again = command(host()?)?;
            again.args(["--cpus", "2", "--resume", &path]);
            is_harmless(&mut again).map_err(|error| error.at(format_args!("mutation {n}")))?;
        }
    };
    thread::scope(|scope| {
        let workers = [0, 1].map(|worker| scope.spawn(move || work(worker)));
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(Error::new("a thread has panicked")))
        })
    })
}

/// The machine ends by itself, in no other way than a guest can make it end; or it does not end.
fn is_harmless(command: &mut Command) -> Result<()> {
    let ended = machine::run(command.stdin(Stdio::null()), &[], LIMIT)?;
    // The time was up.
    let Some(status) = ended.status else { return Ok(()) };
    let is_right =
        status.code().is_some_and(|code| code != BUG) && !ended.output.contains("panicked");
    check(is_right, || format!("{status}: {}", ended.output))
}

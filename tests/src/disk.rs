//! Disks of a machine: files of the host.

use std::fs::{self, File};
use std::path::PathBuf;
use std::time::Duration;

use linnet_build::{At as _, Error, Result, Target};

use crate::machine::{self, Ended};
use crate::{Test, vm};

const LIMIT: Duration = Duration::from_secs(60);
const SIZE: u64 = 64 << 20;

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let test = |name: &str, run: fn(&Place) -> Result<()>| -> Test {
        let place = name.to_owned();
        let run = move || Ok(Place::new(target, &place).and_then(|place| run(&place))?);
        (format!("disk::{name}"), Box::new(run))
    };
    vec![
        test("files-stay-after-the-machine-has-gone", files_stay),
        test("many-tasks-write-at-once", many_tasks),
        test("what-is-read-only-is-not-written", read_only),
        test("a-disk-in-use-is-refused", in_use),
        test("what-is-no-disk-is-refused", no_disk),
    ]
}

/// A directory with an empty disk.
struct Place {
    target: Target,
    directory: PathBuf,
}

impl Place {
    fn new(target: Target, name: &str) -> Result<Self> {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("disk")
            .join(format!("{name}-{}", target.name()));
        fs::create_dir_all(&directory).at(directory.display())?;
        let place = Self { target, directory };
        let disk = place.disk();
        File::create(&disk).and_then(|file| file.set_len(SIZE)).at(disk.display())?;
        Ok(place)
    }

    fn disk(&self) -> PathBuf {
        self.directory.join("disk.img")
    }

    fn run(&self, options: &[&str], script: &str) -> Result<Ended> {
        let mut command = machine::command(self.target, &vm(self.target)?)?;
        command.current_dir(&self.directory).args(options).args(["--", "sh", "-ec", script]);
        machine::run(&mut command, &[], machine::limit(self.target, LIMIT))
    }

    /// Runs a script that must end well; what it prints.
    fn expect(&self, options: &[&str], script: &str, wanted: &str) -> Result<()> {
        let Ended { status, output } = self.run(options, script)?;
        let found: String = output
            .lines()
            .filter(|line| !line.starts_with("warning: "))
            .map(|l| format!("{l}\n"))
            .collect();
        match status.is_some_and(|status| status.success()) && found == wanted {
            true => Ok(()),
            false => Err(Error::new(format!("expected:\n{wanted}\nfound:\n{status:?}\n{output}"))),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Large, and of no use later.
        let _ = fs::remove_file(self.disk());
    }
}

fn files_stay(place: &Place) -> Result<()> {
    let disk = ["--disk", "disk.img"];
    let write = "mke2fs /dev/vda >/dev/null; mount -t ext2 /dev/vda /mnt; seq 1 200000 > /mnt/numbers; \
        md5sum < /mnt/numbers; umount /mnt";
    place.expect(&disk, write, "0e10426a1d5bddffcef02f1345787128  -\n")?;
    let read = "mount -t ext2 /dev/vda /mnt; md5sum < /mnt/numbers; cat /sys/block/vda/size";
    let sectors = SIZE / 512;
    place.expect(&disk, read, &format!("0e10426a1d5bddffcef02f1345787128  -\n{sectors}\n"))
}

fn many_tasks(place: &Place) -> Result<()> {
    let script = "mke2fs /dev/vda >/dev/null; mount -t ext2 /dev/vda /mnt; \
        for i in 1 2 3 4 5 6; do (yes $i | head -c 2000000 > /mnt/$i; sync; echo 3 > /proc/sys/vm/drop_caches) & done; \
        wait; for i in 1 2 3 4 5 6; do yes $i | head -c 2000000 | cmp - /mnt/$i; done; echo same";
    place.expect(&["--cpus", "4", "--disk=disk.img"], script, "same\n")
}

fn read_only(place: &Place) -> Result<()> {
    fs::write(place.disk(), [b'x'; 4096]).at("disk.img")?;
    // Two machines may read one disk, and a disk may be another's neighbour.
    let other = place.directory.join("other.img");
    fs::write(&other, [b'y'; 4096]).at(other.display())?;
    let script = "head -c 4 /dev/vda; head -c 4 /dev/vdb; echo; \
        if echo no > /dev/vda; then echo written; fi 2>/dev/null; cat /sys/block/vda/ro";
    let held = File::open(place.disk()).at("disk.img")?;
    held.lock_shared().at("disk.img")?;
    let disks = ["--disk", "disk.img,ro", "--disk", "other.img"];
    place.expect(&disks, script, "xxxxyyyy\n1\n")
}

fn in_use(place: &Place) -> Result<()> {
    let held = File::open(place.disk()).at("disk.img")?;
    held.lock_shared().at("disk.img")?;
    place.refused("disk.img", "error: disk disk.img: another process uses it\n")
}

fn no_disk(place: &Place) -> Result<()> {
    place.refused("missing.img", "error: disk missing.img: No such file or directory\n")?;
    place.refused(".", "error: disk .: Is a directory\n")
}

impl Place {
    fn refused(&self, disk: &str, wanted: &str) -> Result<()> {
        let Ended { status, output } = self.run(&["--disk", disk], "echo started")?;
        match status.and_then(|status| status.code()) == Some(70) && output == wanted {
            true => Ok(()),
            false => Err(Error::new(format!("expected:\n{wanted}\nfound:\n{status:?}\n{output}"))),
        }
    }
}

//! Folders of the host in a machine.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{io, thread};

use linnet_build::{At as _, Error, Result, Target, host};
use rustix::fs::{CWD, FileType, Mode, RenameFlags, mknodat, renameat_with};
use rustix::process::{Pid, Signal, kill_process};

use crate::machine::{self, Ended};
use crate::{Test, guest, vm};

const LIMIT: Duration = Duration::from_secs(60);

/// What must stay where it is.
const SECRET: &str = "a secret of the host";

/// A test and its name.
type Named = (&'static str, fn(&Place) -> Result<()>);

pub(crate) fn tests(target: Target) -> Vec<Test> {
    let test = |(name, run): Named| -> Test {
        let place = name.to_owned();
        let run = move || Ok(Place::new(target, &place).and_then(|place| run(&place))?);
        (format!("share::{name}"), Box::new(run))
    };
    let tests: [Named; 11] = [
        ("files-do-what-files-do", files),
        ("host-and-guest-see-each-others-files", both),
        ("what-is-read-only-stays-as-it-is", read_only),
        ("links-lead-nowhere-else", links),
        ("renames-during-a-walk-lead-nowhere-else", renames),
        ("links-of-proc-lead-nowhere-else", magic),
        ("only-files-and-directories-are-opened", kinds),
        ("dead-process-is-an-error-of-the-guest", death),
        ("folders-are-there-after-a-reboot", reboot),
        ("several-folders-are-served-at-once", several),
        ("what-cannot-be-shared-is-refused", refused),
    ];
    tests.into_iter().map(test).collect()
}

/// A folder to share, in a directory with a secret.
struct Place {
    target: Target,
    directory: PathBuf,
}

impl Place {
    fn new(target: Target, name: &str) -> Result<Self> {
        // What waits for a machine does not wait until it is built.
        vm(target)?;
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
            .join("share")
            .join(format!("{name}-{}", target.name()));
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("folder")).at(directory.display())?;
        let place = Self { target, directory };
        place.make(|at| fs::write(at.join("../secret"), SECRET))?;
        Ok(place)
    }

    fn folder(&self) -> PathBuf {
        self.directory.join("folder")
    }

    /// Does something in the folder.
    fn make<T>(&self, make: impl FnOnce(&Path) -> io::Result<T>) -> Result<T> {
        make(&self.folder()).at(self.directory.display())
    }

    fn command(&self, binary: &Path, options: &[&str]) -> Result<Command> {
        let mut command = machine::command(self.target, binary)?;
        if self.target != host()? {
            command.arg("--no-sandbox");
        }
        command.current_dir(&self.directory).args(options);
        Ok(command)
    }

    fn run(&self, options: &[&str], script: &str) -> Result<Ended> {
        let mut command = self.command(&vm(self.target)?, options)?;
        command.args(["--", "sh", "-c", script]);
        machine::run(&mut command, &[], machine::limit(self.target, LIMIT))
    }

    /// Runs a script that must end well; what it prints.
    fn expect(&self, options: &[&str], script: &str, wanted: &str) -> Result<()> {
        let ended = self.run(options, script)?;
        check(succeeded(&ended) && ended.output == wanted, || {
            format!("expected:\n{wanted}\nfound:\n{:?}\n{}", ended.status, ended.output)
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn check(is_right: bool, what: impl FnOnce() -> String) -> Result<()> {
    if is_right { Ok(()) } else { Err(Error::new(what())) }
}

fn succeeded(ended: &Ended) -> bool {
    ended.status.is_some_and(|status| status.success())
}

/// The same in the guest's own memory, so that it is the program which is right.
fn files(place: &Place) -> Result<()> {
    let program = guest::place_of("files-in-a-folder");
    let script = format!("mkdir /own; {program} /own && {program} /mnt/folder");
    let mut command = place.command(guest::binary(place.target)?, &["--share", "folder"])?;
    command.args(["--", "sh", "-c", &script]);
    let ended = machine::run(&mut command, &[], 2 * machine::limit(place.target, LIMIT))?;
    check(succeeded(&ended) && ended.output == "well\nwell\n", || {
        format!("{:?}\n{}", ended.status, ended.output)
    })?;
    let left: Vec<_> =
        place.make(|at| fs::read_dir(at)?.map(|entry| Ok(entry?.file_name())).collect())?;
    check(left == ["file"] || left.is_empty(), || format!("{left:?}"))
}

/// What one makes the other finds, with owner, mode and times; what one changes the other sees.
fn both(place: &Place) -> Result<()> {
    place.make(|at| {
        fs::write(at.join("host"), "by the host\n")?;
        fs::set_permissions(at.join("host"), fs::Permissions::from_mode(0o640))?;
        fs::create_dir(at.join("dir"))
    })?;
    let script = "cd /mnt/folder
        cat host; stat -c '%a %u %g %s' host
        umask 027; echo by the guest > dir/guest; chmod u+x dir/guest; ln -s ../host dir/link
        touch -d '2001-02-03 04:05:06' dir/guest
        echo 1 > turn; while ! grep -q 2 turn; do sleep 0.01; done
        until grep -q changed host; do sleep 0.01; done
        cat host; ls dir; echo 3 > turn";
    let (target, at) = (place.target, place.folder());
    let changer = thread::spawn(move || -> io::Result<()> {
        let end = std::time::Instant::now() + machine::limit(target, LIMIT);
        while fs::read_to_string(at.join("turn")).unwrap_or_default() != "1\n" {
            if std::time::Instant::now() > end {
                return Err(io::ErrorKind::TimedOut.into());
            }
            thread::sleep(Duration::from_millis(5));
        }
        fs::write(at.join("host"), "changed, and longer than before\n")?;
        fs::remove_file(at.join("dir/link"))?;
        fs::write(at.join("turn"), "2\n")
    });
    let owner = place.make(|at| fs::metadata(at.join("host")))?;
    let wanted = format!(
        "by the host\n640 {} {} 12\nchanged, and longer than before\nguest\n",
        owner.uid(),
        owner.gid()
    );
    let result = place.expect(&["--share", "folder"], script, &wanted);
    changer.join().map_err(|_| Error::new("the changer has ended"))?.at("the guest's file")?;
    result?;
    let made = place.make(|at| fs::metadata(at.join("dir/guest")))?;
    check(made.mode() & 0o7777 == 0o740 && made.uid() == owner.uid(), || format!("{made:?}"))?;
    check(made.mtime() == 981_173_106, || made.mtime().to_string())?;
    let text = place.make(|at| fs::read_to_string(at.join("dir/guest")))?;
    check(text == "by the guest\n", || text.clone())
}

/// Also for root of the guest, which makes the guest's side writable.
fn read_only(place: &Place) -> Result<()> {
    place.make(|at| {
        fs::write(at.join("file"), "as it is\n")?;
        fs::create_dir(at.join("dir"))
    })?;
    let script = "cd /mnt/folder; cat file
        for round in 1 2; do
            for try in 'echo x > new' 'echo x > file' 'echo x >> file' 'rm file' 'mv file other' \\
                'mkdir other' 'rmdir dir' 'ln file other' 'ln -s file other' 'chmod 600 file' \\
                'touch file' 'truncate -s 1 file' 'mkfifo fifo' 'chown 1 file'; do
                if sh -c \"$try\" 2> /tmp/why; then echo \"done: $try\"; fi
                grep -q 'Read-only file system' /tmp/why || cat /tmp/why
            done
            mount -o remount,rw /mnt/folder
        done
        cat file; ls";
    place.expect(&["--share", "folder,ro"], script, "as it is\nas it is\ndir\nfile\n")?;
    let text = place.make(|at| fs::read_to_string(at.join("file")))?;
    check(text == "as it is\n", || text.clone())
}

/// Absolute ones, and those that lead above: they are followed in the guest. What has a name in the folder is in it,
/// whatever other names it has.
fn links(place: &Place) -> Result<()> {
    let secret = place.directory.join("secret");
    place.make(|at| {
        symlink(&secret, at.join("absolute"))?;
        symlink("../secret", at.join("above"))?;
        symlink("/", at.join("root"))?;
        symlink("..", at.join("up"))?;
        fs::create_dir(at.join("dir"))?;
        symlink("../../secret", at.join("dir/above"))?;
        fs::hard_link(&secret, at.join("hard"))
    })?;
    let path = secret.display();
    let script = format!(
        "cd /mnt/folder; echo guest > /mnt/secret
        cat absolute 2> /dev/null || echo none
        cat above up/secret dir/above ../secret dir/../../secret
        cat root{path} 2> /dev/null || echo none
        cat root/mnt/secret; readlink absolute; cat hard
        ln -s ../../../../../../../../../../..{path} own; cat own 2> /dev/null || echo none
        mv dir/../dir dir/.. 2> /dev/null; ls ..; rm absolute above"
    );
    let guest = "guest\n";
    let wanted =
        format!("none\n{}none\n{guest}{path}\n{SECRET}none\nfolder\nsecret\n", guest.repeat(5));
    place.expect(&["--share", "folder"], &script, &wanted)?;
    let text = place.make(|at| fs::read_to_string(at.join("../secret")))?;
    check(text == SECRET, || text.clone())
}

/// The host exchanges a directory for a link that leads above, again and again, while the guest walks through it.
fn renames(place: &Place) -> Result<()> {
    place.make(|at| {
        fs::create_dir_all(at.join("dir/deep"))?;
        fs::write(at.join("dir/deep/secret"), "inside\n")?;
        fs::create_dir(at.join("../deep"))?;
        fs::write(at.join("../deep/secret"), SECRET)?;
        symlink("..", at.join("link"))
    })?;
    let over = AtomicBool::new(false);
    let at = place.folder();
    let rounds = if place.target == host()? { 300 } else { 40 };
    let script = format!(
        "cd /mnt/folder; i=0; while [ $i -lt {rounds} ]; do
            cat dir/deep/secret link/deep/secret; echo new > dir/deep/new; mkdir dir/other; rmdir dir/other
            i=$((i+1)); done 2> /dev/null | sort | uniq > /tmp/seen
        grep -v inside /tmp/seen; echo end"
    );
    let ended = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let (one, other) = (at.join("dir"), at.join("link"));
                let _ = renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
                thread::sleep(Duration::from_micros(50));
            }
        });
        let ended = place.run(&["--share", "folder"], &script);
        over.store(true, Ordering::Relaxed);
        ended
    })?;
    check(succeeded(&ended) && ended.output == "end\n", || ended.output.clone())?;
    let outside: Vec<_> = place
        .make(|at| fs::read_dir(at.join("../deep"))?.map(|it| Ok(it?.file_name())).collect())?;
    check(outside == ["secret"], || format!("{outside:?}"))
}

/// Links in /proc lead to what a process has open, whatever their text: not for the guest.
fn magic(place: &Place) -> Result<()> {
    use std::os::fd::AsRawFd as _;
    let secret = place.make(|at| File::open(at.join("../secret")))?;
    let share = format!("/proc/{}:/process,ro", std::process::id());
    let script = format!(
        "cd /process; cat fd/{} root{} cwd/Cargo.toml exe 2> /dev/null; ls -d fd status",
        secret.as_raw_fd(),
        place.directory.join("secret").display()
    );
    place.expect(&["--share", &share], &script, "fd\nstatus\n")
}

/// A FIFO would make the process wait, and a device is the host's. The guest has FIFOs of its own.
fn kinds(place: &Place) -> Result<()> {
    let listener = place.make(|at| UnixListener::bind(at.join("socket")))?;
    let fifo = place.folder().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::from_raw_mode(0o600), 0)
        .map_err(io::Error::from)
        .at(fifo.display())?;
    // Only root makes one: /dev/zero.
    let device = place.folder().join("device");
    let number = rustix::fs::makedev(1, 5);
    let mode = Mode::from_raw_mode(0o666);
    let has_device = mknodat(CWD, &device, FileType::CharacterDevice, mode, number).is_ok();
    let script = "cd /mnt/folder
        head -c 1 device > /tmp/read 2> /dev/null; cat /tmp/read
        (echo through > fifo &); cat fifo
        nc -w 1 local:socket < /dev/null 2> /dev/null && echo connected
        mknod null c 1 3 2> /dev/null && echo made
        stat -c %F fifo socket; echo still > file; cat file";
    place.expect(&["--share", "folder"], script, "through\nfifo\nsocket\nstill\n")?;
    drop(listener);
    check(!has_device || device.exists(), || "the device is gone".to_owned())
}

/// The process of a folder of that machine.
fn process_of(machine: &Child) -> Result<Pid> {
    let id = machine.id();
    let children = format!("/proc/{id}/task/{id}/children");
    let text = fs::read_to_string(&children).at(&children)?;
    text.split_whitespace()
        .filter_map(|child| child.parse().ok())
        .find(|child: &i32| {
            let name = fs::read_to_string(format!("/proc/{child}/comm")).unwrap_or_default();
            name.trim() == "linnet-share"
        })
        .and_then(Pid::from_raw)
        .ok_or_else(|| Error::new(format!("no process of a folder among {text}")))
}

/// Who waits for an answer gets an error as well, and the machine goes on.
fn death(place: &Place) -> Result<()> {
    place.make(|at| fs::write(at.join("file"), "contents\n"))?;
    let script = "cd /mnt/folder; exec 3< file
        (while cat file > /dev/null 2>&1; do :; done) &
        echo ready; wait
        cat file 2>&1; cat <&3 2>&1; ls . 2>&1; echo x 2>&1 > new; cd /; cat /proc/uptime > /dev/null && echo alive";
    let mut command = place.command(&vm(place.target)?, &["--share", "folder"])?;
    command.args(["--", "sh", "-c", script]).stdin(Stdio::null());
    let (mut reader, writer) = io::pipe().at("pipe")?;
    command.stdout(writer.try_clone().at("pipe")?).stderr(writer);
    let mut machine = command.spawn().at("machine")?;
    drop(command);
    let mut output = String::new();
    let mut byte = [0];
    while !output.contains("ready\n") && io::Read::read(&mut reader, &mut byte).at("pipe")? == 1 {
        output.push(byte[0].into());
    }
    let killed = process_of(&machine).and_then(|process| {
        kill_process(process, Signal::KILL).map_err(io::Error::from).at("kill")
    });
    if killed.is_err() {
        machine.kill().at("machine")?;
    }
    io::Read::read_to_string(&mut reader, &mut output).at("pipe")?;
    let status = machine::wait(&mut machine, machine::limit(place.target, LIMIT))?;
    killed?;
    let is_right = status.is_some_and(|status| status.success())
        && output.contains("warning: the folder folder's process has ended: ")
        && output.matches("not connected").count() == 4
        && output.ends_with("alive\n");
    check(is_right, || format!("{status:?}\n{output}"))
}

fn reboot(place: &Place) -> Result<()> {
    place.make(|at| fs::create_dir(at.join("../other")))?;
    let script = "if [ -e /mnt/folder/again ]; then cat /mnt/folder/again /other/file
        else echo once > /mnt/folder/again; echo more > /other/file; reboot; sleep 60; fi";
    let options = ["--share", "folder", "--share", "other:/other"];
    place.expect(&options, script, "once\nmore\n")
}

fn several(place: &Place) -> Result<()> {
    let mut options = Vec::new();
    for n in 0..8 {
        place.make(|at| fs::create_dir(at.join(n.to_string())))?;
        options.push(format!("--share=folder/{n}:/shared/{n}"));
    }
    let script = "cd /shared; for n in *; do
            (i=0; while [ $i -lt 20 ]; do echo $n $i >> $n/file; i=$((i+1)); done; tail -n 1 $n/file) &
        done; wait; mount | grep -c virtiofs";
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let ended = place.run(&options, script)?;
    let mut lines: Vec<&str> = ended.output.lines().collect();
    lines.sort_unstable();
    let wanted = ["0 19", "1 19", "2 19", "3 19", "4 19", "5 19", "6 19", "7 19", "8"];
    check(succeeded(&ended) && lines == wanted, || ended.output.clone())
}

fn refused(place: &Place) -> Result<()> {
    for (options, status, message) in [
        (&["--share", "none"][..], 70, "error: share none: No such file or directory\nhint: "),
        (&["--share", "secret"], 70, "error: share secret: Not a directory\nhint: "),
        (&["--share", "folder:work"], 2, "error: 'folder:work' is no value for --share\nhint: "),
        (&["--share", "."], 2, "error: '.' is no value for --share\nhint: "),
        (
            &["--share", "folder", "--share", ".:/mnt/folder"],
            2,
            "error: '.:/mnt/folder' is no value for --share\nhint: another folder is there",
        ),
        (
            &["--share", "folder:/etc/passwd"],
            126,
            "error: cannot mount /etc/passwd: Not a directory",
        ),
    ] {
        let ended = place.run(options, "echo must not run")?;
        let is_right = ended.status.and_then(|it| it.code()) == Some(status)
            && ended.output.starts_with(message);
        check(is_right, || format!("{options:?}: {:?}\n{}", ended.status, ended.output))?;
    }
    Ok(())
}

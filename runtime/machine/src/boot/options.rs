//! The command line of a boot binary.

use core::ffi::CStr;
use core::fmt;

use crate::device::virtio::MAX_DISKS;
use crate::memory::layout::ADDRESS_BITS;
use linnet_net::options::{Address, MAX_PUBLISHED, Net, Publish};
use linnet_share::options::{MAX_SHARES, Share};
use linnet_snapshot::MOST_FILES;

pub const HELP: &str = "\
Boot the Linux system in this file.

Usage: vm [OPTIONS] [-- COMMAND [ARGS]...]

With no command, a shell opens on the terminal. A command runs with the standard streams of this
process, and its exit status becomes that of this process.

Options:
      --cpus N         Number of virtual CPUs [default: one per CPU of the host, at most 64]
      --memory SIZE    Memory, as in 512M or 2G [default: 1G]
      --disk FILE[,ro] A file or block device as the next disk, /dev/vda first; with ,ro nobody writes it
      --net NET        What the network device is connected to: user (the host's sockets), tap=NAME
                       (an interface of the host), vhost-user=SOCKET (another program),
                       socket=PATH (other machines), or none [default: none]
      --publish [ADDR:]PORT:PORT[/udp]
                       Lead a port of the host, on loopback unless told, to one of the guest;
                       with --net user
      --share HOST[:GUEST][,ro]
                       A folder of the host in the guest, at GUEST or at /mnt and its name; with ,ro
                       the guest cannot change it
      --translator FILE
                       The linnet that translates programs which this file does not hold when the guest
                       starts them [default: none, and they are not started]
      --code-cache DIR Where the translator keeps what it has translated [default: nowhere]
      --append ARGS    More arguments for the kernel
      --freeze-to FILE Where snapshots of the machine go; the guest's command `freeze` and SIGUSR1 make one
      --snapshots N[,every=SECONDS]
                       Keep the last N snapshots, in FILE.1 to FILE.N of --freeze-to, and make one by itself
                       after so many seconds [default: 1]
      --resume FILE    Go on as the machine that was frozen to that file, on this CPU or on another
      --rewind FILE[,N]
                       The same, from FILE.1 and so on of --snapshots: the newest one, or one that is N
                       snapshots older
      --migrate-to ADDRESS
                       Where the machine goes at SIGUSR1 or the guest's command `freeze`: unix:PATH, or
                       tcp:ADDR:PORT on loopback; what runs there was started with --incoming
      --incoming ADDRESS
                       Wait at that address for a machine, and go on as it, on this CPU or on another
      --address-bits N Use the host's addresses as if a process had so many bits of them: 38, 39 or 47
                       [default: as many as there are]
      --no-sandbox     Keep the rights of this process: without this option it gives up files,
                       network, other programs and new code before the guest runs
  -h, --help           Print this help
  -V, --version        Print the version

Exit status: that of the command, or 0 after a shell or poweroff; 2 for a wrong option,
70 if the host refuses something, 71 for a fault in the runtime, 72 if the kernel breaks a rule
of the machine, 73 if a snapshot cannot be resumed, 99 for a kernel panic.
";

/// Least and most memory of a machine. The kernel's linear memory also holds its vmalloc area.
pub const MEMORY_MIN: u64 = 32 << 20;
pub const MEMORY_MAX: u64 = 3 << 30;

/// A day.
const MOST_SECONDS: u32 = 86_400;

/// What the user asked for.
#[derive(Debug)]
pub struct Options<'a> {
    pub cpus: Option<u32>,
    pub memory: Option<u64>,
    pub disks: [Option<Disk<'a>>; MAX_DISKS],
    pub net: Net<'a>,
    pub published: [Option<Publish>; MAX_PUBLISHED],
    pub shares: [Option<Share<'a>>; MAX_SHARES],
    /// The program that translates programs.
    pub translator: Option<&'a str>,
    /// Where it keeps what it has translated.
    pub code_cache: Option<&'a str>,
    pub append: &'a str,
    /// Where snapshots go.
    pub freeze_to: Option<&'a str>,
    /// How many snapshots are kept, and after how many seconds there is a new one.
    pub snapshots: Option<(usize, u32)>,
    /// Numbered snapshots, of which to start as the one that has so many newer ones.
    pub rewind: Option<(&'a str, usize)>,
    /// A snapshot to start as.
    pub resume: Option<&'a str>,
    /// Where the machine goes to, with the text that says so.
    pub migrate_to: Option<(Address<'a>, &'a str)>,
    /// Where the machine comes from that this one becomes.
    pub incoming: Option<(Address<'a>, &'a str)>,
    pub address_bits: Option<u32>,
    pub sandbox: bool,
    /// For tests: so many mappings of guest memory instead of what the host allows.
    pub tlb_budget: Option<u32>,
    /// For tests: host calls that break a rule do nothing.
    pub ignore_broken_rules: bool,
    /// For tests: a machine that is resumed is frozen before any of it runs.
    pub freeze_again: bool,
    /// For tests: a thread of the runtime overflows its stack.
    pub overflow_stack: bool,
    /// Index of the first word of the command, if there is one.
    pub command: Option<usize>,
}

/// A disk of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disk<'a> {
    pub path: &'a str,
    pub read_only: bool,
}

impl<'a> Disk<'a> {
    pub fn new(text: &'a str) -> Self {
        match text.strip_suffix(",ro") {
            Some(path) => Disk { path, read_only: true },
            None => Disk { path: text, read_only: false },
        }
    }
}

/// What to do instead of booting.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop<'a> {
    Help,
    Version,
    Unknown(&'a str),
    Missing(&'a str),
    /// The word of that number is no text.
    NotText(usize),
    Bad {
        option: &'static str,
        value: &'a str,
        hint: &'static str,
    },
    /// A machine that is resumed has what it had.
    Resumed(&'static str),
    /// Two options of which a machine has one at most.
    Both(&'static str, &'static str),
}

impl fmt::Display for Stop<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Help | Stop::Version => Ok(()),
            Stop::Unknown(option) => write!(
                f,
                "unknown option '{option}'\nhint: a command for the guest comes after '--'; see --help"
            ),
            Stop::Missing(option) => write!(f, "option '{option}' needs a value\nhint: see --help"),
            Stop::NotText(n) => write!(
                f,
                "argument {n} is not UTF-8\nhint: give a link with another name to such a file"
            ),
            Stop::Resumed(what) => {
                write!(f, "a machine that is resumed takes no {what}\nhint: leave it away")
            }
            Stop::Both(first, second) => {
                write!(f, "{first} and {second} exclude each other\nhint: leave one of them away")
            }
            Stop::Bad { option, value, hint } => {
                write!(f, "'{value}' is no value for {option}\nhint: {hint}")
            }
        }
    }
}

const CPUS_HINT: &str = "give a number from 1 to 64";
const ADDRESS_BITS_HINT: &str = "give 38, 39 or 47";
const ADDRESS_HINT: &str = "give unix:PATH, or tcp:ADDR:PORT on loopback, such as tcp:127.0.0.1:9000; ssh leads either to another host";
const DISKS_HINT: &str = "a machine has at most 8 disks";
const NET_HINT: &str = "give user, tap=NAME, vhost-user=SOCKET, socket=PATH or none";
const PUBLISH_HINT: &str =
    "give PORT:PORT, such as 8080:80, or 127.0.0.1:5353:53/udp or [::1]:8080:80";
const PORTS_HINT: &str = "a machine has at most 32 published ports";
const NO_PORTS_HINT: &str = "add --net user: other networks have no ports of the host";
const SHARES_HINT: &str = "a machine has at most 8 shared folders";
const SAME_PLACE_HINT: &str =
    "another folder is there; say where this one is to be in the guest, as in src:/work";
const NO_TRANSLATOR_HINT: &str = "add --translator: only code that it makes is kept";
const SNAPSHOTS_HINT: &str =
    "give a number from 1 to 32, and seconds from 1 to 86400, such as 5,every=10";
const NO_FILE_HINT: &str = "add --freeze-to FILE: the snapshots are FILE.1 and so on";
const MEMORY_HINT: &str = "give a size from 32M to 3G, such as 512M";

/// Parse the words after the program's name.
pub fn parse<'a>(words: impl Iterator<Item = &'a CStr>) -> Result<Options<'a>, Stop<'a>> {
    let mut options = Options {
        cpus: None,
        memory: None,
        disks: [None; MAX_DISKS],
        net: Net::None,
        published: [None; MAX_PUBLISHED],
        shares: [None; MAX_SHARES],
        translator: None,
        code_cache: None,
        append: "",
        freeze_to: None,
        snapshots: None,
        rewind: None,
        resume: None,
        migrate_to: None,
        incoming: None,
        address_bits: None,
        sandbox: true,
        tlb_budget: None,
        ignore_broken_rules: false,
        freeze_again: false,
        overflow_stack: false,
        command: None,
    };
    let (mut published, mut kept) = (None, None);
    let mut words =
        words.enumerate().map(|(i, word)| (i, word.to_str().map_err(|_| Stop::NotText(i + 1))));
    while let Some((i, word)) = words.next() {
        let word = word?;
        let (name, inline) = match word.split_once('=') {
            Some((name, value)) if name.starts_with("--") => (name, Some(value)),
            _ => (word, None),
        };
        let mut value = || match inline {
            Some(value) => Ok(value),
            None => words.next().map_or(Err(Stop::Missing(name)), |(_, value)| value),
        };
        match name {
            "-h" | "--help" => return Err(Stop::Help),
            "-V" | "--version" => return Err(Stop::Version),
            "--cpus" => {
                let value = value()?;
                let n = value.parse().ok().filter(|n| (1..=64).contains(n));
                let bad = Stop::Bad { option: "--cpus", value, hint: CPUS_HINT };
                options.cpus = Some(n.ok_or(bad)?);
            }
            "--memory" => {
                let value = value()?;
                let size = size(value).filter(|n| (MEMORY_MIN..=MEMORY_MAX).contains(n));
                let bad = Stop::Bad { option: "--memory", value, hint: MEMORY_HINT };
                options.memory = Some(size.ok_or(bad)?);
            }
            "--address-bits" => {
                let value = value()?;
                let bits = value.parse().ok().filter(|bits| ADDRESS_BITS.contains(bits));
                let bad = Stop::Bad { option: "--address-bits", value, hint: ADDRESS_BITS_HINT };
                options.address_bits = Some(bits.ok_or(bad)?);
            }
            "--disk" => {
                let value = value()?;
                let bad = Stop::Bad { option: "--disk", value, hint: DISKS_HINT };
                *options.disks.iter_mut().find(|disk| disk.is_none()).ok_or(bad)? =
                    Some(Disk::new(value));
            }
            "--net" => {
                let value = value()?;
                let bad = Stop::Bad { option: "--net", value, hint: NET_HINT };
                options.net = Net::parse(value).ok_or(bad)?;
            }
            "--publish" => {
                let value = value()?;
                let bad = |hint| Stop::Bad { option: "--publish", value, hint };
                let port = Publish::parse(value).ok_or(bad(PUBLISH_HINT))?;
                let free = options.published.iter_mut().find(|port| port.is_none());
                *free.ok_or(bad(PORTS_HINT))? = Some(port);
                published = Some(value);
            }
            "--share" => {
                let value = value()?;
                let bad = |hint| Stop::Bad { option: "--share", value, hint };
                let share = Share::parse(value).map_err(bad)?;
                if options.shares.iter().flatten().any(|other| other.guest == share.guest) {
                    return Err(bad(SAME_PLACE_HINT));
                }
                let free = options.shares.iter_mut().find(|share| share.is_none());
                *free.ok_or(bad(SHARES_HINT))? = Some(share);
            }
            "--translator" => options.translator = Some(value()?),
            "--code-cache" => options.code_cache = Some(value()?),
            "--append" => options.append = value()?,
            "--freeze-to" => options.freeze_to = Some(value()?),
            "--snapshots" => {
                let value = value()?;
                let bad = Stop::Bad { option: "--snapshots", value, hint: SNAPSHOTS_HINT };
                options.snapshots = Some(snapshots(value).ok_or(bad)?);
                kept = Some(value);
            }
            "--rewind" => {
                let value = value()?;
                let back = value.rsplit_once(',');
                let back = back.and_then(|(file, n)| Some((file, n.parse().ok()?)));
                options.rewind = Some(back.unwrap_or((value, 0)));
            }
            "--resume" => options.resume = Some(value()?),
            "--migrate-to" => options.migrate_to = Some(address("--migrate-to", value()?)?),
            "--incoming" => options.incoming = Some(address("--incoming", value()?)?),
            "--no-sandbox" => options.sandbox = false,
            // Of no use but to tests, and so not in the help.
            "--tlb-budget" => options.tlb_budget = value()?.parse().ok(),
            "--ignore-broken-rules" => options.ignore_broken_rules = true,
            "--freeze-again" => options.freeze_again = true,
            "--overflow-stack" => options.overflow_stack = true,
            "--" => {
                options.command = words.next().map(|_| i + 1);
                break;
            }
            _ => return Err(Stop::Unknown(word)),
        }
    }
    if options.freeze_to.is_some() && options.migrate_to.is_some() {
        return Err(Stop::Both("--freeze-to", "--migrate-to"));
    }
    // What a guest knows of a folder is true of the process that serves it alone.
    if options.shares[0].is_some() {
        for (option, is_there) in [
            ("--freeze-to", options.freeze_to.is_some()),
            ("--migrate-to", options.migrate_to.is_some()),
        ] {
            if is_there {
                return Err(Stop::Both("--share", option));
            }
        }
    }
    if let (Some(value), None) = (kept, options.freeze_to) {
        return Err(Stop::Bad { option: "--snapshots", value, hint: NO_FILE_HINT });
    }
    let origins = [
        ("--resume", options.resume.is_some()),
        ("--rewind", options.rewind.is_some()),
        ("--incoming", options.incoming.is_some()),
    ];
    let mut origins = origins.into_iter().filter_map(|(name, is_there)| is_there.then_some(name));
    let origin = origins.next();
    if let (Some(first), Some(second)) = (origin, origins.next()) {
        return Err(Stop::Both(first, second));
    }
    if origin.is_some() {
        if options.command.is_some() {
            return Err(Stop::Resumed("command"));
        }
        if !options.append.is_empty() {
            return Err(Stop::Resumed("arguments for the kernel"));
        }
        if options.shares[0].is_some() {
            return Err(Stop::Resumed("shared folder"));
        }
    }
    if let (Some(value), None) = (options.code_cache, options.translator) {
        return Err(Stop::Bad { option: "--code-cache", value, hint: NO_TRANSLATOR_HINT });
    }
    match published {
        Some(value) if options.net != Net::User => {
            Err(Stop::Bad { option: "--publish", value, hint: NO_PORTS_HINT })
        }
        _ => Ok(options),
    }
}

fn address<'a>(option: &'static str, value: &'a str) -> Result<(Address<'a>, &'a str), Stop<'a>> {
    let bad = Stop::Bad { option, value, hint: ADDRESS_HINT };
    Address::parse(value).map(|address| (address, value)).ok_or(bad)
}

/// What `--snapshots` says: how many, and after how many seconds.
fn snapshots(text: &str) -> Option<(usize, u32)> {
    let (count, seconds) = match text.split_once(',') {
        Some((count, rest)) => (count, rest.strip_prefix("every=")?.parse().ok()?),
        None => (text, 1),
    };
    let count = count.parse().ok().filter(|n| (1..=MOST_FILES).contains(n))?;
    (1..=MOST_SECONDS).contains(&seconds).then_some((count, seconds))
}

/// A number of bytes with an optional suffix K, M or G.
fn size(text: &str) -> Option<u64> {
    let text = text.strip_suffix('B').unwrap_or(text);
    let text = text.strip_suffix('i').unwrap_or(text);
    let (digits, shift) = match text.as_bytes().last()? {
        b'k' | b'K' => (&text[..text.len() - 1], 10),
        b'm' | b'M' => (&text[..text.len() - 1], 20),
        b'g' | b'G' => (&text[..text.len() - 1], 30),
        _ => (text, 0),
    };
    digits.parse::<u64>().ok()?.checked_mul(1 << shift)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    /// What `words` ask for, as text.
    fn parsed(words: &[&str]) -> String {
        let words: Vec<CString> = words.iter().map(|word| CString::new(*word).unwrap()).collect();
        match parse(words.iter().map(CString::as_c_str)) {
            Ok(Options { cpus, memory, command, .. }) => format!("{cpus:?} {memory:?} {command:?}"),
            Err(stop) => stop.to_string().lines().next().unwrap_or("stop").to_owned(),
        }
    }

    #[test]
    fn values_come_after_an_equals_sign_or_in_the_next_word() {
        assert_eq!(parsed(&[]), "None None None");
        assert_eq!(parsed(&["--cpus", "3", "--memory=64M"]), "Some(3) Some(67108864) None");
        assert_eq!(parsed(&["--memory", "65536KiB"]), "None Some(67108864) None");
        assert_eq!(parsed(&["--memory"]), "option '--memory' needs a value");
        assert_eq!(parsed(&["-h"]), "stop");
    }

    #[test]
    fn what_is_no_text_is_an_argument_of_the_command_alone() {
        let file = c"/tmp/\xff";
        let first = |words: &[&'static CStr]| match parse(words.iter().copied()) {
            Ok(options) => format!("{:?}", options.command),
            Err(stop) => stop.to_string().lines().next().unwrap_or("stop").to_owned(),
        };
        assert_eq!(first(&[c"--disk", file]), "argument 2 is not UTF-8");
        assert_eq!(first(&[c"--disk=\xff"]), "argument 1 is not UTF-8");
        assert_eq!(first(&[c"--", c"cat", file]), "Some(1)");
    }

    #[test]
    fn a_command_begins_after_two_dashes() {
        assert_eq!(parsed(&["--cpus", "1", "--", "ls", "--cpus"]), "Some(1) None Some(3)");
        assert_eq!(parsed(&["--"]), "None None None");
        assert_eq!(parsed(&["ls"]), "unknown option 'ls'");
    }

    #[test]
    fn snapshots_that_are_kept_need_a_file_and_a_number() {
        let words = |value| ["--freeze-to", "x", "--snapshots", value];
        for value in ["5", "1,every=1", "32,every=86400"] {
            assert_eq!(parsed(&words(value)), "None None None");
        }
        for value in ["0", "33", "x", "5,", "5,every=0", "5,every=86401", "5,every", "5,each=1"] {
            assert_eq!(parsed(&words(value)), format!("'{value}' is no value for --snapshots"));
        }
        assert_eq!(parsed(&["--snapshots", "5"]), "'5' is no value for --snapshots");
        let both = "--resume and --rewind exclude each other";
        assert_eq!(parsed(&["--rewind", "x,2", "--resume", "x"]), both);
    }

    #[test]
    fn what_no_machine_can_have_is_refused() {
        for value in ["0", "65", "-1", "x", "", "18446744073709551617"] {
            assert_eq!(parsed(&["--cpus", value]), format!("'{value}' is no value for --cpus"));
        }
        for value in ["31M", "4G", "1T", "M", "", "99999999999999999999G", "17592186044417G"] {
            assert_eq!(parsed(&["--memory", value]), format!("'{value}' is no value for --memory"));
        }
        assert_eq!(parsed(&["--address-bits", "40"]), "'40' is no value for --address-bits");
    }

    #[test]
    fn ports_are_published_with_a_network_of_sockets_only() {
        assert_eq!(parsed(&["--net", "user", "--publish", "8080:80"]), "None None None");
        assert_eq!(parsed(&["--publish", "8080:80", "--net=user"]), "None None None");
        let refused = "'8080:80' is no value for --publish";
        assert_eq!(parsed(&["--publish", "8080:80"]), refused);
        assert_eq!(parsed(&["--net", "tap=tap0", "--publish", "8080:80"]), refused);
        assert_eq!(parsed(&["--net", "bridge"]), "'bridge' is no value for --net");
        let many = |n: usize| {
            let words: Vec<&str> = ["--publish", "8080:80"].repeat(n);
            parsed(&[&["--net", "user"], &words[..]].concat())
        };
        assert_eq!(many(MAX_PUBLISHED), "None None None");
        assert_eq!(many(MAX_PUBLISHED + 1), refused);
    }

    #[test]
    fn folders_have_places_of_their_own() {
        assert_eq!(parsed(&["--share", "a", "--share=b:/a,ro"]), "None None None");
        assert_eq!(parsed(&["--share", "a:b"]), "'a:b' is no value for --share");
        assert_eq!(parsed(&["--share", "a", "--share", "b/a"]), "'b/a' is no value for --share");
        let refused = "--share and --freeze-to exclude each other";
        assert_eq!(parsed(&["--share", "a", "--freeze-to", "f"]), refused);
        let refused = "a machine that is resumed takes no shared folder";
        assert_eq!(parsed(&["--share", "a", "--resume", "f"]), refused);
        let shares = |n: usize| {
            let words: Vec<String> = (0..n).map(|n| format!("--share=a:/{n}")).collect();
            parsed(&words.iter().map(String::as_str).collect::<Vec<_>>())
        };
        assert_eq!(shares(MAX_SHARES), "None None None");
        assert_eq!(shares(MAX_SHARES + 1), "'a:/8' is no value for --share");
    }

    #[test]
    fn disks_are_as_many_as_there_is_room_for() {
        let disks = |n: usize| parsed(&["--disk", "a,ro"].repeat(n));
        assert_eq!(disks(MAX_DISKS), "None None None");
        assert_eq!(disks(MAX_DISKS + 1), "'a,ro' is no value for --disk");
        assert_eq!(Disk::new("a,ro"), Disk { path: "a", read_only: true });
        assert_eq!(Disk::new("a,rw"), Disk { path: "a,rw", read_only: false });
    }
}

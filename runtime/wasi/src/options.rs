//! What an executable is told: by `linnet compile --exe`, and at its start by the variable `LINNET_WASI`.

use alloc::vec::Vec;
use linnet_abi::instance::Text;
use linnet_abi::wasi;

unsafe extern "C" {
    /// [`wasi::OPTIONS`]
    #[link_name = "linnet_wasi_options"]
    static BUILT_IN: Text;
}

/// What this run is to be like.
#[derive(Debug, Default)]
pub struct Options {
    /// Directories of the host, and the names that the guest knows them by.
    pub directories: Vec<(Vec<u8>, Vec<u8>)>,
    /// `NAME=VALUE`
    pub environment: Vec<Vec<u8>>,
    pub inherits_environment: bool,
    /// Sockets from descriptor 3 of the host on are the guest's.
    pub sockets: bool,
    /// Most time to run, in ns.
    pub timeout: Option<u64>,
    /// Most bytes of each memory.
    pub memory: Option<u64>,
    /// An exported function to call in place of `_start`.
    pub invoke: Option<Vec<u8>>,
}

/// Why an option is wrong.
#[derive(Debug)]
pub struct Wrong {
    pub option: Vec<u8>,
    pub reason: &'static str,
}

impl Options {
    /// Those that were built in, then those of the variable.
    pub fn read(environment: &[Vec<u8>]) -> Result<Options, Wrong> {
        // SAFETY: the builder emitted it.
        let built_in =
            unsafe { core::slice::from_raw_parts(BUILT_IN.bytes, BUILT_IN.len as usize) };
        let mut options = Options::default();
        for option in built_in.split(|byte| *byte == 0).filter(|option| !option.is_empty()) {
            options.add(option, environment)?;
        }
        if let Some(more) = value_of(environment, wasi::VARIABLE.as_bytes()) {
            // Whoever wants spaces in an option has a line for each.
            let by_line = more.contains(&b'\n');
            let is_end = |byte: &u8| if by_line { *byte == b'\n' } else { *byte == b' ' };
            for option in more.split(is_end).filter(|option| !option.is_empty()) {
                options.add(option, environment)?;
            }
        }
        Ok(options)
    }

    fn add(&mut self, option: &[u8], environment: &[Vec<u8>]) -> Result<(), Wrong> {
        let wrong = |reason| Wrong { option: option.to_vec(), reason };
        let (name, value) = match option.iter().position(|byte| *byte == b'=') {
            Some(at) => (&option[..at], &option[at + 1..]),
            None => (option, &[][..]),
        };
        match name {
            b"--dir" if value.is_empty() => return Err(wrong("there is no directory in it")),
            b"--dir" => {
                let (host, guest) = match value.windows(2).position(|two| two == b"::") {
                    Some(at) => (&value[..at], &value[at + 2..]),
                    None => (value, value),
                };
                if host.is_empty() || guest.is_empty() {
                    return Err(wrong("a name is missing beside ::"));
                }
                self.directories.push((host.to_vec(), guest.to_vec()));
            }
            b"--env" => {
                let name = value.split(|byte| *byte == b'=').next().unwrap_or_default();
                if name.is_empty() {
                    return Err(wrong("there is no name in it"));
                }
                let setting = match value.contains(&b'=') {
                    true => Some(value.to_vec()),
                    false => environment.iter().find(|s| is_setting_of(s, name)).cloned(),
                };
                self.environment.retain(|setting| !is_setting_of(setting, name));
                self.environment.extend(setting);
            }
            b"--inherit-env" if value.is_empty() => self.inherits_environment = true,
            b"--listenfd" if value.is_empty() => self.sockets = true,
            b"--timeout" => {
                let time = parse(value, &[("ns", 1), ("us", 1000), ("ms", 1_000_000)])
                    .or_else(|| parse(value, &[("", 1_000_000_000), ("s", 1_000_000_000)]))
                    .or_else(|| parse(value, &[("m", 60_000_000_000), ("h", 3_600_000_000_000)]));
                self.timeout = Some(
                    time.filter(|time| *time > 0)
                        .ok_or_else(|| wrong("it is no time, as in 1.5, 10s, 500ms or 2m"))?,
                );
            }
            b"--memory" => {
                let size = parse(value, &[("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)]);
                self.memory =
                    Some(size.ok_or_else(|| wrong("it is no size, as in 512K, 64M or 1G"))?);
            }
            b"--invoke" if !value.is_empty() => self.invoke = Some(value.to_vec()),
            _ => return Err(wrong("there is no such option")),
        }
        Ok(())
    }
}

fn is_setting_of(setting: &[u8], name: &[u8]) -> bool {
    setting.strip_prefix(name).is_some_and(|rest| rest.starts_with(b"="))
}

/// What a variable is set to.
pub fn value_of<'a>(environment: &'a [Vec<u8>], name: &[u8]) -> Option<&'a [u8]> {
    environment.iter().find_map(|setting| setting.strip_prefix(name)?.strip_prefix(b"="))
}

/// A number, perhaps with a fraction, and one of the units.
fn parse(text: &[u8], units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let (number, unit) = text.split_at(digits);
    let (_, scale) = units.iter().find(|(name, _)| name.as_bytes() == unit)?;
    let mut parts = number.split(|byte| *byte == b'.');
    let whole = parts.next().filter(|whole| !whole.is_empty())?;
    let mut value = 0_u64;
    for digit in whole {
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    value = value.checked_mul(*scale)?;
    let mut place = *scale;
    for digit in parts.next().unwrap_or_default() {
        place /= 10;
        value = value.checked_add(place * u64::from(digit - b'0'))?;
    }
    parts.next().is_none().then_some(value)
}

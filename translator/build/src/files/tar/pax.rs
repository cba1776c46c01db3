//! The records of an extended header of POSIX (pax, "pax Extended Header"), which take the place of
//! fields of the header that follows.

use std::collections::{BTreeMap, HashMap};

use crate::error::{Error, Result};
use crate::tree::shown;

#[derive(Debug, Clone, Default)]
pub(super) struct Records {
    values: HashMap<Vec<u8>, Vec<u8>>,
    /// Those of keys for what is not kept.
    not_kept: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Offsets and lengths of the pieces of a sparse file, in turn: these two keys come once for each.
    pub(super) pieces: Vec<u64>,
}

/// Beginnings of keys for what a file of the guest's first root file system cannot have.
const NOT_KEPT: [(&str, &str); 6] = [
    ("SCHILY.xattr.", "an extended attribute"),
    ("LIBARCHIVE.xattr.", "an extended attribute"),
    ("SCHILY.acl.", "an access control list"),
    ("RHT.security.", "a label of SELinux"),
    ("security.", "a security label"),
    ("GNU.volume.offset", "a part of a file that began in another volume"),
];

impl Records {
    /// Adds what an extended header says.
    pub(super) fn read(&mut self, mut data: &[u8]) -> Result<()> {
        while !data.is_empty() {
            let (key, value, rest) =
                record(data).ok_or_else(|| Error::new("an extended header of another form"))?;
            match key {
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    let is_offset = key == b"GNU.sparse.offset";
                    let value =
                        decimal(value).filter(|_| self.pieces.len() % 2 == usize::from(!is_offset));
                    self.pieces.push(value.ok_or_else(|| bad(key, b"out of order"))?);
                }
                _ if not_kept(key).is_some() => {
                    self.not_kept.insert(key.to_vec(), value.to_vec());
                }
                _ => drop(self.values.insert(key.to_vec(), value.to_vec())),
            }
            data = rest;
        }
        Ok(())
    }

    /// The value of a key here or else in the header for all files. An empty value takes back what was
    /// said before.
    pub(super) fn get<'a>(&'a self, global: &'a Self, key: &str) -> Option<&'a [u8]> {
        let value =
            self.values.get(key.as_bytes()).or_else(|| global.values.get(key.as_bytes()))?;
        (!value.is_empty()).then_some(value)
    }

    /// The same of a key that makes no sense with an empty value.
    pub(super) fn name<'a>(&'a self, global: &'a Self, key: &str) -> Result<Option<&'a [u8]>> {
        if self.values.get(key.as_bytes()).is_some_and(Vec::is_empty) {
            return Err(Error::new(format!("an empty {key}")));
        }
        Ok(self.get(global, key))
    }

    /// The number of a key.
    pub(super) fn number(&self, global: &Self, key: &str) -> Result<Option<i128>> {
        let Some(value) = self.get(global, key) else { return Ok(None) };
        let number = decimal(value).ok_or_else(|| bad(key.as_bytes(), value))?;
        Ok(Some(number.into()))
    }

    /// The whole seconds of a time, which may have a fraction.
    pub(super) fn time(&self, global: &Self, key: &str) -> Result<Option<i128>> {
        let Some(value) = self.get(global, key) else { return Ok(None) };
        let unsigned = value.strip_prefix(b"-").unwrap_or(value);
        let mut parts = unsigned.splitn(2, |byte| *byte == b'.');
        let seconds = parts.next().and_then(decimal).map(i128::from);
        let fraction = parts.next().unwrap_or_default();
        let seconds = seconds.filter(|_| fraction.iter().all(u8::is_ascii_digit));
        let seconds = seconds.ok_or_else(|| bad(key.as_bytes(), value))?;
        let is_between = fraction.iter().any(|digit| *digit != b'0');
        // The second that it lies in.
        Ok(Some(if unsigned == value { seconds } else { -seconds - i128::from(is_between) }))
    }

    /// An error if there is something in it that a guest's file cannot have.
    pub(super) fn check(&self, global: &Self) -> Result<()> {
        let own = self.not_kept.iter();
        let others = global.not_kept.iter().filter(|(key, _)| !self.not_kept.contains_key(*key));
        if let Some((key, _)) = own.chain(others).find(|(_, value)| !value.is_empty()) {
            let what = not_kept(key).unwrap_or_default();
            return Err(Error::new(format!("{what} ({}), which is not kept", shown(key)))
                .hint("leave them out: GNU tar does without --xattrs, --acls and --selinux"));
        }
        match self.get(global, "hdrcharset") {
            None | Some(b"BINARY" | b"ISO-IR 10646 2000 UTF-8") => Ok(()),
            Some(other) => Err(Error::new(format!("names in {}", shown(other)))
                .hint("names are UTF-8, or bytes that stay as they are")),
        }
    }
}

/// What a key says that is not kept.
fn not_kept(key: &[u8]) -> Option<&'static str> {
    let found = NOT_KEPT.iter().find(|(prefix, _)| key.starts_with(prefix.as_bytes()));
    found.map(|(_, what)| *what)
}

/// `LENGTH KEY=VALUE` and a new line, and what is behind it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(&data[..space])?).ok()?;
    let record = data.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=').filter(|at| *at > 0)?;
    Some((&record[..equals], &record[equals + 1..], &data[length..]))
}

pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

fn bad(key: &[u8], value: &[u8]) -> Error {
    Error::new(format!("{}: {:?}", shown(key), shown(value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_take_the_place_of_earlier_ones() {
        let (mut global, mut local) = (Records::default(), Records::default());
        global.read(b"9 uid=10\n9 gid=10\n13 mtime=1.5\n").expect("records");
        local.read(b"11 uid=200\n7 gid=\n14 path=a\nb=c\n").expect("records");
        assert_eq!(local.number(&global, "uid").expect("a number"), Some(200));
        assert_eq!(local.number(&global, "gid").expect("nothing"), None);
        assert_eq!(local.get(&global, "path"), Some(b"a\nb=c".as_slice()));
        assert_eq!(local.time(&global, "mtime").expect("a time"), Some(1));
        local.read(b"14 mtime=-1.5\n").expect("a record");
        assert_eq!(local.time(&global, "mtime").expect("a time"), Some(-2));
    }

    #[test]
    fn other_forms_are_refused() {
        for wrong in [
            b"uid=10\n".as_slice(),
            b"0 uid=10\n",
            b"9 uid=10",
            b"99 uid=10\n",
            b"8 uid=10\n",
            b"6 =10\n",
            b"18446744073709551617 a=b\n",
            b"26 GNU.sparse.numbytes=1\n",
        ] {
            Records::default().read(wrong).expect_err("no record");
        }
    }
}

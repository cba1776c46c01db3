//! What the user asks for: `--share HOST[:GUEST][,ro]`.

use core::fmt::{self, Display, Formatter};

/// Most folders of a machine.
pub const MAX_SHARES: usize = 8;

/// A folder of the host, and where it is in the guest.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    pub host: &'a str,
    pub guest: Place<'a>,
    pub read_only: bool,
}

/// A directory of the guest.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// An absolute path.
    Path(&'a str),
    /// A name in `/mnt`.
    Name(&'a str),
}

/// Where folders are that have no other place.
const PARENT: &str = "mnt";

impl<'a> Place<'a> {
    /// Names of the directories that lead there.
    fn components(self) -> impl Iterator<Item = &'a str> {
        let (parent, path) = match self {
            Place::Path(path) => (None, path),
            Place::Name(name) => (Some(PARENT), name),
        };
        parent.into_iter().chain(components(path))
    }
}

fn components(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty() && *name != ".")
}

impl PartialEq for Place<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.components().eq(other.components())
    }
}

impl Display for Place<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.components().try_for_each(|name| write!(f, "/{name}"))
    }
}

impl<'a> Share<'a> {
    /// From `HOST[:GUEST][,ro]`. GUEST begins with a slash, so that other colons belong to HOST.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &'a str) -> Result<Share<'a>, &'static str> {
        let (text, read_only) = match text.strip_suffix(",ro") {
            Some(text) => (text, true),
            None => (text, false),
        };
        let (host, guest) = match text.rsplit_once(':') {
            Some((host, guest)) => (host, Some(guest)),
            None => (text, None),
        };
        if host.is_empty() {
            return Err("give a folder of the host, such as src or src:/work");
        }
        let guest = match guest {
            Some(path) if !path.starts_with('/') => {
                return Err("the folder's place in the guest begins with a slash, as in src:/work");
            }
            Some(path) => Place::Path(path),
            None => match host.trim_end_matches('/').rsplit('/').next() {
                Some(name) if !matches!(name, "" | "." | "..") => Place::Name(name),
                _ => return Err("say where it is to be in the guest, as in .:/work"),
            },
        };
        if guest.components().any(|name| name == "..") || guest.components().next().is_none() {
            return Err("the folder's place in the guest is neither / nor has .. in it");
        }
        Ok(Share { host, guest, read_only })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::{String, ToString};

    fn parsed(text: &str) -> String {
        match Share::parse(text) {
            Ok(Share { host, guest, read_only }) => format!("{host} {guest} {read_only}"),
            Err(hint) => hint.to_string(),
        }
    }

    #[test]
    fn a_folder_has_a_place_in_the_guest() {
        assert_eq!(parsed("src"), "src /mnt/src false");
        assert_eq!(parsed("/a/b//,ro"), "/a/b// /mnt/b true");
        assert_eq!(parsed("src:/work"), "src /work false");
        assert_eq!(parsed("a:b:/work//x/./,ro"), "a:b /work/x true");
        assert_eq!(parsed("../..:/up"), "../.. /up false");
        assert_eq!(parsed("a,ro:/b,c"), "a,ro /b,c false");
    }

    #[test]
    fn what_has_no_place_is_refused() {
        for text in ["", ":/work", ",ro"] {
            assert!(parsed(text).starts_with("give a folder"), "{text}");
        }
        for text in [".", "..", "/", "a/..", "./"] {
            assert!(parsed(text).starts_with("say where"), "{text}");
        }
        assert!(parsed("a:work").contains("begins with a slash"));
        for text in ["a:/", "a:/.", "a:/work/../..", "a://"] {
            assert!(parsed(text).contains("neither"), "{text}");
        }
    }

    #[test]
    fn places_are_the_same_however_they_are_written() {
        let place = |text| Share::parse(text).unwrap().guest;
        assert!(place("a") == place("b:/mnt//a/"));
        assert!(place("a") != place("b"));
    }
}

//! A file system to be: what lies at which path.

use std::collections::BTreeMap;

/// What lies at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Permissions, as in chmod(2).
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Directory,
    File(Vec<u8>),
    Link(String),
    Fifo,
    CharacterDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
}

impl Node {
    pub(crate) fn of_root(kind: Kind, mode: u32) -> Self {
        Self { kind, mode, uid: 0, gid: 0 }
    }

    /// A symbolic link.
    pub(crate) fn link_to(target: &str) -> Self {
        Self::of_root(Kind::Link(target.to_owned()), 0o777)
    }

    /// The WebAssembly module that lies here, if one does.
    pub(crate) fn module(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::File(contents) if contents.starts_with(b"\0asm") => Some(contents),
            _ => None,
        }
    }
}

/// Paths are relative to the root and have no leading slash.
#[derive(Debug, Default, Clone)]
pub(crate) struct Tree {
    nodes: BTreeMap<String, Node>,
}

impl Tree {
    /// Adds a node and the directories above it. An earlier node at the same path is replaced.
    pub(crate) fn add(&mut self, path: &str, node: Node) {
        let path = path.trim_matches('/');
        for (at, _) in path.match_indices('/') {
            let parent = Node::of_root(Kind::Directory, 0o755);
            self.nodes.entry(path[..at].to_owned()).or_insert(parent);
        }
        self.nodes.insert(path.to_owned(), node);
    }

    /// Adds all of another tree. What was there stays a directory or a link to one where the other
    /// tree has a directory, so that a package with `bin/x` works where `bin` is a link.
    pub(crate) fn merge(&mut self, other: Self) {
        for (path, node) in other.nodes {
            let path = self.resolve(&path);
            let is_there = self
                .nodes
                .get(&path)
                .is_some_and(|there| matches!(there.kind, Kind::Directory | Kind::Link(_)));
            if node.kind != Kind::Directory || !is_there {
                self.add(&path, node);
            }
        }
    }

    /// `path` with the links among its directories followed.
    fn resolve(&self, path: &str) -> String {
        const MOST_LINKS: usize = 40;
        let mut path = path.to_owned();
        for _ in 0..MOST_LINKS {
            let parent = path.match_indices('/').map(|(at, _)| at).find_map(|at| {
                match &self.nodes.get(&path[..at])?.kind {
                    Kind::Link(target) => Some((at, target)),
                    _ => None,
                }
            });
            let Some((at, target)) = parent else { break };
            let base = if target.starts_with('/') {
                ""
            } else {
                path[..at].rsplit_once('/').map_or("", |(directory, _)| directory)
            };
            let Some(whole) = normalize(&format!("{base}/{target}/{}", &path[at + 1..])) else {
                break;
            };
            path = whole;
        }
        path
    }

    /// Removes what lies at `path` and below it.
    pub(crate) fn remove(&mut self, path: &str) {
        if path.is_empty() {
            self.nodes.clear();
        }
        let below = format!("{path}/");
        self.nodes.retain(|there, _| there != path && !there.starts_with(&below));
    }

    pub(crate) fn contains(&self, path: &str) -> bool {
        self.nodes.contains_key(path.trim_matches('/'))
    }

    pub(crate) fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path.trim_matches('/'))
    }

    /// In the order of paths: a directory before what lies in it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_str(), node))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.nodes.iter_mut().map(|(path, node)| (path.as_str(), node))
    }
}

/// A path without empty parts, `.` and `..`, or nothing if it leads out of the root.
pub(crate) fn normalize(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            _ => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Node {
        Node::of_root(Kind::File(text.as_bytes().to_vec()), 0o644)
    }

    #[test]
    fn directories_that_are_links_are_followed() {
        let mut tree = Tree::default();
        tree.add("usr/bin/a", file("a"));
        tree.add("bin", Node::link_to("usr/bin"));
        let mut package = Tree::default();
        package.add("bin/b", file("b"));
        package.add("usr/bin/a", file("other"));
        tree.merge(package);
        assert_eq!(tree.get("bin").map(|node| &node.kind), Some(&Kind::Link("usr/bin".to_owned())));
        assert_eq!(tree.get("usr/bin/b"), Some(&file("b")));
        assert_eq!(tree.get("usr/bin/a"), Some(&file("other")));
    }

    #[test]
    fn paths_stay_below_the_root() {
        assert_eq!(normalize("./usr//bin/../lib/"), Some("usr/lib".to_owned()));
        assert_eq!(normalize("/"), Some(String::new()));
        assert_eq!(normalize("usr/../../etc"), None);
    }
}

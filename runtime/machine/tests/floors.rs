//! The runtime's source has floors, and each imports only what lies below it: `concepts/architecture.md`
//! tells of them. This reads all paths of all files, in `use` as in expressions, macros and assembly.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// From the lowest to the highest: each a folder of `src`.
const FLOORS: [&str; 8] = ["arch", "host", "memory", "task", "cpu", "device", "border", "boot"];

/// Source by the path of its module: `""` is the crate's root.
type Tree = BTreeMap<String, String>;

/// What each module names of others.
type Imports = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_floor_imports_a_higher_one_and_no_file_itself() {
    let mut tree = Tree::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &[], &mut tree);
    let faults = faults(&tree);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

fn read(directory: &Path, module: &[String], tree: &mut Tree) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let (path, mut module) = (entry.path(), module.to_vec());
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            module.push(name);
            read(&path, &module, tree);
            continue;
        }
        if !["lib", "mod"].contains(&name.as_str()) {
            module.push(name);
        }
        tree.insert(module.join("::"), fs::read_to_string(path).unwrap());
    }
}

/// What is wrong with a tree, one line each.
fn faults(tree: &Tree) -> Vec<String> {
    let imports = imports(tree);
    let mut faults = Vec::new();
    for (from, targets) in imports.iter().filter(|(from, _)| !from.is_empty()) {
        let Some(floor) = floor(from) else {
            faults.push(format!("{from} lies on no floor"));
            continue;
        };
        for to in targets {
            // The root is above all.
            if to.is_empty() || self::floor(to).is_some_and(|to| to > floor) {
                faults.push(format!("{from} imports {to:?}, which lies above"));
            }
        }
    }
    faults.extend(circles(&imports));
    faults
}

fn floor(module: &str) -> Option<usize> {
    let name = module.split("::").next()?;
    FLOORS.iter().position(|floor| *floor == name)
}

/// A line for each file that imports itself by way of others, once for all of a circle.
fn circles(imports: &Imports) -> Vec<String> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for start in imports.keys() {
        let Some(way) = way_back(imports, start) else { continue };
        if way.iter().all(|module| seen.insert(module.clone())) {
            faults.push(format!("a circle: {}", way.join(" -> ")));
        }
    }
    faults
}

/// The shortest way from a module to itself, without its end.
fn way_back(imports: &Imports, start: &str) -> Option<Vec<String>> {
    let mut came_from = BTreeMap::<String, &str>::new();
    let mut ways = vec![start];
    while !ways.is_empty() {
        let mut next = Vec::new();
        for from in ways {
            for to in &imports[from] {
                if to == start {
                    let mut way = vec![from.to_owned()];
                    while way[0] != start {
                        way.insert(0, came_from[&way[0]].to_owned());
                    }
                    return Some(way);
                }
                if !came_from.contains_key(to) {
                    came_from.insert(to.clone(), from);
                    next.push(to.as_str());
                }
            }
        }
        ways = next;
    }
    None
}

fn imports(tree: &Tree) -> Imports {
    let of = |(module, source): (&String, &String)| {
        let tokens: TokenStream = source.parse().unwrap_or_else(|error| {
            panic!("{module}: {error}");
        });
        let place: Vec<String> =
            module.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect();
        let mut paths = Vec::new();
        walk(&tokens.into_iter().collect::<Vec<_>>(), &place, tree, &mut paths);
        let mut targets: BTreeSet<String> = paths.iter().map(|path| file_of(tree, path)).collect();
        targets.remove(module);
        (module.clone(), targets)
    };
    tree.iter().map(of).collect()
}

/// The module whose file has what a path names.
fn file_of(tree: &Tree, path: &[String]) -> String {
    let ends = (0..=path.len()).rev();
    ends.map(|end| path[..end].join("::")).find(|name| tree.contains_key(name)).unwrap_or_default()
}

/// Collects the paths that begin at the crate, at a module above, or at a child of this one.
fn walk(tokens: &[TokenTree], place: &[String], tree: &Tree, paths: &mut Vec<Vec<String>>) {
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        at += 1;
        match rest {
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(group), ..]
                if word == "mod" && group.delimiter() == Delimiter::Brace =>
            {
                // What tests import does not run.
                if name != "tests" {
                    let mut inner = place.to_vec();
                    inner.push(name.to_string());
                    walk(&trees(group), &inner, tree, paths);
                }
                at += 2;
            }
            [TokenTree::Group(group), ..] => walk(&trees(group), place, tree, paths),
            [TokenTree::Ident(first), after @ ..] if is_separator(after) => {
                let is_inner = at >= 2 && is_separator(&tokens[at.saturating_sub(3)..at - 1]);
                let Some(start) = start(&first.to_string(), place, tree).filter(|_| !is_inner)
                else {
                    continue;
                };
                at += collect(&after[2..], start, paths) + 2;
            }
            _ => {}
        }
    }
}

/// Where a path begins whose first word is `first`, if that is one of this crate's modules.
fn start(first: &str, place: &[String], tree: &Tree) -> Option<Vec<String>> {
    let above = &place[..place.len().saturating_sub(1)];
    let child = [place, &[first.to_owned()]].concat();
    match first {
        "crate" => Some(Vec::new()),
        "self" => Some(place.to_vec()),
        "super" => Some(above.to_vec()),
        _ => tree.contains_key(&child.join("::")).then_some(child),
    }
}

/// Collects what follows `prefix::`, and how many tokens that is.
fn collect(tokens: &[TokenTree], mut prefix: Vec<String>, paths: &mut Vec<Vec<String>>) -> usize {
    let mut at = 0;
    loop {
        match &tokens[at..] {
            [TokenTree::Group(group), ..] if group.delimiter() == Delimiter::Brace => {
                let inner = trees(group);
                let parts = inner.split(|token| is_punctuation(token, ','));
                for part in parts.filter(|part| !part.is_empty()) {
                    collect(part, prefix.clone(), paths);
                }
                return at + 1;
            }
            [TokenTree::Ident(word), rest @ ..] => {
                match word.to_string().as_str() {
                    "super" => drop(prefix.pop()),
                    "self" => {}
                    name => prefix.push(name.to_owned()),
                }
                at += 1;
                if is_separator(rest) {
                    at += 2;
                    continue;
                }
            }
            _ => {}
        }
        paths.push(prefix);
        return at;
    }
}

fn trees(group: &proc_macro2::Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

fn is_punctuation(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

/// Do the tokens begin with `::`?
fn is_separator(tokens: &[TokenTree]) -> bool {
    tokens.len() >= 2 && tokens[..2].iter().all(|token| is_punctuation(token, ':'))
}

/// A tree of files with some of what may stand in them.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut tree: Tree =
        [("", "mod arch; mod host;"), ("arch", ""), ("host", "pub mod sys;"), ("host::sys", "")]
            .map(|(module, source)| (module.to_owned(), source.to_owned()))
            .into();
    tree.extend(files.iter().map(|(module, source)| ((*module).to_owned(), (*source).to_owned())));
    tree
}

#[test]
fn a_file_may_import_what_lies_below_and_beside_it() {
    let tree = tree(&[
        ("host::print", "use super::sys; use crate::arch::{self, Frame}; use core::fmt::{self};"),
        ("task", "use crate::host::{print::Message, sys::{mmap, munmap}}; // crate::boot::x\n"),
        (
            "task::stack",
            "const TEXT: &str = \"crate::boot::entry\"; use crate::host::sys as other;",
        ),
        ("boot", "mod tests { use crate::boot::entry; } mod inner { use super::X; }"),
    ]);
    assert_eq!(faults(&tree), Vec::<String>::new());
    let imports = imports(&tree);
    assert_eq!(imports["task"], ["host::print", "host::sys"].map(str::to_owned).into());
    assert_eq!(imports["host::print"], ["arch", "host::sys"].map(str::to_owned).into());
}

#[test]
fn arrows_upwards_are_found_wherever_a_path_may_stand() {
    let ways = [
        "use crate::task::Task;",
        "use crate::{arch, task::{self, Task}};",
        "use super::super::task::Task;",
        "fn f() { g(); crate::task::run() }",
        "global_asm!(\"\", run = sym crate::task::run);",
        "macro_rules! m { () => { $crate::task::run() } }",
        "mod inner { use super::super::super::task::run; }",
    ];
    for way in ways {
        let found = faults(&tree(&[("task", ""), ("host::sys", way)]));
        assert_eq!(found, ["host::sys imports \"task\", which lies above"], "{way}");
    }
    let root = faults(&tree(&[("host::sys", "use crate::Global;")]));
    assert_eq!(root, ["host::sys imports \"\", which lies above"]);
}

#[test]
fn circles_among_files_are_found_once() {
    let found = faults(&tree(&[
        ("task", "mod stack; mod fork; pub use stack::Stack;"),
        ("task::stack", "use super::fork;"),
        ("task::fork", "use super::Stack;"),
    ]));
    assert_eq!(found, ["a circle: task -> task::stack -> task::fork"]);
}

#[test]
fn a_file_beside_the_floors_is_found() {
    let found = faults(&tree(&[("turn", "")]));
    assert_eq!(found, ["turn lies on no floor"]);
}

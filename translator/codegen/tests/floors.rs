//! The crate's modules lie on floors, from `error` up to `emit`, and each imports only from floors below its
//! own: the table in `lib.rs` is the order.

use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest floor to the highest, as the table at the head of `lib.rs` has them.
fn floors(source: &Path) -> Vec<String> {
    let text = fs::read_to_string(source.join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | [`")?.split_once("`]"));
    rows.map(|(name, _)| name.to_owned()).collect()
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// The modules that a file names, in `use` as in expressions. Unit tests, at the end of a file, may name all.
fn imports(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let (code, _tests) = text.split_once("#[cfg(test)]").unwrap_or((text, ""));
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut found = Vec::new();
    for rest in code.flat_map(|line| line.split("crate::").skip(1)) {
        assert!(!rest.starts_with('{'), "`use crate::{{` hides imports from this test");
        found.extend(rest.split(|c| !is_name(c)).next());
    }
    found
}

/// What is wrong, one line each.
fn faults(floors: &[String], files: &[(String, String)]) -> Vec<String> {
    let floor = |name: &str| floors.iter().position(|floor| floor == name);
    let mut faults = Vec::new();
    for (own, text) in files {
        let Some(height) = floor(own) else {
            faults.push(format!("{own} lies on no floor"));
            continue;
        };
        for import in imports(text).into_iter().filter(|import| import != own) {
            if floor(import).is_none_or(|floor| floor >= height) {
                faults.push(format!("{own} imports {import}, which does not lie below it"));
            }
        }
    }
    faults
}

#[test]
fn every_module_imports_from_lower_floors_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = Vec::new();
    files(&source, &mut paths);
    let read = |path: &PathBuf| {
        let name = path.strip_prefix(&source).unwrap().components().next().unwrap();
        let name = name.as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    let files: Vec<_> = paths.iter().map(read).filter(|(name, _)| name != "lib").collect();
    let faults = faults(&floors(&source), &files);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn an_arrow_upwards_and_a_module_without_a_floor_are_found() {
    let floors = ["low", "high"].map(str::to_owned);
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let good = [file("low", "// crate::high\n"), file("high", "use crate::low::A;")];
    assert_eq!(faults(&floors, &good), [""; 0]);
    let bad = [file("low", "fn f() { crate::high::g() }"), file("other", "")];
    let found = faults(&floors, &bad);
    assert_eq!(found.len(), 2, "{found:?}");
}

//! Programs and libraries of others. A directory `sysroot/packages/NAME` says how one is built from
//! its unmodified source: `package.toml`, and `build.sh OUT WORK`.
//!
//! `OUT/root` is what goes into the guest's root file system, `OUT/dev` what other packages need to
//! be compiled with it: `include` and `lib`.
//!
//! `check`, if it is there, holds the package's own tests: `check/build.sh OUT WORK` builds them, `check/run`
//! runs in the guest. Nobody gets them who does not ask for them.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::builder::Builder;
use crate::error::{At as _, Error, Result};
use crate::files::Files;
use crate::guest::{Built, Component, Origin, Sdk};
use crate::sources::Source;
use crate::tools;

/// Where the recipes are, below `sysroot`.
const RECIPES: &str = "packages";

/// What all recipes share.
const COMMON: &str = "packages/common.sh";

/// The directory of a recipe with the package's own tests.
const CHECK: &str = "check";
const TERMINAL: &str = "packages/terminal.c";

/// A package's own tests.
#[derive(Debug)]
pub struct Check {
    /// The package's files, and those of its tests.
    pub files: Files,
    /// A script for the guest.
    pub script: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipe {
    /// A line for the list of packages.
    description: String,
    source: Source,
    /// Packages whose headers and libraries the build needs.
    #[serde(default)]
    needs: Vec<String>,
    /// Debian packages that the build needs, each with a program that shows that it is there.
    #[serde(default)]
    tools: BTreeMap<String, String>,
    #[serde(default)]
    check: CheckRecipe,
}

/// What the package's own tests need besides what the package does.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckRecipe {
    /// Packages that are there when the tests are built and when they run.
    #[serde(default)]
    needs: Vec<String>,
}

/// The packages that there are recipes for, each with a line about it.
pub(crate) fn list(root: &Path) -> Result<Vec<(String, String)>> {
    let directory = root.join("sysroot").join(RECIPES);
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).at(directory.display())? {
        let path = entry.at(directory.display())?.path();
        if let Some(name) = path.file_name().and_then(|name| name.to_str())
            && path.is_dir()
        {
            found.push((name.to_owned(), recipe(root, name)?.description));
        }
    }
    found.sort();
    Ok(found)
}

fn recipe(root: &Path, name: &str) -> Result<Recipe> {
    let path = root.join("sysroot").join(RECIPES).join(name).join("package.toml");
    let text = fs::read_to_string(&path).at(path.display())?;
    toml::from_str(&text).at(path.display())
}

impl Builder {
    /// The packages that there are recipes for, each with a line about it.
    pub fn packages(&self) -> Result<Vec<(String, String)>> {
        list(&self.root)
    }

    /// The archive of a package's unmodified source.
    pub fn package_source(&self, name: &str) -> Result<PathBuf> {
        Ok(self.archive(name, &recipe(&self.root, name)?.source)?.path)
    }

    /// Files of a package, by its name, or of what lies at a path: anything with a `/` or a `.`.
    pub fn files(&self, what: impl AsRef<OsStr>) -> Result<Files> {
        self.files_from(what.as_ref(), Path::new(""))
    }

    /// The same with paths relative to `directory`.
    pub(crate) fn files_from(&self, what: &OsStr, directory: &Path) -> Result<Files> {
        if what.as_bytes().iter().any(|byte| matches!(byte, b'/' | b'.')) {
            return Files::read(&directory.join(what));
        }
        // No package has another name.
        let what = &*what.to_string_lossy();
        self.known(what)?;
        let built = self.package(what, &mut Vec::new())?;
        Files::read(&built.path.join("root"))
    }

    /// An error unless there is a recipe for it.
    fn known(&self, name: &str) -> Result<()> {
        let packages = self.packages()?;
        if packages.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let names: Vec<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
        Err(Error::new(format!("no package is called '{name}'")).hint(format!(
            "there are {}; a path has a '/' or a '.' in it, such as ./{name}",
            names.join(", ")
        )))
    }

    /// A package's own tests, if its recipe has some, built for the guest.
    pub fn package_check(&self, name: &str) -> Result<Option<Check>> {
        let directory = format!("{RECIPES}/{name}/{CHECK}");
        let script = self.root.join("sysroot").join(&directory).join("run");
        if !script.exists() {
            return Ok(None);
        }
        let recipe = recipe(&self.root, name)?;
        let mut names = recipe.needs;
        names.extend(recipe.check.needs);
        let mut files = Files::default();
        let mut needs = self.needs(&names, &mut Vec::new())?;
        needs.push(("PACKAGE".to_owned(), self.package(name, &mut Vec::new())?));
        for (_, package) in &needs {
            let root = package.path.join("root");
            if root.exists() {
                files.merge(&Files::read(&root)?)?;
            }
        }
        needs.push(("SDK".to_owned(), self.sdk()?.built));
        let inputs = self.entries(&directory, "run")?;
        let mut inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        inputs.extend([COMMON, TERMINAL]);
        let component = Component {
            name: &format!("{name}-{CHECK}"),
            script: &format!("{directory}/build.sh"),
            inputs: &inputs,
            source: Origin::Given(&recipe.source),
            tree: None,
        };
        let built = self.component(&component, &borrowed(&needs))?;
        files.merge(&Files::read(&built.path.join("root"))?)?;
        Ok(Some(Check { files, script }))
    }

    /// Builds a package and those that it needs. `above` are the packages that need it.
    fn package(&self, name: &str, above: &mut Vec<String>) -> Result<Built> {
        if above.iter().any(|other| other == name) {
            return Err(Error::new(format!("{name} needs itself: {}", above.join(" needs "))));
        }
        let recipe = recipe(&self.root, name)?;
        let tools: Vec<_> = recipe
            .tools
            .iter()
            .map(|(package, program)| tools::package(package, program))
            .collect();
        tools::install(&tools, &self.progress, &self.cache)?;
        above.push(name.to_owned());
        let mut needs = self.needs(&recipe.needs, above)?;
        above.pop();
        needs.push(("SDK".to_owned(), self.sdk()?.built));
        // All of the recipe but its tests decides what the package is.
        let inputs = self.entries(&format!("{RECIPES}/{name}"), CHECK)?;
        let mut inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        inputs.push(COMMON);
        let component = Component {
            name,
            script: &format!("{RECIPES}/{name}/build.sh"),
            inputs: &inputs,
            source: Origin::Given(&recipe.source),
            tree: None,
        };
        self.component(&component, &borrowed(&needs))
    }

    /// What is in a directory of `sysroot`, but for one name.
    fn entries(&self, directory: &str, without: &str) -> Result<Vec<String>> {
        let path = self.root.join("sysroot").join(directory);
        let mut entries = Vec::new();
        for entry in fs::read_dir(&path).at(path.display())? {
            let entry = entry.at(path.display())?.file_name();
            let entry = entry.to_string_lossy();
            if entry != without {
                entries.push(format!("{directory}/{entry}"));
            }
        }
        entries.sort();
        Ok(entries)
    }

    /// These packages, each with the variable that tells the script where it is.
    fn needs(&self, names: &[String], above: &mut Vec<String>) -> Result<Vec<(String, Built)>> {
        let variable = |name: &str| {
            name.to_uppercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_")
        };
        let need = |name: &String| Ok((variable(name), self.package(name, above)?));
        names.iter().map(need).collect()
    }

    /// The compilers with the headers and libraries of packages, and with those of C++ if it is asked for.
    pub fn sdk_with(&self, packages: &[String], cxx: bool) -> Result<Sdk> {
        let sdk = if cxx { self.sdk_with_cxx()? } else { self.sdk()? };
        if packages.is_empty() {
            return Ok(sdk);
        }
        let mut needs = vec![("SDK".to_owned(), sdk.built)];
        for name in packages {
            self.known(name)?;
        }
        for (variable, package) in self.needs(packages, &mut Vec::new())? {
            needs.push((format!("WITH_{variable}"), package));
        }
        let component = Component {
            name: "sdk",
            script: "packages/sdk.sh",
            inputs: &[],
            source: Origin::Nowhere,
            tree: None,
        };
        Ok(Sdk { built: self.component(&component, &borrowed(&needs))? })
    }
}

fn borrowed(needs: &[(String, Built)]) -> Vec<(&str, &Built)> {
    needs.iter().map(|(variable, built)| (variable.as_str(), built)).collect()
}

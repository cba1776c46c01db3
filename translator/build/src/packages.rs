//! Programs and libraries of others. A directory `sysroot/packages/NAME` says how one is built from
//! its unmodified source: `package.toml`, and `build.sh OUT WORK`.
//!
//! `OUT/root` is what goes into the guest's root file system, `OUT/dev` what other packages need to
//! be compiled with it: `include` and `lib`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::builder::Builder;
use crate::error::{At as _, Error, Result};
use crate::files::Files;
use crate::guest::{Built, Component, Origin};
use crate::sources::Source;
use crate::tools;

/// Where the recipes are, below `sysroot`.
const RECIPES: &str = "packages";

/// What all recipes share.
const COMMON: &str = "packages/common.sh";

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
    pub fn files(&self, what: &str) -> Result<Files> {
        self.files_from(what, Path::new(""))
    }

    /// The same with paths relative to `directory`.
    pub(crate) fn files_from(&self, what: &str, directory: &Path) -> Result<Files> {
        if what.contains(['/', '.']) {
            return Files::read(&directory.join(what));
        }
        self.check_package(what, &format!("; a path has a '/' or a '.' in it, such as ./{what}"))?;
        let built = self.package(what, &mut Vec::new())?;
        Files::read(&built.path.join("root"))
    }

    /// Directory of a package's headers and libraries for the guest, `include` and `lib`.
    pub fn libraries(&self, name: &str) -> Result<PathBuf> {
        self.check_package(name, "")?;
        let place = self.package(name, &mut Vec::new())?.path.join("dev");
        if place.is_dir() {
            return Ok(place);
        }
        Err(Error::new(format!("package '{name}' has programs only, no library")))
    }

    fn check_package(&self, name: &str, more: &str) -> Result<()> {
        let packages = self.packages()?;
        if packages.iter().any(|(known, _)| known == name) {
            return Ok(());
        }
        let names: Vec<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
        let hint = format!("there are {}{more}", names.join(", "));
        Err(Error::new(format!("no package is called '{name}'")).hint(hint))
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
        tools::install(&tools, &self.progress, &self.cache.path("logs/packages"))?;
        above.push(name.to_owned());
        let mut needs = vec![("SDK".to_owned(), self.sdk()?.built)];
        for need in &recipe.needs {
            let variable = need.to_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            needs.push((variable, self.package(need, above)?));
        }
        above.pop();
        let needs: Vec<(&str, &Built)> =
            needs.iter().map(|(variable, built)| (variable.as_str(), built)).collect();
        let directory = format!("{RECIPES}/{name}");
        let component = Component {
            name,
            script: &format!("{directory}/build.sh"),
            inputs: &[&directory, COMMON],
            source: Origin::Given(&recipe.source),
            tree: None,
        };
        self.component(&component, &needs)
    }
}

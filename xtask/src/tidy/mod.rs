//! `cargo xtask tidy`: the rules of the house that the compiler does not know.
//!
//! Owns which checks run and on what. Each rule lives in its own file and is a pure function from what was
//! read to what is wrong, tested with planted violations.

mod docs;
mod leftovers;
mod links;
mod purity;
mod rooms;
mod sizes;
mod surroundings;
mod whitespace;

use anyhow::Context;

use crate::metadata::{self, Package};
use crate::reference;
use crate::report::{self, Violation};
use crate::tree::{self, File};

/// Where the recorded sizes live, relative to the root.
const SIZES: &str = "xtask/sizes.txt";

/// Runs every check, after blessing the sizes when asked to; answers whether nothing is wrong.
pub(crate) fn run(flags: &[String]) -> anyhow::Result<bool> {
    let given = |flag: &str| flags.iter().any(|given| given == flag);
    let root = tree::root()?;
    let files = tree::read(&root)?;
    let packages = metadata::workspace(&root)?.packages;

    let sizes_path = root.join(SIZES);
    let mut recorded = match std::fs::read_to_string(&sizes_path) {
        Ok(text) => sizes::parse(&text).context(SIZES)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => sizes::Sizes::new(),
        Err(error) => return Err(error).context(SIZES),
    };
    if given("--bless") {
        recorded = sizes::bless(&recorded, &sizes::measure(&files), given("--allow-growth"));
        std::fs::write(&sizes_path, sizes::render(&recorded)).context(SIZES)?;
    }

    let violations = check(&files, &packages, &root.to_string_lossy(), &recorded);
    report::tell("tidy", violations, given("--json"))
}

/// Every rule at once.
fn check(files: &[File], packages: &[Package], root: &str, recorded: &sizes::Sizes) -> Vec<Violation> {
    let mut violations = rooms::check(packages, files, root);
    violations.extend(purity::check(files));
    violations.extend(sizes::check(recorded, &sizes::measure(files)));
    violations.extend(docs::check(files));
    violations.extend(leftovers::check(files));
    violations.extend(links::check(files));
    violations.extend(whitespace::check(files));
    violations.extend(surroundings::check(files));
    violations.extend(reference::check(files));
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A rule that is written and never asked cannot fail, so each is planted once through the front door.
    #[test]
    fn every_rule_is_asked() {
        let text =
            format!("use std::fs; \n// {}DO in {}ot/\nfn f() {{\n{}}}\n", "TO", "/ro", "\n".repeat(70));
        let proto = File::new("proto/proto/predis/admin/v1/admin.proto", "message A {}\n");
        let files = [File::new("router/src/a.rs", text), File::new("README.md", "[lost](lost.md)\n"), proto];
        let stranger = Package { name: "predis-attic".into(), ..Package::default() };
        let violations = check(&files, &[stranger], "/root-of-it", &sizes::Sizes::new());
        let mut rules: Vec<&str> = violations.iter().map(|violation| violation.rule).collect();
        rules.sort_unstable();
        rules.dedup();
        let all = [
            "docs",
            "leftovers",
            "links",
            "purity",
            "reference",
            "rooms",
            "sizes",
            "surroundings",
            "whitespace",
        ];
        assert_eq!(rules, all);
    }
}

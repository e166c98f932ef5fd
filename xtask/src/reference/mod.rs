//! `cargo xtask docs`: the reference of the admin API, from the comments of its .proto file.
//!
//! Owns which page is made from which file. A page that no longer says what the file says is a finding of `tidy`.

mod parse;
mod render;

use crate::report::Violation;
use crate::tree::{self, File};
use anyhow::Context;

/// The file that is read, and the page that is made of it, relative to the root.
const PROTO: &str = "proto/proto/predis/admin/v1/admin.proto";
const PAGE: &str = "docs/admin-api.md";

/// Writes the page; all is well when that worked.
pub(crate) fn run(_flags: &[String]) -> anyhow::Result<bool> {
    let root = tree::root()?;
    let proto = std::fs::read_to_string(root.join(PROTO)).context(PROTO)?;
    std::fs::write(root.join(PAGE), page(&proto).context(PROTO)?).context(PAGE)?;
    println!("docs: wrote {PAGE}");
    Ok(true)
}

/// Rule `reference`: the page says what the file says. Silent where there is no such file.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let text = |path: &str| files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    let Some(proto) = text(PROTO) else { return Vec::new() };
    match page(proto) {
        Err(error) => vec![Violation::new(PROTO, 0, "reference", format!("{error:#}"))],
        Ok(page) if text(PAGE) == Some(&page) => Vec::new(),
        Ok(_) => vec![Violation::new(PAGE, 0, "reference", "is not what the .proto says: cargo xtask docs")],
    }
}

fn page(proto: &str) -> anyhow::Result<String> {
    Ok(render::page(PROTO, &parse::parse(proto)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "// About it.\n//\n// And\n// more.\nsyntax = \"proto3\";\npackage a.v1;\n\n// Does things.\nservice S {\n  // One.\n  \
                         rpc One(Ask) returns (stream Told);\n}\n\nmessage Ask {}\n\nmessage Told {\n  // What.\n  \
                         // More.\n  optional uint64 what = 1;\n  repeated Ask asks = 2;\n}\n";

    #[test]
    fn services_methods_and_fields_are_on_the_page() {
        let page = page(SMALL).unwrap();
        for part in [
            "\n\nAbout it.\n\nAnd more.\n\n",
            "## S\n\nDoes things.",
            "### S.One\n\nTakes [`Ask`](#ask), returns a stream of [`Told`](#told).\n\nOne.",
            "### Ask\n\nNo fields.",
            "| `what` | `uint64`, optional | What. More. |",
            "| `asks` | [`Ask`](#ask), repeated | |",
        ] {
            assert!(page.contains(part), "{part}\n\n{page}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_line() {
        for (proto, line) in [
            ("message A {\n  oneof b {\n", "line 2"),
            ("service S {\n  rpc One(Ask)\n", "line 2"),
            ("message A {\n  string b = 1;\n", "ends"),
        ] {
            let error = format!("{:#}", page(proto).unwrap_err());
            assert!(error.contains(line), "{error}");
        }
    }

    #[test]
    fn a_page_that_lags_behind_is_found() {
        let files = |page: &str| [File::new(PROTO, SMALL), File::new(PAGE, page)];
        assert_eq!(check(&files(&page(SMALL).unwrap())), []);
        assert_eq!(check(&files("old")).len(), 1);
        assert_eq!(check(&[File::new(PROTO, SMALL)]).len(), 1);
        assert_eq!(check(&[]), []);
    }
}

//! Rule `links`: a link between pages leads somewhere, and every page under docs/ is in the book.
//!
//! Owns relative links in Markdown, with the headings they name, and the table of contents. Knows nothing of what is
//! elsewhere in the world.

use crate::report::Violation;
use crate::tree::File;

const RULE: &str = "links";

/// The table of contents.
const SUMMARY: &str = "docs/SUMMARY.md";

/// Follows every link of every page, and looks for every page in the table of contents.
pub(crate) fn check(files: &[File]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut listed = Vec::new();
    for page in files.iter().filter(|file| is_page(file)) {
        for link in links(&page.text).filter(|link| is_relative(link.target)) {
            let (path, heading) = link.target.split_once('#').unwrap_or((link.target, ""));
            let meant = if path.is_empty() { Some(page.path.clone()) } else { resolve(&page.path, path) };
            if page.path == SUMMARY {
                listed.extend(meant.clone());
            }
            if let Some(message) = problem(page, meant.as_deref(), heading, files) {
                let message = format!("`{}`: {message}", link.target);
                violations.push(Violation::new(&page.path, link.line, RULE, message));
            }
        }
    }
    let in_book = |file: &&File| is_page(file) && file.path.starts_with("docs/") && file.path != SUMMARY;
    for page in files.iter().filter(in_book).filter(|page| !listed.contains(&page.path)) {
        violations.push(Violation::new(&page.path, 0, RULE, format!("list this page in {SUMMARY}")));
    }
    violations
}

/// What is wrong with a link from `page` to the path and heading, if anything is.
fn problem(page: &File, path: Option<&str>, heading: &str, files: &[File]) -> Option<String> {
    let outside = path.is_none_or(|path| !path.starts_with("docs/"));
    if page.path.starts_with("docs/") && outside {
        return Some("the book ends at docs/: name the file instead of linking to it".to_owned());
    }
    let Some(file) = path.and_then(|path| files.iter().find(|file| file.path == path)) else {
        return Some("there is no such file".to_owned());
    };
    let named = heading.is_empty() || headings(&file.text).any(|known| anchor(known) == heading);
    (!named).then(|| format!("{} has no heading with that anchor", file.path))
}

fn is_page(file: &File) -> bool {
    file.path.ends_with(".md")
}

fn is_relative(target: &str) -> bool {
    !target.contains("://") && !target.starts_with("mailto:")
}

/// The path that a link means, relative to the root; `None` when it leaves the repository.
fn resolve(from: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

struct Link<'a> {
    line: usize,
    target: &'a str,
}

/// The inline links of a page, outside of code.
fn links(text: &str) -> impl Iterator<Item = Link<'_>> {
    prose(text).flat_map(|(line, text)| {
        let ends = text.match_indices("](").filter(|(at, _)| text[..*at].matches('`').count() % 2 == 0);
        let targets = ends.filter_map(|(at, mark)| text[at + mark.len()..].split_once(')'));
        targets.map(move |(target, _)| Link { line, target }).collect::<Vec<_>>()
    })
}

/// The lines of a page that are not in a fenced block, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

fn headings(text: &str) -> impl Iterator<Item = &str> {
    let heading = prose(text).map(|(_, line)| line).filter(|line| line.starts_with('#'));
    heading.map(|line| line.trim_start_matches('#').trim())
}

/// The anchor of a heading, as hosts of Git repositories and mdBook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is wrong with a page, in a small book.
    fn found(path: &str, text: &str) -> Vec<String> {
        let files = [
            File::new("docs/SUMMARY.md", "[A](a.md) [B](adr/b.md)\n"),
            File::new("docs/a.md", "# A\n## `predis up` and down\n```\n## Not one\n```\n"),
            File::new("docs/adr/b.md", "[a](../a.md)\n"),
            File::new("LICENSE", "Free.\n"),
            File::new(path, text),
        ];
        check(&files).into_iter().map(|violation| violation.message).collect()
    }

    #[test]
    fn links_that_lead_somewhere_pass() {
        for text in [
            "[a](docs/a.md) and [b](docs/adr/b.md), [free](LICENSE)\n",
            "[down](docs/a.md#predis-up-and-down) [here](#here)\n# Here\n",
            "[away](https://example.org/x.md) [mail](mailto:a@example.org)\n",
            "```\n[no](link.md)\n```\n`[nor](this.md)`\n",
        ] {
            assert_eq!(found("README.md", text), [] as [&str; 0], "{text}");
        }
    }

    #[test]
    fn links_that_lead_nowhere_are_found() {
        for text in [
            "[a](docs/c.md)\n",
            "[a](../a.md)\n",
            "[a](docs/a.md#not-one)\n",
            "[a](#nowhere)\n# Here\n",
            "`code` [a](c.md)\n",
        ] {
            assert_eq!(found("README.md", text).len(), 1, "{text}");
        }
    }

    #[test]
    fn every_page_of_the_book_is_in_its_table_of_contents() {
        assert_eq!(found("docs/c.md", "# C\n"), ["list this page in docs/SUMMARY.md"]);
        assert_eq!(found("node/notes.md", "# C\n"), [] as [&str; 0]);
    }

    #[test]
    fn a_page_of_the_book_does_not_lead_out_of_it() {
        let found = found("docs/adr/b.md", "[licence](../../LICENSE)\n");
        assert!(found.len() == 1 && found[0].contains("the book ends at docs/"), "{found:?}");
    }
}

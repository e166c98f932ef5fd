//! The workspace's own text files, read once and handed to the checks.
//!
//! Owns where the root is and what is left out (build output, hidden folders, binary files). Knows no rule.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// One text file of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct File {
    /// Path relative to the root, with forward slashes.
    pub(crate) path: String,
    /// The whole text.
    pub(crate) text: String,
}

impl File {
    /// A file as a check sees it.
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        File { path: path.into(), text: text.into() }
    }

    /// Whether it is Rust source.
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether people write and read it line by line, so that the rules of style hold for it. Data, locked
    /// versions, golden files and legal texts are not meant.
    pub(crate) fn is_written(&self) -> bool {
        const WRITTEN: [&str; 12] =
            ["rs", "toml", "md", "proto", "sh", "py", "yml", "yaml", "lua", "cu", "cuh", "h"];
        let extension = self.path.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
        self.path.starts_with(".ci/") || extension.is_some_and(|(_, ending)| WRITTEN.contains(&ending))
    }
}

/// Files larger than this are data, not text that someone wrote.
const LARGEST_BYTES: u64 = 2 << 20;

/// Folders that hold what tools made, wherever they stand.
const MADE: [&str; 4] = ["target", "corpus", "artifacts", "predis-data"];

/// Hidden folders that hold files of ours.
const HIDDEN_BUT_OURS: [&str; 3] = [".ci", ".cargo", ".github"];

/// The workspace root: the folder above this crate's manifest.
pub(crate) fn root() -> anyhow::Result<PathBuf> {
    let manifest = std::env::var("CARGO_MANIFEST_DIR")
        .context("CARGO_MANIFEST_DIR is not set: run this as `cargo xtask`")?;
    let root = Path::new(&manifest).parent().context("the manifest folder has no parent")?;
    Ok(root.to_path_buf())
}

/// Reads every text file under `root`, sorted by path.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<File>> {
    let mut files = Vec::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if kind.is_dir() && belongs(&name) {
                folders.push(entry.path());
            // In a further work tree of a repository, `.git` is a file that says where the repository is.
            } else if kind.is_file() && name != ".git" && entry.metadata()?.len() <= LARGEST_BYTES {
                let bytes = std::fs::read(entry.path())
                    .with_context(|| format!("reading {}", entry.path().display()))?;
                let path = entry.path().strip_prefix(root)?.to_string_lossy().replace('\\', "/");
                files.extend(text_of(bytes).map(|text| File::new(path, text)));
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// Whether a folder is looked into.
fn belongs(name: &str) -> bool {
    if name.starts_with('.') { HIDDEN_BUT_OURS.contains(&name) } else { !MADE.contains(&name) }
}

/// The bytes as text, unless they are something else.
fn text_of(bytes: Vec<u8>) -> Option<String> {
    if bytes.contains(&0) {
        return None;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_and_hidden_folders_are_left_out() {
        assert!(belongs("node"));
        assert!(belongs(".ci"));
        assert!(!belongs(".git"));
        assert!(!belongs("target"));
    }

    #[test]
    fn binary_bytes_are_not_text() {
        assert_eq!(text_of(vec![b'a', 0]), None);
        assert_eq!(text_of(vec![0xff, 0xfe]), None);
        assert_eq!(text_of(b"text".to_vec()).as_deref(), Some("text"));
    }

    #[test]
    fn style_holds_for_what_people_write() {
        assert!(File::new("node/src/lib.rs", "").is_written());
        assert!(File::new(".ci/run", "").is_written());
        assert!(!File::new("Cargo.lock", "").is_written());
        assert!(!File::new("raft/meta/tests/golden/join.txt", "").is_written());
        assert!(!File::new("LICENSE", "").is_written());
    }

    #[test]
    fn this_very_file_is_read_from_the_root() {
        let files = read(&root().unwrap()).unwrap();
        assert!(files.iter().any(|file| file.path == "xtask/src/tree.rs"));
        assert!(files.iter().all(|file| !file.path.starts_with("target/")));
    }
}

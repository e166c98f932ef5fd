//! Files of certificates and keys: a key is never readable by others, not even for a moment, and nothing is
//! overwritten without being asked for.

use crate::failure::Failure;
use anyhow::{Context, anyhow};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// The largest file that is read.
const MAX_BYTES: u64 = 1 << 20;

/// A certificate and its key, as PEM.
pub(super) struct Pair {
    pub(super) certificate: String,
    pub(super) key: Zeroizing<String>,
}

/// Files to be written together.
pub(super) struct Outputs {
    directory: PathBuf,
    force: bool,
    names: Vec<String>,
}

impl Outputs {
    /// `NAME.crt` and `NAME.key` for each name, in a directory that is made if there is none.
    ///
    /// # Errors
    /// When there is such a file, unless `force` says that it may go.
    pub(super) fn new(directory: &Path, names: &[&str], force: bool) -> Result<Outputs, Failure> {
        let outputs = Outputs {
            directory: directory.to_owned(),
            force,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        let paths = outputs.names.iter().flat_map(|name| [outputs.certificate(name), outputs.key(name)]);
        let taken: Vec<String> = paths
            .filter(|path| path.symlink_metadata().is_ok())
            .map(|path| path.display().to_string())
            .collect();
        if !force && !taken.is_empty() {
            return Err(Failure::usage(anyhow!(
                "there is already {}: name another directory with --out, or overwrite with --force",
                taken.join(", ")
            )));
        }
        fs::create_dir_all(directory)
            .with_context(|| format!("cannot make the directory {}", directory.display()))
            .map_err(Failure::failed)?;
        Ok(outputs)
    }

    /// Where the certificate called `name` is.
    pub(super) fn certificate(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.crt"))
    }

    /// Where its key is.
    pub(super) fn key(&self, name: &str) -> PathBuf {
        self.directory.join(format!("{name}.key"))
    }

    /// Writes a pair. The certificate comes last: who sees it finds its key.
    pub(super) fn write(&self, name: &str, pair: &Pair) -> Result<(), Failure> {
        self.put(&self.key(name), &pair.key, 0o600)?;
        self.put(&self.certificate(name), &pair.certificate, 0o644)
    }

    fn put(&self, path: &Path, content: &str, mode: u32) -> Result<(), Failure> {
        let written = if self.force { replace(path, content, mode) } else { create(path, content, mode) };
        written.with_context(|| format!("cannot write {}", path.display())).map_err(Failure::failed)
    }
}

/// Writes a file that must not be there yet, with this mode from its first moment on.
fn create(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

/// Writes a file beside the one that it then replaces as a whole.
fn replace(path: &Path, content: &str, mode: u32) -> io::Result<()> {
    let beside = path.with_extension(format!("new-{}", std::process::id()));
    let replaced = create(&beside, content, mode).and_then(|()| fs::rename(&beside, path));
    if replaced.is_err() {
        // It may not be there; the first error is the one to tell.
        let _ = fs::remove_file(&beside);
    }
    replaced
}

/// Reads a file with a private key, unless others may.
pub(super) fn read_key(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let file = open(path)?;
    let metadata = file.metadata().with_context(|| cannot_read(path)).map_err(Failure::failed)?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::usage(anyhow!(
            "{}: its mode is {mode:03o}, and nobody but its owner may have access to a private key: chmod 600 it",
            path.display()
        )));
    }
    read(file, path)
}

/// Reads a file with certificates.
pub(super) fn read_certificates(path: &Path) -> Result<Zeroizing<String>, Failure> {
    read(open(path)?, path)
}

fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).with_context(|| cannot_read(path)).map_err(Failure::failed)
}

fn read(file: File, path: &Path) -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    file.take(MAX_BYTES)
        .read_to_string(&mut text)
        .with_context(|| cannot_read(path))
        .map_err(Failure::failed)?;
    Ok(text)
}

fn cannot_read(path: &Path) -> String {
    format!("cannot read {}", path.display())
}

/// A path as it is typed into a shell.
pub(super) fn typed(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_typed_as_a_shell_takes_it() {
        for (path, expected) in [("a/b.crt", "a/b.crt"), ("my certs", "'my certs'"), ("it's", r"'it'\''s'")] {
            assert_eq!(typed(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_key_has_its_mode_whatever_was_there_before() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("node.key");
        let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        create(&path, "one", 0o600).unwrap();
        assert_eq!(mode(), 0o600);
        assert_eq!(create(&path, "two", 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        replace(&path, "three", 0o600).unwrap();
        assert_eq!((mode(), fs::read_to_string(&path).unwrap().as_str()), (0o600, "three"));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }
}

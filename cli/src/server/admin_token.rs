//! The token of the first user, `admin`, of a cluster that is founded to require authentication.
//!
//! It is on disk, for its owner alone, before the cluster knows its digest: a founding that was cut short anywhere
//! finds it again. Knows nothing of who the user is.

use crate::token;
use predis_node::system::ADMIN_TOKEN_FILE;
use predis_types::{Secret, TokenDigest};
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

/// Where a token is written before it has its name.
const UNFINISHED: &str = "admin.token.new";

/// What a token looks like: this, and 43 letters, digits, hyphens and underscores.
const PREFIX: &str = "predis_";
const DIGITS: usize = 43;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdminTokenError {
    /// The file cannot be read or written.
    #[error("the token file {path} cannot be read or written")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is a file, with something else in it.
    #[error(
        "the token file {path} must hold one token, predis_ and 43 letters, digits, hyphens or underscores: remove \
         it, and a new one is made"
    )]
    NoToken {
        /// Which one.
        path: PathBuf,
    },
    /// There is a file that others may read.
    #[error("the token file {path} must be for its owner alone (mode 600), its mode is {mode:o}")]
    Shared {
        /// Which one.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The operating system has no randomness to give.
    #[error("the operating system gave no randomness for a token")]
    NoRandomness(#[source] io::Error),
}

/// The digest of the token in a data directory that has no cluster yet, and the file it is in. Made now, or found as
/// an earlier founding left it. The directory must be locked.
///
/// # Errors
/// See [`AdminTokenError`].
pub(super) fn prepare(data_dir: &Path) -> Result<(TokenDigest, PathBuf), AdminTokenError> {
    let path = data_dir.join(ADMIN_TOKEN_FILE);
    let failed = |source| AdminTokenError::File { path: path.clone(), source };
    match File::open(&path) {
        Ok(file) => Ok((found(&path, &file)?, path)),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let token = token::draw().map_err(AdminTokenError::NoRandomness)?;
            write(data_dir, &path, &token).map_err(failed)?;
            Ok((token.digest(), path))
        }
        Err(error) => Err(failed(error)),
    }
}

fn found(path: &Path, file: &File) -> Result<TokenDigest, AdminTokenError> {
    let failed = |source| AdminTokenError::File { path: path.to_owned(), source };
    let mode = file.metadata().map_err(failed)?.mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(AdminTokenError::Shared { path: path.to_owned(), mode });
    }
    let content = Secret::new(io::read_to_string(file).map_err(failed)?);
    let token = content.expose().trim_end();
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_token = token
        .strip_prefix(PREFIX)
        .is_some_and(|digits| digits.len() == DIGITS && digits.bytes().all(is_digit));
    if !is_token {
        return Err(AdminTokenError::NoToken { path: path.to_owned() });
    }
    Ok(TokenDigest::of(token.as_bytes()))
}

/// Writes a token durably. Under its name there is all of it or nothing.
fn write(data_dir: &Path, path: &Path, token: &Secret) -> io::Result<()> {
    let unfinished = data_dir.join(UNFINISHED);
    match std::fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
    file.write_all(token.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::rename(&unfinished, path)?;
    File::open(data_dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_token_is_made_once_for_its_owner_alone() {
        let directory = tempfile::tempdir().unwrap();
        // What a process left that was killed while it wrote.
        std::fs::write(directory.path().join(UNFINISHED), "pred").unwrap();
        let (digest, path) = prepare(directory.path()).unwrap();
        assert_eq!(path, directory.path().join("admin.token"));
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!((text.len(), text.lines().count()), (PREFIX.len() + DIGITS + 1, 1));
        assert!(TokenDigest::of(text.trim_end().as_bytes()).matches(&digest));
        let (again, _) = prepare(directory.path()).unwrap();
        assert!(again.matches(&digest));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        assert_eq!(directory.path().read_dir().unwrap().count(), 1);

        let other = tempfile::tempdir().unwrap();
        assert!(!prepare(other.path()).unwrap().0.matches(&digest));
    }

    #[test]
    fn a_file_that_is_no_private_token_is_refused_and_not_repeated() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("admin.token");
        for content in ["", "hunter2", "predis_hunter2", &format!("predis_{}", "ä".repeat(43))] {
            std::fs::write(&path, content).unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
            let refused = prepare(directory.path()).unwrap_err().to_string();
            assert!(refused.contains("admin.token") && refused.contains("43"), "{refused}");
            assert!(!refused.contains("hunter2"), "{refused}");
        }
        std::fs::write(&path, Secret::token(&[1; 32]).expose()).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
        let refused = prepare(directory.path()).unwrap_err().to_string();
        assert!(refused.contains("mode 600") && refused.contains("640"), "{refused}");
    }
}

//! Who a client is: a user and a token, given as they are or read from a file for each new connection.
//!
//! Knows nothing of how they are presented.

use predis_types::Secret;
use std::path::PathBuf;

/// Who a client says it is.
#[derive(Clone, Debug, Default)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    None,
    /// Whoever has this token.
    Token {
        /// The user; none for whichever has the token.
        user: Option<String>,
        /// The token.
        token: Secret,
    },
    /// Whoever has the token in a file, which is read for each new connection: a token that is replaced there is used
    /// from then on. White space around it does not count.
    File {
        /// The user; none for whichever has the token.
        user: Option<String>,
        /// The file.
        path: PathBuf,
    },
}

/// A user and a token as they are now.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) user: Option<String>,
    pub(crate) token: Secret,
}

impl Credentials {
    /// What to present now; none to present nothing.
    ///
    /// # Errors
    /// When the file cannot be read; names the file, never what is in it.
    pub(crate) fn read(&self) -> Result<Option<Login>, String> {
        match self {
            Credentials::None => Ok(None),
            Credentials::Token { user, token } => {
                Ok(Some(Login { user: user.clone(), token: token.clone() }))
            }
            Credentials::File { user, path } => {
                let named =
                    |reason: &dyn std::fmt::Display| format!("token file {}: {reason}", path.display());
                let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
                let text = Secret::new(text);
                match text.expose().trim() {
                    "" => Err(named(&"must hold a token")),
                    token => Ok(Some(Login { user: user.clone(), token: Secret::new(token) })),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_file_is_read_each_time() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let credentials = Credentials::File { user: Some("app".into()), path: file.path().to_owned() };
        assert!(credentials.read().err().unwrap().contains("must hold a token"));
        for token in ["predis_a", "predis_b"] {
            std::fs::write(file.path(), format!("{token}\n")).unwrap();
            let login = credentials.read().unwrap().unwrap();
            assert_eq!((login.user.as_deref(), login.token.expose()), (Some("app"), token));
        }
        drop(file);
        assert!(credentials.read().err().unwrap().starts_with("token file"));
        assert!(Credentials::None.read().unwrap().is_none());
    }
}

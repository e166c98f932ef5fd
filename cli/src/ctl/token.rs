//! New tokens: drawn here from the system's randomness, so that no server ever sees one, and shown once.

use super::answer::Answer;
use crate::{failure::Failure, token};
use anyhow::{Context, anyhow};
use clap::Args;
use predis_proto::admin::NewToken;
use predis_types::Secret;
use serde_json::{Value, json};
use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tonic::{Code, Status};

use super::time::{from_now_ms, parse_duration, utc};

/// What becomes of a new token.
#[derive(Debug, Args)]
pub(super) struct NewTokenArgs {
    /// What the token is called; it is not secret [default: made of the token's digest].
    #[arg(long, value_name = "ID")]
    token_id: Option<String>,
    /// After how long the token ends, as 30s, 10m, 1h or 7d [default: never].
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    expires: Option<Duration>,
    /// Write the token to a new file for its owner alone instead of showing it.
    #[arg(long, value_name = "FILE")]
    token_out: Option<PathBuf>,
}

/// A token that no server knows yet.
pub(super) struct Drawn {
    secret: Secret,
    /// What is sent of it.
    pub(super) message: NewToken,
    file: Option<PathBuf>,
}

impl NewTokenArgs {
    /// Draws a token and, if it is to be in a file, writes that: better a file too many than a token lost.
    pub(super) fn draw(&self) -> Result<Drawn, Failure> {
        let secret = token::draw()
            .map_err(|_| Failure::failed(anyhow!("the operating system gave no randomness for a token")))?;
        let sha256 = secret.digest().to_string();
        let id = self.token_id.clone().unwrap_or_else(|| format!("t-{}", &sha256[..8]));
        if let Some(path) = &self.token_out {
            write(path, &secret)
                .with_context(|| format!("--token-out: cannot write {}", path.display()))
                .map_err(Failure::failed)?;
        }
        let expires_at_ms = self.expires.map(from_now_ms);
        Ok(Drawn { secret, message: NewToken { id, sha256, expires_at_ms }, file: self.token_out.clone() })
    }
}

fn write(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(secret.expose().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()
}

impl Drawn {
    /// What to do about the file when the server did not take the token: it goes, unless it may have been taken.
    pub(super) fn refused(&self, status: &Status) {
        // With any other code the change may have been made, and the file is all that there is of the token.
        let definite = [
            Code::InvalidArgument,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::FailedPrecondition,
            Code::ResourceExhausted,
            Code::Aborted,
        ];
        if let Some(path) = self.file.as_ref().filter(|_| definite.contains(&status.code())) {
            // The refusal is what there is to tell.
            let _ = fs::remove_file(path);
        }
    }

    /// The answer to whoever asked for it: `text` and the fields of `json`, and the token or where it is.
    pub(super) fn answer(&self, text: String, mut json: Value) -> Answer {
        let Drawn { secret, message, file } = self;
        json["token_id"] = message.id.clone().into();
        json["token_expires_at_ms"] = message.expires_at_ms.into();
        let until = message.expires_at_ms.map_or("never".to_owned(), utc);
        let (place, shown) = match file {
            Some(path) => ("token_file", path.display().to_string()),
            None => ("token", secret.expose().to_owned()),
        };
        let note = if file.is_some() {
            ""
        } else {
            "\n\nThe token is shown this once: keep it where only its user reads it."
        };
        json[place] = json!(shown);
        let label = if file.is_some() { "token in" } else { "token" };
        Answer::new(
            format!("{text}\ntoken id  {}\nexpires   {until}\n{label:<9} {shown}{note}", message.id),
            json,
        )
    }
}

//! Which node is asked, and as whom: flags and variables first, then a context, then the defaults.

use super::contexts::{Context, ContextsFile};
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use clap::Args;
use predis_client::{AdminChannel, Tls, connect_admin};
use predis_types::Secret;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a connection may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(3);

/// The address when nothing else says one.
const DEFAULT_ADDR: &str = "127.0.0.1:7379";

/// The variable that a token may be in.
const TOKEN_VARIABLE: &str = "PREDIS_TOKEN";

/// How to reach a node.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct TargetArgs {
    /// A node's gRPC address; puts the context in use aside, unless --context names one
    /// [default: 127.0.0.1:7379].
    #[arg(long, value_name = "HOST:PORT", env = "PREDIS_ADDR", global = true)]
    pub(super) addr: Option<String>,
    /// The file with the token to present; a token may also be in the variable PREDIS_TOKEN.
    #[arg(long, value_name = "FILE", env = "PREDIS_TOKEN_FILE", global = true)]
    pub(super) token_file: Option<PathBuf>,
    /// Speak TLS, with nodes that these certificates vouch for.
    #[arg(long, value_name = "FILE", env = "PREDIS_TLS_AUTHORITY", global = true)]
    pub(super) tls_authority: Option<PathBuf>,
    /// The certificate to show, where nodes want one.
    #[arg(long, value_name = "FILE", env = "PREDIS_TLS_CERTIFICATE", global = true)]
    pub(super) tls_certificate: Option<PathBuf>,
    /// Its key.
    #[arg(long, value_name = "FILE", env = "PREDIS_TLS_KEY", global = true)]
    pub(super) tls_key: Option<PathBuf>,
}

/// How a node is reached, files read.
pub(super) struct Target {
    pub(super) addr: String,
    token: Option<Secret>,
    tls: Option<Tls>,
}

impl TargetArgs {
    /// These, with what they leave open from the context: the one named, else, when no address is given, the one in
    /// use.
    pub(super) fn settle(&self, context: Option<&str>) -> Result<Context, Failure> {
        let found = match (context, &self.addr) {
            (Some(name), _) => Some(ContextsFile::of_user()?.read()?.named(name)?.clone()),
            (None, Some(_)) => None,
            // Without a home there are no contexts.
            (None, None) => match ContextsFile::of_user() {
                Ok(file) => {
                    let contexts = file.read()?;
                    contexts.current.as_deref().map(|name| contexts.named(name).cloned()).transpose()?
                }
                Err(_) => None,
            },
        };
        Ok(self.over(found.unwrap_or_default()))
    }

    fn over(&self, context: Context) -> Context {
        let addr = Some(context.addr).filter(|addr| !addr.is_empty());
        Context {
            addr: self.addr.clone().or(addr).unwrap_or_else(|| DEFAULT_ADDR.to_owned()),
            token_file: self.token_file.clone().or(context.token_file),
            tls_authority: self.tls_authority.clone().or(context.tls_authority),
            tls_certificate: self.tls_certificate.clone().or(context.tls_certificate),
            tls_key: self.tls_key.clone().or(context.tls_key),
        }
    }
}

impl Target {
    /// Reads the files that the settled context names. A token in the environment is for when no file is named.
    pub(super) fn read(context: Context) -> Result<Target, Failure> {
        let Context { addr, token_file, tls_authority, tls_certificate, tls_key } = context;
        let token = match &token_file {
            Some(path) => Some(read_token(path)?),
            None => std::env::var(TOKEN_VARIABLE).ok().filter(|token| !token.is_empty()).map(Secret::new),
        };
        let identity = match (&tls_certificate, &tls_key) {
            (Some(certificate), Some(key)) => Some((certificate.as_path(), key.as_path())),
            (None, None) => None,
            _ => return Err(Failure::usage(anyhow!("--tls-certificate and --tls-key go together"))),
        };
        let tls = match &tls_authority {
            Some(authority) => Some(Tls::read(authority, identity).map_err(Failure::usage)?),
            None if identity.is_some() => {
                return Err(Failure::usage(anyhow!("--tls-certificate needs --tls-authority")));
            }
            None => None,
        };
        Ok(Target { addr, token, tls })
    }

    /// Connects to the address.
    pub(super) async fn connect(&self) -> Result<AdminChannel, Failure> {
        self.connect_to(&self.addr).await
    }

    /// Connects to another node of the cluster, as the same user.
    pub(super) async fn connect_to(&self, addr: &str) -> Result<AdminChannel, Failure> {
        use predis_client::ConnectError::{BadAddress, BadToken, Unreachable};
        let connected = connect_admin(addr, self.tls.as_ref(), self.token.as_ref(), CONNECT_LIMIT).await;
        connected.map_err(|error| match error {
            BadAddress { .. } | BadToken => Failure::usage(error),
            Unreachable { .. } => Failure::failed(error),
        })
    }

    /// Whether it is reached over TLS.
    pub(super) fn has_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// Whether a token is presented.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }
}

fn read_token(path: &Path) -> Result<Secret, Failure> {
    let text = std::fs::read_to_string(path).map(Secret::new);
    let text = text.with_context(|| format!("--token-file: cannot read {}", path.display()));
    let text = text.map_err(Failure::usage)?;
    let token = Secret::new(text.expose().trim());
    if token.expose().is_empty() {
        return Err(Failure::usage(anyhow!(
            "--token-file: {} must hold a token, it is empty",
            path.display()
        )));
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_wins_over_the_context() {
        let context = Context {
            addr: "a:1".into(),
            token_file: Some("/a".into()),
            tls_authority: Some("/ca".into()),
            ..Context::default()
        };
        let args = TargetArgs { token_file: Some("/b".into()), ..TargetArgs::default() };
        let settled = args.over(context.clone());
        assert_eq!(settled, Context { token_file: Some("/b".into()), ..context });
        assert_eq!(TargetArgs::default().over(Context::default()).addr, DEFAULT_ADDR);
    }

    #[test]
    fn half_an_identity_is_refused() {
        let half = Context { addr: "a:1".into(), tls_certificate: Some("/c".into()), ..Context::default() };
        let refused = Target::read(half).err().unwrap().to_string();
        assert_eq!(refused, "--tls-certificate and --tls-key go together");
    }
}

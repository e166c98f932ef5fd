//! `predis ctl context`: named ways to reach a cluster.

use super::{
    answer::Answer,
    contexts::{Context, ContextsFile},
    table,
    target::TargetArgs,
};
use crate::failure::Failure;
use anyhow::{Context as _, anyhow};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Named ways to reach a cluster, kept in contexts.toml under ~/.config/predis or $XDG_CONFIG_HOME/predis.
#[derive(Debug, Subcommand)]
pub(super) enum ContextCommand {
    /// Keep --addr, --token-file and the TLS files under a name, in place of what had it. The first is put in use.
    Add(NamedArgs),
    /// Put one in use: it is what commands mean without --addr and --context.
    Use(NamedArgs),
    /// All of them.
    Ls,
    /// Remove one.
    Rm(NamedArgs),
    /// One of them, or the one in use.
    Show {
        /// The context.
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(super) struct NamedArgs {
    /// The context.
    name: String,
}

/// Does it, without any node.
pub(super) fn run(
    file: &ContextsFile,
    target: &TargetArgs,
    command: &ContextCommand,
) -> Result<Answer, Failure> {
    let mut contexts = file.read()?;
    match command {
        ContextCommand::Add(NamedArgs { name }) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
                let rule = "must be 1 to 64 letters, digits, '.', '_' or '-'";
                return Err(Failure::usage(anyhow!("name: {rule}, got {name:?}")));
            }
            let context = given(target)?;
            let shown = json(name, &context, contexts.current.get_or_insert_with(|| name.clone()) == name);
            contexts.contexts.insert(name.clone(), context);
            file.write(&contexts)?;
            Ok(Answer::new(format!("context {name} kept in {}", file.path().display()), shown))
        }
        ContextCommand::Use(NamedArgs { name }) => {
            let shown = json(name, contexts.named(name)?, true);
            contexts.current = Some(name.clone());
            file.write(&contexts)?;
            Ok(Answer::new(format!("context {name} is in use"), shown))
        }
        ContextCommand::Rm(NamedArgs { name }) => {
            contexts.named(name)?;
            contexts.contexts.remove(name);
            contexts.current.take_if(|current| current == name);
            file.write(&contexts)?;
            Ok(Answer::new(format!("context {name} removed"), json!({ "name": name })))
        }
        ContextCommand::Ls => {
            let in_use = |name: &String| contexts.current.as_ref() == Some(name);
            let row = |(name, context): (&String, &Context)| {
                let tls = if context.tls_authority.is_some() { "yes" } else { "no" };
                let token = shown(context.token_file.as_ref());
                let mark = if in_use(name) { "*" } else { "" };
                vec![mark.to_owned(), name.clone(), context.addr.clone(), tls.to_owned(), token]
            };
            let rows: Vec<Vec<String>> = contexts.contexts.iter().map(row).collect();
            let all: Vec<Value> = contexts.contexts.iter().map(|(n, c)| json(n, c, in_use(n))).collect();
            let text = table::render(&["", "NAME", "ADDR", "TLS", "TOKEN FILE"], &rows);
            Ok(Answer::new(text, json!({ "current": contexts.current, "contexts": all })))
        }
        ContextCommand::Show { name } => {
            let name = name.as_ref().or(contexts.current.as_ref());
            let name = name.ok_or_else(|| Failure::failed(anyhow!("no context is in use")))?;
            let context = contexts.named(name)?;
            let text = format!(
                "name             {name}\naddr             {}\ntoken file       {}\ntls authority    {}\n\
                 tls certificate  {}\ntls key          {}",
                context.addr,
                shown(context.token_file.as_ref()),
                shown(context.tls_authority.as_ref()),
                shown(context.tls_certificate.as_ref()),
                shown(context.tls_key.as_ref()),
            );
            Ok(Answer::new(text, json(name, context, contexts.current.as_ref() == Some(name))))
        }
    }
}

/// What the flags say, its paths as they are from anywhere.
fn given(target: &TargetArgs) -> Result<Context, Failure> {
    let addr = target.addr.clone();
    let addr = addr.ok_or_else(|| Failure::usage(anyhow!("--addr HOST:PORT must be given for a context")))?;
    let absolute = |path: &Option<PathBuf>| {
        let made = path.as_ref().map(std::path::absolute).transpose();
        made.context("the current directory cannot be found").map_err(Failure::failed)
    };
    Ok(Context {
        addr,
        token_file: absolute(&target.token_file)?,
        tls_authority: absolute(&target.tls_authority)?,
        tls_certificate: absolute(&target.tls_certificate)?,
        tls_key: absolute(&target.tls_key)?,
    })
}

fn shown(path: Option<&PathBuf>) -> String {
    path.map_or("-".to_owned(), |path| path.display().to_string())
}

fn json(name: &str, context: &Context, current: bool) -> Value {
    json!({
        "name": name, "current": current, "addr": context.addr, "token_file": context.token_file,
        "tls_authority": context.tls_authority, "tls_certificate": context.tls_certificate,
        "tls_key": context.tls_key,
    })
}

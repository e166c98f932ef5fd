//! `predis ctl config`: the settings that the whole cluster agrees on.

use super::{answer::Answer, session::Session, table};
use crate::failure::Failure;
use anyhow::anyhow;
use clap::Subcommand;
use predis_proto::admin::{GetConfigRequest, SetConfigRequest, Setting, config_client::ConfigClient};
use serde_json::{Value, json};

/// Settings that the whole cluster agrees on; a node's own are in its configuration file.
#[derive(Debug, Subcommand)]
pub(super) enum ConfigCommand {
    /// All of them, or one.
    Get {
        /// The setting.
        name: Option<String>,
    },
    /// Change one.
    Set {
        /// The setting.
        name: String,
        /// Its value.
        value: String,
    },
    /// Back to the default.
    Unset {
        /// The setting.
        name: String,
    },
}

/// Asks.
pub(super) async fn run(session: &Session, command: &ConfigCommand) -> Result<Answer, Failure> {
    let mut client = ConfigClient::new(session.channel.clone());
    let refused = |status| session.failure(&status);
    let (name, value) = match command {
        ConfigCommand::Get { name } => {
            let settings = client.get(GetConfigRequest {}).await.map_err(refused)?.into_inner().settings;
            return show(&settings, name.as_deref());
        }
        ConfigCommand::Set { name, value } => (name, Some(value.clone())),
        ConfigCommand::Unset { name } => (name, None),
    };
    client.set(SetConfigRequest { name: name.clone(), value: value.clone() }).await.map_err(refused)?;
    let text = match &value {
        Some(value) => format!("{name} is {value}"),
        None => format!("{name} has its default"),
    };
    Ok(Answer::new(text, json!({ "name": name, "value": value })))
}

fn show(settings: &[Setting], name: Option<&str>) -> Result<Answer, Failure> {
    let Some(name) = name else {
        let head = ["NAME", "VALUE", "DEFAULT", "RULE", "SUMMARY"];
        let row =
            |s: &Setting| [&s.name, &s.value, &s.default, &s.rule, &s.summary].map(Clone::clone).to_vec();
        let text = table::render(&head, &settings.iter().map(row).collect::<Vec<_>>());
        return Ok(Answer::new(text, json!({ "settings": settings.iter().map(json).collect::<Vec<_>>() })));
    };
    let setting = settings.iter().find(|setting| setting.name == name);
    let setting = setting.ok_or_else(|| Failure::failed(anyhow!("there is no setting {name:?}")))?;
    Ok(Answer::new(setting.value.clone(), json(setting)))
}

fn json(setting: &Setting) -> Value {
    json!({
        "name": setting.name, "value": setting.value, "default": setting.default, "rule": setting.rule,
        "summary": setting.summary,
    })
}

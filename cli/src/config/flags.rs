//! The settings as flags of a command. Takes them as text; what they must be is for the rules.

use super::fields::{Kind, fields};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use serde_json::Value;
use std::collections::BTreeMap;

/// What the command line says, by the names of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) BTreeMap<&'static str, String>);

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Flags, clap::Error> {
        let mut flags = Flags::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for field in fields() {
            if let Some(given) = matches.get_many::<String>(&field.key) {
                self.0.insert(&field.key, given.cloned().collect::<Vec<_>>().join(","));
            }
        }
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(mut command: Command) -> Command {
        for field in fields() {
            let default = match &field.default {
                None | Some(Value::Bool(_)) => String::new(),
                Some(Value::String(text)) if text.is_empty() => String::new(),
                Some(Value::String(text)) => format!(" [default: {text}]"),
                Some(value) => format!(" [default: {value}]"),
            };
            let choices = match &field.kind {
                Kind::Choice(choices) => format!(" [possible values: {}]", choices.join(", ")),
                _ => String::new(),
            };
            let meaning = field.meaning.trim_end_matches('.');
            let help = format!("{meaning}{default}{choices} [env: {}]", field.variable);
            let arg = Arg::new(&*field.key).long(&*field.flag).help(help);
            command = command.arg(match (&field.kind, &field.value_name) {
                (Kind::Switch, _) => arg
                    .value_name("BOOL")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
                    .hide_possible_values(true),
                (Kind::List, name) => {
                    arg.action(ArgAction::Append).value_name(name.as_deref().unwrap_or("LIST"))
                }
                (_, name) => arg.value_name(name.as_deref().unwrap_or("VALUE")),
            });
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

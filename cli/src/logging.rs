//! Where log lines go: standard error, filtered, as text or as JSON. Results go to standard output and are not
//! logged. Does not know who logs.

use anyhow::Context;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::failure::Failure;

/// The environment variable with the filter, such as `debug` or `predis_node=trace,warn`.
const VARIABLE: &str = "PREDIS_LOG";
/// The filter when none is given. openraft reports at length what our own lines say shortly, and a node says itself why it ends.
pub(crate) const DEFAULT: &str = "info,openraft=off";

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The filter of the environment, or else the one given. One that cannot be read is a usage error.
pub(crate) fn from_environment(default: &str) -> Result<EnvFilter, Failure> {
    let text = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let text = text.as_deref().unwrap_or(default);
    filter(text)
        .with_context(|| format!("{VARIABLE} '{text}' must be a level or a list of target=level"))
        .map_err(Failure::usage)
}

/// Starts logging for the whole process with the filter of the environment. One that cannot be read is a usage error.
pub(crate) fn init(format: Format) -> Result<(), Failure> {
    start(format, from_environment(DEFAULT)?);
    Ok(())
}

/// Reads a filter.
///
/// # Errors
/// When it is none.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, ParseError> {
    EnvFilter::try_new(text)
}

/// Changes the filter of a process that logs.
pub(crate) struct Refilter(Box<dyn Fn(EnvFilter) + Send>);

impl Refilter {
    /// Changes it through this function.
    pub(crate) fn through(set: impl Fn(EnvFilter) + Send + 'static) -> Refilter {
        Refilter(Box::new(set))
    }

    /// From now on this filter decides.
    pub(crate) fn set(&self, filter: EnvFilter) {
        (self.0)(filter);
    }
}

/// Starts logging for the whole process.
pub(crate) fn start(format: Format, filter: EnvFilter) -> Refilter {
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A handle fails only when nothing logs any more.
    match format {
        Format::Text => {
            let builder = builder.with_ansi(std::io::stderr().is_terminal()).with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Refilter::through(move |filter| drop(handle.reload(filter)))
        }
        Format::Json => {
            let builder = builder.json().with_filter_reloading();
            let handle = builder.reload_handle();
            builder.init();
            Refilter::through(move |filter| drop(handle.reload(filter)))
        }
    }
}

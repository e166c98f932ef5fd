//! Where log lines go: standard error, filtered by `PREDIS_LOG`, as text or as JSON. Results go to standard
//! output and are not logged. Does not know who logs.

use anyhow::Context;
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// The environment variable with the filter, such as `debug` or `predis_node=trace,warn`.
const VARIABLE: &str = "PREDIS_LOG";
/// The filter when it is not set. openraft reports at length what our own lines say shortly, and a node says itself why it ends.
const DEFAULT: &str = "info,openraft=off";

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging for the whole process. A filter that cannot be read is a usage error.
pub(crate) fn init(format: Format) -> Result<(), Failure> {
    let filter = std::env::var(VARIABLE).ok().filter(|text| !text.is_empty());
    let filter = filter.as_deref().unwrap_or(DEFAULT);
    let filter = EnvFilter::try_new(filter)
        .with_context(|| format!("{VARIABLE} '{filter}' must be a level or a list of target=level"))
        .map_err(Failure::usage)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        Format::Json => builder.json().init(),
    }
    Ok(())
}

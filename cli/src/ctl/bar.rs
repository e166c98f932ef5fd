//! A bar that shows how far long work is. Does not know the work.

use indicatif::{ProgressBar, ProgressStyle};
use std::borrow::Cow;

/// A bar; not shown where standard error is no terminal.
pub(super) fn bar(length: u64, template: &str, prefix: impl Into<Cow<'static, str>>) -> ProgressBar {
    let bar = ProgressBar::new(length);
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(prefix);
    bar
}

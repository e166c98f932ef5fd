//! Prometheus's text format, version 0.0.4.
//!
//! Everything a node measures is counted where it happens; a scrape only reads and writes it down, so there is
//! no registry between. Knows nothing of what is measured.

use std::fmt::{Display, Write};

/// A page under way.
#[derive(Default)]
pub(super) struct Page(String);

/// Labels of one sample: name and value.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// A counter's samples. `name` ends in `_total`.
    pub(super) fn counter<V: Display>(&mut self, name: &str, help: &str, samples: &[(Labels<'_>, V)]) {
        self.family(name, "counter", help, samples);
    }

    /// A gauge's samples.
    pub(super) fn gauge<V: Display>(&mut self, name: &str, help: &str, samples: &[(Labels<'_>, V)]) {
        self.family(name, "gauge", help, samples);
    }

    /// Heads a histogram family; its series follow with [`Page::series`].
    pub(super) fn histogram(&mut self, name: &str, help: &str) {
        self.head(name, "histogram", help);
    }

    /// One series of a histogram: counts per bucket with their upper bounds, the last one unbounded.
    pub(super) fn series(
        &mut self,
        name: &str,
        labels: Labels<'_>,
        buckets: impl Iterator<Item = (Option<f64>, u64)>,
        sum: f64,
    ) {
        let mut total = 0;
        for (bound, count) in buckets {
            total += count;
            let bound = bound.map_or_else(|| "+Inf".to_owned(), |bound| bound.to_string());
            let labels: Vec<_> = labels.iter().copied().chain([("le", bound.as_str())]).collect();
            self.sample(&format!("{name}_bucket"), &labels, total);
        }
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, total);
    }

    /// The page as it stands.
    pub(super) fn finish(self) -> String {
        self.0
    }

    fn family<V: Display>(&mut self, name: &str, kind: &str, help: &str, samples: &[(Labels<'_>, V)]) {
        self.head(name, kind, help);
        for (labels, value) in samples {
            self.sample(name, labels, value);
        }
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn sample(&mut self, name: &str, labels: Labels<'_>, value: impl Display) {
        self.line(format_args!("{name}"));
        for (at, (label, text)) in labels.iter().enumerate() {
            let open = if at == 0 { '{' } else { ',' };
            let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            self.line(format_args!("{open}{label}=\"{text}\""));
        }
        let close = if labels.is_empty() { "" } else { "}" };
        self.line(format_args!("{close} {value}\n"));
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.write_fmt(text).expect("writing to a string cannot fail");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_text_format() {
        let mut page = Page::default();
        page.counter("a_total", "Things.", &[(&[][..], 3)]);
        page.gauge("b", "Others.", &[(&[("x", "1"), ("y", "a\"b\\c\n")][..], 0.5)]);
        page.histogram("c_seconds", "Times.");
        page.series("c_seconds", &[("k", "v")], [(Some(0.1), 2), (None, 1)].into_iter(), 0.4);
        let expected = "# HELP a_total Things.\n# TYPE a_total counter\na_total 3\n\
                        # HELP b Others.\n# TYPE b gauge\nb{x=\"1\",y=\"a\\\"b\\\\c\\n\"} 0.5\n\
                        # HELP c_seconds Times.\n# TYPE c_seconds histogram\n\
                        c_seconds_bucket{k=\"v\",le=\"0.1\"} 2\nc_seconds_bucket{k=\"v\",le=\"+Inf\"} 3\n\
                        c_seconds_sum{k=\"v\"} 0.4\nc_seconds_count{k=\"v\"} 3\n";
        assert_eq!(page.finish(), expected);
    }
}

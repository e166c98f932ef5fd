//! What a command answers: the same for people and for programs.

use serde_json::Value;

/// An answer in both forms.
pub(super) struct Answer {
    /// For people.
    pub(super) text: String,
    /// For programs: names of fields stay as they are.
    pub(super) json: Value,
}

impl Answer {
    /// An answer.
    pub(super) fn new(text: impl Into<String>, json: Value) -> Answer {
        Answer { text: text.into(), json }
    }
}

//! Histories as text: one JSON object a line, one line an operation.
//!
//! ```text
//! {"client":1,"key":"k","call_us":1000,"return_us":1450,"op":"SET","args":["a"],"result":"OK"}
//! {"client":2,"key":"k","call_us":1200,"return_us":null,"op":"INCR"}
//! {"client":0,"key":"k","call_us":1300,"return_us":1900,"op":"LOST"}
//! ```
//! - `client`: a number or a string, for whoever reads the file; it does not count.
//! - `call_us`, `return_us`: microseconds since any moment, the same for all lines; `return_us` is null when there was
//!   no answer, or one that does not say whether the command took effect. Such a line has no result.
//! - `op`, `args`, `result`: GET and GETSET answer a string or null; SET `"OK"`; SETNX, DEL, APPEND and INCR an
//!   integer; INCR also `{"error":"..."}`, and then only that the key holds no integer.
//! - `LOST`: no command, but a key that vanished within that time: its partition was declared lost, or it was evicted,
//!   or it expired. With `return_us` null it may have vanished at any time since, or not at all.
//!
//! A command that was refused before it did anything has no line.

use super::{Input, Operation, Output, Time};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// One line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Who asked.
    pub client: Value,
    /// The key.
    pub key: String,
    call_us: Time,
    #[serde(default)]
    return_us: Option<Time>,
    op: String,
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    result: Value,
}

/// Why a line is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRecord(String);

impl fmt::Display for BadRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BadRecord {}

impl Record {
    /// The record in a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(line: &str) -> Result<Record, BadRecord> {
        serde_json::from_str(line).map_err(|error| BadRecord(error.to_string()))
    }

    /// The operation that it tells of.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn operation(&self) -> Result<Operation, BadRecord> {
        let input = self.input()?;
        let Some(ret) = self.return_us else { return Ok(Operation::open(self.call_us, input)) };
        if ret < self.call_us {
            return Err(BadRecord(format!("return_us {ret} must not be before call_us {}", self.call_us)));
        }
        let output = self.output(&input)?;
        Ok(Operation::ended(self.call_us, ret, input, output))
    }

    fn input(&self) -> Result<Input, BadRecord> {
        let value = |text: &String| Bytes::copy_from_slice(text.as_bytes());
        let input = match (self.op.to_ascii_uppercase().as_str(), self.args.as_slice()) {
            ("GET", []) => Input::Get,
            ("DEL", []) => Input::Del,
            ("INCR", []) => Input::Incr,
            ("LOST", []) => Input::Vanish,
            ("SET", [text]) => Input::Set(value(text)),
            ("SETNX", [text]) => Input::SetNx(value(text)),
            ("GETSET", [text]) => Input::GetSet(value(text)),
            ("APPEND", [text]) => Input::Append(value(text)),
            _ => {
                let rule =
                    "must be GET, DEL, INCR, LOST without or SET, SETNX, GETSET, APPEND with one argument";
                return Err(BadRecord(format!("op {} with {} args: {rule}", self.op, self.args.len())));
            }
        };
        Ok(input)
    }

    fn output(&self, input: &Input) -> Result<Output, BadRecord> {
        let output = match (input, &self.result) {
            (Input::Get | Input::GetSet(_), Value::Null) => Some(Output::Value(None)),
            (Input::Get | Input::GetSet(_), Value::String(text)) => {
                Some(Output::Value(Some(Bytes::copy_from_slice(text.as_bytes()))))
            }
            (Input::Set(_), Value::String(text)) => (text == "OK").then_some(Output::Done),
            (Input::Vanish, Value::Null) => Some(Output::Done),
            (Input::Incr, Value::Object(error)) if error.contains_key("error") => Some(Output::NotAnInteger),
            (Input::SetNx(_) | Input::Append(_) | Input::Incr | Input::Del, number) => {
                number.as_i64().map(Output::Number)
            }
            _ => None,
        };
        output.ok_or_else(|| BadRecord(format!("{} cannot have the result {}", self.op, self.result)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(line: &str) -> Result<Operation, String> {
        let record = Record::parse(line).map_err(|error| error.to_string())?;
        record.operation().map_err(|error| error.to_string())
    }

    fn line(op: &str, args: &str, result: &str) -> String {
        let times = r#""call_us":1,"return_us":2"#;
        format!(r#"{{"client":1,"key":"k",{times},"op":"{op}","args":{args},"result":{result}}}"#)
    }

    #[test]
    fn lines_become_operations() {
        let value = || Bytes::from_static(b"a");
        let cases = [
            (line("get", "[]", "null"), Input::Get, Output::Value(None)),
            (line("GET", "[]", r#""a""#), Input::Get, Output::Value(Some(value()))),
            (line("SET", r#"["a"]"#, r#""OK""#), Input::Set(value()), Output::Done),
            (line("SETNX", r#"["a"]"#, "0"), Input::SetNx(value()), Output::Number(0)),
            (line("GETSET", r#"["a"]"#, "null"), Input::GetSet(value()), Output::Value(None)),
            (line("APPEND", r#"["a"]"#, "1"), Input::Append(value()), Output::Number(1)),
            (line("INCR", "[]", "-3"), Input::Incr, Output::Number(-3)),
            (line("INCR", "[]", r#"{"error":"ERR"}"#), Input::Incr, Output::NotAnInteger),
            (line("DEL", "[]", "1"), Input::Del, Output::Number(1)),
            (line("LOST", "[]", "null"), Input::Vanish, Output::Done),
        ];
        for (line, input, output) in cases {
            assert_eq!(operation(&line), Ok(Operation::ended(1, 2, input, output)), "{line}");
        }
        let open = r#"{"client":"a","key":"k","call_us":5,"return_us":null,"op":"INCR"}"#;
        assert_eq!(operation(open), Ok(Operation::open(5, Input::Incr)));
    }

    #[test]
    fn lines_that_mean_nothing_say_why() {
        for (line, why) in [
            (line("SET", "[]", r#""OK""#), "op SET with 0 args: must be"),
            (line("MGET", "[]", "null"), "op MGET"),
            (line("SET", r#"["a"]"#, "null"), "SET cannot have the result null"),
            (line("DEL", "[]", r#"{"error":"ERR"}"#), "DEL cannot have the result"),
            (line("GET", "[]", "1"), "GET cannot have the result 1"),
            (
                line("GET", "[]", "null").replace("_us\":2", "_us\":0"),
                "return_us 0 must not be before call_us 1",
            ),
            (line("GET", "[]", "null").replace("client", "who"), "unknown field `who`"),
        ] {
            let error = operation(&line).unwrap_err();
            assert!(error.contains(why), "{line}: {error}");
        }
    }
}

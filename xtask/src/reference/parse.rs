//! Reads a .proto file as this workspace writes them: one thing a line, comments above it. What is written otherwise
//! is an error, so that nothing is left out of a page unseen.

use anyhow::{Context, bail, ensure};

/// What a file declares.
#[derive(Debug, Default)]
pub(super) struct Proto {
    pub(super) about: String,
    pub(super) package: String,
    pub(super) services: Vec<Service>,
    pub(super) messages: Vec<Message>,
}

#[derive(Debug)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) methods: Vec<Method>,
}

#[derive(Debug)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) request: Type,
    pub(super) reply: Type,
}

/// A message that a method takes or gives.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: String,
    pub(super) is_stream: bool,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) about: String,
    pub(super) kind: String,
    /// `optional`, `repeated` or nothing.
    pub(super) label: String,
}

/// What lines belong to.
enum Within {
    File,
    Service(Service),
    Message(Message),
}

/// Reads a file.
pub(super) fn parse(text: &str) -> anyhow::Result<Proto> {
    let (mut proto, mut within, mut about) = (Proto::default(), Within::File, Vec::new());
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(comment) = line.strip_prefix("//") {
            about.push(comment.trim());
            continue;
        }
        let said = std::mem::take(&mut about);
        // A line that says nothing is between two paragraphs.
        let said: Vec<String> =
            said.split(|line: &&str| line.is_empty()).map(|lines| lines.join(" ")).collect();
        let said = said.join("\n\n");
        if !line.is_empty() {
            within =
                read(&mut proto, within, line, said).with_context(|| format!("line {number}: {line}"))?;
        }
    }
    ensure!(matches!(within, Within::File), "it ends before its last bracket");
    Ok(proto)
}

/// Reads one line, `about` being the comment above it; what the next line belongs to.
fn read(proto: &mut Proto, mut within: Within, line: &str, about: String) -> anyhow::Result<Within> {
    match (&mut within, line) {
        (Within::File, _) => return declaration(proto, line, about),
        (Within::Service(service), "}") => {
            let service = std::mem::replace(service, Service::named("", String::new()));
            proto.services.push(service);
            return Ok(Within::File);
        }
        (Within::Message(message), "}") => {
            let message = std::mem::replace(message, Message::named("", String::new()));
            proto.messages.push(message);
            return Ok(Within::File);
        }
        (Within::Service(service), _) => service.methods.push(method(line, about)?),
        (Within::Message(message), _) => message.fields.push(field(line, about)?),
    }
    Ok(within)
}

fn declaration(proto: &mut Proto, line: &str, about: String) -> anyhow::Result<Within> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words[..] {
        ["syntax", ..] => proto.about = about,
        ["package", name] => proto.package = name.trim_end_matches(';').to_owned(),
        ["service", name, "{"] => return Ok(Within::Service(Service::named(name, about))),
        ["message", name, "{"] => return Ok(Within::Message(Message::named(name, about))),
        ["message", name, "{}"] => proto.messages.push(Message::named(name, about)),
        _ => bail!("neither syntax, package, service nor message"),
    }
    Ok(Within::File)
}

impl Service {
    fn named(name: &str, about: String) -> Service {
        Service { name: name.to_owned(), about, methods: Vec::new() }
    }
}

impl Message {
    fn named(name: &str, about: String) -> Message {
        Message { name: name.to_owned(), about, fields: Vec::new() }
    }
}

/// `rpc Name(Request) returns (stream Reply);`
fn method(line: &str, about: String) -> anyhow::Result<Method> {
    let line = line.strip_prefix("rpc ").and_then(|line| line.strip_suffix(");"));
    let (call, reply) = line.and_then(|line| line.split_once(") returns (")).context("no method")?;
    let (name, request) = call.split_once('(').context("no method")?;
    Ok(Method { name: name.to_owned(), about, request: message_type(request), reply: message_type(reply) })
}

fn message_type(text: &str) -> Type {
    let streamed = text.strip_prefix("stream ");
    Type { name: streamed.unwrap_or(text).to_owned(), is_stream: streamed.is_some() }
}

/// `optional string name = 1;`
fn field(line: &str, about: String) -> anyhow::Result<Field> {
    let (declared, number) = line.strip_suffix(';').and_then(|l| l.split_once(" = ")).context("no field")?;
    ensure!(number.parse::<u32>().is_ok(), "no number");
    let words: Vec<&str> = declared.split_whitespace().collect();
    let (label, kind, name) = match words[..] {
        [kind, name] => ("", kind, name),
        [label @ ("optional" | "repeated"), kind, name] => (label, kind, name),
        _ => bail!("no field"),
    };
    Ok(Field { name: name.to_owned(), about, kind: kind.to_owned(), label: label.to_owned() })
}

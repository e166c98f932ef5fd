//! Writes a page from what a .proto file declares: services and their methods first, then every message.

use super::parse::{Field, Message, Method, Proto, Type};
use std::fmt::Write;

/// The page.
pub(super) fn page(path: &str, proto: &Proto) -> String {
    let mut page = format!(
        "# Admin API\n\n<!-- Made by `cargo xtask docs` from {path}: change the comments there. -->\n\n{}\n\n\
         Package `{}`, on a node's gRPC port. `predis ctl` has a command for every method ([ctl.md](ctl.md)); \
         reflection and health need no token.\n",
        proto.about, proto.package
    );
    for service in &proto.services {
        let _ = write!(page, "\n## {}\n", service.name);
        paragraph(&mut page, &service.about);
        for method in &service.methods {
            let _ = write!(page, "\n### {}.{}\n\n{}\n", service.name, method.name, signature(method));
            paragraph(&mut page, &method.about);
        }
    }
    page += "\n## Messages\n";
    for message in &proto.messages {
        let _ = write!(page, "\n### {}\n", message.name);
        paragraph(&mut page, &message.about);
        page += &fields(proto, message);
    }
    page
}

fn paragraph(page: &mut String, text: &str) {
    if !text.is_empty() {
        let _ = write!(page, "\n{text}\n");
    }
}

fn signature(method: &Method) -> String {
    let of = |named: &Type| {
        let stream = if named.is_stream { "a stream of " } else { "" };
        format!("{stream}{}", link(&named.name))
    };
    format!("Takes {}, returns {}.", of(&method.request), of(&method.reply))
}

fn link(message: &str) -> String {
    format!("[`{message}`](#{})", message.to_lowercase())
}

fn fields(proto: &Proto, message: &Message) -> String {
    if message.fields.is_empty() {
        return "\nNo fields.\n".to_owned();
    }
    let mut table = "\n| field | type | |\n|---|---|---|\n".to_owned();
    for Field { name, about, kind, label } in &message.fields {
        let is_message = proto.messages.iter().any(|message| message.name == *kind);
        let kind = if is_message { link(kind) } else { format!("`{kind}`") };
        let label = if label.is_empty() { String::new() } else { format!(", {label}") };
        let about = if about.is_empty() { String::new() } else { format!("{} ", about.replace('|', "\\|")) };
        let _ = writeln!(table, "| `{name}` | {kind}{label} | {about}|");
    }
    table
}

//! `notify_at`, `expires`, `priority` and `dedup` of a channel.

use crate::schema::document::{DedupDecl, MessageOptionsDecl};
use crate::schema::language;
use crate::schema::node::{Node, Value};
use crate::schema::reader::{Fields, Reader};

pub(super) fn message_options(reader: &mut Reader<'_>, fields: &Fields<'_>) -> MessageOptionsDecl {
    let mut options = MessageOptionsDecl {
        notify_at: reader.flag(fields, "notify_at"),
        priority: reader.flag(fields, "priority"),
        dedup: fields.get("dedup").and_then(|node| dedup(reader, node)),
        ..MessageOptionsDecl::default()
    };
    if let Some(node) = fields.get("expires") {
        match &node.value {
            Value::Bool(value) => options.expires = *value,
            Value::Text(_) => {
                options.expires = true;
                options.expires_after = reader.text(node, "`expires`");
            }
            _ => reader.wrong_kind(node, "`expires`", "`true`, or a time like `1h`"),
        }
    }
    options
}

fn dedup(reader: &mut Reader<'_>, node: &Node) -> Option<DedupDecl> {
    let before = reader.diagnostics.len();
    let fields = reader.fields(node, "`dedup`", &language::DEDUP)?;
    let key = reader.optional_texts(&fields, "key");
    let keep = reader.word(&fields, "keep", language::KEEPS);
    let debounce = reader.optional_text(&fields, "debounce");
    let at_most = reader.optional_text(&fields, "at_most");
    Some(DedupDecl {
        span: node.span.clone(),
        key,
        keep,
        debounce,
        at_most,
        broken: reader.diagnostics.len() > before,
    })
}

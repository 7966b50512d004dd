//! The tree to a [`Document`].

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::document::{
    ChannelDecl, ColumnDecl, Default, Document, FieldDecl, FilterDecl, GenerateDecl, ListenerDecl,
    ModelDecl, Spanned,
};
use super::node::{self, Node, Value};
use super::reader::{Fields, Keys, Reader};

const TOP: Keys = Keys {
    known: &[
        "version",
        "generate",
        "defaults",
        "models",
        "channels",
        "listeners",
    ],
    later: &["types", "include", "databases"],
};
const GENERATE: Keys = Keys {
    known: &["rust", "migrations", "listeners", "postgres"],
    later: &[],
};
const RUST: Keys = Keys {
    known: &["out", "derive"],
    later: &["datetime"],
};
const MIGRATIONS: Keys = Keys {
    known: &["dir", "tool", "version_table", "lock_timeout"],
    later: &["reversible"],
};
const STUBS: Keys = Keys {
    known: &["stubs"],
    later: &[],
};
const POSTGRES: Keys = Keys {
    known: &["schema"],
    later: &["min", "owner"],
};
const DEFAULTS: Keys = Keys {
    known: &["delivery"],
    later: &["level", "wake"],
};
const MODEL: Keys = Keys {
    known: &["doc", "table", "columns"],
    later: &["abstract", "mixin", "extends", "partitioned", "was"],
};
const COLUMN: Keys = Keys {
    known: &["doc", "type", "column", "pk"],
    later: &["capture", "was"],
};
const CHANNEL: Keys = Keys {
    known: &[
        "doc", "on", "before", "after", "delivery", "message", "extends",
    ],
    later: &[
        "changed",
        "when",
        "payload",
        "key",
        "level",
        "deferred",
        "fire",
        "on_capture_error",
        "wake",
        "was",
        "update_of",
    ],
};
const FIELD: Keys = Keys {
    known: &["doc", "type", "default"],
    later: &["was"],
};
const LISTENER: Keys = Keys {
    known: &["doc", "channel", "events", "group", "filter"],
    later: &[
        "retry",
        "timeout",
        "batch",
        "concurrency",
        "include_subchannels",
        "payload",
    ],
};

/// Reads the file; `None` if it is not even a mapping.
pub fn parse(text: &str, diagnostics: &mut Diagnostics) -> Option<Document> {
    let root = match node::parse(text) {
        Ok(root) => root,
        Err(diagnostic) => {
            diagnostics.push(*diagnostic);
            return None;
        }
    };
    let mut reader = Reader { diagnostics };
    if matches!(root.value, Value::Null) {
        let diagnostic = Diagnostic::new(Code::MissingKey, 0..0, "the file is empty")
            .help("begin with `version: 1`; `pgpubsub-gen init` writes a file to start from");
        reader.report(diagnostic);
        return None;
    }
    let fields = reader.fields(&root, "the file", &TOP)?;
    version(&mut reader, &fields);
    let mut document = Document::default();
    if let Some(node) = fields.get("generate") {
        document.generate = generate(&mut reader, node).unwrap_or_default();
    }
    if let Some(node) = fields.get("defaults") {
        document.delivery = reader
            .fields(node, "`defaults`", &DEFAULTS)
            .and_then(|fields| reader.optional_text(&fields, "delivery"));
    }
    document.models = declarations(&mut reader, &fields, "models", model);
    document.channels = declarations(&mut reader, &fields, "channels", channel);
    document.listeners = declarations(&mut reader, &fields, "listeners", listener);
    if fields.get("channels").is_none() {
        let diagnostic = Diagnostic::new(Code::MissingKey, 0..0, "the file has no `channels`")
            .help("declare at least one, for instance `channels: {author_created: {on: author, after: insert}}`");
        reader.report(diagnostic);
    }
    Some(document)
}

fn version(reader: &mut Reader<'_>, fields: &Fields<'_>) {
    match fields.get("version") {
        None => {
            let diagnostic = Diagnostic::new(Code::MissingKey, 0..0, "the file has no `version`")
                .help("add the line `version: 1` at the top");
            reader.report(diagnostic);
        }
        Some(Node {
            value: Value::Int(1),
            ..
        }) => {}
        Some(node) => {
            let diagnostic = Diagnostic::new(
                Code::Version,
                node.span.clone(),
                "this version of the language is not known",
            )
            .label("expected 1")
            .help("this generator knows `version: 1`; a newer file needs a newer generator");
            reader.report(diagnostic);
        }
    }
}

fn declarations<T>(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    key: &str,
    read: impl Fn(&mut Reader<'_>, Spanned<String>, &Node) -> T,
) -> Vec<T> {
    let Some(node) = fields.get(key) else {
        return Vec::new();
    };
    let entries = reader
        .entries(node, &format!("`{key}`"))
        .unwrap_or_default();
    entries
        .into_iter()
        .map(|(name, node)| read(reader, name, node))
        .collect()
}

fn generate(reader: &mut Reader<'_>, node: &Node) -> Option<GenerateDecl> {
    let fields = reader.fields(node, "`generate`", &GENERATE)?;
    let mut generate = GenerateDecl::default();
    match fields.get("rust") {
        Some(Node {
            value: Value::Text(text),
            ..
        }) if text == "none" => generate.no_rust = true,
        Some(node) => {
            if let Some(rust) = reader.fields(node, "`rust`", &RUST) {
                generate.rust_out = reader.optional_text(&rust, "out");
                if let Some(node) = rust.get("derive") {
                    generate.rust_derive = reader.texts(node, "`derive`").unwrap_or_default();
                }
            }
        }
        None => {}
    }
    match fields.get("migrations") {
        Some(Node {
            value: Value::Text(text),
            ..
        }) if text == "none" => generate.no_migrations = true,
        Some(node) => {
            if let Some(migrations) = reader.fields(node, "`migrations`", &MIGRATIONS) {
                generate.migrations_dir = reader.optional_text(&migrations, "dir");
                generate.migrations_tool = reader.optional_text(&migrations, "tool");
                generate.version_table = reader.optional_text(&migrations, "version_table");
                generate.lock_timeout = reader.optional_text(&migrations, "lock_timeout");
            }
        }
        None => {}
    }
    if let Some(stubs) = fields
        .get("listeners")
        .and_then(|node| reader.fields(node, "`listeners`", &STUBS))
    {
        generate.stubs = reader.optional_text(&stubs, "stubs");
    }
    if let Some(postgres) = fields
        .get("postgres")
        .and_then(|node| reader.fields(node, "`postgres`", &POSTGRES))
    {
        generate.storage_schema = reader.optional_text(&postgres, "schema");
    }
    Some(generate)
}

fn missing(reader: &mut Reader<'_>, name: &Spanned<String>, what: &str, key: &str, example: &str) {
    let message = format!("{what} `{}` has no `{key}`", name.value);
    reader.report(
        Diagnostic::new(Code::MissingKey, name.span.clone(), message)
            .help(format!("add `{example}`")),
    );
}

fn model(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ModelDecl {
    let what = format!("model `{}`", name.value);
    let mut model = ModelDecl {
        name,
        doc: None,
        table: None,
        columns: None,
    };
    let Some(fields) = reader.fields(node, &what, &MODEL) else {
        return model;
    };
    model.doc = reader.doc(&fields);
    model.table = reader.optional_text(&fields, "table");
    match fields.get("columns") {
        Some(node) => {
            let entries = reader.entries(node, &format!("`columns` of {what}"));
            model.columns = entries.map(|entries| {
                entries
                    .into_iter()
                    .map(|(name, node)| column(reader, name, node))
                    .collect()
            });
        }
        None if !fields.broken => missing(
            reader,
            &model.name,
            "model",
            "columns",
            "columns: {id: bigint pk}",
        ),
        None => {}
    }
    model
}

fn column(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ColumnDecl {
    let what = format!("column `{}`", name.value);
    let mut column = ColumnDecl {
        name,
        doc: None,
        ty: None,
        column: None,
        primary_key: false,
    };
    match &node.value {
        Value::Text(_) => column.ty = reader.text(node, &what),
        Value::Mapping(_) => {
            let Some(fields) = reader.fields(node, &what, &COLUMN) else {
                return column;
            };
            column.doc = reader.doc(&fields);
            column.ty = reader.optional_text(&fields, "type");
            column.column = reader.optional_text(&fields, "column");
            column.primary_key = fields
                .get("pk")
                .is_some_and(|node| reader.bool(node, "`pk`"));
            if fields.get("type").is_none() && !fields.broken {
                missing(reader, &column.name, "column", "type", "type: text");
            }
        }
        _ => reader.wrong_kind(
            node,
            &what,
            "a type like `bigint pk`, or a mapping with `type`",
        ),
    }
    column
}

fn channel(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ChannelDecl {
    let what = format!("channel `{}`", name.value);
    let mut channel = ChannelDecl {
        name,
        doc: None,
        delivery: None,
        on: None,
        before: None,
        after: None,
        message: None,
        extends: None,
        broken: true,
    };
    let before = reader.diagnostics.len();
    let Some(fields) = reader.fields(node, &what, &CHANNEL) else {
        return channel;
    };
    channel.doc = reader.doc(&fields);
    channel.delivery = reader.optional_text(&fields, "delivery");
    channel.on = reader.optional_text(&fields, "on");
    channel.extends = reader.optional_text(&fields, "extends");
    channel.before = fields
        .get("before")
        .and_then(|node| reader.texts(node, "`before`"));
    channel.after = fields
        .get("after")
        .and_then(|node| reader.texts(node, "`after`"));
    if let Some(node) = fields.get("message") {
        let entries = reader.entries(node, &format!("`message` of {what}"));
        channel.message = entries.map(|entries| {
            entries
                .into_iter()
                .map(|(name, node)| field(reader, name, node))
                .collect()
        });
    }
    channel.broken = reader.diagnostics.len() > before;
    channel
}

fn field(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> FieldDecl {
    let what = format!("field `{}`", name.value);
    let mut field = FieldDecl {
        name,
        doc: None,
        ty: None,
        default: None,
    };
    match &node.value {
        Value::Text(_) => field.ty = reader.text(node, &what),
        Value::Mapping(_) => {
            let Some(fields) = reader.fields(node, &what, &FIELD) else {
                return field;
            };
            field.doc = reader.doc(&fields);
            field.ty = reader.optional_text(&fields, "type");
            field.default = fields
                .get("default")
                .map(|node| Default { node: node.clone() });
            if fields.get("type").is_none() && !fields.broken {
                missing(reader, &field.name, "field", "type", "type: string");
            }
        }
        _ => reader.wrong_kind(
            node,
            &what,
            "a type like `int` or `string = \"x\"`, or a mapping with `type`",
        ),
    }
    field
}

fn listener(reader: &mut Reader<'_>, name: Spanned<String>, node: &Node) -> ListenerDecl {
    let what = format!("listener `{}`", name.value);
    let mut listener = ListenerDecl {
        name,
        doc: None,
        channel: None,
        events: None,
        group: None,
        filter: Vec::new(),
    };
    let Some(fields) = reader.fields(node, &what, &LISTENER) else {
        return listener;
    };
    listener.doc = reader.doc(&fields);
    listener.channel = reader.optional_text(&fields, "channel");
    listener.events = fields
        .get("events")
        .and_then(|node| reader.texts(node, "`events`"));
    listener.group = reader.optional_text(&fields, "group");
    if let Some(node) = fields.get("filter") {
        for (key, value) in reader.entries(node, "`filter`").unwrap_or_default() {
            if let Some(value) = reader.text(value, "the value of a filter") {
                listener.filter.push(FilterDecl { key, value });
            }
        }
    }
    if fields.get("channel").is_none() && !fields.broken {
        missing(
            reader,
            &listener.name,
            "listener",
            "channel",
            "channel: author_created",
        );
    }
    listener
}

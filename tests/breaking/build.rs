//! Reads `cases/*.txt`, and generates what the schemas of each case make, with what `breaking` says of them, into `OUT_DIR`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pgpubsub_gen::breaking::{Finding, Kind, compare};
use pgpubsub_gen::diagnostic::{Format, Sources};
use pgpubsub_gen::history::{History, Shapes};
use pgpubsub_gen::model::Schema;
use pgpubsub_gen::plan::{Plan, RustOptions, plan};
use pgpubsub_gen::render::{Mode, render};
use pgpubsub_gen::schema;

#[path = "../golden/runs.rs"]
#[allow(dead_code)] // The tests use the rest.
mod runs;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What a case says; the format is in `cases/README.md`.
#[derive(Debug, Default)]
struct Case {
    name: String,
    /// Text of a key of the schema for all programs (``), or for the program `older`, `old` or `new`.
    keys: BTreeMap<(String, String), String>,
    sql: BTreeMap<String, String>,
    /// Channel and message.
    publish: Vec<(String, String)>,
    then_publish: Vec<(String, String)>,
    verdicts: Vec<String>,
}

fn main() -> Result<(), Problems> {
    run().map_err(|error| Problems(error.to_string()))
}

/// Readable as cargo shows it.
struct Problems(String);

impl std::fmt::Debug for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

fn run() -> Outcome<()> {
    println!("cargo::rerun-if-changed=cases");
    println!("cargo::rerun-if-changed=../golden/runs.rs");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut paths: Vec<PathBuf> = fs::read_dir("cases")?
        .map(|entry| Ok(entry?.path()))
        .collect::<Outcome<_>>()?;
    paths.retain(|path| path.extension().is_some_and(|end| end == "txt"));
    paths.sort();
    let mut modules = String::new();
    let mut table = String::from("/// All cases.\npub const CASES: &[Case] = &[\n");
    let mut number = 0;
    let mut problems = String::new();
    for path in &paths {
        let file = path
            .file_stem()
            .and_then(|name| name.to_str())
            .ok_or("a name")?;
        for case in cases(&fs::read_to_string(path)?)? {
            let written = match generate(&case, number, &out) {
                Ok(written) => written,
                Err(error) => {
                    writeln!(problems, "\n{file}: {}: {error}", case.name)?;
                    continue;
                }
            };
            modules += &written.modules;
            writeln!(
                table,
                "    Case {{\n        name: {:?},",
                format!("{file}: {}", case.name)
            )?;
            table += &written.fields;
            table += "    },\n";
            number += 1;
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    writeln!(
        table,
        "];\n/// Words of all kinds of changes.\npub const KINDS: &[&str] = &{kinds:?};"
    )?;
    fs::write(out.join("cases.rs"), modules + &table)?;
    Ok(())
}

fn cases(text: &str) -> Outcome<Vec<Case>> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(name) = line.strip_prefix("# ") {
            cases.push(Case {
                name: name.to_owned(),
                ..Case::default()
            });
            continue;
        }
        let case = cases.last_mut().ok_or("a line before the first case")?;
        if let Some(verdict) = line.strip_prefix("= ") {
            let words: Vec<&str> = verdict.split_whitespace().collect();
            case.verdicts.push(words.join(" "));
            continue;
        }
        let (key, value) = line
            .split_once(": ")
            .ok_or_else(|| format!("no line: {line}"))?;
        let value = value.trim().to_owned();
        match *key.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["sql", when] => {
                case.sql.insert(when.to_owned(), value);
            }
            ["publish", channel] => case.publish.push((channel.to_owned(), value)),
            ["then", "publish", channel] => case.then_publish.push((channel.to_owned(), value)),
            [who @ ("older" | "old" | "new"), key] => {
                case.keys.insert((who.to_owned(), key.to_owned()), value);
            }
            [key] => {
                case.keys.insert((String::new(), key.to_owned()), value);
            }
            _ => return Err(format!("no line: {line}").into()),
        }
    }
    Ok(cases)
}

const KEYS: [&str; 5] = ["generate", "types", "models", "channels", "listeners"];
const MODELS: &str = "{account: {table: app.account, columns: {id: bigint pk, name: text}}}";
const CHANNELS: &str = "{saved: {on: account, after: [insert, update]}}";

impl Case {
    /// The schema of a program.
    fn schema(&self, who: &str) -> Outcome<Schema> {
        let mut text = String::from("version: 1\n");
        for key in KEYS {
            let said = |who: &str| self.keys.get(&(who.to_owned(), key.to_owned()));
            // An older program is as the old one, where nothing else is said.
            let before = (who == "older").then(|| said("old")).flatten();
            let value = said(who).or(before).or_else(|| said(""));
            let usual = match key {
                "models" => Some(MODELS),
                "channels" => Some(CHANNELS),
                _ => None,
            };
            if let Some(value) = value.map(String::as_str).or(usual) {
                writeln!(text, "{key}: {value}")?;
            }
        }
        let sources = Sources::new("schema.yaml", &text);
        let loaded = schema::load_text(&sources)
            .map_err(|mistakes| mistakes.render(&sources, Format::Text { colour: false }))?;
        Ok(loaded.schema)
    }
}

/// Rust text of a case.
struct Written {
    modules: String,
    fields: String,
}

fn generate(case: &Case, number: usize, out: &Path) -> Outcome<Written> {
    let mut history = History::default();
    let mut written = Written {
        modules: String::new(),
        fields: String::new(),
    };
    let has_older = case.keys.keys().any(|(who, _)| who == "older");
    let mut unrecorded = Shapes::default();
    for who in ["older", "old", "new"] {
        let field = &mut written.fields;
        if who == "older" && !has_older {
            writeln!(field, "        older: None,")?;
            continue;
        }
        let schema = case.schema(who)?;
        if who == "old" {
            unrecorded = history.shapes.clone();
        }
        // Whether `breaking` or the check refuses it does not matter here: it is to be seen what would happen.
        let plan = plan(&schema, &history)?;
        let module = format!("case_{number}_{who}");
        let include = render(&plan, Mode::Include)?;
        let (_, file) = include.iter().next().ok_or("a file")?;
        fs::write(out.join(format!("{module}.rs")), &file.text)?;
        let files = render(&plan, Mode::Project)?;
        let up = runs::ends_with(&files, ".up.sql");
        fs::write(out.join(format!("{module}.sql")), up.join("\n"))?;
        history = runs::after(&files, &history);
        written.modules += &program(&module, &plan)?;
        let some = if who == "older" {
            ("Some(", ")")
        } else {
            ("", "")
        };
        writeln!(
            field,
            "        {who}: {}{module}::PROGRAM{},",
            some.0, some.1
        )?;
    }
    let (old, new) = (case.schema("old")?, case.schema("new")?);
    // The migration of the new schema is there already in one of the ways, and not even that of the old one in the other.
    let said = findings(&compare(&old, &new, &history.shapes));
    let unrecorded = findings(&compare(&old, &new, &unrecorded));
    if said != unrecorded {
        return Err(format!("it depends on what is recorded: {said} and {unrecorded}").into());
    }
    let field = &mut written.fields;
    writeln!(field, "        findings: &[{said}],")?;
    writeln!(field, "        expected: &{:?},", case.verdicts)?;
    for when in ["write", "again", "before", "after", "then"] {
        let said = case.sql.get(when);
        writeln!(field, "        {when}: {said:?},")?;
    }
    writeln!(field, "        publish: &{:?},", case.publish)?;
    writeln!(field, "        then_publish: &{:?},", case.then_publish)?;
    Ok(written)
}

fn findings(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let (kind, what) = (finding.kind.as_str(), &finding.what);
        let _ = write!(
            text,
            "Finding {{ kind: {kind:?}, what: {what:?}, verdicts: ["
        );
        for (_, verdict) in finding.verdicts() {
            let (word, reason) = (verdict.outcome.as_str(), &verdict.reason);
            let _ = write!(text, "({word:?}, {reason:?}), ");
        }
        let _ = write!(text, "], advice: &{:?} }},", finding.advice);
    }
    text
}

/// A module with generated code, and ways to use it by names.
fn program(module: &str, plan: &Plan) -> Outcome<String> {
    let mut text = format!(
        "/// Generated code.\n#[allow(dead_code, missing_docs, clippy::all)]\npub mod {module} {{\n\
         pub mod pubsub {{ include!(concat!(env!(\"OUT_DIR\"), \"/{module}.rs\")); }}\n\
         use crate::{{Client, Future, Op, Program, Value}};\n\
         /// The program.\npub const PROGRAM: Program = Program {{ catalog: pubsub::CATALOG, \
         up: include_str!(concat!(env!(\"OUT_DIR\"), \"/{module}.sql\")), decode, publish }};\n\
         fn decode(listener: &str, _channel: &str, op: Op, version: u32, payload: &Value) -> Result<String, String> {{\n\
         match listener {{\n"
    );
    for listener in &plan.rust.listeners {
        let (name, event) = (&listener.name, &listener.event);
        let call = if listener.several {
            format!(
                "<pubsub::{event} as pgpubsub_runtime::generated::ChannelEvent>::decode_event(_channel, op, version, payload)"
            )
        } else {
            format!(
                "<pubsub::{event} as pgpubsub_runtime::generated::Event>::decode_event(op, version, payload)"
            )
        };
        writeln!(
            text,
            "{name} => {call}.map(|event| format!(\"{{event:?}}\")).map_err(|error| error.to_string()),"
        )?;
    }
    text += "other => Err(format!(\"no listener {other}\")) }\n}\n\
        fn publish<'a>(channel: &'a str, _payload: &'a Value, _client: &'a Client) -> Future<'a> {\n\
        Box::pin(async move { match channel {\n";
    for channel in plan
        .rust
        .channels
        .iter()
        .filter(|channel| channel.message.is_some())
    {
        let (name, ty, version) = (&channel.name, &channel.ty, channel.version);
        let options = channel
            .message
            .as_ref()
            .and_then(|message| message.options.as_ref());
        let notify = options.map_or_else(|| "notify(_client)".to_owned(), said);
        writeln!(
            text,
            "{name} => {{ let message = <pubsub::{ty} as pgpubsub_runtime::generated::Event>::decode_event(Op::Message, {version}, _payload)\
             .map_err(|error| error.to_string())?; message.{notify}.await.map_err(|error| error.to_string()) }}"
        )?;
    }
    text += "other => Err(format!(\"no message channel {other}\")) } })\n}\n}\n";
    Ok(text)
}

/// A call that says all that can be said of a message.
fn said(options: &RustOptions) -> String {
    let methods: Vec<String> = options
        .methods
        .iter()
        .map(|method| {
            let value = match method.name {
                "notify_at" => "std::time::Duration::ZERO",
                "expires" => "std::time::Duration::from_secs(3600)",
                _ => "pgpubsub_runtime::Priority::HIGHEST",
            };
            format!(".{}({value})", method.name)
        })
        .collect();
    format!(
        "notify_with(_client, pubsub::{}::new(){})",
        options.ty,
        methods.join("")
    )
}

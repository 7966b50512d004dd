//! Parts of the book that are made of tables in the code.
#![allow(clippy::unwrap_used)] // a failed step is a failed test

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use pgpubsub_gen::model::builtin::{BUILTINS, Capture, Modifier, REFUSED, Setting};

const BEGIN: &str = "<!-- made of src/model/builtin.rs by tests/book.rs -->\n";
const END: &str = "<!-- end -->\n";

fn rust(path: &str) -> String {
    let short = path
        .replace("runtime::types::", "")
        .replace("runtime::", "")
        .replace("::std::collections::", "")
        .replace("::std::net::", "");
    format!("`{short}`")
}

fn table() -> String {
    let mut text = String::from(
        "| type | other spellings | Rust | `rust:` may choose | kept exactly | captured | pinned for it |\n|---|---|---|---|---|---|---|\n",
    );
    for builtin in BUILTINS {
        let parentheses = match builtin.modifier {
            Modifier::None => "",
            Modifier::Length => "(n)",
            Modifier::Precision => "(p)",
            Modifier::Numeric => "(p,s)",
            Modifier::Any => "(…)",
        };
        let aliases: Vec<String> = builtin
            .aliases
            .iter()
            .map(|alias| format!("`{alias}`"))
            .collect();
        let choices: Vec<String> = builtin
            .choices
            .iter()
            .map(|(word, ty)| format!("`{word}`: {}", rust(ty)))
            .collect();
        let settings: Vec<&str> = builtin
            .settings
            .iter()
            .map(|setting| match setting {
                Setting::TimeZone => "TimeZone",
                Setting::DateStyle => "DateStyle",
                Setting::IntervalStyle => "IntervalStyle",
                Setting::ExtraFloatDigits => "extra_float_digits",
                Setting::ByteaOutput => "bytea_output",
                Setting::LcMonetary => "lc_monetary",
            })
            .collect();
        let capture = match builtin.capture {
            Capture::Plain => "as JSON",
            Capture::Text => "as text",
            Capture::Oid => "as its number",
        };
        let _ = writeln!(
            text,
            "| `{}{parentheses}` | {} | {} | {} | {} | {capture} | {} |",
            builtin.name,
            aliases.join(", "),
            rust(builtin.rust),
            choices.join(", "),
            builtin.exact,
            settings.join(", ")
        );
    }
    text.push_str("\n| refused | why | instead |\n|---|---|---|\n");
    for (names, why, instead) in REFUSED {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let _ = writeln!(text, "| {} | {why} | {instead} |", names.join(", "));
    }
    text
}

#[test]
fn the_table_of_types_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/src/types.md");
    let page = fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (there, tail) = rest.split_once(END).unwrap();
    let wanted = table();
    if there != wanted {
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&path, format!("{head}{BEGIN}{wanted}{END}{tail}")).unwrap();
        }
        panic!("docs/src/types.md differs from src/model/builtin.rs; run with UPDATE_EXPECT=1");
    }
}

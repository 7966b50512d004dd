//! Line breaks that depend on widths, as rustfmt sets them with its default settings.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;

use crate::plan::ident;

use super::error::RenderError;

const MAX_WIDTH: usize = 100;
/// rustfmt's `array_width`.
const ARRAY_WIDTH: usize = 60;
/// rustfmt packs items up to this width instead of giving each a line.
const SHORT_ITEM: usize = 10;

/// Templates that fail on whatever the plan does not have.
pub(super) fn environment(
    templates: &[(&'static str, &'static str)],
) -> Result<Environment<'static>, RenderError> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.add_function("dollar", dollar);
    environment.add_function("array", array);
    environment.add_function("signature", signature);
    environment.add_function("const_item", const_item);
    environment.add_function("impl_header", impl_header);
    environment.add_filter("suffix", |text: String, suffix: String| text + &suffix);
    for (name, text) in templates {
        environment.add_template(name, text)?;
    }
    Ok(environment)
}

/// A function body between dollar quotes that it does not contain.
fn dollar(body: String) -> Value {
    let tag = ident::dollar_tag(&body);
    Value::from_safe_string(format!("{tag}{body}{tag}"))
}

/// `&[a, b]` after a prefix (indentation not counted), followed by one more character.
fn array(items: Vec<String>, indent: usize, prefix: usize) -> String {
    let line = items.join(", ");
    if line.len() <= ARRAY_WIDTH && indent + prefix + line.len() + 2 <= MAX_WIDTH {
        return format!("&[{line}]");
    }
    let margin = " ".repeat(indent + 4);
    let mut text = String::from("&[");
    if items.iter().all(|item| item.len() <= SHORT_ITEM) {
        let mut width = MAX_WIDTH;
        for item in &items {
            if width + item.len() + 2 > MAX_WIDTH {
                text.push_str(&format!("\n{margin}"));
                width = margin.len();
            } else {
                text.push(' ');
                width += 1;
            }
            text.push_str(&format!("{item},"));
            width += item.len() + 1;
        }
    } else {
        for item in &items {
            text.push_str(&format!("\n{margin}{item},"));
        }
    }
    text.push_str(&format!("\n{}]", " ".repeat(indent)));
    text
}

#[derive(Deserialize)]
struct Argument {
    name: String,
    ty: String,
}

/// A function header, its arguments on one line if they fit.
fn signature(head: String, arguments: Serde<Vec<Argument>>, tail: String) -> String {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|argument| format!("{}: {}", argument.name, argument.ty))
        .collect();
    let line = format!("{head}({}){tail}", arguments.join(", "));
    if line.len() <= MAX_WIDTH {
        return line;
    }
    let indent = &head[..head.len() - head.trim_start().len()];
    let lines: String = arguments
        .iter()
        .map(|argument| format!("{indent}    {argument},\n"))
        .collect();
    format!("{head}(\n{lines}{indent}){tail}")
}

/// A constant; where its first line is too long, the value starts on a line of its own.
fn const_item(text: String) -> String {
    let text = text.trim_end();
    let first = text.lines().next().unwrap_or_default();
    match text.split_once(" = ") {
        Some((head, value)) if first.len() > MAX_WIDTH => {
            let value: Vec<String> = value.lines().map(|line| format!("    {line}")).collect();
            format!("{head} =\n{}", value.join("\n"))
        }
        _ => text.to_owned(),
    }
}

/// The line that opens an `impl Trait for Type`, or its three lines.
fn impl_header(head: String, tail: String) -> String {
    if head.len() + tail.len() + 3 <= MAX_WIDTH {
        format!("{head} {tail} {{")
    } else {
        format!("{head}\n    {tail}\n{{")
    }
}

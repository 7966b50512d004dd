//! Line breaks that depend on widths, as rustfmt sets them with its default settings.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, UndefinedBehavior};
use serde::Deserialize;

use crate::plan::ident;

use super::error::RenderError;

/// rustfmt's `max_width`.
const MAX_WIDTH: usize = 100;
/// rustfmt's `array_width`, `chain_width` and `fn_call_width`.
const EXPRESSION_WIDTH: usize = 60;
/// Shorter than any trait header that rustfmt breaks.
const TRAIT_WIDTH: usize = 80;
/// rustfmt's `struct_lit_width`.
const STRUCT_WIDTH: usize = 18;
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
    environment.add_function("call", call);
    environment.add_function("chain", chain);
    environment.add_function("doc", doc);
    environment.add_function("field_line", field);
    environment.add_function("struct_value", struct_value);
    environment.add_function("array", array);
    environment.add_function("signature", signature);
    environment.add_function("const_item", const_item);
    environment.add_function("read", read);
    environment.add_function("arm", arm);
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

/// Documentation lines, without the last line break.
fn doc(lines: Vec<String>, indent: String) -> String {
    let lines: Vec<String> = lines
        .iter()
        .map(|line| format!("{indent}/// {line}").trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// `&[a, b]` after a prefix (indentation not counted), followed by one more character.
fn array(items: Vec<String>, indent: usize, prefix: usize) -> String {
    let line = items.join(", ");
    if width(&line) <= EXPRESSION_WIDTH && indent + prefix + width(&line) + 2 <= MAX_WIDTH {
        return format!("&[{line}]");
    }
    let margin = " ".repeat(indent + 4);
    let mut text = String::from("&[");
    if items.iter().all(|item| width(item) <= SHORT_ITEM) {
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
    if width(&line) <= MAX_WIDTH {
        return line;
    }
    let indent = &head[..head.len() - head.trim_start().len()];
    let lines: String = arguments
        .iter()
        .map(|argument| format!("{indent}    {argument},\n"))
        .collect();
    format!("{head}(\n{lines}{indent}){tail}")
}

/// An arm of a `match`, its value behind the arrow or in a block.
fn arm(indent: String, pattern: String, value: String) -> String {
    let line = format!("{indent}{pattern} => {value},");
    if width(&line) < MAX_WIDTH {
        line
    } else {
        format!("{indent}{pattern} => {{\n{indent}    {value}\n{indent}}}")
    }
}

#[derive(Deserialize)]
struct Read {
    calls: Vec<Call>,
}

#[derive(Deserialize)]
struct Call {
    pattern: String,
    function: String,
    arguments: Vec<String>,
}

/// A field of a `Self { .. }` that a call reads, or a call for each version.
fn read(indent: String, name: String, read: Serde<Read>) -> String {
    if let [only] = read.calls.as_slice() {
        return call_in(&indent, &format!("{name}: "), only);
    }
    let inner = format!("{indent}    ");
    let mut lines = vec![format!("{indent}{name}: match version {{")];
    for call in &read.calls {
        if fits(call) {
            let value = format!("{}({})?", call.function, call.arguments.join(", "));
            lines.push(arm(inner.clone(), call.pattern.clone(), value));
        } else {
            lines.push(call_in(&inner, &format!("{} => ", call.pattern), call));
        }
    }
    lines.push(format!("{indent}}},"));
    lines.join("\n")
}

fn fits(call: &Call) -> bool {
    width(&call.arguments.join(", ")) <= EXPRESSION_WIDTH
}

/// A call behind a prefix, its arguments on lines of their own if they have to be.
fn call_in(indent: &str, prefix: &str, call: &Call) -> String {
    let line = format!(
        "{indent}{prefix}{}({})?,",
        call.function,
        call.arguments.join(", ")
    );
    if call.arguments.len() == 1 || width(&line) <= MAX_WIDTH && fits(call) {
        return line;
    }
    let arguments: String = call
        .arguments
        .iter()
        .map(|argument| format!("{indent}    {argument},\n"))
        .collect();
    format!("{indent}{prefix}{}(\n{arguments}{indent})?,", call.function)
}

/// A constant; where its first line is too long, the value starts on a line of its own.
fn const_item(text: String) -> String {
    let text = text.trim_end();
    let first = text.lines().next().unwrap_or_default();
    match text.split_once(" = ") {
        Some((head, value)) if width(first) > MAX_WIDTH => {
            let value: Vec<String> = value.lines().map(|line| format!("    {line}")).collect();
            format!("{head} =\n{}", value.join("\n"))
        }
        _ => text.to_owned(),
    }
}

/// The line that opens an `impl Trait for Type`, or its three lines.
fn impl_header(head: String, tail: String) -> String {
    if width(&head) + width(&tail) + 3 <= MAX_WIDTH {
        format!("{head} {tail} {{")
    } else {
        format!("{head}\n    {tail}\n{{")
    }
}

/// A field with its type.
fn field(head: String, ty: String) -> String {
    let indent = &head[..head.len() - head.trim_start().len()];
    let line = format!("{head}: {ty},");
    if width(&line) <= MAX_WIDTH {
        line
    } else {
        format!("{head}:\n{indent}    {ty},")
    }
}

/// A `Self { .. }` expression.
fn struct_value(indent: String, fields: Vec<String>) -> String {
    let line = fields.join(", ");
    if fields.is_empty() {
        return format!("{indent}Self {{}}");
    }
    if width(&line) <= STRUCT_WIDTH {
        return format!("{indent}Self {{ {line} }}");
    }
    let lines: String = fields
        .iter()
        .map(|field| format!("{indent}    {field},\n"))
        .collect();
    format!("{indent}Self {{\n{lines}{indent}}}")
}

/// Keeps rustfmt off items that have a line too long: how it breaks them depends on its edition.
pub(super) fn skip_long_items(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut item = Vec::new();
    for line in text.split_inclusive('\n') {
        // An item ends where a blank line is followed by one without indentation.
        if !line.starts_with([' ', '}', '\n']) && item.last() == Some(&"\n") {
            finish_item(&mut result, &mut item);
        }
        item.push(line);
    }
    finish_item(&mut result, &mut item);
    result
}

fn finish_item(result: &mut String, item: &mut Vec<&str>) {
    let is_comment = |line: &str| line.trim_start().starts_with("//");
    // The bounds of a trait are broken earlier than other lines.
    let limit = |line: &str| {
        if line.starts_with("pub trait") {
            TRAIT_WIDTH
        } else {
            MAX_WIDTH
        }
    };
    let long = item
        .iter()
        .any(|line| width(line.trim_end()) > limit(line) && !is_comment(line));
    let start = item
        .iter()
        .position(|line| !is_comment(line))
        .unwrap_or(item.len());
    for (index, line) in item.drain(..).enumerate() {
        if long && index == start {
            result.push_str("#[rustfmt::skip]\n");
        }
        result.push_str(line);
    }
}

/// An expression that can be a call with one argument, on lines of its own.
fn call(indent: String, expression: String) -> String {
    match expression.split_once('(') {
        Some((function, rest)) if function.contains("::") => {
            let argument = rest.strip_suffix(')').unwrap_or(rest);
            let fits = indent.len() + width(&expression) <= MAX_WIDTH;
            if fits && width(argument) <= EXPRESSION_WIDTH {
                format!("{indent}{expression}")
            } else {
                format!("{indent}{function}(\n{indent}    {argument},\n{indent})")
            }
        }
        _ => format!("{indent}{expression}"),
    }
}

/// A chain of two parts.
fn chain(indent: String, head: String, tail: String) -> String {
    if width(&head) + width(&tail) <= EXPRESSION_WIDTH {
        format!("{indent}{head}{tail}")
    } else {
        format!("{indent}{head}\n{indent}    {tail}")
    }
}

/// rustfmt counts characters, not bytes.
fn width(text: &str) -> usize {
    text.chars().count()
}

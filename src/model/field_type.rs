//! Texts of field types: `int`, `string?`, `map<date, list<int?>>`, with the default behind `=`.

use super::FieldType;

/// Why a text is no field type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// There is no such type; the name that was looked up.
    Unknown(String),
    /// What is wrong, and what to do.
    Impossible(String, Option<String>),
}

/// Names that a suggestion may name.
pub(super) const NAMES: [&str; 16] = [
    "int", "float", "decimal", "bool", "string", "bytes", "date", "time", "datetime", "duration",
    "uuid", "json", "list", "set", "map", "tuple",
];

/// What people write who think of SQL or of another language.
pub(super) const ALIASES: [(&str, &str); 21] = [
    ("integer", "int"),
    ("bigint", "int"),
    ("smallint", "int"),
    ("i32", "int"),
    ("i64", "int"),
    ("double", "float"),
    ("real", "float"),
    ("f64", "float"),
    ("number", "float"),
    ("numeric", "decimal"),
    ("boolean", "bool"),
    ("text", "string"),
    ("str", "string"),
    ("varchar", "string"),
    ("bytea", "bytes"),
    ("timestamp", "datetime"),
    ("timestamptz", "datetime"),
    ("interval", "duration"),
    ("jsonb", "json"),
    ("array", "list"),
    ("dict", "map"),
];

/// How deep types may be nested.
const DEPTH: usize = 16;
/// Rust's own traits stop at tuples of twelve.
const MEMBERS: usize = 12;

/// The type and the text of the default.
///
/// `enums` are the names of the declared enums with their indexes.
pub(super) fn parse<'t>(
    text: &'t str,
    enums: &[(&str, usize)],
) -> Result<(FieldType, Option<&'t str>), Problem> {
    // No type has a `=` in it.
    let (ty, default) = match text.split_once('=') {
        Some((ty, default)) => (ty, Some(default.trim())),
        None => (text, None),
    };
    let mut parser = Parser { rest: ty, enums };
    let parsed = parser.field_type(DEPTH)?;
    if !parser.rest.trim().is_empty() {
        return Err(impossible(
            format!("`{}` is too much", parser.rest.trim()),
            None,
        ));
    }
    Ok((parsed, default))
}

fn impossible(problem: impl Into<String>, help: Option<&str>) -> Problem {
    Problem::Impossible(problem.into(), help.map(Into::into))
}

struct Parser<'a, 'e> {
    rest: &'a str,
    enums: &'e [(&'e str, usize)],
}

impl<'a> Parser<'a, '_> {
    fn field_type(&mut self, depth: usize) -> Result<FieldType, Problem> {
        if depth == 0 {
            return Err(impossible("the type is nested too deeply", None));
        }
        let name = self.word();
        let parameters = self.parameters(depth)?;
        let ty = match (name, parameters) {
            ("list", Some(parameters)) => FieldType::List(one(name, parameters)?),
            ("set", Some(parameters)) => {
                let element = one(name, parameters)?;
                if !is_key(&element) {
                    return Err(no_key("the elements of a set"));
                }
                FieldType::Set(element)
            }
            ("map", Some(parameters)) => {
                let Ok([key, value]) = <[FieldType; 2]>::try_from(parameters) else {
                    return Err(impossible(
                        "a map has a key and a value",
                        Some("write `map<date, int>`"),
                    ));
                };
                if !is_key(&key) {
                    return Err(no_key("the keys of a map"));
                }
                FieldType::Map(Box::new(key), Box::new(value))
            }
            ("tuple", Some(parameters)) if (1..=MEMBERS).contains(&parameters.len()) => {
                FieldType::Tuple(parameters)
            }
            ("tuple", Some(_)) => return Err(impossible("a tuple has 1 to 12 members", None)),
            ("list" | "set" | "map" | "tuple", None) => {
                let example = if name == "map" {
                    "map<string, int>".to_owned()
                } else {
                    format!("{name}<int>")
                };
                return Err(impossible(
                    format!("`{name}` needs its types in angle brackets"),
                    Some(&format!("write `{example}`")),
                ));
            }
            (_, Some(_)) if self.scalar(name).is_some() => {
                return Err(impossible(
                    format!("`{name}` takes no types in angle brackets"),
                    None,
                ));
            }
            _ => self
                .scalar(name)
                .ok_or_else(|| Problem::Unknown(name.to_owned()))?,
        };
        if self.take('?') {
            if self.take('?') {
                return Err(impossible("one `?` is enough", None));
            }
            return Ok(FieldType::Optional(Box::new(ty)));
        }
        Ok(ty)
    }

    fn parameters(&mut self, depth: usize) -> Result<Option<Vec<FieldType>>, Problem> {
        if !self.take('<') {
            return Ok(None);
        }
        let mut parameters = vec![self.field_type(depth - 1)?];
        while self.take(',') {
            parameters.push(self.field_type(depth - 1)?);
        }
        if self.take('>') {
            Ok(Some(parameters))
        } else {
            Err(impossible("a `<` without its `>`", None))
        }
    }

    fn word(&mut self) -> &'a str {
        let rest = self.rest.trim_start();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.rest = rest;
        word
    }

    fn scalar(&self, name: &str) -> Option<FieldType> {
        let declared = self.enums.iter().find(|(known, _)| *known == name);
        declared
            .map(|(_, index)| FieldType::Enum(*index))
            .or_else(|| scalar(name))
    }

    fn take(&mut self, character: char) -> bool {
        match self.rest.trim_start().strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

fn one(name: &str, parameters: Vec<FieldType>) -> Result<Box<FieldType>, Problem> {
    match <[FieldType; 1]>::try_from(parameters) {
        Ok([parameter]) => Ok(Box::new(parameter)),
        Err(_) => Err(impossible(
            format!("a {name} has one type of elements"),
            Some(&format!("write `{name}<int>`")),
        )),
    }
}

fn scalar(name: &str) -> Option<FieldType> {
    Some(match name {
        "int" => FieldType::Int,
        "float" => FieldType::Float,
        "decimal" => FieldType::Decimal,
        "bool" => FieldType::Bool,
        "string" => FieldType::String,
        "bytes" => FieldType::Bytes,
        "date" => FieldType::Date,
        "time" => FieldType::Time,
        "datetime" => FieldType::DateTime,
        "duration" => FieldType::Duration,
        "uuid" => FieldType::Uuid,
        "json" => FieldType::Json,
        _ => return None,
    })
}

fn is_key(ty: &FieldType) -> bool {
    use FieldType::{Bool, Date, DateTime, Decimal, Enum, Int, String, Time, Uuid};
    matches!(
        ty,
        Int | Decimal | Bool | String | Date | Time | DateTime | Uuid | Enum(_)
    )
}

fn no_key(what: &str) -> Problem {
    impossible(
        format!("{what} need an order and one text each"),
        Some("use int, decimal, bool, string, date, time, datetime, uuid or an enum"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_types_and_defaults_are_read() {
        let list = |ty| FieldType::List(Box::new(ty));
        let optional = |ty| FieldType::Optional(Box::new(ty));
        for (text, ty, default) in [
            ("int", FieldType::Int, None),
            (" string = \"a = b\" ", FieldType::String, Some("\"a = b\"")),
            (
                "list<int?>?",
                optional(list(optional(FieldType::Int))),
                None,
            ),
            (
                "map< date , int >={}",
                FieldType::Map(Box::new(FieldType::Date), Box::new(FieldType::Int)),
                Some("{}"),
            ),
            (
                "tuple<int,list<set<bool>>>",
                FieldType::Tuple(vec![
                    FieldType::Int,
                    list(FieldType::Set(Box::new(FieldType::Bool))),
                ]),
                None,
            ),
        ] {
            assert_eq!(parse(text, &[]), Ok((ty, default)), "{text}");
        }
    }

    #[test]
    fn what_is_no_type_is_told_apart() {
        for text in ["", "integer", "list<strin>", "int8?", "?"] {
            assert!(
                matches!(parse(text, &[]), Err(Problem::Unknown(_))),
                "{text}"
            );
        }
        let deep = format!("{}int{}", "list<".repeat(40), ">".repeat(40));
        for text in [
            "list",
            "map",
            "list<int",
            "list<int,int>",
            "map<int>",
            "map<float,int>",
            "set<json>",
            "set<int?>",
            "int<int>",
            "int??",
            "int x",
            &deep,
        ] {
            assert!(
                matches!(parse(text, &[]), Err(Problem::Impossible(..))),
                "{text}"
            );
        }
    }
}

//! `message:` and `extends:`.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{ChannelDecl, FieldDecl};

use super::super::field_type::{self, Problem};
use super::super::{DeclaredType, FieldType, Literal, MessageField, Past, TypeKind, default};
use super::columns::help_type;
use super::past;

/// Resolves fields through the base channels; each channel's own fields are checked once.
pub(super) struct Messages<'d> {
    channels: &'d [ChannelDecl],
    by_name: HashMap<&'d str, usize>,
    types: &'d [DeclaredType],
    enums: Vec<(&'d str, usize)>,
    own: Vec<Option<Vec<OwnField>>>,
}

/// A field as a channel declares it; `None` where it was not readable.
#[derive(Clone)]
struct OwnField {
    name: String,
    doc: Option<String>,
    span: crate::diagnostic::Span,
    ty: Option<FieldType>,
    default: Option<Literal>,
    past: Past<FieldType>,
}

impl<'d> Messages<'d> {
    pub(super) fn new(channels: &'d [ChannelDecl], types: &'d [DeclaredType]) -> Self {
        let enums = types
            .iter()
            .enumerate()
            .filter(|(_, ty)| matches!(ty.kind, TypeKind::Enum(_)));
        Self {
            channels,
            by_name: channels
                .iter()
                .enumerate()
                .map(|(index, channel)| (channel.name.value.as_str(), index))
                .collect(),
            types,
            enums: enums.map(|(index, ty)| (ty.name.as_str(), index)).collect(),
            own: vec![None; channels.len()],
        }
    }

    /// The channel that this one extends; reports a base that is not possible.
    pub(super) fn base_of(&self, index: usize, diagnostics: &mut Diagnostics) -> Option<usize> {
        let extends = self.channels[index].extends.as_ref()?;
        let report =
            |message: String| Diagnostic::new(Code::InvalidBase, extends.span.clone(), message);
        let Some(base) = self.position(index) else {
            let names = self
                .channels
                .iter()
                .enumerate()
                .filter(|(other, channel)| *other != index && is_message(channel));
            let names = names.map(|(_, channel)| channel.name.value.as_str());
            let diagnostic = report(format!("there is no message channel `{}`", extends.value));
            diagnostics.push(diagnostic.help_nearest(&extends.value, names));
            return None;
        };
        if !is_message(&self.channels[base]) && !self.channels[base].broken {
            let diagnostic = report(format!("`{}` is no message channel", extends.value));
            diagnostics.push(diagnostic.help("only a message channel can be extended"));
            return None;
        }
        if self.ancestors(index).contains(&index) {
            let diagnostic = report(format!(
                "channel `{}` extends itself",
                self.channels[index].name.value
            ));
            diagnostics.push(diagnostic.help("remove one `extends` of the circle"));
            return None;
        }
        Some(base)
    }

    /// All fields, those of the base channels first.
    pub(super) fn fields_of(
        &mut self,
        index: usize,
        diagnostics: &mut Diagnostics,
    ) -> Vec<MessageField> {
        let mut chain: Vec<usize> = self.ancestors(index);
        chain.retain(|ancestor| *ancestor != index);
        chain.reverse();
        let mut fields: Vec<OwnField> = Vec::new();
        for ancestor in chain {
            for mut field in self.own(ancestor, diagnostics) {
                field.past.inherited = true;
                put(&mut fields, field);
            }
        }
        for field in self.own(index, diagnostics) {
            if let Some(base) = fields.iter().find(|base| base.name == field.name)
                && let (Some(base_type), Some(own_type)) = (&base.ty, &field.ty)
                && base_type != own_type
            {
                let message = format!(
                    "field `{}` has another type than in the base channel",
                    field.name
                );
                let diagnostic = Diagnostic::new(Code::OverriddenType, field.span.clone(), message)
                    .label("another type")
                    .secondary(base.span.clone(), "first here");
                diagnostics.push(diagnostic.help("a sub-channel may change the default only"));
            }
            put(&mut fields, field);
        }
        let field = |field: OwnField| {
            let ty = field.ty?;
            let default = match &ty {
                FieldType::Optional(_) => field.default.or(Some(Literal::Null)),
                _ => field.default,
            };
            Some(MessageField {
                name: field.name,
                doc: field.doc,
                ty,
                default,
                past: field.past,
            })
        };
        fields.into_iter().filter_map(field).collect()
    }

    fn position(&self, index: usize) -> Option<usize> {
        let extends = self.channels[index].extends.as_ref()?;
        self.by_name.get(extends.value.as_str()).copied()
    }

    /// The base, its base and so on; ends before a circle closes for the second time.
    fn ancestors(&self, index: usize) -> Vec<usize> {
        let mut ancestors = Vec::new();
        let mut next = self.position(index);
        while let Some(base) = next {
            if ancestors.contains(&base) {
                break;
            }
            ancestors.push(base);
            next = self.position(base);
        }
        ancestors
    }

    fn own(&mut self, index: usize, diagnostics: &mut Diagnostics) -> Vec<OwnField> {
        if let Some(fields) = &self.own[index] {
            return fields.clone();
        }
        let declared = self.channels[index].message.as_deref().unwrap_or_default();
        let fields: Vec<OwnField> = declared
            .iter()
            .map(|field| self.check_field(field, diagnostics))
            .collect();
        self.own[index] = Some(fields.clone());
        fields
    }

    fn check_field(&self, declared: &FieldDecl, diagnostics: &mut Diagnostics) -> OwnField {
        let mut field = OwnField {
            name: declared.name.value.clone(),
            doc: declared.doc.clone(),
            span: declared.name.span.clone(),
            ty: None,
            default: None,
            past: Past::none(declared.name.span.clone()),
        };
        let Some(text) = &declared.ty else {
            return field;
        };
        let (ty, short) = match field_type::parse(&text.value, &self.enums) {
            Ok(parsed) => parsed,
            Err(Problem::Unknown(name)) => {
                let message = format!("there is no field type `{name}`");
                let diagnostic =
                    Diagnostic::new(Code::UnknownFieldType, text.span.clone(), message);
                diagnostics.push(help_type(
                    diagnostic,
                    &name,
                    field_type::NAMES
                        .iter()
                        .copied()
                        .chain(self.enums.iter().map(|(name, _)| *name)),
                    &field_type::ALIASES,
                    "types of fields are int, float, decimal, bool, string, bytes, date, time, datetime, duration, uuid, json, list, set, map, tuple, and the enums under `types`",
                ));
                return field;
            }
            Err(Problem::Impossible(message, help)) => {
                let diagnostic =
                    Diagnostic::new(Code::InvalidFieldType, text.span.clone(), message);
                diagnostics.push(match help {
                    Some(help) => diagnostic.help(help),
                    None => diagnostic,
                });
                return field;
            }
        };
        let default = match (short, &declared.default) {
            (Some(_), Some(long)) => {
                let message = format!("field `{}` has two defaults", field.name);
                let diagnostic =
                    Diagnostic::new(Code::InvalidDefault, long.node.span.clone(), message);
                diagnostics.push(
                    diagnostic
                        .secondary(text.span.clone(), "one is here")
                        .help("keep one of them"),
                );
                None
            }
            (Some(short), None) => Some((default::from_text(&ty, short, self.types), &text.span)),
            (None, Some(long)) => Some((
                default::from_node(&ty, &long.node, self.types),
                &long.node.span,
            )),
            (None, None) => None,
        };
        match default {
            Some((Ok(literal), _)) => field.default = Some(literal),
            Some((Err(problem), span)) => {
                let message = format!(
                    "the default of `{}` does not fit its type: {problem}",
                    field.name
                );
                diagnostics.push(Diagnostic::new(Code::InvalidDefault, span.clone(), message));
            }
            None => {}
        }
        let parse = |text: &str| {
            let (ty, _) = field_type::parse(text, &self.enums).ok()?;
            Some(plain(ty))
        };
        let name = &declared.name;
        field.past = past::check(&declared.past, name, &name.value, parse, diagnostics);
        field.ty = Some(match &declared.past.until {
            None => ty,
            Some(until) => {
                if field.default.is_some() {
                    let message = "a field that is gone has no default";
                    let diagnostic =
                        Diagnostic::new(Code::Incompatible, until.span.clone(), message);
                    diagnostics.push(diagnostic.help("remove the default, or `until`"));
                }
                // Nobody sends it any more.
                FieldType::Optional(Box::new(plain(ty)))
            }
        });
        field
    }
}

/// Without the `?`.
fn plain(ty: FieldType) -> FieldType {
    match ty {
        FieldType::Optional(inner) => *inner,
        ty => ty,
    }
}

fn is_message(channel: &ChannelDecl) -> bool {
    channel.message.is_some() || channel.extends.is_some()
}

/// Replaces a field of the same name in its place.
fn put(fields: &mut Vec<OwnField>, field: OwnField) {
    match fields.iter_mut().find(|known| known.name == field.name) {
        Some(known) => {
            let doc = field.doc.clone().or_else(|| known.doc.clone());
            *known = OwnField { doc, ..field };
        }
        None => fields.push(field),
    }
}

//! What columns and fields were in earlier versions.

use crate::diagnostic::Span;
use crate::schema::Spanned;

/// What a column or a field of a message was before.
#[derive(Clone, Debug, PartialEq)]
pub struct Past<T> {
    /// Former names; `None`: nothing is said, empty: it is new, and no renaming.
    pub was: Option<Vec<String>>,
    /// Last version that had it; `None`: it is still there.
    pub until: Option<Spanned<u32>>,
    /// Types that it had.
    pub from: Vec<Conversion<T>>,
    /// Whether it comes from a mixin or a base channel, which have no versions, or others.
    pub inherited: bool,
    /// Where it is declared.
    pub span: Span,
}

/// How a value of a former type becomes one of today's.
#[derive(Clone, Debug, PartialEq)]
pub struct Conversion<T> {
    /// The former type as it is written.
    pub text: String,
    /// The same as a type; `None` if there is no such type any more.
    pub ty: Option<T>,
    /// Path of a Rust function.
    pub function: String,
    /// Where it is said.
    pub span: Span,
}

impl<T> Past<T> {
    /// Nothing is known.
    pub fn none(span: Span) -> Self {
        Self {
            was: None,
            until: None,
            from: Vec::new(),
            inherited: false,
            span,
        }
    }

    /// Last version that had it, if that is a version of whoever has it now.
    pub fn own_until(&self) -> Option<&Spanned<u32>> {
        self.until.as_ref().filter(|_| !self.inherited)
    }

    /// Former names.
    pub fn former_names(&self) -> &[String] {
        self.was.as_deref().unwrap_or_default()
    }
}

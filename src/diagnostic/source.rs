//! The files of a schema: where a place is.

use super::Span;

/// The files of a schema, one behind the other, so that one number says file and place.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// One file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// Its name, for messages.
    pub name: String,
    /// Its text.
    pub text: String,
    /// Where it begins among all files.
    pub base: usize,
    /// Where its lines begin, within the file.
    lines: Vec<usize>,
}

impl Sources {
    /// One file.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let mut sources = Self::default();
        sources.add(name, text);
        sources
    }

    /// Adds a file; returns where it begins.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> usize {
        let text = text.into();
        // One more than the end of the last one, so that the end of a file is a place in it.
        let base = self
            .files
            .last()
            .map_or(0, |last| last.base + last.text.len() + 1);
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        self.files.push(SourceFile {
            name: name.into(),
            lines: std::iter::once(0).chain(starts).collect(),
            text,
            base,
        });
        base
    }

    /// The file that includes the others.
    pub fn main(&self) -> &SourceFile {
        self.files.first().expect("sources begin with a file")
    }

    /// All files, the main one first.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file of a place, and the place within it, cut to whole characters.
    pub fn locate(&self, span: &Span) -> (&SourceFile, Span) {
        let index = self
            .files
            .partition_point(|file| file.base <= span.start)
            .saturating_sub(1);
        let file = &self.files[index];
        let floor = |at: usize| {
            let mut at = at.saturating_sub(file.base).min(file.text.len());
            while !file.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (start, end) = (floor(span.start), floor(span.end));
        (file, start..end.max(start))
    }
}

impl SourceFile {
    /// Line and column of a byte, from 1; columns count characters.
    pub fn position(&self, at: usize) -> (usize, usize) {
        let line = self.lines.partition_point(|start| *start <= at).max(1) - 1;
        let column = self.text[self.lines[line]..at].chars().count();
        (line + 1, column + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_belongs_to_the_file_it_is_in() {
        let mut sources = Sources::new("a", "é\nb");
        let base = sources.add("c", "dé\n");
        for (span, name, local, position) in [
            (0..2, "a", 0..2, (1, 1)),
            (3..4, "a", 3..4, (2, 1)),
            (4..4, "a", 4..4, (2, 2)),
            (base..base + 1, "c", 0..1, (1, 1)),
            (base + 3..base + 99, "c", 3..4, (1, 3)),
            (base + 2..base + 2, "c", 1..1, (1, 2)),
        ] {
            let (file, found) = sources.locate(&span);
            assert_eq!((file.name.as_str(), found.clone()), (name, local));
            assert_eq!(file.position(found.start), position);
        }
    }
}

//! Migration tools.

use super::QualifiedName;

/// The tool that applies the migrations: its layout is written, and its table tells the db version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// None: files for psql.
    Plain,
    /// sqlx.
    #[default]
    Sqlx,
    /// refinery.
    Refinery,
    /// Diesel.
    Diesel,
    /// dbmate.
    Dbmate,
    /// golang-migrate.
    GolangMigrate,
    /// Atlas.
    Atlas,
}

impl Tool {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Plain,
        Self::Sqlx,
        Self::Refinery,
        Self::Diesel,
        Self::Dbmate,
        Self::GolangMigrate,
        Self::Atlas,
    ];

    /// The word of the language for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Sqlx => "sqlx",
            Self::Refinery => "refinery",
            Self::Diesel => "diesel",
            Self::Dbmate => "dbmate",
            Self::GolangMigrate => "golang-migrate",
            Self::Atlas => "atlas",
        }
    }

    /// The tool of a word of the language.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tool| tool.word() == word)
    }

    /// The table in which it keeps what was applied, where its settings do not name another.
    pub fn version_table(self) -> Option<QualifiedName> {
        let (schema, name) = match self {
            Self::Plain => return None,
            Self::Sqlx => ("public", "_sqlx_migrations"),
            Self::Refinery => ("public", "refinery_schema_history"),
            Self::Diesel => ("public", "__diesel_schema_migrations"),
            // The same name, with other columns.
            Self::Dbmate | Self::GolangMigrate => ("public", "schema_migrations"),
            Self::Atlas => ("atlas_schema_revisions", "atlas_schema_revisions"),
        };
        Some(QualifiedName {
            schema: schema.into(),
            name: name.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::language::TOOLS;

    #[test]
    fn the_language_has_a_word_for_each() {
        let words: Vec<&str> = Tool::ALL.into_iter().map(Tool::word).collect();
        let mut known = TOOLS.to_vec();
        known.sort_by_key(|known| words.iter().position(|word| word == known));
        assert_eq!(known, words);
    }
}

//! Where a migration tool looks for its files, and what it expects in them.

use serde::Serialize;

use crate::history::History;
use crate::model::{Generate, Tool};

use super::error::PlanError;

/// How the files of a migration are laid out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Layout {
    /// Folder of the migrations.
    pub folder: String,
    /// Whether the file begins and commits its own transaction, because the tool does not.
    pub own_transaction: bool,
    /// Whether up and down are parts of one file.
    pub one_file: bool,
    /// Whether there is a way down.
    pub reversible: bool,
    #[serde(skip)]
    tool: Tool,
    #[serde(skip)]
    number: u128,
    #[serde(skip)]
    width: usize,
    #[serde(skip)]
    dashes: bool,
}

/// Files of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// The up file, or the only one.
    pub up: String,
    /// The down file, if it is another one.
    pub down: Option<String>,
}

impl Layout {
    /// For the next migration of a project.
    ///
    /// # Errors
    /// No number is left.
    pub fn next(generate: &Generate, folder: &str, history: &History) -> Result<Self, PlanError> {
        let mut layout = Self {
            folder: folder.to_owned(),
            own_transaction: matches!(generate.tool, Tool::Plain | Tool::GolangMigrate),
            one_file: generate.tool == Tool::Dbmate,
            // Atlas works out the way down by itself.
            reversible: generate.reversible && generate.tool != Tool::Atlas,
            tool: generate.tool,
            number: 0,
            width: 4,
            dashes: false,
        };
        if generate.tool == Tool::Diesel {
            layout.width = 14;
        }
        let foreign = history
            .migrations
            .iter()
            .map(|placed| &placed.paths[0])
            .find(|path| !layout.reads(path));
        if let Some(path) = foreign {
            return Err(PlanError::OtherTool {
                path: path.clone(),
                tool: generate.tool.word(),
            });
        }
        for name in &history.migration_names {
            let Some(digits) = number_of(name) else {
                continue;
            };
            // What is no 64-bit number is no migration of a tool either.
            let Ok(number) = digits.parse::<i64>() else {
                continue;
            };
            let number = u128::from(number.unsigned_abs());
            if number >= layout.number {
                layout.number = number;
                layout.width = digits.len().max(4);
                layout.dashes = name.as_bytes().get(4) == Some(&b'-');
            }
        }
        if layout.number >= u128::from(layout.greatest()) {
            return Err(PlanError::MigrationNumber(layout.number.to_string()));
        }
        Ok(layout)
    }

    /// Whether the tool takes a file as the up file of a migration.
    fn reads(&self, path: &str) -> bool {
        let name = path.rsplit('/').next().unwrap_or(path);
        let of_diesel = name == "up.sql";
        let of_refinery = name.starts_with('V') && name.contains("__");
        match self.tool {
            Tool::Diesel => of_diesel,
            Tool::Refinery => of_refinery,
            Tool::Dbmate | Tool::Atlas => !of_diesel && !of_refinery && !name.ends_with(".up.sql"),
            Tool::Plain | Tool::Sqlx | Tool::GolangMigrate => !of_diesel && !of_refinery,
        }
    }

    fn greatest(&self) -> u64 {
        match self.tool {
            // Its history table has four-byte numbers.
            Tool::Refinery => u64::from(i32::MAX.unsigned_abs()),
            _ => i64::MAX.unsigned_abs(),
        }
    }

    /// How much is left out before the first of new migrations, whose id is given: where numbers are times, nobody misses a few,
    /// and two branches seldom come to have the same.
    pub fn gap(&self, id: &str) -> usize {
        match self.width {
            14 if self.number > 0 => id
                .bytes()
                .fold(0, |sum, byte| (sum * 31 + usize::from(byte)) % 97),
            _ => 0,
        }
    }

    /// Files of a new migration. Counting begins at 0.
    pub fn paths(&self, count: usize, slug: &str) -> Paths {
        let folder = &self.folder;
        let number = self.number_text(self.number + 1 + count as u128);
        let down = |path: String| self.reversible.then_some(path);
        match self.tool {
            Tool::Plain | Tool::Sqlx | Tool::GolangMigrate if self.reversible => Paths {
                up: format!("{folder}/{number}_{slug}.up.sql"),
                down: Some(format!("{folder}/{number}_{slug}.down.sql")),
            },
            Tool::GolangMigrate => Paths {
                up: format!("{folder}/{number}_{slug}.up.sql"),
                down: None,
            },
            Tool::Plain | Tool::Sqlx | Tool::Dbmate | Tool::Atlas => Paths {
                up: format!("{folder}/{number}_{slug}.sql"),
                down: None,
            },
            // It knows no way down and passes over this file.
            Tool::Refinery => Paths {
                up: format!("{folder}/V{number}__{slug}.sql"),
                down: down(format!("{folder}/V{number}__{slug}.down.sql")),
            },
            Tool::Diesel => Paths {
                up: format!("{folder}/{number}_{slug}/up.sql"),
                down: down(format!("{folder}/{number}_{slug}/down.sql")),
            },
        }
    }

    /// As wide as the numbers that are there.
    fn number_text(&self, number: u128) -> String {
        let width = self.width;
        match self.tool {
            Tool::Refinery => number.to_string(),
            Tool::Diesel if self.dashes => {
                let digits = format!("{number:0>14}");
                let (date, time) = digits.split_at(8);
                format!("{}-{}-{}-{time}", &date[..4], &date[4..6], &date[6..])
            }
            _ => format!("{number:0width$}"),
        }
    }
}

/// The digits that tools order a file or folder by; `None` if it has none.
pub fn number_of(name: &str) -> Option<String> {
    let name = name
        .strip_prefix('V')
        .or_else(|| name.strip_prefix('U'))
        .unwrap_or(name);
    let end = name.find(['_', '.']).unwrap_or(name.len());
    let number = &name[..end];
    let digits: String = number.chars().filter(|c| *c != '-').collect();
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(tool: Tool, names: &[&str]) -> String {
        let mut names: Vec<String> = names.iter().map(ToString::to_string).collect();
        names.sort_unstable();
        let history = History {
            migration_names: names,
            ..History::default()
        };
        let generate = Generate {
            tool,
            reversible: true,
            ..Generate::default()
        };
        let layout = Layout::next(&generate, "m", &history).expect("a number");
        layout.paths(0, "x").up
    }

    #[test]
    fn the_number_follows_the_greatest_in_the_folder() {
        for (tool, names, expected) in [
            (Tool::Sqlx, &[][..], "m/0001_x.up.sql"),
            (
                Tool::Sqlx,
                &["0001_a.up.sql", "0001_a.down.sql"],
                "m/0002_x.up.sql",
            ),
            (Tool::Sqlx, &["1_a.sql", "2_b.sql"], "m/0003_x.up.sql"),
            (Tool::Sqlx, &["00009_a.sql"], "m/00010_x.up.sql"),
            (
                Tool::Sqlx,
                &["20260131120000_a.sql", "0003_b.sql"],
                "m/20260131120001_x.up.sql",
            ),
            (
                Tool::Sqlx,
                &["README.md", "99999999999999999999_x.sql"],
                "m/0001_x.up.sql",
            ),
            (
                Tool::Refinery,
                &["V1__a.sql", "V9__b.sql", "V10__c.sql"],
                "m/V11__x.sql",
            ),
            (Tool::Refinery, &[], "m/V1__x.sql"),
            (
                Tool::Diesel,
                &["00000000000000_diesel_initial_setup"],
                "m/00000000000001_x/up.sql",
            ),
            (
                Tool::Diesel,
                &["2026-01-31-120000_a"],
                "m/2026-01-31-120001_x/up.sql",
            ),
            (Tool::Diesel, &[], "m/00000000000001_x/up.sql"),
            (
                Tool::Dbmate,
                &["20260131120000_a.sql"],
                "m/20260131120001_x.sql",
            ),
            (
                Tool::GolangMigrate,
                &["000003_a.up.sql"],
                "m/000004_x.up.sql",
            ),
            (Tool::Plain, &["0003_a.sql"], "m/0004_x.up.sql"),
            (
                Tool::Atlas,
                &["20260131120000.sql"],
                "m/20260131120001_x.sql",
            ),
        ] {
            assert_eq!(next(tool, names), expected, "{tool:?} {names:?}");
        }
    }

    #[test]
    fn a_tool_with_small_numbers_says_when_they_end() {
        let history = History {
            migration_names: vec!["V20260131120000__a.sql".into()],
            ..History::default()
        };
        let generate = Generate {
            tool: Tool::Refinery,
            ..Generate::default()
        };
        assert!(Layout::next(&generate, "m", &history).is_err());
    }
}

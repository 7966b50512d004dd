//! Our migrations in their folder, among those of the user: found by their mark, put into order, and proven complete.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use crate::history::{Emitted, MARK, Placed, Problem, ProblemKind, parse_down};
use crate::plan::layout::number_of;

use super::error::WriteError;
use super::read::{names, read_text};

/// What is in the folder.
#[derive(Default)]
pub(super) struct Found {
    /// Everything's name.
    pub(super) names: Vec<String>,
    /// Ours, in the order in which tools apply them.
    pub(super) migrations: Vec<Placed>,
    /// Paths of those of other databases, which share the folder.
    pub(super) others: Vec<String>,
    /// What is wrong with them.
    pub(super) problems: Vec<Problem>,
}

/// A down file.
struct Down {
    path: String,
    takes_back: String,
    intact: bool,
}

/// Reads the folder; migrations of other databases are left out.
pub(super) fn read(root: &Path, folder: &str, database: Option<&str>) -> Result<Found, WriteError> {
    let mut found = Found {
        names: names(&root.join(folder))?,
        ..Found::default()
    };
    let mut downs: Vec<Down> = Vec::new();
    let mut elsewhere = BTreeSet::new();
    for file in files_of_ours(root, folder, &found.names)? {
        match file {
            Ours::Up(placed) if placed.emitted.database.as_deref() == database => {
                found.migrations.push(placed);
            }
            Ours::Up(placed) => {
                found.others.extend(placed.paths);
                elsewhere.insert(placed.emitted.id);
            }
            Ours::Down(down) => downs.push(down),
        }
    }
    let (others, downs): (Vec<Down>, Vec<Down>) = downs
        .into_iter()
        .partition(|down| elsewhere.contains(&down.takes_back));
    found
        .others
        .extend(others.into_iter().map(|down| down.path));
    found
        .migrations
        .sort_by(|left, right| place(left).cmp(&place(right)));
    let by_path: HashMap<&str, &Down> = downs
        .iter()
        .map(|down| (down.path.as_str(), down))
        .collect();
    let mut seen = BTreeSet::new();
    for placed in &mut found.migrations {
        let is_copy = !seen.insert(placed.emitted.id.clone());
        pair(placed, is_copy, &by_path, &mut found.problems);
    }
    found.check();
    found.lost(&downs);
    Ok(found)
}

/// A file with our mark.
enum Ours {
    Up(Placed),
    Down(Down),
}

/// In order of the names. Long histories are long to read and to prove: in two halves, side by side.
fn files_of_ours(root: &Path, folder: &str, names: &[String]) -> Result<Vec<Ours>, WriteError> {
    const WORTH_A_THREAD: usize = 64;
    if names.len() < WORTH_A_THREAD {
        return read_files(root, folder, names);
    }
    let (left, right) = names.split_at(names.len() / 2);
    let (left, right) = std::thread::scope(|scope| {
        let right = scope.spawn(|| read_files(root, folder, right));
        let left = read_files(root, folder, left);
        match right.join() {
            Ok(right) => (left, right),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let mut all = left?;
    all.extend(right?);
    Ok(all)
}

fn read_files(root: &Path, folder: &str, names: &[String]) -> Result<Vec<Ours>, WriteError> {
    let mut ours = Vec::new();
    for name in names {
        for path in files(root, folder, name)? {
            // What is not readable as text is not ours.
            let Ok(Some(text)) = read_text(&root.join(&path)) else {
                continue;
            };
            if !is_ours(&text) {
                continue;
            }
            if let Some(emitted) = Emitted::parse(&text) {
                ours.push(Ours::Up(Placed {
                    paths: vec![path],
                    number: number(name),
                    emitted,
                }));
            } else if let Some((takes_back, intact)) = parse_down(&text) {
                ours.push(Ours::Down(Down {
                    path,
                    takes_back,
                    intact,
                }));
            }
        }
    }
    Ok(ours)
}

/// Whether a text has our mark among its first lines; a tool may want its own line first.
pub(super) fn is_ours(text: &str) -> bool {
    text.lines().take(6).any(|line| line.starts_with(MARK))
}

/// A file, or the files in a folder of its own.
fn files(root: &Path, folder: &str, name: &str) -> Result<Vec<String>, WriteError> {
    let path = format!("{folder}/{name}");
    let absolute = root.join(&path);
    if name.ends_with(".sql") {
        return Ok(if absolute.is_file() {
            vec![path]
        } else {
            Vec::new()
        });
    }
    if number_of(name).is_none() || !absolute.is_dir() {
        return Ok(Vec::new());
    }
    Ok(["up.sql", "down.sql"]
        .into_iter()
        .map(|file| format!("{path}/{file}"))
        .filter(|path| root.join(path).is_file())
        .collect())
}

fn number(name: &str) -> String {
    let number = number_of(name).unwrap_or_default();
    number.trim_start_matches('0').to_owned()
}

/// Tools compare numbers as numbers.
fn place(placed: &Placed) -> (usize, &str, &str) {
    (
        placed.number.len(),
        &placed.number,
        placed.paths.first().map_or("", String::as_str),
    )
}

/// Finds the down file of an up file.
fn pair(
    placed: &mut Placed,
    is_copy: bool,
    downs: &HashMap<&str, &Down>,
    problems: &mut Vec<Problem>,
) {
    let up = &placed.paths[0];
    if !placed.emitted.intact {
        problems.push(Problem {
            path: up.clone(),
            kind: ProblemKind::Edited,
        });
    }
    let Some(path) = down_path(up) else { return };
    match downs.get(path.as_str()) {
        Some(down) => {
            if !down.intact || down.takes_back != placed.emitted.id {
                problems.push(Problem {
                    path: path.clone(),
                    kind: ProblemKind::Edited,
                });
            }
            placed.paths.push(path);
        }
        None if placed.emitted.has_down && !is_copy => problems.push(Problem {
            path,
            kind: ProblemKind::Missing {
                needed_by: up.clone(),
            },
        }),
        None => {}
    }
}

/// Where the down file of an up file is, if it has one.
fn down_path(up: &str) -> Option<String> {
    if let Some(folder) = up.strip_suffix("/up.sql") {
        return Some(format!("{folder}/down.sql"));
    }
    let stem = up
        .strip_suffix(".up.sql")
        .or_else(|| up.strip_suffix(".sql"))?;
    Some(format!("{stem}.down.sql"))
}

/// The up file of a down file.
fn up_path(down: &str) -> String {
    if let Some(folder) = down.strip_suffix("/down.sql") {
        return format!("{folder}/up.sql");
    }
    let stem = down.strip_suffix(".down.sql").unwrap_or(down);
    let is_refinery = stem
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with('V'));
    let end = if is_refinery { ".sql" } else { ".up.sql" };
    format!("{stem}{end}")
}

/// What tools see as one migration: a name without what tells up from down.
fn stem(name: &str) -> &str {
    let name = name.strip_suffix(".sql").unwrap_or(name);
    name.strip_suffix(".up")
        .or_else(|| name.strip_suffix(".down"))
        .unwrap_or(name)
}

impl Found {
    /// Ways back of migrations that are gone.
    fn lost(&mut self, downs: &[Down]) {
        let known: BTreeSet<&String> = self
            .migrations
            .iter()
            .flat_map(|placed| &placed.paths)
            .collect();
        let lost = downs.iter().filter(|down| !known.contains(&down.path));
        let problems: Vec<Problem> = lost
            .map(|down| Problem {
                path: up_path(&down.path),
                kind: ProblemKind::Missing {
                    needed_by: down.path.clone(),
                },
            })
            .collect();
        self.problems.extend(problems);
    }

    fn check(&mut self) {
        let mut places: HashMap<&str, usize> = HashMap::new();
        let mut problems = Vec::new();
        for (index, placed) in self.migrations.iter().enumerate() {
            let path = placed.paths[0].clone();
            if let Some(first) = places.get(placed.emitted.id.as_str()) {
                let of = self.migrations[*first].paths[0].clone();
                problems.push(Problem {
                    path,
                    kind: ProblemKind::Copy { of },
                });
                continue;
            }
            places.insert(&placed.emitted.id, index);
        }
        for (index, placed) in self.migrations.iter().enumerate() {
            let path = &placed.paths[0];
            for parent in &placed.emitted.after {
                match places.get(parent.as_str()) {
                    // An edited one may have lost its id.
                    None if self.migrations.iter().any(|placed| !placed.emitted.intact) => {}
                    None => problems.push(Problem {
                        path: format!("(migration {parent})"),
                        kind: ProblemKind::Missing {
                            needed_by: path.clone(),
                        },
                    }),
                    Some(place) if *place > index => problems.push(Problem {
                        path: path.clone(),
                        kind: ProblemKind::TooEarly {
                            after: self.migrations[*place].paths[0].clone(),
                        },
                    }),
                    Some(_) => {}
                }
            }
        }
        problems.extend(self.same_numbers());
        self.problems.extend(problems);
    }

    /// Most tools apply one of two files with the same number, and leave out or refuse the other.
    fn same_numbers(&self) -> Vec<Problem> {
        let mut by_number: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for name in &self.names {
            if number_of(name).is_some() {
                by_number
                    .entry(number(name))
                    .or_default()
                    .insert(stem(name));
            }
        }
        let name = |placed: &Placed| {
            let path = placed.paths[0]
                .strip_suffix("/up.sql")
                .unwrap_or(&placed.paths[0]);
            stem(path.rsplit('/').next().unwrap_or(path)).to_owned()
        };
        let ours: BTreeSet<String> = self.migrations.iter().map(name).collect();
        let mut problems = Vec::new();
        for placed in &self.migrations {
            let own = name(placed);
            let others = by_number.get(&placed.number).into_iter().flatten();
            if let Some(other) = others.copied().find(|other| *other != own) {
                problems.push(Problem {
                    path: placed.paths[0].clone(),
                    kind: ProblemKind::SameNumber {
                        other: other.to_owned(),
                        ours: ours.contains(other),
                    },
                });
            }
        }
        problems
    }
}

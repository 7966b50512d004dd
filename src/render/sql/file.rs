//! Files of a migration: their headers, and the SQL of the objects between lines that tell the generator what it is.

use crate::history::{self, Key, MARK};
use crate::plan::{Action, Content, Lock, Migration, Plan, Step};
use crate::render::error::RenderError;

use super::Objects;
use super::switched::replaced;

/// dbmate wants this part in every file. Empty, it would forget the migration and leave what that did.
const NO_WAY_BACK: &str = "
DO $pgpubsub$
BEGIN
  RAISE EXCEPTION 'this migration has no way back';
END
$pgpubsub$;
";

/// Of an index that is no part of the schema any more.
const LEFT: &str = "-- Nothing needs it any more but programs that still run, and DROP INDEX would make every writer wait. So it stays.\n";

/// A file of a new migration: path and text.
pub(in crate::render) struct NewMigration {
    pub(in crate::render) path: String,
    pub(in crate::render) text: String,
}

/// The files of the next migration; none, if nothing has to change.
pub(in crate::render) fn migration(
    plan: &Plan,
    migration: &Migration,
) -> Result<Vec<NewMigration>, RenderError> {
    let objects = Objects::new(&plan.sql)?;
    let mut files = Vec::new();
    let mut after = migration.after.clone();
    let mut gap = 0;
    for (index, step) in migration.steps.iter().enumerate() {
        let has_down = migration.layout.paths(index, "").down.is_some();
        let header = history::up_header(migration.database.as_deref(), has_down, &after);
        let (up, id) = history::sealed(&up(&objects, migration, step, &header)?);
        let slug = slug(step, after.is_empty(), &id);
        if index == 0 {
            gap = migration.layout.gap(&id);
        }
        let paths = migration.layout.paths(gap + index, &slug);
        if let Some(path) = paths.down {
            let (text, _) = history::sealed(&down(&objects, migration, step, &id)?);
            files.push(NewMigration { path, text });
        }
        files.push(NewMigration {
            path: paths.up,
            text: up,
        });
        after = vec![id];
    }
    Ok(files)
}

/// Says what a file is about, and tells it from what another branch made under the same number.
fn slug(step: &Step, is_first: bool, id: &str) -> String {
    if is_first {
        return "pgpubsub_init".to_owned();
    }
    let about = step.lock.as_ref().map_or("", |lock| lock.name.as_str());
    let about: String = about
        .chars()
        .map(|c| c.to_ascii_lowercase())
        .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
        .take(30)
        .chain("_".chars())
        .collect();
    format!("pgpubsub_{}{}", about.trim_start_matches('_'), &id[..8])
}

fn up(
    objects: &Objects<'_>,
    migration: &Migration,
    step: &Step,
    header: &str,
) -> Result<String, RenderError> {
    let mut text = format!("{MARK}; never edit an applied migration.\n{header}\n");
    for shape in &step.shapes {
        text += &history::shape_line(shape);
    }
    for (from, to) in &step.renamed {
        text += &history::renamed_line(from, to);
    }
    if migration.layout.one_file {
        text += "-- migrate:up\n";
    }
    text += &opening(migration, step.lock.as_ref());
    let (before, after) = around(objects, migration, &step.up, &step.down)?;
    text += &before;
    for action in &step.up {
        text.push('\n');
        text += &match &action.content {
            Content::Planned(object) => history::frame(
                &action.key,
                &object.spec,
                &object.kin,
                &objects.text(object)?,
            ),
            Content::Earlier { text, spec, kin } => history::frame(&action.key, spec, kin, text),
            Content::Silent => {
                let text = objects.silent(&action.key)?;
                let spec = history::fingerprint(&text);
                history::frame(&action.key, &spec, "", &text)
            }
            Content::Left => history::drop_line(&action.key) + LEFT,
            Content::Dropped(statement) => {
                history::drop_line(&action.key) + &dropped(objects, action, statement)?
            }
        };
    }
    text += &after;
    text += closing(migration);
    if migration.layout.one_file {
        text += "\n-- migrate:down\n";
        text += &if migration.layout.reversible {
            body_of_down(objects, migration, step)?
        } else {
            NO_WAY_BACK.to_owned()
        };
    }
    Ok(text)
}

fn down(
    objects: &Objects<'_>,
    migration: &Migration,
    step: &Step,
    id: &str,
) -> Result<String, RenderError> {
    let mut text = format!(
        "{MARK}; never edit an applied migration.\n{}\n",
        history::down_header(id)
    );
    text += &body_of_down(objects, migration, step)?;
    Ok(text)
}

fn body_of_down(
    objects: &Objects<'_>,
    migration: &Migration,
    step: &Step,
) -> Result<String, RenderError> {
    let mut text = opening(migration, None);
    let (before, after) = around(objects, migration, &step.down, &step.up)?;
    text += &before;
    let mut block = "";
    for action in &step.down {
        // Short statements of a kind stand together.
        let kind = match (&action.content, &action.key) {
            (Content::Dropped(_), Key::Storage { .. } | Key::Processed { .. }) => "",
            (Content::Dropped(statement), _) => &statement[..8],
            _ => "",
        };
        if kind.is_empty() || kind != block {
            text.push('\n');
        }
        block = kind;
        match &action.content {
            Content::Planned(object) => text += &objects.text(object)?,
            Content::Earlier { text: earlier, .. } => text += earlier,
            Content::Silent => text += &objects.silent(&action.key)?,
            Content::Left => text += LEFT,
            Content::Dropped(statement) => text += &dropped(objects, action, statement)?,
        }
    }
    text += &after;
    text += closing(migration);
    Ok(text)
}

/// What stands before and after actions that replace triggers.
fn around(
    objects: &Objects<'_>,
    migration: &Migration,
    actions: &[Action],
    back: &[Action],
) -> Result<(String, String), RenderError> {
    let replaced = replaced(objects, migration, actions, back)?;
    if replaced.is_empty() {
        return Ok((String::new(), String::new()));
    }
    let (before, after) = objects.switched(&replaced)?;
    Ok((format!("\n{before}"), format!("\n{after}")))
}

fn dropped(objects: &Objects<'_>, action: &Action, statement: &str) -> Result<String, RenderError> {
    match &action.key {
        Key::Storage { schema } => objects.drop_storage(schema),
        Key::Processed { schema } => objects.drop_processed(schema),
        _ => Ok(format!("{statement}\n")),
    }
}

fn opening(migration: &Migration, lock: Option<&Lock>) -> String {
    let mut text = String::new();
    if migration.layout.own_transaction {
        text += "\nBEGIN;\n";
    }
    match lock {
        None => text += "\n",
        Some(Lock {
            table,
            exclusive: false,
            ..
        }) => {
            text += &format!(
                "\n-- Locks {table} in SHARE ROW EXCLUSIVE: for a moment its writers wait, readers do not.\n"
            );
        }
        Some(Lock { table, .. }) => {
            text += &format!(
                "\n-- Locks {table} in ACCESS EXCLUSIVE, as DROP TRIGGER must: for a moment its writers and readers wait.\n"
            );
        }
    }
    text += &format!(
        "-- Better fail and be tried again than queue behind a long transaction, with every writer behind us.\nSET LOCAL lock_timeout = {};\n",
        migration.lock_timeout
    );
    text
}

fn closing(migration: &Migration) -> &'static str {
    if migration.layout.own_transaction {
        "\nCOMMIT;\n"
    } else {
        ""
    }
}

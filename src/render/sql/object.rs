//! SQL of one object.

use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};

use crate::history::Key;
use crate::plan::ident::{sql_ident, sql_literal};
use crate::plan::{Object, Source, SqlPlan, SqlTrigger};
use crate::render::error::RenderError;
use crate::render::layout;

use super::switched::Switched;

/// An object with its SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// What it is.
    pub object: Object,
    /// SQL that creates or replaces it, whatever is there.
    pub sql: String,
}

/// The templates, with the plan that they lay out.
pub(in crate::render) struct Objects<'a> {
    templates: Environment<'static>,
    plan: &'a SqlPlan,
    /// What every object of the plan shares.
    sql: Value,
}

impl<'a> Objects<'a> {
    pub(in crate::render) fn new(plan: &'a SqlPlan) -> Result<Self, RenderError> {
        // For a cast to regclass.
        let relation = |name: &str| sql_literal(&format!("{}.{}", plan.schema, sql_ident(name)));
        Ok(Self {
            templates: templates()?,
            plan,
            sql: context! {
                schema => &plan.schema,
                schema_literal => sql_literal(&plan.schema),
                storage => relation("storage"),
                notification => relation("notification"),
                processed => relation("processed"),
                quarantine => relation("quarantine"),
                inbox => relation("inbox"),
                settings => &plan.settings,
                version_table => &plan.version_table,
                version_statements => &plan.version_statements,
                version_after_mistake => plan.version_after_mistake,
            },
        })
    }

    /// SQL that creates or replaces an object.
    pub(in crate::render) fn text(&self, object: &Object) -> Result<String, RenderError> {
        let sql = &self.sql;
        let (template, context) = match object.source {
            Source::Storage => ("storage.sql.j2", context! { sql }),
            Source::Schedules => {
                let schema_literal = sql_literal(&self.plan.schema);
                ("schedules.sql.j2", context! { sql, schema_literal })
            }
            Source::Schedule(index) => {
                let schedule = Value::from(Serde(&self.plan.schedules[index]));
                ("schedule.sql.j2", context! { sql, schedule })
            }
            Source::Processed => ("processed.sql.j2", context! { sql }),
            Source::DbVersion => ("db_version.sql.j2", context! { sql }),
            Source::Index(index) => {
                let index = Value::from(Serde(&self.plan.indexes[index]));
                ("index.sql.j2", context! { sql, index })
            }
            Source::Function(index) => {
                let function = Value::from(Serde(&self.plan.functions[index]));
                ("function.sql.j2", context! { sql, function })
            }
            Source::Trigger(index) => {
                let trigger = Value::from(Serde(&self.plan.triggers[index]));
                ("trigger.sql.j2", context! { trigger })
            }
            Source::Listener(index) => {
                let listener = Value::from(Serde(&self.plan.listeners[index]));
                ("listener.sql.j2", context! { sql, listener })
            }
        };
        Ok(self.templates.get_template(template)?.render(context)?)
    }

    /// SQL that creates a trigger on another table than its own. Any function will do, and this one is always there.
    pub(in crate::render) fn trigger_on(
        &self,
        trigger: &SqlTrigger,
        table: &str,
    ) -> Result<String, RenderError> {
        let mut trigger = trigger.clone();
        table.clone_into(&mut trigger.table);
        trigger.table_literal = sql_literal(table);
        trigger.function = "pg_catalog.suppress_redundant_updates_trigger".into();
        trigger.enable = "";
        let trigger = Value::from(Serde(&trigger));
        let template = self.templates.get_template("trigger.sql.j2")?;
        Ok(template.render(context! { trigger })?)
    }

    /// A function that does nothing any more.
    pub(in crate::render) fn silent(&self, key: &Key) -> Result<String, RenderError> {
        let (kind, schema, function) = match key {
            Key::Notify { schema, function } => ("notify", schema, function),
            Key::Capture { schema, function } => ("capture", schema, function),
            _ => return Ok(String::new()),
        };
        let name = format!("{}.{}", sql_ident(schema), sql_ident(function));
        let template = self.templates.get_template("silent.sql.j2")?;
        Ok(template.render(context! { kind, name })?)
    }

    /// Before triggers are replaced, and after: they stay switched as they are.
    pub(super) fn switched(&self, triggers: &[Switched]) -> Result<(String, String), RenderError> {
        let triggers = Value::from(Serde(triggers));
        let before = self.templates.get_template("switched.sql.j2")?;
        let after = self.templates.get_template("switch_again.sql.j2")?;
        Ok((before.render(context! { triggers })?, after.render(())?))
    }

    /// The storage goes, unless somebody still waits for it.
    pub(in crate::render) fn drop_storage(&self, schema: &str) -> Result<String, RenderError> {
        let schema = sql_ident(schema);
        let hint = format!(
            "Let the workers finish, or give them up: DELETE FROM {schema}.\"notification\"."
        );
        let quarantine_hint = format!(
            "put them back with pgpubsub-gen quarantine redrive, or give them up: DELETE FROM {schema}.\"quarantine\""
        );
        let template = self.templates.get_template("drop_storage.sql.j2")?;
        Ok(template.render(context! {
            schema,
            hint => sql_literal(&hint),
            quarantine_hint => sql_literal(&quarantine_hint),
        })?)
    }

    /// The processed ones go, unless somebody may still want them.
    pub(in crate::render) fn drop_processed(&self, schema: &str) -> Result<String, RenderError> {
        let schema = sql_ident(schema);
        let processed = format!("{schema}.{}", sql_ident("processed"));
        let hint = format!("Give them up: TRUNCATE {processed}.");
        let template = self.templates.get_template("drop_processed.sql.j2")?;
        Ok(template.render(context! {
            schema,
            processed => sql_literal(&processed),
            hint => sql_literal(&hint),
        })?)
    }
}

fn templates() -> Result<Environment<'static>, RenderError> {
    macro_rules! template {
        ($name:literal) => {
            (
                $name,
                include_str!(concat!("../../../templates/sql/", $name)),
            )
        };
    }
    layout::environment(&[
        template!("macros.sql.j2"),
        template!("messages.sql.j2"),
        template!("settings.sql.j2"),
        template!("storage.sql.j2"),
        template!("processed.sql.j2"),
        template!("drop_processed.sql.j2"),
        template!("db_version.sql.j2"),
        template!("index.sql.j2"),
        template!("function.sql.j2"),
        template!("trigger.sql.j2"),
        template!("listener.sql.j2"),
        template!("schedules.sql.j2"),
        template!("schedule.sql.j2"),
        template!("silent.sql.j2"),
        template!("drop_storage.sql.j2"),
        template!("switched.sql.j2"),
        template!("switch_again.sql.j2"),
    ])
}

//! What a live database is compared with, beside the SQL: tables with their columns, and which channel is on which model.

use std::collections::HashMap;

use crate::model::{
    Channel, ChannelKind, Delivery, Level, PgType, QualifiedName, Schema, TypeKind,
};

use super::names::function_name;
use super::rust_types::pg_name;
use super::sql::{SqlFunction, SqlPlan};

/// What a live database is compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LivePlan {
    /// Schema of our objects, not quoted.
    pub storage: String,
    /// What the schema says of the notification table: storage parameters with their values.
    pub settings: Vec<(String, String)>,
    /// Declared types, in order of the schema.
    pub types: Vec<LiveType>,
    /// Tables of the models, in order of the schema.
    pub tables: Vec<LiveTable>,
    /// In order of the schema.
    pub channels: Vec<LiveChannel>,
    /// Those of durable channels, in order of the schema.
    pub listeners: Vec<LiveListener>,
}

/// A declared type.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveType {
    /// Name in the database.
    pub name: QualifiedName,
    /// What it is.
    pub kind: TypeKind,
}

/// Table of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTable {
    /// The model.
    pub model: String,
    /// The table.
    pub table: QualifiedName,
    /// Whether it is declared as partitioned.
    pub partitioned: bool,
    /// In order of the schema.
    pub columns: Vec<LiveColumn>,
    /// Whether a function pairs rows by the primary key.
    pub paired: bool,
}

/// A declared column.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveColumn {
    /// Name in the table.
    pub name: String,
    /// Type.
    pub ty: PgType,
    /// The same as PostgreSQL names it.
    pub type_name: String,
    /// Whether it may hold null.
    pub nullable: bool,
    /// Whether it is part of the primary key.
    pub primary_key: bool,
    /// Whether functions send it.
    pub captured: bool,
}

/// A channel.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveChannel {
    /// Name.
    pub name: String,
    /// The model that it is on; `None`: a message channel.
    pub model: Option<String>,
    /// Former names.
    pub was: Vec<String>,
    /// Version that its notifications carry now.
    pub version: u32,
    /// Whether what was processed is kept for a time.
    pub retains: bool,
    /// Oldest version that is read.
    pub oldest: u32,
    /// Its function, without schema, not quoted.
    pub function: String,
    /// Whether its triggers are the user's own.
    pub own_triggers: bool,
}

/// A listener.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveListener {
    /// Name.
    pub name: String,
    /// Its group.
    pub group: String,
    /// Former groups, which it serves, too.
    pub was: Vec<String>,
    /// What it takes of which channels, by name.
    pub takes: Vec<(String, Vec<&'static str>)>,
    /// Whether some of what it takes comes one after the other.
    pub ordered: bool,
}

pub(super) fn plan(schema: &Schema, sql: &SqlPlan) -> LivePlan {
    let paired = |model: usize| {
        schema.channels.iter().any(|channel| {
            matches!(&channel.kind, ChannelKind::Trigger(on) if on.model == model && on.level == Level::Statement)
        })
    };
    // The one under its own name comes before those under former ones.
    let mut functions: HashMap<&str, &SqlFunction> = HashMap::new();
    for function in &sql.functions {
        functions.entry(&function.channel_name).or_insert(function);
    }
    LivePlan {
        storage: schema.generate.storage_schema.clone(),
        settings: schema.generate.settings.clone(),
        types: schema
            .types
            .iter()
            .map(|ty| LiveType {
                name: ty.sql.clone(),
                kind: ty.kind.clone(),
            })
            .collect(),
        tables: schema
            .models
            .iter()
            .enumerate()
            .map(|(index, model)| LiveTable {
                model: model.name.clone(),
                table: model.table.clone(),
                partitioned: model.partitioned,
                columns: model
                    .columns
                    .iter()
                    .map(|column| LiveColumn {
                        name: column.column.clone(),
                        ty: column.ty.clone(),
                        type_name: pg_name(&column.ty, &schema.types),
                        nullable: column.nullable,
                        primary_key: column.primary_key,
                        captured: column.captured,
                    })
                    .collect(),
                paired: paired(index),
            })
            .collect(),
        channels: schema
            .channels
            .iter()
            .filter_map(|channel| Some((channel, *functions.get(channel.name.as_str())?)))
            .map(|(channel, function)| LiveChannel {
                name: channel.name.clone(),
                model: model_of(schema, channel),
                was: channel.was.clone().unwrap_or_default(),
                version: function.model_version,
                retains: channel.retain.is_some(),
                oldest: oldest(schema, channel),
                function: function_name(function.kind, &channel.name),
                own_triggers: function.own_triggers,
            })
            .collect(),
        listeners: schema
            .listeners
            .iter()
            .filter(|listener| {
                let mut taken = listener.channels.iter();
                taken.any(|taken| schema.channels[taken.channel].delivery == Delivery::Durable)
            })
            .map(|listener| LiveListener {
                name: listener.name.clone(),
                group: listener.group.clone(),
                was: listener.was.clone(),
                takes: listener
                    .channels
                    .iter()
                    .map(|taken| {
                        let ops = taken.ops.iter().map(|op| op.as_str());
                        (schema.channels[taken.channel].name.clone(), ops.collect())
                    })
                    .collect(),
                ordered: listener
                    .channels
                    .iter()
                    .any(|taken| schema.channels[taken.channel].order.is_some()),
            })
            .collect(),
    }
}

/// Of its model, or its own.
fn oldest(schema: &Schema, channel: &Channel) -> u32 {
    let oldest = match &channel.kind {
        ChannelKind::Trigger(on) => &schema.models[on.model].oldest,
        ChannelKind::Message { .. } => &channel.oldest,
    };
    oldest.as_ref().map_or(1, |oldest| oldest.value)
}

fn model_of(schema: &Schema, channel: &Channel) -> Option<String> {
    match &channel.kind {
        ChannelKind::Trigger(on) => Some(schema.models[on.model].name.clone()),
        ChannelKind::Message { .. } => None,
    }
}

//! Schemas of the golden cases, by hand: these tests are about what comes after the YAML.

use pgpubsub_gen::model::*;

fn name(schema: &str, name: &str) -> QualifiedName {
    QualifiedName {
        schema: schema.into(),
        name: name.into(),
    }
}

fn generate() -> Generate {
    Generate {
        rust_out: "generated-example/src/pubsub.rs".into(),
        rust_in_project: true,
        rust_derive: Vec::new(),
        migrations_dir: Some("generated-example/migrations".into()),
        lock_timeout: "3s".into(),
        version_table: Some(name("public", "_sqlx_migrations")),
        stubs: Some("generated-example/src/listeners.rs".into()),
        storage_schema: "pgpubsub".into(),
    }
}

fn column(field: &str, ty: PgType) -> Column {
    Column {
        field: field.into(),
        column: field.into(),
        doc: None,
        ty,
        nullable: false,
        primary_key: false,
    }
}

fn nullable(field: &str, ty: PgType) -> Column {
    Column {
        nullable: true,
        ..column(field, ty)
    }
}

fn id() -> Column {
    Column {
        primary_key: true,
        ..column("id", PgType::BigInt)
    }
}

fn model(key: &str, table: QualifiedName, columns: Vec<Column>) -> Model {
    Model {
        name: key.into(),
        doc: None,
        table,
        columns,
    }
}

fn on(key: &str, model: usize, doc: &str, events: &[(Timing, Op)]) -> Channel {
    let events = events
        .iter()
        .map(|&(timing, op)| TriggerEvent { timing, op })
        .collect();
    Channel {
        name: key.into(),
        doc: (!doc.is_empty()).then(|| doc.into()),
        delivery: Delivery::Durable,
        kind: ChannelKind::Trigger { model, events },
    }
}

fn message(key: &str, doc: &str, fields: Vec<MessageField>) -> Channel {
    Channel {
        name: key.into(),
        doc: (!doc.is_empty()).then(|| doc.into()),
        delivery: Delivery::Durable,
        kind: ChannelKind::Message {
            fields,
            extends: None,
        },
    }
}

fn field(key: &str, ty: FieldType, default: Option<Literal>) -> MessageField {
    MessageField {
        name: key.into(),
        doc: None,
        ty,
        default,
    }
}

fn optional(ty: FieldType) -> FieldType {
    FieldType::Optional(Box::new(ty))
}

fn text(value: &str) -> Literal {
    Literal::Text(value.into())
}

fn listener(key: &str, channel: usize, doc: &str, ops: &[Op]) -> Listener {
    Listener {
        name: key.into(),
        doc: (!doc.is_empty()).then(|| doc.into()),
        channel,
        ops: ops.to_vec(),
        group: key.into(),
        filter: Vec::new(),
    }
}

/// What `schema.example.yaml` says.
pub(crate) fn example() -> Schema {
    let reads = |kind: &str| {
        vec![
            field("model_id", FieldType::Int, None),
            field("model_type", FieldType::String, Some(text(kind))),
            field("date", optional(FieldType::Date), Some(Literal::Null)),
            field(
                "per_day",
                FieldType::Map(Box::new(FieldType::Date), Box::new(FieldType::Int)),
                Some(Literal::Map(Vec::new())),
            ),
        ]
    };
    let mut post_reads = message("post_reads", "Somebody read a post.", reads("Post"));
    if let ChannelKind::Message { extends, .. } = &mut post_reads.kind {
        *extends = Some(3);
    }
    let mut cache_expired = message(
        "cache_expired",
        "Every connected process drops its copy of this post.",
        vec![
            field("post_id", FieldType::Int, None),
            field("reason", FieldType::String, Some(text("changed"))),
        ],
    );
    cache_expired.delivery = Delivery::Transient;
    Schema {
        source: "schema.example.yaml".into(),
        generate: generate(),
        models: vec![
            Model {
                doc: Some("Somebody who writes posts.".into()),
                ..model(
                    "author",
                    name("app", "author"),
                    vec![
                        id(),
                        column("name", PgType::Text),
                        nullable("email", PgType::Text),
                        column("created_at", PgType::TimestampTz),
                    ],
                )
            },
            model(
                "post",
                name("app", "post"),
                vec![
                    id(),
                    nullable("author_id", PgType::BigInt),
                    column("content", PgType::Text),
                    column("date", PgType::Date),
                ],
            ),
            model(
                "media",
                name("app", "media"),
                vec![
                    id(),
                    column("name", PgType::Text),
                    nullable("content_type", PgType::Text),
                    column("size", PgType::Numeric(Some((20, 0)))),
                    Column {
                        column: "storage_key".into(),
                        ..column("key", PgType::Uuid)
                    },
                ],
            ),
        ],
        channels: vec![
            on(
                "author_created",
                0,
                "A new author.",
                &[(Timing::After, Op::Insert)],
            ),
            on(
                "post_deleted",
                1,
                "A post is about to disappear.",
                &[(Timing::Before, Op::Delete)],
            ),
            on(
                "media_saved",
                2,
                "A medium was inserted or updated.",
                &[(Timing::After, Op::Insert), (Timing::After, Op::Update)],
            ),
            message(
                "model_reads",
                "Somebody read rows of a model.",
                reads("Any"),
            ),
            post_reads,
            cache_expired,
        ],
        listeners: vec![
            listener(
                "create_first_post",
                0,
                "Gives each new author a first post.",
                &[Op::Insert],
            ),
            listener(
                "count_reads",
                4,
                "Adds the reads to the count of their day.",
                &[Op::Message],
            ),
            listener(
                "mail_author",
                1,
                "Tells the author that a post is gone.",
                &[Op::Delete],
            ),
            listener(
                "scan_media",
                2,
                "Scans what was uploaded.",
                &[Op::Insert, Op::Update],
            ),
            listener("drop_cache", 5, "", &[Op::Message]),
            listener("on_model_reads", 3, "", &[Op::Message]),
        ],
    }
}

/// The example with a renamed channel, a new column and a model on another table.
pub(crate) fn changed() -> Schema {
    let mut schema = example();
    schema.channels[0].name = "author_added".into();
    schema.models[0].columns[2].ty = PgType::VarChar(Some(200));
    // The function of a channel that was not renamed moves to another table.
    schema.models[1].table.name = "article".into();
    schema
}

/// Names that look for trouble.
pub(crate) fn names() -> Schema {
    let named = |field: &str, name: &str| Column {
        column: name.into(),
        ..column(field, PgType::Text)
    };
    let long = "a_channel_with_a_name_that_is_far_too_long_for_postgresql_and_goes_on";
    let mut partial = listener("partial", 0, "Only deletes, for one tenant.", &[Op::Delete]);
    partial.group = "it's a \\ group $pgpubsub$".into();
    partial.filter = vec![
        ContextFilter {
            key: "tenant".into(),
            value: FilterValue::Environment("TENANT".into()),
        },
        ContextFilter {
            key: "qu\"ote".into(),
            value: FilterValue::Literal("\\ '\n".into()),
        },
    ];
    let mut second = listener("second", 0, "", &[Op::Update, Op::Delete]);
    second.group.clone_from(&partial.group);
    let mut whole = listener("new", 0, "", &[Op::Insert, Op::Update, Op::Delete]);
    whole.filter = vec![ContextFilter {
        key: "tenant".into(),
        value: FilterValue::Literal("a".into()),
    }];
    let mut lookalike = on(
        &format!("{long}_two"),
        1,
        "Both */ and /* and \"quotes\" and `ticks`.\n\n- a list\n- it's \\ long   \n\nEnd.",
        &[(Timing::Before, Op::Insert), (Timing::After, Op::Update)],
    );
    lookalike.delivery = Delivery::Transient;
    Schema {
        source: "schema.yaml".into(),
        generate: Generate {
            rust_out: "src/pubsub.rs".into(),
            rust_in_project: true,
            rust_derive: vec!["Eq".into(), "Clone".into()],
            migrations_dir: Some("migrations".into()),
            stubs: None,
            storage_schema: "Pub\"Sub".into(),
            ..generate()
        },
        models: vec![
            model(
                "option",
                name("Sch\"ema", "Sel\"ect é"),
                vec![
                    named("type", "type"),
                    named("self", "or\"der"),
                    named("new", "new"),
                    named("old", "old"),
                    named("row", "_row"),
                    named("mixed_case", "Mixed Case"),
                    named("tick", "ti`ck"),
                    named("op", "TG_OP"),
                    named("payload", "_payload"),
                ],
            ),
            model(
                "plain",
                name("public", "plain"),
                vec![column("r", PgType::Text)],
            ),
        ],
        channels: vec![
            on(
                "Größe",
                0,
                "",
                &[
                    (Timing::Before, Op::Insert),
                    (Timing::Before, Op::Update),
                    (Timing::Before, Op::Delete),
                ],
            ),
            on(
                &format!("{long}_one"),
                1,
                "",
                &[(Timing::After, Op::Insert)],
            ),
            lookalike,
            message(
                &format!("{long}_message"),
                "",
                vec![
                    field("r#type", FieldType::Int, None),
                    field("match", FieldType::String, Some(text("a ' \" \\ \n $1"))),
                ],
            ),
        ],
        listeners: vec![
            partial,
            second,
            whole,
            listener(&format!("on_{long}_one"), 1, "", &[Op::Insert]),
            listener(&format!("on_{long}_two"), 2, "", &[Op::Insert, Op::Update]),
            listener(&format!("on_{long}_message"), 3, "", &[Op::Message]),
        ],
    }
}

/// Every type of a column and of a field.
pub(crate) fn all_types() -> Schema {
    let plain = [
        ("small", PgType::SmallInt),
        ("int", PgType::Integer),
        ("big", PgType::BigInt),
        ("number", PgType::Numeric(None)),
        ("number_40_20", PgType::Numeric(Some((40, 20)))),
        ("single", PgType::Real),
        ("double", PgType::DoublePrecision),
        ("flag", PgType::Boolean),
        ("words", PgType::Text),
        ("some_words", PgType::VarChar(None)),
        ("few_words", PgType::VarChar(Some(20))),
        ("letter", PgType::Char(None)),
        ("letters", PgType::Char(Some(5))),
        ("key", PgType::Uuid),
        ("bytes", PgType::Bytea),
        ("day", PgType::Date),
        ("hour", PgType::Time),
        ("local", PgType::Timestamp),
        ("moment", PgType::TimestampTz),
        ("span", PgType::Interval),
        ("json_text", PgType::Json),
        ("json_tree", PgType::Jsonb),
    ];
    let mut columns = vec![id()];
    for (field, ty) in &plain {
        columns.push(column(field, ty.clone()));
        columns.push(nullable(&format!("{field}_null"), ty.clone()));
        columns.push(column(
            &format!("{field}_array"),
            PgType::Array(Box::new(ty.clone())),
        ));
    }
    let list = |ty: FieldType| FieldType::List(Box::new(ty));
    let set = |ty: FieldType| FieldType::Set(Box::new(ty));
    let map = |key: FieldType, value: FieldType| FieldType::Map(Box::new(key), Box::new(value));
    let pair = FieldType::Tuple(vec![FieldType::Int, FieldType::String]);
    let fields = vec![
        field("int", FieldType::Int, Some(Literal::Int(i64::MIN))),
        field("float", FieldType::Float, Some(Literal::Float(0.1))),
        field("decimal", FieldType::Decimal, Some(text("1.50"))),
        field("bool", FieldType::Bool, Some(Literal::Bool(true))),
        field("string", FieldType::String, Some(text("it's \\ \"ü\""))),
        field("empty", FieldType::String, Some(text(""))),
        field(
            "bytes",
            FieldType::Bytes,
            Some(Literal::Bytes(vec![0, 255, 1, 2])),
        ),
        field("date", FieldType::Date, Some(text("2026-01-31"))),
        field("time", FieldType::Time, Some(text("12:34:56.000001"))),
        field(
            "datetime",
            FieldType::DateTime,
            Some(text("2026-01-31T12:34:56Z")),
        ),
        field("duration", FieldType::Duration, Some(text("PT1.5S"))),
        field(
            "uuid",
            FieldType::Uuid,
            Some(text("00000000-0000-0000-0000-000000000001")),
        ),
        field(
            "json",
            FieldType::Json,
            Some(Literal::Json(serde_json::json!({"a": [1, null]}))),
        ),
        field(
            "list",
            list(FieldType::Int),
            Some(Literal::Sequence(vec![Literal::Int(2), Literal::Int(1)])),
        ),
        field(
            "set",
            set(FieldType::String),
            Some(Literal::Sequence(vec![text("a"), text("b")])),
        ),
        field(
            "map",
            map(FieldType::Bool, FieldType::Decimal),
            Some(Literal::Map(vec![(Literal::Bool(false), text("0.1"))])),
        ),
        field(
            "pair",
            pair.clone(),
            Some(Literal::Sequence(vec![Literal::Int(1), text("x")])),
        ),
        field("some", optional(FieldType::Int), Some(Literal::Int(1))),
        field(
            "none",
            optional(list(FieldType::Float)),
            Some(Literal::Null),
        ),
        field(
            "nested",
            map(FieldType::Date, list(optional(pair.clone()))),
            Some(Literal::Map(Vec::new())),
        ),
    ];
    let required = [
        FieldType::Int,
        FieldType::Float,
        FieldType::Decimal,
        FieldType::Bytes,
        FieldType::Time,
        FieldType::DateTime,
        FieldType::Duration,
        set(FieldType::Uuid),
        FieldType::Tuple(vec![FieldType::Json]),
    ];
    let required = required
        .into_iter()
        .enumerate()
        .map(|(index, ty)| field(&format!("field_{index}"), ty, None))
        .collect();
    Schema {
        source: "schema.yaml".into(),
        generate: Generate {
            rust_out: "src/pubsub.rs".into(),
            rust_in_project: true,
            migrations_dir: Some("migrations".into()),
            version_table: None,
            stubs: None,
            ..generate()
        },
        models: vec![model("everything", name("public", "everything"), columns)],
        channels: vec![
            on(
                "everything_changed",
                0,
                "",
                &[
                    (Timing::After, Op::Insert),
                    (Timing::After, Op::Update),
                    (Timing::After, Op::Delete),
                ],
            ),
            message("defaults", "", fields),
            message("required", "", required),
            message("empty", "", Vec::new()),
            message(
                "short",
                "",
                vec![
                    field("a", FieldType::Int, None),
                    field("b", FieldType::Int, None),
                ],
            ),
        ],
        listeners: vec![
            listener(
                "on_everything_changed",
                0,
                "",
                &[Op::Insert, Op::Update, Op::Delete],
            ),
            listener("on_defaults", 1, "", &[Op::Message]),
            listener("on_required", 2, "", &[Op::Message]),
            listener("on_empty", 3, "", &[Op::Message]),
            listener("on_short", 4, "", &[Op::Message]),
        ],
    }
}

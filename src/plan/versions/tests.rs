use super::*;
use crate::diagnostic::Sources;
use crate::schema;

fn schema(models: &str, channels: &str) -> Schema {
    let text = format!("version: 1\nmodels: {models}\nchannels: {channels}\n");
    match schema::load_text(&Sources::new("schema.yaml", &text)) {
        Ok(loaded) => loaded.schema,
        Err(mistakes) => panic!("{mistakes:?}"),
    }
}

/// Versions of the model and of the message channel `a`, as far as there are any; what is new is recorded.
fn next(shapes: &mut Shapes, schema: &Schema) -> (Option<u32>, Option<u32>) {
    let versions = Versions::new(schema, shapes);
    for shape in versions.recorded() {
        shapes.record(shape);
    }
    // Nothing is left to say.
    assert!(Versions::new(schema, shapes).recorded().is_empty());
    let message = |channel: &Channel| matches!(channel.kind, ChannelKind::Message { .. });
    let found = (
        schema.models.first().map(|model| versions.of_model(model)),
        schema
            .channels
            .iter()
            .find(|channel| message(channel))
            .map(|channel| versions.of_channel(schema, channel)),
    );
    assert_eq!(Versions::new(schema, shapes), Versions::new(schema, shapes));
    found
}

const ON: &str = "{created: {on: a, after: insert}}";

#[test]
fn another_shape_is_another_version_and_an_old_one_does_not_come_back() {
    let mut shapes = Shapes::default();
    for (columns, version) in [
        ("{id: bigint pk, x: text}", 1),
        ("{id: bigint pk, x: text}", 1),
        ("{id: bigint pk, x: text?}", 2),
        ("{id: bigint pk, x: text}", 3),
        ("{x: text, id: bigint pk}", 3),
        ("{id: bigint pk, x: {type: text, capture: never}}", 4),
        ("{id: bigint pk, x: {type: text, until: 3}}", 4),
    ] {
        let schema = schema(&format!("{{a: {{columns: {columns}}}}}"), ON);
        assert_eq!(next(&mut shapes, &schema).0, Some(version), "{columns}");
    }
}

#[test]
fn messages_have_versions_of_their_own() {
    let mut shapes = Shapes::default();
    for (fields, version) in [
        ("{x: int}", 1),
        ("{x: int = 5}", 1),
        ("{x: int?}", 2),
        ("{x: int?, y: string}", 3),
        ("{x: int?, y: {type: string, until: 3}}", 4),
    ] {
        let schema = schema("{}", &format!("{{a: {{message: {fields}}}}}"));
        assert_eq!(next(&mut shapes, &schema).1, Some(version), "{fields}");
    }
}

#[test]
fn a_renamed_model_or_channel_goes_on_and_needs_its_former_name_only_once() {
    let mut shapes = Shapes::default();
    for (name, was, columns, version) in [
        ("a", "", "{id: bigint pk}", 1),
        ("a", "", "{id: bigint pk, x: text}", 2),
        ("b", ", was: a", "{id: bigint pk, x: text}", 2),
        ("b", "", "{id: bigint pk, x: text}", 2),
        ("b", "", "{id: bigint pk}", 3),
        ("c", ", was: [b, a]", "{id: integer pk}", 4),
        ("d", "", "{id: integer pk}", 1),
    ] {
        let models = format!("{{{name}: {{columns: {columns}{was}}}}}");
        let schema = schema(&models, &ON.replace("on: a", &format!("on: {name}")));
        assert_eq!(next(&mut shapes, &schema).0, Some(version), "{models}");
    }
    assert_eq!(shapes.of(Shaped::Model, "c").count(), 4);
    let mut shapes = Shapes::default();
    for (channel, version) in [
        ("a: {message: {x: int}}", 1),
        ("b: {was: a, message: {x: int}}", 1),
        ("c: {was: [a, b], message: {x: string}}", 2),
    ] {
        let schema = schema("{}", &format!("{{{channel}}}"));
        assert_eq!(next(&mut shapes, &schema).1, Some(version), "{channel}");
    }
}

#[test]
fn what_a_channel_sends_is_part_of_the_shape_but_another_channel_is_no_new_version() {
    let mut shapes = Shapes::default();
    let models = "{a: {columns: {id: bigint pk, x: text, y: text}}}";
    for (channels, version) in [
        ("{c: {on: a, after: insert}}", 1),
        (
            "{c: {on: a, after: insert}, d: {on: a, after: insert, payload: [id]}}",
            1,
        ),
        ("{d: {on: a, after: insert, payload: [id]}}", 1),
        ("{d: {on: a, after: insert, payload: [x, id]}}", 2),
        ("{d: {on: a, after: insert, payload: [id, x]}}", 2),
        // All instead of some, and some instead of all.
        ("{d: {on: a, after: insert}}", 3),
        ("{d: {on: a, after: insert, payload: [id]}}", 4),
        // What it sent in this version is not forgotten while it is away.
        ("{e: {on: a, after: insert}}", 4),
        ("{d: {on: a, after: insert, payload: [id]}}", 4),
        ("{d: {on: a, after: insert, payload: [x]}}", 5),
        ("{f: {was: d, on: a, after: insert, payload: [x]}}", 5),
        ("{g: {was: [d, f], on: a, after: insert, payload: [y]}}", 6),
    ] {
        let schema = schema(models, channels);
        assert_eq!(next(&mut shapes, &schema).0, Some(version), "{channels}");
    }
}

#[test]
fn the_row_that_a_model_extends_is_part_of_its_shape() {
    let mut shapes = Shapes::default();
    for (parent, version) in [("text", 1), ("text", 1), ("integer", 2)] {
        let models = format!(
            "{{a: {{extends: p, columns: {{id: bigint pk parent}}}}, p: {{columns: {{id: bigint pk, x: {parent}}}}}}}"
        );
        let schema = schema(&models, ON);
        assert_eq!(next(&mut shapes, &schema).0, Some(version), "{models}");
    }
}

#[test]
fn after_two_branches_took_the_same_number_the_next_one_follows_whichever_came_first() {
    let first =
        |columns: &str, channels: &str| schema(&format!("{{a: {{columns: {columns}}}}}"), channels);
    let base = first("{id: bigint pk}", ON);
    let left = first("{id: bigint pk, x: text}", ON);
    let right = first("{id: bigint pk, y: text}", ON);
    let both = first("{id: bigint pk, x: text, y: text}", ON);
    let mut outcomes = Vec::new();
    for order in [[&left, &right], [&right, &left]] {
        let mut shapes = Shapes::default();
        next(&mut shapes, &base);
        let branches: Vec<_> = order
            .iter()
            .map(|schema| Versions::new(schema, &shapes).recorded())
            .collect();
        for shape in branches.into_iter().flatten() {
            assert_eq!(shape.version, 2);
            shapes.record(shape);
        }
        // Even what equals one of the two has to be told from the other.
        assert_eq!(next(&mut shapes.clone(), &left).0, Some(3));
        assert_eq!(next(&mut shapes, &both).0, Some(3));
        assert_eq!(next(&mut shapes, &both).0, Some(3));
        outcomes.push(Versions::new(&both, &shapes));
    }
    assert_eq!(outcomes[0], outcomes[1]);
    // Branches that only added channels agree.
    let mut shapes = Shapes::default();
    next(&mut shapes, &base);
    for channel in [
        "l: {on: a, after: insert, payload: [id]}",
        "r: {on: a, after: delete}",
    ] {
        let schema = first("{id: bigint pk}", &format!("{{{channel}}}"));
        for shape in Versions::new(&schema, &shapes).recorded() {
            shapes.record(shape);
        }
    }
    let merged = "{l: {on: a, after: insert, payload: [id]}, r: {on: a, after: delete}}";
    assert_eq!(
        next(&mut shapes, &first("{id: bigint pk}", merged)).0,
        Some(1)
    );
}

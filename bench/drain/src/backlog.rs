//! What is drained.

use pgpubsub_bench_bed::Result;
use pgpubsub_runtime::tokio_postgres::Client;

/// The tables.
pub(crate) async fn create(client: &Client) -> Result<()> {
    client
        .batch_execute(include_str!("../../../runtime/tests/storage.sql"))
        .await?;
    client
        .batch_execute("DROP TABLE effect; CREATE TABLE effect (id bigint NOT NULL)")
        .await?;
    Ok(())
}

/// So many notifications, of about 600 bytes, and nothing else.
pub(crate) async fn fill(client: &Client, count: usize) -> Result<()> {
    let fill = format!(
        "TRUNCATE pgpubsub.notification; TRUNCATE effect;
         INSERT INTO pgpubsub.notification (listener_group, channel, op, model_version, payload)
         SELECT 'work', 'jobs', 'message', 1, json_build_object('new', json_build_object('id', g, 'name', 'item name ' || g, 'qty', g,
           'created_at', now(), 'price', 12.34, 'attrs', json_build_object('colour', 'red', 'size', 42, 'tags', '[\"a\", \"b\", \"c\"]'::json),
           'ref', gen_random_uuid(), 'active', true, 'note', repeat('x', 300)))
         FROM generate_series(1, {count}) AS g"
    );
    client.batch_execute(&fill).await?;
    client.batch_execute("CHECKPOINT").await?;
    Ok(())
}

//! What the database says in the end.

use tokio_postgres::Client;

/// How many items have an effect not at all, and more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) missing: i64,
    pub(crate) twice: i64,
}

pub(crate) async fn verdict(client: &Client, effect: &str) -> Verdict {
    let sql = "SELECT count(*) FILTER (WHERE times = 0), count(*) FILTER (WHERE times > 1)
               FROM (SELECT count(ledger.item) AS times FROM app.item
                     LEFT JOIN app.ledger ON ledger.item = item.id AND ledger.effect = $1 GROUP BY item.id) AS counted";
    let row = client.query_one(sql, &[&effect]).await.expect(sql);
    Verdict {
        missing: row.get(0),
        twice: row.get(1),
    }
}

/// How many occurrences were fired, and how many of them, or beside them, were not noted exactly once.
pub(crate) async fn ticks(client: &Client) -> (i64, i64) {
    let sql = "SELECT count(planned), count(*) FILTER (WHERE fired IS DISTINCT FROM 1 OR noted IS DISTINCT FROM 1)
               FROM (SELECT planned, count(*) AS fired FROM app.fired GROUP BY planned) AS fired
               FULL JOIN (SELECT planned, count(*) AS noted FROM app.tick GROUP BY planned) AS noted USING (planned)";
    let row = client.query_one(sql, &[]).await.expect(sql);
    (row.get(0), row.get(1))
}

/// How many items a group keeps not at all, and more than once, after it has processed them.
pub(crate) async fn kept(client: &Client, group: &str) -> Verdict {
    let sql = "SELECT count(*) FILTER (WHERE times = 0), count(*) FILTER (WHERE times > 1)
               FROM (SELECT count(kept.item) AS times FROM app.item
                     LEFT JOIN (SELECT (payload -> 'new' ->> 'id')::bigint AS item FROM pgpubsub.processed WHERE listener_group = $1) AS kept
                       ON kept.item = item.id GROUP BY item.id) AS counted";
    let row = client.query_one(sql, &[&group]).await.expect(sql);
    Verdict {
        missing: row.get(0),
        twice: row.get(1),
    }
}

/// How many notifications nobody tries any more.
pub(crate) async fn quarantined(client: &Client) -> i64 {
    let sql = "SELECT count(*) FROM pgpubsub.quarantine";
    client.query_one(sql, &[]).await.expect(sql).get(0)
}

/// How many notifications wait, counted up to `most`.
pub(crate) async fn waiting(client: &Client, most: i64) -> i64 {
    let sql = "SELECT count(*) FROM (SELECT FROM pgpubsub.notification LIMIT $1) AS waiting";
    client.query_one(sql, &[&most]).await.expect(sql).get(0)
}

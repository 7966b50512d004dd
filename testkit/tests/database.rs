//! A database for each test.

use pgpubsub_testkit::{Cluster, Database, Error, Options, Shutdown};

async fn names(client: &tokio_postgres::Client, like: &str) -> i64 {
    let sql = "SELECT count(*) FROM pg_catalog.pg_database WHERE datname = $1";
    client
        .query_one(sql, &[&like])
        .await
        .expect("the databases")
        .get(0)
}

#[tokio::test]
async fn two_databases_do_not_see_each_other() {
    let (one, other) = tokio::join!(Database::create(), Database::create());
    let (one, other) = (one.expect("a database"), other.expect("a database"));
    one.execute_sql("CREATE TABLE author (id bigint)")
        .await
        .expect("the table");
    other
        .execute_sql("CREATE TABLE author (id bigint)")
        .await
        .expect("the same table");
    assert_ne!(one.url(), other.url());
}

#[tokio::test]
async fn the_url_leads_to_the_database_of_the_config() {
    let database = Database::create().await.expect("a database");
    let by_url: tokio_postgres::Config = database.url().parse().expect("a connection string");
    assert_eq!(by_url.get_dbname(), database.config().get_dbname());
    assert_eq!(by_url.get_hosts(), database.config().get_hosts());
}

#[tokio::test]
async fn dropping_a_database_drops_it_under_open_sessions() {
    let database = Database::create().await.expect("a database");
    let name = database
        .config()
        .get_dbname()
        .expect("it has a name")
        .to_owned();
    let session = database.connect().await.expect("a session");
    drop(database);
    let fresh = Database::create().await.expect("a database");
    let client = fresh.connect().await.expect("a session");
    assert_eq!(names(&client, &name).await, 0);
    assert!(session.simple_query("SELECT 1").await.is_err());
}

#[tokio::test]
async fn a_cluster_of_ones_own_has_its_own_settings() {
    let settings = vec![("max_connections".to_owned(), "7".to_owned())];
    let cluster = tokio::task::spawn_blocking(|| {
        Cluster::start(&Options {
            fsync: true,
            settings,
        })
    })
    .await
    .expect("no panic")
    .expect("a cluster");
    let database = Database::create_on(&cluster).await.expect("a database");
    let client = database.connect().await.expect("a session");
    for (name, value) in [
        ("max_connections", "7"),
        ("fsync", "on"),
        ("listen_addresses", ""),
    ] {
        let row = client
            .query_one("SELECT pg_catalog.current_setting($1)", &[&name])
            .await;
        assert_eq!(row.expect(name).get::<_, String>(0), value, "{name}");
    }
    drop(database);
    cluster.stop().expect("it stops");
}

#[tokio::test]
async fn a_server_is_shut_down_and_started_again_and_a_standby_takes_over() {
    let blocking = async |work: Box<dyn FnOnce() -> Result<Cluster, Error> + Send>| {
        let done = tokio::task::spawn_blocking(work).await;
        done.expect("no panic").expect("it is done")
    };
    let cluster = blocking(Box::new(|| Cluster::start(&Options::default()))).await;
    let database = Database::create_on(&cluster).await.expect("a database");
    for how in [Shutdown::Fast, Shutdown::Immediate] {
        cluster.shut_down(how).expect("it stops");
        assert!(database.connect().await.is_err(), "{how:?}");
        cluster.start_again().expect("it starts");
        database.connect().await.expect("a session");
    }
    assert!(cluster.promote().is_err(), "it is the primary");

    let (cluster, standby) = tokio::task::spawn_blocking(move || {
        let standby = cluster.standby(&Options::default());
        (cluster, standby)
    })
    .await
    .expect("no panic");
    let standby = standby.expect("a standby");
    let refused = Database::create_on(&standby).await;
    assert!(refused.is_err(), "it is read-only");
    cluster.shut_down(Shutdown::Immediate).expect("it stops");
    standby.promote().expect("it takes over");
    Database::create_on(&standby).await.expect("a database");
}

#[test]
fn a_server_that_does_not_start_shows_its_log() {
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let error = Cluster::start(&Options {
        settings,
        ..Options::default()
    })
    .expect_err("a wrong setting");
    assert!(
        matches!(&error, Error::NotStarted { log } if log.contains("no_such_setting")),
        "{error}"
    );
}

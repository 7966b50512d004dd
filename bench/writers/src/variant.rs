//! What is compared: a database each, with the measured table.

use std::future::pending;

use pgpubsub_bench_bed::{Process, Result, Server};
use pgpubsub_runtime::tokio_postgres::{Client, NoTls};
use pgpubsub_testkit::Database;

use crate::generated;

/// Who is there while others write.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    Nobody,
    /// A session that listens to what the trigger sends, and does nothing with it.
    Listens,
    /// A worker of the generated listener.
    Works(&'static str),
}

pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) company: Company,
    /// What makes the trigger.
    sql: &'static str,
}

pub(crate) const NO_TRIGGER: Variant = Variant {
    name: "no trigger",
    company: Company::Nobody,
    sql: "",
};
pub(crate) const STORE_ONLY: Variant = Variant {
    name: "store only, by hand",
    company: Company::Nobody,
    sql: include_str!("store_only.sql"),
};
pub(crate) const STORE_ONLY_STATEMENT: Variant = Variant {
    name: "store only, by hand, statement level",
    company: Company::Nobody,
    sql: include_str!("store_only_statement.sql"),
};
pub(crate) const EQUAL_WORK: Variant = Variant {
    name: "trigger of equal work to django-pgpubsub",
    company: Company::Listens,
    sql: include_str!("equal_work.sql"),
};

/// The generated trigger.
pub(crate) fn generated(name: &'static str, way: &'static str, company: Company) -> Variant {
    Variant {
        name,
        company,
        sql: generated::migration(way),
    }
}

/// A variant, set up.
pub(crate) struct Place {
    pub(crate) variant: Variant,
    pub(crate) database: Database,
    pub(crate) client: Client,
}

impl Place {
    pub(crate) async fn make(server: &Server, variant: Variant) -> Result<Self> {
        let (database, client) = server.database().await?;
        for sql in [include_str!("item.sql"), variant.sql] {
            client.batch_execute(sql).await?;
        }
        Ok(Self {
            variant,
            database,
            client,
        })
    }

    /// Empties the tables.
    pub(crate) async fn clean(&self) -> Result<()> {
        let stored = if self.variant.sql.is_empty() {
            ""
        } else {
            ", pgpubsub.notification"
        };
        for sql in [format!("TRUNCATE item{stored}"), "CHECKPOINT".to_owned()] {
            self.client.batch_execute(&sql).await?;
        }
        Ok(())
    }

    /// Starts who is there while others write, and waits until they are ready.
    pub(crate) fn company(&self) -> Result<Option<Process>> {
        let url = self.database.url();
        let mut process = match self.variant.company {
            Company::Nobody => return Ok(None),
            Company::Listens => Process::start(&["listen", &url])?,
            Company::Works(way) => Process::start(&["work", way, &url])?,
        };
        let line = process.line()?;
        if line != "idle" {
            return Err(format!("{}: {line}", self.variant.name).into());
        }
        Ok(Some(process))
    }

    /// Notifications that wait.
    pub(crate) async fn waiting(&self) -> Result<i64> {
        if self.variant.sql.is_empty() {
            return Ok(0);
        }
        let count = "SELECT count(*) FROM pgpubsub.notification";
        Ok(self.client.query_one(count, &[]).await?.get(0))
    }
}

/// A session that listens, until it is killed.
pub(crate) async fn listen(url: &str) -> Result<()> {
    let (client, connection) = url
        .parse::<pgpubsub_runtime::tokio_postgres::Config>()?
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    client.batch_execute("LISTEN item_written").await?;
    println!("idle");
    pending().await
}

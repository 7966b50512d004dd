//! A database and a folder of migrations for one test.

use std::fs;
use std::path::Path;

use pgpubsub_testkit::Database;
use pgpubsub_tools::{Error, Tool, applied, down, up};
use tempfile::TempDir;

/// An empty database, an empty folder, and the tool for both.
pub(crate) struct Project {
    tool: Tool,
    folder: TempDir,
    database: Database,
}

impl Project {
    /// With files, as path and text.
    pub(crate) async fn new(tool: Tool, files: &[(&str, &str)]) -> Self {
        let project = Self {
            tool,
            folder: tempfile::tempdir().expect("a folder"),
            database: Database::create().await.expect("a database"),
        };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().expect("a file in a folder")).expect("the folder");
        fs::write(path, text).expect("the file");
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.folder().join(path)).expect("the file was there");
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    #[allow(dead_code)] // Other tests look at it with a session of their own.
    pub(crate) fn database(&self) -> &Database {
        &self.database
    }

    pub(crate) async fn up(&self) -> Result<(), Error> {
        up(self.tool, &self.database.url(), self.folder()).await
    }

    pub(crate) async fn down(&self, steps: usize) -> Result<(), Error> {
        down(self.tool, &self.database.url(), self.folder(), steps).await
    }

    pub(crate) async fn applied(&self) -> Vec<String> {
        let applied = applied(self.tool, &self.database.url()).await;
        applied.expect("the table of the tool")
    }

    /// What `up` says when it fails.
    pub(crate) async fn refused(&self) -> String {
        let error = self.up().await.expect_err("it is refused");
        error.message().to_owned()
    }

    /// The tables named `t…` that are there.
    pub(crate) async fn tables(&self) -> Vec<String> {
        let query = "SELECT relname::text FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[0-9]' ORDER BY 1";
        self.texts(query).await
    }

    /// One column of a query.
    pub(crate) async fn texts(&self, query: &str) -> Vec<String> {
        let client = self.database.connect().await.expect("a session");
        let rows = client.query(query, &[]).await.expect("the query");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

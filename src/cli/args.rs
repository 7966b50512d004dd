//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::diagnostic::Format;

/// Typed publish/subscribe on PostgreSQL: generates Rust channels, trigger migrations and listener traits from one YAML file.
#[derive(Debug, Parser)]
#[command(
    name = "pgpubsub-gen",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = "\
Examples:
  pgpubsub-gen init                  write a commented schema.yaml to start from
  pgpubsub-gen schema.yaml           generate what it declares
  pgpubsub-gen --dry-run             show what would be written
  pgpubsub-gen check schema.yaml     in CI: fail if the committed files are not those of the schema
  pgpubsub-gen check --database-url postgres://localhost/app
                                     and if the database is not what the schema says
  pgpubsub-gen pending --model author --before 7
                                     fail while notifications of older versions wait
  pgpubsub-gen quarantine redrive --channel author_created --rate 50/s
                                     try again what has failed too often
  pgpubsub-gen replay --group greet --processed-since 2026-03-01T12:00
                                     process again what a mistake has spoilt
  pgpubsub-gen replay --from-group index --to-group mirror
                                     give a new group what came before it
  pgpubsub-gen breaking --against main
                                     in CI: fail if a change breaks programs that run, or loses what waits
  pgpubsub-gen import -o schema.yaml start from the tables of the database in DATABASE_URL
  pgpubsub-gen explain E0201         say more about a mistake

What is written, relative to the schema file:
  src/pubsub.rs                      overwritten at each run
  migrations/NNNN_pgpubsub_*.sql     up and down, whenever the database has to change; never rewritten
  pgpubsub.lock                      which files are generated; commit it

Exit codes:
  0  done, or nothing to do
  1  `check` found differences, `breaking` changes that break something, `ls` what is not as it should be, `pending`
     notifications that wait, `blocked` keys that wait for their first one, `who-holds` no such notification
  2  error; nothing was written"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub generate: Generate,
    #[command(flatten)]
    pub display: Display,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Generate what the schema declares (the default command)
    Generate(Generate),
    /// Compare the generated files with the schema; write nothing
    ///
    /// Shows a diff of every file that differs, and names missing, stale and stray files and edited migrations. Exits with 0 if
    /// everything is as it should be, with 1 if not, with 2 if it cannot be told.
    Check {
        /// The schema file [default: schema.yaml]
        schema: Option<PathBuf>,
        /// Also compare this database with the schema
        ///
        /// Functions, triggers, registry and storage, columns of the models, conditions: what differs, and the SQL that repairs
        /// it. Changes nothing, and takes no lock that a writer or reader waits for.
        #[arg(long, value_name = "URL")]
        database_url: Option<String>,
    },
    /// List what the database shall hold, and with --database-url how each of it is
    Ls(Ls),
    /// Bring a database to the state of the schema, without a migration; for development
    ///
    /// Repairs what `check --database-url` finds, in one transaction for each table, and says what it did. Does nothing if a
    /// table is not what its model says. A database that others share gets migrations instead.
    Apply(OnDatabase),
    /// Switch the triggers of a channel on, as they are declared
    Enable(Switch),
    /// Switch the triggers of a channel off: what happens from now on is captured by nobody
    Disable(Switch),
    /// List and count the notifications that wait; exit with 1 if there are any
    ///
    /// A gate for a deployment: code that no longer knows a version of a model goes out when nothing waits below it. Reads only.
    Pending(Pending),
    /// Say which session of the database holds a notification, and since when
    ///
    /// The backend is named with its pid, which `pg_terminate_backend` takes: what it holds is then free for others. Exits with 1 if
    /// there is no such notification. Reads only.
    WhoHolds(WhoHolds),
    /// List the keys whose first notification fails, and what waits behind each; exit with 1 if there are any
    ///
    /// Of channels with `key` or `order`: what comes behind waits until the first one is done or gone. Reads only.
    Blocked(Blocked),
    /// List the schedules with their next and last time; exit with 1 if one is overdue
    ///
    /// Overdue by more than a minute: no worker runs, or none can fire it. Reads only.
    Schedules(OnDatabase),
    /// Look at notifications that are not tried any more, put them back, or remove them
    ///
    /// A notification goes to quarantine after its last attempt, or when its listener says so.
    Quarantine(Quarantine),
    /// Put notifications back that have been processed, so that they are processed again
    ///
    /// Of channels with `retain`, which keep them for a time. Each becomes a new notification of the group that has processed it, with
    /// payload, context and time as they were, and is not kept any more until it has been processed again.
    Replay(Replay),
    /// Say what the changes of the schema do to a system that is running; write nothing
    ///
    /// For each change: whether notifications that wait are still decoded and processed, what workers of before do with what is
    /// written after the migration, and whether what publishers of before write still works; and what to do where it breaks. Exits
    /// with 0 if nothing breaks, with 1 if something does, with 2 if it cannot be told.
    Breaking {
        /// The schema of before: a file, or a commit, branch or tag of git that has the schema file
        #[arg(long, value_name = "REF_OR_FILE")]
        against: String,
        /// The schema file [default: schema.yaml]
        schema: Option<PathBuf>,
    },
    /// Write the models of an existing database as a schema file
    ///
    /// Reads the catalogs in a read-only transaction.
    Import(Import),
    /// Print the SQL around an ALTER TABLE of a column that triggers name, and therefore block
    ///
    /// A column in a `when`, a `changed` or an `update_of` cannot change its type or be dropped while the trigger is there. Put
    /// what is printed before and after your ALTER TABLE, into the same transaction: no event is lost.
    Unlock {
        /// MODEL.COLUMN or TABLE.COLUMN, for instance app.author.name
        column: String,
        /// The schema file [default: schema.yaml]
        schema: Option<PathBuf>,
    },
    /// Say more about a kind of mistake, with an example; without a code, list all
    Explain {
        /// For instance E0201
        code: Option<String>,
    },
    /// Print the JSON Schema of schema files, for editors
    JsonSchema,
    /// Write a commented schema file to start from, and beside it the JSON Schema that editors complete it with
    ///
    /// Never overwrites a file.
    Init {
        /// The file to write [default: schema.yaml]
        schema: Option<PathBuf>,
    },
}

#[derive(Debug, clap::Args)]
pub(super) struct Generate {
    /// The schema file, `-` for standard input with --stdout [default: schema.yaml]
    pub schema: Option<PathBuf>,
    /// Print all files to standard output, each after a line `==> PATH <==`; write nothing
    #[arg(long, conflicts_with = "dry_run")]
    pub stdout: bool,
    /// Name what would be written; write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Also emit what this version of the generator writes in another way than the one that emitted it
    ///
    /// Without this, a new version emits only what the schema changes.
    #[arg(long)]
    pub upgrade_templates: bool,
    /// First give this migration, and those that build on it, new numbers: another branch has used the same
    ///
    /// Choose the one that no shared database has applied yet. Its text stays as it is.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["dry_run", "stdout"])]
    pub renumber: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Import {
    #[command(flatten)]
    pub database: Database,
    /// Only tables of these schemas
    #[arg(long, value_name = "NAME")]
    pub schema: Vec<String>,
    /// Only these tables: NAME or SCHEMA.NAME
    #[arg(long, value_name = "TABLE")]
    pub table: Vec<String>,
    /// A channel for each model with these events, for instance `insert,update,delete`
    #[arg(long, value_name = "EVENTS", value_delimiter = ',')]
    pub channels: Vec<String>,
    /// Write to this file, which must not be there yet, instead of standard output
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Ls {
    /// The schema file [default: schema.yaml]
    pub schema: Option<PathBuf>,
    /// Compare this database with the schema [default: none]
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct OnDatabase {
    /// The schema file [default: schema.yaml]
    pub schema: Option<PathBuf>,
    #[command(flatten)]
    pub database: Database,
}

#[derive(Debug, clap::Args)]
pub(super) struct Switch {
    /// The channel
    pub channel: String,
    #[command(flatten)]
    pub on: OnDatabase,
}

#[derive(Debug, clap::Args)]
pub(super) struct Pending {
    #[command(flatten)]
    pub on: OnDatabase,
    /// Only those below this version: of the model, or with --db of the database
    #[arg(long, value_name = "VERSION")]
    pub before: Option<String>,
    /// Only those of channels on this model
    #[arg(long, value_name = "NAME", conflicts_with = "channel")]
    pub model: Option<String>,
    /// Only those of this channel
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// --before is a version of the database: the last applied migration when they were written
    #[arg(long, requires = "before")]
    pub db: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct WhoHolds {
    /// The id of the notification
    #[arg(allow_negative_numbers = true)]
    pub id: i64,
    #[command(flatten)]
    pub on: OnDatabase,
}

#[derive(Debug, clap::Args)]
pub(super) struct Blocked {
    #[command(flatten)]
    pub on: OnDatabase,
    /// Only those of this group
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Quarantine {
    #[command(subcommand)]
    pub command: QuarantineCommand,
    /// The schema file [default: schema.yaml]
    #[arg(long, value_name = "FILE", global = true)]
    pub schema: Option<PathBuf>,
    #[command(flatten)]
    pub database: Database,
}

#[derive(Debug, Subcommand)]
pub(super) enum QuarantineCommand {
    /// List them, by number
    List {
        /// Only those of this channel
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        /// Only those of this group of listeners
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u32,
    },
    /// Show one of them with all that it carries
    Show {
        /// Its number
        #[arg(allow_negative_numbers = true)]
        id: i64,
    },
    /// Put them back: workers try them again, from the first attempt on, at their next poll
    Redrive {
        #[command(flatten)]
        which: Which,
        /// At most so many in a second, for instance 50/s [default: all at once]
        #[arg(long, value_name = "N/s", value_parser = rate)]
        rate: Option<u32>,
    },
    /// Remove them for good
    Purge {
        #[command(flatten)]
        which: Which,
    },
}

#[derive(Debug, clap::Args)]
#[group(id = "processed", required = true, multiple = true, args = ["id", "channel", "group", "all", "from_group"])]
pub(super) struct Replay {
    /// The one of this number
    #[arg(conflicts_with_all = ["channel", "group"])]
    pub id: Option<i64>,
    /// Those of this channel
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// Those that this group of listeners has processed
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// All of them
    #[arg(long, conflicts_with_all = ["id", "channel", "group"])]
    pub all: bool,
    /// Give a group that was added later what this group has got and the other one lacks: what it has processed, what waits for it, and
    /// what it has in quarantine
    ///
    /// Waits until the transactions that are under way have ended, and then gives all or nothing.
    #[arg(long, value_name = "NAME", requires = "to_group", conflicts_with_all = ["id", "group", "all", "processed_since", "processed_until", "keep_ids", "rate"])]
    pub from_group: Option<String>,
    /// The group that was added later
    #[arg(long, value_name = "NAME", requires = "from_group")]
    pub to_group: Option<String>,
    #[command(flatten)]
    pub times: Times,
    /// Put them back under their numbers, and so with the same idempotency keys: what others have done for them is not done again
    #[arg(long)]
    pub keep_ids: bool,
    /// At most so many in a second, for instance 50/s [default: all at once]
    #[arg(long, value_name = "N/s", value_parser = rate)]
    pub rate: Option<u32>,
    /// Count them by channel, group and version; put nothing back
    #[arg(long)]
    pub dry_run: bool,
    /// The schema file [default: schema.yaml]
    #[arg(long, value_name = "FILE")]
    pub schema: Option<PathBuf>,
    #[command(flatten)]
    pub database: Database,
}

/// From when to when; times as PostgreSQL reads them, in UTC if they do not say otherwise.
#[derive(Debug, clap::Args)]
pub(super) struct Times {
    /// Only those processed then or later, for instance 2026-03-01T12:00; UTC, unless it says otherwise
    #[arg(long, value_name = "TIME")]
    pub processed_since: Option<String>,
    /// Only those processed before
    #[arg(long, value_name = "TIME")]
    pub processed_until: Option<String>,
    /// Only those written then or later
    #[arg(long, value_name = "TIME")]
    pub written_since: Option<String>,
    /// Only those written before
    #[arg(long, value_name = "TIME")]
    pub written_until: Option<String>,
}

/// Which notifications a command takes; it has to be said.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub(super) struct Which {
    /// The one of this number
    #[arg(conflicts_with_all = ["channel", "group"], allow_negative_numbers = true)]
    pub id: Option<i64>,
    /// Those of this channel
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// Those of this group of listeners
    #[arg(long, value_name = "NAME")]
    pub group: Option<String>,
    /// All of them
    #[arg(long, conflicts_with_all = ["id", "channel", "group"])]
    pub all: bool,
}

/// `50/s`, or `50`.
fn rate(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    match number.parse() {
        Ok(rate) if rate > 0 => Ok(rate),
        _ => Err("write a number of notifications in a second, for instance 50/s".to_owned()),
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Database {
    /// The database [default: the environment variable DATABASE_URL]
    #[arg(long, value_name = "URL", global = true)]
    pub database_url: Option<String>,
}

impl Database {
    /// The URL that was given, or that of the environment.
    pub(super) fn url(&self) -> anyhow::Result<String> {
        self.database_url
            .clone()
            .or_else(|| std::env::var("DATABASE_URL").ok())
            .ok_or_else(|| {
                anyhow::anyhow!("no database is named: give --database-url or set DATABASE_URL")
            })
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct Display {
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value = "auto")]
    pub color: Color,
    /// How mistakes are shown: `text` on standard error, `json` and `github` on standard output
    #[arg(long, global = true, value_enum, default_value = "text")]
    pub message_format: MessageFormat,
    /// Treat warnings of the schema as mistakes
    #[arg(long, global = true)]
    pub deny_warnings: bool,
    /// Print nothing but errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    /// If the output is a terminal and NO_COLOR is not set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MessageFormat {
    /// For people: source line, underline, help
    Text,
    /// For programs: one JSON object a line
    Json,
    /// For GitHub: commands of a workflow, shown in the code review
    Github,
}

impl Display {
    /// How mistakes are shown.
    pub(super) fn format(&self) -> Format {
        match self.message_format {
            MessageFormat::Text => Format::Text {
                colour: self.colour(),
            },
            MessageFormat::Json => Format::Json,
            MessageFormat::Github => Format::Github,
        }
    }

    /// Whether errors are shown in colour.
    fn colour(&self) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                std::io::IsTerminal::is_terminal(&std::io::stderr())
                    && std::env::var_os("NO_COLOR").is_none()
            }
        }
    }
}

//! The changes, one after the other.

use crate::project::Sql;
use crate::step::{Step, step};

pub(crate) const TABLES: Sql = Sql {
    up: "CREATE SCHEMA app;
CREATE TYPE app.mood AS ENUM ('good', 'bad');
CREATE TYPE app.address AS (street text);
CREATE TABLE app.account (id bigint PRIMARY KEY, name text NOT NULL DEFAULT 'n', balance integer NOT NULL DEFAULT 1,
    mood app.mood NOT NULL DEFAULT 'good', home app.address);
CREATE TABLE app.post (id bigint PRIMARY KEY, title text NOT NULL DEFAULT 't', score integer NOT NULL DEFAULT 1);",
    down: "DROP TABLE app.post; DROP TABLE app.account; DROP TYPE app.address; DROP TYPE app.mood; DROP SCHEMA app;",
};

pub(crate) const SCHEMA: &str = "\
version: 1
generate: {migrations: {tool: TOOL}}
defaults: {wake: commit, allow: [W0001, W0002, W0003, W0004, W0005, W0006, W0007]}
types:
  mood: {enum: [good, bad], sql: app.mood}
  address: {composite: {street: text}, sql: app.address}
models:
  account:
    table: app.account
    columns:
      id: bigint pk
      name: text
      balance: integer
      mood: mood
      home: address?
  post:
    table: app.post
    columns:
      id: bigint pk
      title: {type: text, default: \"\"}
      score: {type: integer, default: 0}
channels:
  account_saved: {on: account, after: [insert, update]}
  post_saved: {on: post, after: save}
  reads:
    message:
      id: int = 0
listeners:
  greet: {channel: account_saved}
";

/// What some schemas of the file are by now, to be replaced by what they become.
pub(crate) const STEPS: &[Step] = &[
    step("everything is new", &[]),
    step("nothing at all", &[]).without_a_file(),
    // Channels.
    step(
        "a channel gets a doc, with what may end a comment or a section of a file",
        &[(
            "account_saved: {on: account,",
            "account_saved: {doc: \"It's */ new;\\n-- migrate:down\\nDROP SCHEMA app CASCADE; $pgpubsub$ \\\\ $$\", on: account,",
        )],
    ),
    step(
        "a channel's doc changes",
        &[(
            "doc: \"It's */ new;\\n-- migrate:down\\nDROP SCHEMA app CASCADE; $pgpubsub$ \\\\ $$\"",
            "doc: Somebody is here.",
        )],
    ),
    step(
        "a channel carries more events",
        &[("after: [insert, update]}", "after: [insert, update, delete, truncate]}")],
    ),
    step(
        "a channel gets a condition",
        &[(
            "post_saved: {on: post, after: save}",
            "post_saved: {on: post, after: save, when: \"new.id > 0 AND new.title <> E'\\\\n-- migrate:down\\\\n'\"}",
        )],
    ),
    step(
        "its condition changes",
        &[("new.id > 0 AND new.title <> E'\\\\n-- migrate:down\\\\n'", "new.score > 0")],
    ),
    step(
        "its condition goes into the function",
        &[("\"new.score > 0\"}", "\"new.score > 0\", condition_in: function}")],
    ),
    step(
        "its condition goes",
        &[("when: \"new.score > 0\", condition_in: function", "changed: {any: [title]}")],
    ),
    step("any change of the row counts", &[("changed: {any: [title]}", "changed: whole_row")]),
    step(
        "an update of a column counts",
        &[("after: save, changed: whole_row", "after: [insert, {update_of: [title, score]}]")],
    ),
    step(
        "parts of the rows are sent",
        &[("{update_of: [title, score]}]", "{update_of: [title]}], payload: {new: [id, title], old: [id]}")],
    ),
    step(
        "other parts are",
        &[("payload: {new: [id, title], old: [id]}", "payload: [id, score]")],
    ),
    step(
        "all of the rows are, at the end of the transaction",
        &[("payload: [id, score]", "deferred: true")],
    ),
    step("also in replication", &[("deferred: true", "fire: always")]),
    step("a transaction may do without", &[("fire: always", "ignorable: true")]),
    step("an error loses the event", &[("ignorable: true", "on_capture_error: skip")]),
    step(
        "statements instead of rows",
        &[("after: [insert, {update_of: [title]}], on_capture_error: skip", "after: save, level: statement")],
    ),
    step(
        "rows again, to whoever is connected",
        &[("after: save, level: statement", "after: [insert, update, truncate], delivery: transient")],
    ),
    step(
        "stored again, and before the event",
        &[("after: [insert, update, truncate], delivery: transient", "before: [insert, delete]")],
    ),
    step(
        "the triggers are the user's own",
        &[("before: [insert, delete]", "after: save, trigger: own")],
    )
    .after(
        "CREATE TRIGGER mine AFTER INSERT OR UPDATE ON app.post FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_post_saved();",
        "DROP TRIGGER mine ON app.post;",
    ),
    step("and ours again", &[("after: save, trigger: own", "after: save")]).before(
        "DROP TRIGGER mine ON app.post;",
        "CREATE TRIGGER mine AFTER INSERT OR UPDATE ON app.post FOR EACH ROW EXECUTE FUNCTION pgpubsub.capture_post_saved();",
    ),
    step(
        "channels are added",
        &[(
            "  reads:\n",
            "  post_gone: {on: post, after: delete}\n  views: {message: {id: int}}\n  ping: {delivery: transient, message: {id: int}}\n  reads:\n",
        )],
    ),
    step(
        "channels are renamed, of a model and of messages",
        &[
            ("post_gone: {on: post", "post_left: {was: post_gone, on: post"),
            ("views: {message", "visits: {was: views, message"),
        ],
    ),
    step(
        "channels are removed",
        &[
            ("  post_left: {was: post_gone, on: post, after: delete}\n", ""),
            ("  visits: {was: views, message: {id: int}}\n", ""),
            ("  ping: {delivery: transient, message: {id: int}}\n", ""),
        ],
    ),
    // Listeners.
    step(
        "listeners are added, one in a group of its own and one in another's",
        &[(
            "greet: {channel: account_saved}\n",
            "greet: {channel: account_saved, events: [insert, update]}\n  forget: {channel: account_saved, events: delete, group: greet}\n  audit: {was: on_post_saved, channel: [account_saved, post_saved]}\n",
        )],
    ),
    step(
        "a listener asks for other events and leaves its group",
        &[("events: delete, group: greet", "events: [delete, truncate], group: ops")],
    ),
    step("a listener is renamed", &[("  audit: {was: on_post_saved, ", "  log: {was: [audit, on_post_saved], ")]),
    step(
        "listeners are removed",
        &[
            ("  log: {was: [audit, on_post_saved], channel: [account_saved, post_saved]}\n", ""),
            ("  forget: {channel: account_saved, events: [delete, truncate], group: ops}\n", ""),
        ],
    ),
    // Messages.
    step(
        "a message gets fields",
        &[("      id: int = 0\n", "      id: int = 0\n      note: string?\n      kind: string = \"a\"\n      gone: int = 1\n")],
    ),
    step(
        "one is renamed, one is retyped, one is gone",
        &[
            ("note: string?", "text: {type: string?, was: note}"),
            ("kind: string = \"a\"", "kind: {type: int, default: 1, from: {string: crate::kind}}"),
            ("      gone: int = 1\n", ""),
        ],
    ),
    step(
        "a channel extends another",
        &[("listeners:\n", "  deep_reads: {extends: reads, message: {depth: int = 1}}\nlisteners:\n")],
    ),
    // Columns.
    step("a column may be null", &[("      home: address?\n", "      home: address?\n      nick: text?\n")])
        .before("ALTER TABLE app.account ADD COLUMN nick text;", "ALTER TABLE app.account DROP COLUMN nick;"),
    step(
        "a column has a default",
        &[("      nick: text?\n", "      nick: text?\n      level: {type: integer, default: 1}\n")],
    )
    .before(
        "ALTER TABLE app.account ADD COLUMN level integer NOT NULL DEFAULT 1;",
        "ALTER TABLE app.account DROP COLUMN level;",
    ),
    step(
        "a column is renamed",
        &[("      nick: text?\n", "      alias: {type: text?, was: nick}\n")],
    )
    .before(
        "ALTER TABLE app.account RENAME COLUMN nick TO alias;",
        "ALTER TABLE app.account RENAME COLUMN alias TO nick;",
    ),
    step(
        "only the field of a column is renamed",
        &[("      alias: {type: text?, was: nick}\n", "      called: {type: text?, column: alias, was: nick}\n")],
    )
    .without_a_file(),
    step(
        "a column becomes wider",
        &[("      balance: integer\n", "      balance: bigint\n")],
    )
    .before(
        "ALTER TABLE app.account ALTER COLUMN balance TYPE bigint;",
        "ALTER TABLE app.account ALTER COLUMN balance TYPE integer;",
    ),
    step(
        "a column gets another type",
        &[("      score: {type: integer, default: 0}\n", "      score: {type: text, default: \"\", from: {integer: crate::score}}\n")],
    )
    .before(
        "ALTER TABLE app.post ALTER COLUMN score DROP DEFAULT, ALTER COLUMN score TYPE text, ALTER COLUMN score SET DEFAULT '1';",
        "ALTER TABLE app.post ALTER COLUMN score DROP DEFAULT, ALTER COLUMN score TYPE integer USING score::integer, ALTER COLUMN score SET DEFAULT 1;",
    ),
    step(
        "a column is gone, but still wanted of older notifications",
        &[("      level: {type: integer, default: 1}\n", "      level: {type: integer, until: 5}\n")],
    )
    .after(
        "ALTER TABLE app.account DROP COLUMN level;",
        "ALTER TABLE app.account ADD COLUMN level integer NOT NULL DEFAULT 1;",
    ),
    step(
        "a column is gone",
        &[("      called: {type: text?, column: alias, was: nick}\n", "")],
    )
    .after("ALTER TABLE app.account DROP COLUMN alias;", "ALTER TABLE app.account ADD COLUMN alias text;"),
    step("a column stays where it is", &[("      mood: mood\n", "      mood: {type: mood, capture: never}\n")]),
    step("and is sent again", &[("mood: {type: mood, capture: never}", "mood: {type: mood, default: good}")]),
    step("a label is added", &[("enum: [good, bad]", "enum: [good, bad, so so]")])
        // No way back, and none needed.
        .before("ALTER TYPE app.mood ADD VALUE IF NOT EXISTS 'so so';", "SELECT 1;")
        .without_a_file(),
    step(
        "a composite type gets an attribute",
        &[
            ("composite: {street: text}", "composite: {street: text, zip: \"text?\"}"),
            ("home: address?", "home: {type: address?, from: {app.address(street text): crate::with_zip}}"),
        ],
    )
    .before("ALTER TYPE app.address ADD ATTRIBUTE zip text;", "ALTER TYPE app.address DROP ATTRIBUTE zip;"),
    // Models and tables.
    step(
        "a partitioned table is added",
        &[(
            "channels:\n",
            "  measure: {table: app.measure, partitioned: true, columns: {id: bigint pk, day: date pk, value: double precision}}\nchannels:\n  measured: {on: measure, after: [insert, update, delete, truncate]}\n",
        )],
    )
    .before(
        "CREATE TABLE app.measure (id bigint, day date, value double precision NOT NULL DEFAULT 1, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
CREATE TABLE app.measure_all PARTITION OF app.measure DEFAULT;",
        "DROP TABLE app.measure;",
    ),
    step(
        "its partitions get a condition",
        &[("after: [insert, update, delete, truncate]}\n  account", "after: save, when: new.value > 0}\n  account")],
    ),
    step(
        "statements on a partitioned table",
        &[("after: save, when: new.value > 0}\n", "after: save, level: statement}\n")],
    ),
    step(
        "a table is renamed",
        &[("    table: app.post\n", "    table: {name: app.article, was: app.post}\n")],
    )
    .before("ALTER TABLE app.post RENAME TO article;", "ALTER TABLE app.article RENAME TO post;"),
    step("a rename is done with", &[("    table: {name: app.article, was: app.post}\n", "    table: app.article\n")])
        .without_a_file(),
    step(
        "a model is renamed",
        &[("  post:\n", "  article:\n    was: post\n"), ("{on: post,", "{on: article,")],
    ),
    step(
        "a table moves to another schema",
        &[("    table: app.account\n", "    table: {name: public.account, was: app.account}\n")],
    )
    .before("ALTER TABLE app.account SET SCHEMA public;", "ALTER TABLE public.account SET SCHEMA app;"),
    step(
        "a model is moved to another table",
        &[("    table: app.article\n", "    table: {name: app.page, was: []}\n")],
    )
    .before("CREATE TABLE app.page (LIKE app.article INCLUDING ALL);", "DROP TABLE app.page;")
    .after("ALTER TABLE app.article RENAME TO article_of_old;", "ALTER TABLE app.article_of_old RENAME TO article;"),
    step(
        "a model extends another",
        &[(
            "channels:\n",
            "  guest: {table: app.guest, extends: account, columns: {account_id: bigint pk parent, host: text}}\nchannels:\n  guest_came: {on: guest, after: [insert, delete]}\n",
        )],
    )
    .before(
        "CREATE TABLE app.guest (account_id bigint PRIMARY KEY, host text NOT NULL DEFAULT 'h');",
        "DROP TABLE app.guest;",
    ),
    step(
        "a model is removed with its channel",
        &[
            ("  guest: {table: app.guest, extends: account, columns: {account_id: bigint pk parent, host: text}}\n", ""),
            ("  guest_came: {on: guest, after: [insert, delete]}\n", ""),
        ],
    )
    .after(
        "DROP TABLE app.guest;",
        "CREATE TABLE app.guest (account_id bigint PRIMARY KEY, host text NOT NULL DEFAULT 'h');",
    ),
    step(
        "names that need quotes, and more than one table at a time",
        &[(
            "channels:\n",
            r#"  odd: {table: 'app."It''s a \ Table"', columns: {id: bigint pk, amount: {type: numeric, column: 'Select;--'}}}
channels:
  odd_said: {doc: 'Its doc: ''; -- $$', on: odd, after: [save, delete], when: {insert: 'new."Select;--" > 0'}}
  odd_kept: {on: odd, after: save, deferred: true}
  page_gone: {on: article, before: delete}
"#,
        )],
    )
    .before(
        r#"CREATE TABLE app."It's a \ Table" (id bigint PRIMARY KEY, "Select;--" numeric NOT NULL DEFAULT 1);"#,
        r#"DROP TABLE app."It's a \ Table";"#,
    ),
    step(
        "a channel and its table are renamed at once",
        &[
            (
                r#"table: 'app."It''s a \ Table"'"#,
                r#"table: {name: 'app."Éven ""odder"""', was: 'app."It''s a \ Table"'}"#,
            ),
            ("  odd_said: {", "  odder: {was: odd_said, "),
            ("  odd_kept: {on: odd, after: save,", "  odd_kept: {on: odd, after: insert, when: new.id > 0,"),
        ],
    )
    .before(
        r#"ALTER TABLE app."It's a \ Table" RENAME TO "Éven ""odder""";"#,
        r#"ALTER TABLE app."Éven ""odder""" RENAME TO "It's a \ Table";"#,
    ),
    step(
        "a channel goes to another model",
        &[("page_gone: {on: article, before: delete}", "page_gone: {on: account, before: delete}")],
    ),
    step(
        "a column comes back under another type",
        &[("      level: {type: integer, until: 5}\n", "      level: {type: bigint, default: 0}\n")],
    )
    .before(
        "ALTER TABLE public.account ADD COLUMN level bigint NOT NULL DEFAULT 1;",
        "ALTER TABLE public.account DROP COLUMN level;",
    ),
    step("what concerns Rust alone", &[("    was: post\n", "    was: post\n    doc: Pages.\n    derive: Eq\n")])
        .without_a_file(),
    step(
        "what all channels are when they do not say",
        &[("defaults: {", "defaults: {ignorable: true, on_capture_error: skip, ")],
    ),
    step(
        "much at once",
        &[
            ("defaults: {ignorable: true, on_capture_error: skip, ", "defaults: {"),
            ("  page_gone: {on: account, before: delete}\n", "  page_gone: {was: [], on: article, after: [save, delete]}\n"),
            ("measured: {on: measure, after: save, level: statement}", "tallied: {was: measured, on: measure, after: insert, deferred: true}"),
            ("  deep_reads: {extends: reads, message: {depth: int = 1}}\n", ""),
            ("greet: {channel: account_saved, events: [insert, update]}", "hail: {was: greet, channel: [account_saved, tallied], group: all}"),
        ],
    ),
    // The whole.
    step(
        "the db version is that of another table",
        &[("{migrations: {", "{migrations: {version_table: app.applied, ")],
    )
    .before(
        "CREATE TABLE app.applied (version integer); INSERT INTO app.applied VALUES (7);",
        "DROP TABLE app.applied;",
    ),
    step("there is no db version", &[("version_table: app.applied", "version_table: none")]),
    step("another lock timeout", &[("{migrations: {", "{migrations: {lock_timeout: 2s, ")]).without_a_file(),
    step(
        "our schema is renamed",
        &[("generate: {", "generate: {postgres: {schema: \"Pub Sub\"}, ")],
    ),
];

#!/usr/bin/env bash
# The main job, from schema.example.yaml to running listeners: generate, start PostgreSQL, migrate, run the demo.
# Works on a fresh Debian machine with Rust; installs PostgreSQL if it is missing. Arguments go to the demo.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/scripts/prepare.sh"

need_rust
# With DATABASE_URL the demo makes a database of its own on that server.
[ -n "${DATABASE_URL:-}" ] || need_postgres

step "Building the generator"
cargo build --locked --quiet --package pgpubsub-gen

step "Generating from schema.example.yaml"
cargo run --locked --quiet --package pgpubsub-gen -- schema.example.yaml

step "Building the example on the generated code"
cargo build --locked --quiet --package generated-example

step "Running the demo: PostgreSQL, migrations, workers, and a kill"
cargo run --locked --quiet --package generated-example -- demo "$@"

#!/usr/bin/env bash
# All tests. Works on a fresh Debian machine with Rust; installs PostgreSQL and npm if they are missing.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/scripts/prepare.sh"

need_rust
need_postgres
scripts/tools.sh

step "Format"
cargo fmt --all --check

step "Lints"
cargo clippy --workspace --all-targets --locked -- -D warnings

step "Tests"
cargo test --workspace --locked

step "The life of a schema on the oldest and the newest PostgreSQL"
scripts/matrix.sh 14 18 -- cargo test --locked --package pgpubsub-tools --test life sqlx

step "The committed output is what the generator makes of schema.example.yaml"
cargo run --locked --quiet --package pgpubsub-gen -- check schema.example.yaml

step "Documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

step "The tour of the README"
scripts/readme-tour.sh

echo
echo "All tests passed."

#!/usr/bin/env bash
# How long generation takes, what memory it needs, and how long `cargo check` takes for its result.
#
#   bench/generate/run.sh > bench/generate/results/NAME.txt
#
# Prints its conditions, then one line a measurement: three runs each, wall seconds and peak memory.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
repository=$PWD
cargo build --release --quiet --package pgpubsub-gen
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
generator=$target/release/pgpubsub-gen
workshop=$(mktemp -d)
trap 'rm -rf "$workshop"' EXIT

echo "commit $(git rev-parse --short HEAD), $(rustc --version)"
echo "$(nproc) CPUs: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1); $(uname -sr)"
measure() {
    local label=$1
    shift
    for _ in 1 2 3; do
        command time --format "$label: %e s, %M kB" "$@" 2>&1 >/dev/null | tail -n 1
    done
}
for count in 100 1000 10000; do
    project=$workshop/$count
    mkdir -p "$project/src"
    cd "$project"
    python3 "$repository/bench/generate/schema.py" "$count" >schema.yaml
    # A first run writes everything; the others are measured on an empty folder, too.
    for _ in 1 2 3; do
        rm -rf src/pubsub.rs migrations pgpubsub.lock
        command time --format "$count models, generate: %e s, %M kB" "$generator" schema.yaml --quiet 2>&1 | tail -n 1
    done
    measure "$count models, check without a difference" "$generator" check --quiet
    echo "$count models, bytes written: Rust $(wc -c <src/pubsub.rs), SQL $(cat migrations/*.up.sql | wc -c)"
    if [ "$count" -le 1000 ]; then
        cat >Cargo.toml <<TOML
[package]
name = "bench"
version = "0.0.0"
edition = "2024"
[dependencies]
pgpubsub-runtime = { path = "$repository/runtime" }
[workspace]
TOML
        echo 'pub mod pubsub;' >src/lib.rs
        cp "$repository/Cargo.lock" .
        CARGO_TARGET_DIR=$workshop/target cargo check --quiet
        for _ in 1 2 3; do
            touch src/pubsub.rs
            CARGO_TARGET_DIR=$workshop/target command time --format "$count models, cargo check of the result: %e s, %M kB" cargo check --quiet 2>&1 | tail -n 1
        done
    fi
    cd "$repository"
done

#!/usr/bin/env bash
# Measures everything and fills the chapter of the book: about eighteen minutes on a machine that does nothing else, thirteen with
# REPETITIONS=2.
#
#   bench/run.sh NAME          # bench/results/NAME.jsonl, docs/src/benchmarks.md
#   bench/run.sh --tiny NAME   # whether it runs at all: two minutes, and no figures worth reading
#   bench/run.sh --build       # only builds, so that a quiet moment is not spent on it
#
# Every benchmark starts a PostgreSQL of its own (see testkit/), with fsync, in the temporary folder. SKIP="peers bulk" leaves some out.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

repetitions=${REPETITIONS:-3} seconds=2 wait=10 backlog=100000 million=1000000 rows=100000 messages=20000 ordered=50000 idle=60 build_only=
case ${1:-} in
    --tiny) repetitions=1 seconds=1 wait=3 backlog=4000 million=20000 rows=2000 messages=2000 ordered=2000 idle=5; shift ;;
    --build) build_only=yes; shift ;;
esac
name=${1:-$(date -u +%F)}
results=bench/results/$name.jsonl
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}/bench
programs=$CARGO_TARGET_DIR/release

for crate in drain writers latency; do
    if [ -d "bench/$crate" ]; then
        cargo build --release --locked --quiet --manifest-path "bench/$crate/Cargo.toml"
    fi
done
bench/peers/install.sh
[ -z "$build_only" ] || exit 0

step() {
    local step=$1
    shift
    case " ${SKIP:-} " in *" $step "*) return ;; esac
    printf '%s %s\n' "$(date +%T)" "$step" >&2
    # One that fails must not cost the others their results.
    "$@" >>"$results" || printf '%s failed\n' "$step" >&2
}

conditions() {
    python3 bench/conditions.py
}

latency() {
    "$programs/pgpubsub-bench-latency" "$wait" "$repetitions" | python3 bench/latency_records.py
}

mkdir -p bench/results
: >"$results"
step conditions conditions
step singles "$programs/pgpubsub-bench-writers" singles "$seconds" "$repetitions"
step bulk "$programs/pgpubsub-bench-writers" bulk "$rows" "$repetitions"
step drain "$programs/pgpubsub-bench-drain" drain "$backlog" "$repetitions"
step decay "$programs/pgpubsub-bench-drain" decay "$million"
step order "$programs/pgpubsub-bench-drain" order "$ordered" "$repetitions"
step memory "$programs/pgpubsub-bench-drain" memory "$million"
step peers python3 bench/peers/run.py "$programs" "$messages" "$repetitions"
step idle "$programs/pgpubsub-bench-writers" idle "$idle"
if [ -d bench/latency ]; then
    step latency latency
fi
python3 bench/report.py "$results"

#!/usr/bin/env bash
# Installs the peers from their registries into target/bench/peers. What cannot be had is left out of the comparison, which says so.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
target=${CARGO_TARGET_DIR:-$PWD/../../target/bench}
place=$target/peers
mkdir -p "$place"

cargo build --release --locked --quiet --target-dir "$target" || echo "no pgmq and no graphile_worker: the build failed" >&2

if [ ! -d "$place/node_modules" ] && command -v npm >/dev/null; then
    (cd "$place" && npm install --silent --no-save --no-audit --no-fund graphile-worker@0.17.3 pg-boss@10.4.2 pg@8) \
        || echo "no graphile-worker and no pg-boss: npm failed" >&2
fi

if [ ! -x "$place/python/bin/django-admin" ] && command -v python3 >/dev/null; then
    python3 -m venv "$place/python" \
        && "$place/python/bin/pip" install --quiet "django==5.2.*" django-pgpubsub==1.3.1 psycopg2-binary "procrastinate==3.10.*" "psycopg[binary]" \
        || echo "no django-pgpubsub and no procrastinate: pip failed" >&2
fi
exit 0

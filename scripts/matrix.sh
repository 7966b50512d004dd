#!/usr/bin/env bash
# The suites that talk to PostgreSQL, on every version that is supported: the long form of what test.sh does on the oldest and the newest.
#
#     scripts/matrix.sh                                    all suites on 14 to 18
#     scripts/matrix.sh 14 18                              all suites on these
#     scripts/matrix.sh 14 18 -- cargo test --test life    this command on these
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

versions=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    versions+=("$1")
    shift
done
[ $# -eq 0 ] || shift
[ ${#versions[@]} -gt 0 ] || versions=(14 15 16 17 18)
[ $# -gt 0 ] || set -- cargo test --workspace --locked --no-fail-fast

need_rust
# For psql.
need_postgres
scripts/tools.sh

# Servers of our own, whatever the developer has.
unset DATABASE_URL
failed=()
for version in "${versions[@]}"; do
    PGPUBSUB_PG_BIN="$(scripts/postgres-versions.sh "$version")"
    export PGPUBSUB_PG_BIN
    step "PostgreSQL $("$PGPUBSUB_PG_BIN/postgres" --version)"
    "$@" || failed+=("$version")
done

if [ ${#failed[@]} -gt 0 ]; then
    echo
    echo "Failed on PostgreSQL ${failed[*]}." >&2
    exit 1
fi

#!/usr/bin/env bash
# Brings the migration tools that are programs, for the tests of tests/tools: dbmate, from npm.
#
# golang-migrate is in none of Debian, npm, PyPI and crates.io. Who has Go:
#     GOBIN="$PWD/target/tools" go install -tags postgres github.com/golang-migrate/migrate/v4/cmd/migrate@latest
# Without it, its tests say that they are skipped.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

dbmate=2.36.0

case "$(uname -sm)" in
"Linux x86_64") package=@dbmate/linux-x64 ;;
"Linux aarch64") package=@dbmate/linux-arm64 ;;
"Darwin arm64") package=@dbmate/darwin-arm64 ;;
*)
    echo "dbmate is not packed for $(uname -sm)." >&2
    exit 1
    ;;
esac

folder="${CARGO_TARGET_DIR:-$PWD/target}/tools"
mkdir -p "$folder"
if [ "$(cat "$folder/dbmate.version" 2>/dev/null)" != "$dbmate" ]; then
    need_npm
    step "Fetching dbmate"
    fetched="$(mktemp -d "$folder/dbmate.XXXXXX")"
    trap 'rm -rf "$fetched"' EXIT
    npm install --silent --no-save --no-package-lock --ignore-scripts --prefix "$fetched" "$package@$dbmate"
    install -m 755 "$fetched/node_modules/$package/bin/dbmate" "$folder/dbmate"
    echo "$dbmate" >"$folder/dbmate.version"
fi

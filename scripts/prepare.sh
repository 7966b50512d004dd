# Sourced by demo.sh and test.sh: goes to the top of the repository, and sees to Rust and PostgreSQL.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

step() {
    printf '\n==> %s\n' "$*"
}

need_rust() {
    # rustup's folder is not in PATH before the next login.
    command -v cargo >/dev/null || PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"
    if ! command -v cargo >/dev/null; then
        echo "Rust is missing: install it from https://rustup.rs (1.89 or newer), then run this again." >&2
        exit 1
    fi
}

# The test kit looks for server binaries in the same places.
has_postgres() {
    [ -n "${PGPUBSUB_PG_BIN:-}" ] || command -v initdb >/dev/null ||
        compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

need_postgres() {
    if has_postgres; then
        return
    fi
    if ! command -v apt-get >/dev/null; then
        echo "PostgreSQL is missing and there is no apt-get: install a PostgreSQL server (14 or newer), or set PGPUBSUB_PG_BIN" >&2
        echo "to the folder of its binaries." >&2
        exit 1
    fi
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "PostgreSQL is missing. As root: apt-get install postgresql. Then run this again." >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    step "Installing PostgreSQL"
    "${as_root[@]}" apt-get update
    # The tests start servers of their own; a cluster that Debian starts by itself is not used.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends postgresql
}

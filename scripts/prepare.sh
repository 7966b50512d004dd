# Sourced by demo.sh, test.sh and other scripts: goes to the top of the repository, and sees to Rust, PostgreSQL and npm.

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
    step "Installing PostgreSQL"
    # The tests start servers of their own; a cluster that Debian starts by itself is not used.
    apt_install PostgreSQL postgresql
}

# For the tests of poolers, which are skipped without it.
need_pgbouncer() {
    # Debian puts it where only root looks.
    if PATH="$PATH:/usr/sbin" command -v pgbouncer >/dev/null || ! command -v apt-get >/dev/null; then
        return
    fi
    step "Installing PgBouncer"
    apt_install PgBouncer pgbouncer
}

# npm brings what Debian has not: other versions of PostgreSQL, dbmate.
need_npm() {
    if command -v npm >/dev/null; then
        return
    fi
    if ! command -v apt-get >/dev/null; then
        echo "npm is missing and there is no apt-get: install Node.js with npm." >&2
        exit 1
    fi
    step "Installing npm"
    apt_install npm npm
}

# What it is, as people call it, and the packages. Its output is of no interest to those who read that of our scripts.
apt_install() {
    local what="$1" as_root=()
    shift
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo >/dev/null; then
            echo "$what is missing. As root: apt-get install $*. Then run this again." >&2
            exit 1
        fi
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get update >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" >&2
}

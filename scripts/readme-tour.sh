#!/usr/bin/env bash
# Executes the tour of README.md as a reader would: writes its files, runs its commands, compares their output.
#
# A fenced block of the README takes part if a word follows its language:
#   ```sh tour          commands, run in the tour's folder
#   ```text tour        what the commands before it print, exactly
#   ```yaml FILE        (or rust, toml, sql): becomes FILE in the tour's folder
#   ```rust FILE +      is added to the end of FILE
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
repository=$PWD
workshop=$(mktemp -d)
server=
clean_up() {
    # The end of its input stops the server.
    exec 9>&-
    [ -z "$server" ] || wait "$server" || true
    rm -rf "$workshop"
}
trap clean_up EXIT

# As the tour says: the clone, and a folder beside it.
ln -s "$repository" "$workshop/pgpubsub-gen"
tour=$workshop/tour
mkdir "$tour"

# One numbered file a block: `NN.kind`, its first line the target.
awk -v dir="$tour" '
    /^```/ && inside { inside = 0; close(out); next }
    /^```[a-z]+ [^ ]/ && !skip {
        inside = 1; count++
        language = substr($1, 4)
        kind = ($2 == "tour") ? (language == "text" ? "expect" : "run") : ($3 == "+" ? "append" : "file")
        out = sprintf("%s/.block-%02d.%s", dir, count, kind)
        print $2 > out
        next
    }
    /^```/ { skip = !skip; next }
    inside { print > out }
' "$repository/README.md"

# The tour says `pgpubsub-gen`; here that is the one of this working copy.
cargo build --locked --quiet --package pgpubsub-gen
cargo build --locked --quiet --package pgpubsub-testkit --example cluster
target=$(cd "${CARGO_TARGET_DIR:-target}" && pwd)
PATH="$target/debug:$PATH"
# What is compiled already is not compiled again, in the versions that are tested.
unset CARGO_TARGET_DIR
ln -s "$target" "$tour/target"
cp Cargo.lock "$tour/Cargo.lock"

# An empty database.
mkfifo "$workshop/input"
"$target/debug/examples/cluster" <"$workshop/input" >"$workshop/url" &
server=$!
exec 9>"$workshop/input"
until [ -s "$workshop/url" ]; do
    kill -0 "$server" || exit 1
    sleep 0.1
done
DATABASE_URL=$(cat "$workshop/url")
export DATABASE_URL

cd "$tour"
ran=0
for block in .block-*; do
    target=$(head -n 1 "$block")
    body() { tail -n +2 "$block"; }
    case $block in
        *.file) mkdir -p "$(dirname "$target")" && body >"$target" ;;
        *.append) body >>"$target" ;;
        *.run)
            echo "tour: $(body | head -n 1) ..."
            body >.commands
            bash -euo pipefail .commands >.output 2>&1 || { cat .output >&2; echo "the commands above failed" >&2; exit 1; }
            ran=$((ran + 1))
            ;;
        *.expect)
            body | diff -u - .output >.diff || { cat .diff >&2; echo "the README shows another output (-) than there is (+)" >&2; exit 1; }
            ;;
    esac
done
if [ "$ran" -eq 0 ]; then
    echo "README.md has no tour" >&2
    exit 1
fi
echo "the tour works: $ran blocks of commands"

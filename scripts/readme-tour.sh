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
tour=$(mktemp -d)
trap 'rm -rf "$tour"' EXIT

# One numbered file a block: `NN.kind`, its first line the target.
awk -v dir="$tour" '
    /^```/ && inside { inside = 0; close(out); next }
    /^```[a-z]+ [^ ]/ && !inside {
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

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$repository/target}"
# The tour says `pgpubsub-gen`; here that is the one of this working copy, as are the crates.
cargo build --locked --quiet --package pgpubsub-gen --package pgpubsub-testkit
PATH="$(cd "$CARGO_TARGET_DIR" && pwd)/debug:$PATH"
export PGPUBSUB_REPOSITORY=$repository

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

#!/bin/sh
# Put the table of system calls into docs/limits.md: sh tests/lib/limits.sh [BUILD DIRECTORY]
set -eu
cd "$(dirname "$0")/../.."
page=docs/limits.md
{
    sed '/^<!-- drd doctor --calls -->$/q' "$page"
    "${1:-build}/drd" doctor --calls
} >"$page.new"
mv "$page.new" "$page"

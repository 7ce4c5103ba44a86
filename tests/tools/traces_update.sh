#!/bin/sh
# Write the explanations in traces/ anew, and the pages that show them: sh tests/tools/traces_update.sh [BUILD [NAME...]]
# Read the difference before it is committed: it is what users would see. Where the programs of the recording still are where
# they were (tests/tools/traces_record.sh has just run), stacks that the runs lack are read and kept in them.
set -eu
cd "$(dirname "$0")/../.."
. tests/lib/pages.sh
build=$(cd "${1:-build}" && pwd)
drd=$build/drd classes=$build/tests/tools/classes
if [ $# -gt 0 ]; then shift; fi
wanted=" $* "
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# keep_stack RUN EVENT: `drd show` keeps in the run what it found.
keep_stack() {
    "$drd" show --frames --json "$1@$2" >"$scratch/frames" </dev/null
}

# stacks RUN: of all rules broken and of the events of the violation. Whichever a later drd takes for the cause, the run
# then has its stack.
stacks() {
    "$drd" explain --json "$1" >"$scratch/json" || [ $? -le 2 ]
    grep -o '"event":"[^"]*"' "$scratch/json" | cut -d '"' -f 4 | sort -u >"$scratch/events"
    while read -r event; do
        keep_stack "$1" "$event"
        acting=$(sed -n 's/.*"acting":"\([^"]*\)".*/\1/p' "$scratch/frames")
        if [ -n "$acting" ]; then keep_stack "$1" "$acting"; fi
    done <"$scratch/events"
}

for run in traces/*.drd; do
    name=$(basename "$run" .drd)
    case $wanted in "  " | *" $name "*) ;; *) continue ;; esac
    stacks "$run"
    "$drd" explain --no-pager "$run" >"traces/$name.txt" || [ $? -le 2 ]
    "$drd" explain --json "$run" >"traces/$name.json" || [ $? -le 2 ]
done
for page in $PAGES; do
    page_fill "$page" >"$scratch/page"
    cmp -s "$scratch/page" "$page" || cp "$scratch/page" "$page"
done

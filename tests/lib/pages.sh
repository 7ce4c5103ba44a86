# shellcheck shell=sh
# Parts of pages that programs write. Sourced, with the root of the sources as the current directory.
#   <!-- classes -->          followed by the table of root causes
#   <!-- traces -->           followed by the table of the runs in traces/
#   <!-- traces/T07.txt -->   followed by a block with that file
PAGES="README.md docs/explain.md docs/drd-explain.md traces/README.md"

# traces_table: a row for each run of traces.list.
traces_table() {
    echo "| run | the mistake | made by | \`drd explain\` says |"
    echo "| --- | --- | --- | --- |"
    while read -r name _ _ script; do
        [ "$name" != "#" ] || continue
        verdict=$(sed -n 's/^VERDICT *none found: \(.*\)/\1/p; s/^VERDICT *\([^:]*\):.*/\1/p' "traces/$name.txt" | head -n 1)
        cause=$(sed -n 's/^\(CAUSE\|RULE\) *\(.*[^ ]\)   *[^ ]*   \[.*\]$/\2/p' "traces/$name.txt")
        echo "| [$name](${name}.txt) | $(title "$name") | [$(basename "$script")](../$script) | $verdict: $cause |"
    done <tests/tools/traces.list
}

# title CLASS: its words.
title() {
    "$classes" | sed -n "s/^| $1 | \([^|]*\) |.*/\1/p"
}

# page_fill PAGE: the page as it ought to be. $classes is the program that prints that table.
page_fill() {
    "$classes" >"$scratch/part.classes"
    traces_table >"$scratch/part.traces"
    awk -v scratch="$scratch" '
        function copy(file,   line) { while ((getline line <file) > 0) print line; close(file) }
        skipping == "table" && /^\|/ { next }
        skipping == "block" { if (/^```$/) { skipping = ""; print } next }
        { skipping = ""; print }
        /^<!-- (classes|traces) -->$/ { copy(scratch "/part." $2); skipping = "table" }
        /^<!-- traces\/[A-Z0-9]*\.txt -->$/ { file = $2; getline; print; copy(file); skipping = "block" }
    ' "$1"
}

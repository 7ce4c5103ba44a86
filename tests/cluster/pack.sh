#!/bin/sh
# Runs of unmodified programs (libraft, ovsdb-server, Python's PySyncObj), packed and carried to a machine that has drd and what drd
# itself needs, and nothing else: they replay there to their ends, and explain says what it said here. The machine is a directory.
set -eu
. "$(dirname "$0")/lib.sh"
begin
[ "$(id -u)" -eq 0 ] && own=-m || own=-Urm
unshare $own true 2>/dev/null || skip "no mount namespaces here"

# The machine: drd, its libraries, /proc, a place for temporary files.
machine=$dir/machine
mkdir -p "$machine/bin" "$machine/proc" "$machine/var/tmp" "$machine/dev" "$machine/root"
touch "$machine/dev/null"
cp "$drd" "$machine/bin/drd"
{ ldd "$drd" | sed -n 's/.*[ \t]\(\/[^ ]*\) (.*/\1/p'; } | while read -r library; do
    mkdir -p "$machine$(dirname "$library")"
    cp -L "$library" "$machine$library"
done

# there COMMAND...: drd COMMAND on that machine.
there() {
    unshare $own sh -c 'root=$1; shift
        mount --rbind /proc "$root/proc" && mount --bind /dev/null "$root/dev/null" && exec chroot "$root" /bin/drd "$@"' sh "$machine" "$@"
}

# carry NAME STATUS COMMAND...: COMMAND recorded, packed, judged there; explain ends with STATUS.
carry() {
    name=$1 status=$2
    shift 2
    record "$dir/$name.drd" "$@"
    [ "$recorded" -ne 77 ] || { cat "$dir/$name.drd.said"; return 0; }
    carried=$((carried + 1))
    cp "$dir/$name.drd" "$dir/here.drd"
    replay "$dir/here.drd"
    judged=0
    "$drd" explain --json "$dir/here.drd" >"$dir/here.json" || judged=$?
    [ "$judged" -eq "$status" ] || fail "$name: explain ends with $judged, not $status"
    "$drd" pack -o "$machine/root/run.drd" --force "$dir/$name.drd" >"$dir/packed" 2>"$dir/packed.err" || fail "$name: $(cat "$dir/packed.err")"
    if grep -q "left out" "$dir/packed.err"; then fail "$name: $(cat "$dir/packed.err")"; fi
    cat "$dir/packed"
    cp "$dir/$name.drd" "$machine/root/bare.drd"
    missing=0
    there replay /root/bare.drd >"$dir/bare" 2>&1 || missing=$?
    [ "$missing" -eq 125 ] || fail "$name: there is something on the bare machine: $missing $(cat "$dir/bare")"
    there replay /root/run.drd >"$dir/there" 2>&1 || { cat "$dir/there" >&2; fail "$name: no replay of the pack"; }
    tail -n 1 "$dir/there"
    grep -q "identical to the end" "$dir/there" || fail "$name: the pack does not replay to its end"
    judged=0
    there explain --json /root/run.drd >"$dir/there.json" 2>"$dir/there.err" || judged=$?
    [ "$judged" -eq "$status" ] || fail "$name: explain of the pack ends with $judged, not $status: $(cat "$dir/there.err")"
    # which package has symbols is known only where there are packages
    sed 's|[^"]*here\.drd|RUN|g; s|"frames_note":"[^"]*"||' "$dir/here.json" >"$dir/a"
    sed 's|/root/run\.drd|RUN|g; s|"frames_note":"[^"]*"||' "$dir/there.json" >"$dir/b"
    cmp -s "$dir/a" "$dir/b" || { diff "$dir/a" "$dir/b" >&2 || true; fail "$name: explain says something else of the pack"; }
    rm "$machine/root/run.drd"
    without_contents "$name" "$status"
}

# without_contents NAME STATUS: redacted, it is explained as here; neither $secret, which a client sent, nor the one in the
# environment is in it.
without_contents() {
    "$drd" pack --redact -o "$dir/redacted.drd" "$dir/$1.drd" >"$dir/packed" 2>"$dir/packed.err" || fail "$1: $(cat "$dir/packed.err")"
    cat "$dir/packed"
    judged=0
    "$drd" explain --json "$dir/redacted.drd" >"$dir/there.json" || judged=$?
    [ "$judged" -eq "$2" ] || fail "$1: explain of the redacted run ends with $judged, not $2"
    python3 "$cluster/../tools/redacted_same.py" "$dir/here.json" "$dir/there.json" >&2 || fail "$1: redacted, it is explained otherwise"
    "$build/tests/tools/run_search" "$dir/$1.drd" environmentword "$secret" >"$dir/found" || true
    [ "$(wc -l <"$dir/found")" -eq 2 ] || fail "$1: what is looked for is not in the run itself: $(cat "$dir/found")"
    "$build/tests/tools/run_search" "$dir/redacted.drd" environmentword "$secret" || fail "$1: contents are left in the redacted run"
    rm "$dir/redacted.drd"
}

export A_SECRET=environmentword
carried=0
secret='PUT x A'
carry figure8 1 sh "$cluster/figure8.sh" "$build"
secret='PUT k1 v1'
carry pysyncobj 0 sh "$cluster/workload/pysyncobj.sh"
secret='"row":{"k"'
carry ovsdb 0 sh "$cluster/workload/ovsdb.sh"
[ "$carried" -gt 0 ] || skip "none of the programs is here"

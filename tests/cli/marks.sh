#!/bin/sh
# The header of marks with every compiler here, what the shim makes of them, and the samples of docs/marks.md.
#   marks.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
. "$(dirname "$0")/lib.sh"
page=$root/docs/marks.md

# fence LANGUAGE NUMBER: that block of code of the page.
fence() {
    awk -v want="$1" -v number="$2" '/^```/ { if (inside) { inside = 0; next } inside = 1; is = $0 == "```" want; n += is; next }
        inside && is && n == number' "$page"
}

recorded_marks() {
    "$drd" log --no-pager --kind mark "$@" | sed 's/^\S*  *\S* s  *//'
}

# ---- the header by itself ----
printf '#include <drd/drd.h>\n#include <drd/drd.h>\nint main(void) { drd_text("x"); return drd_recorded() ? 1 : 0; }\n' >plain.c
cp plain.c plain.cc
warnings='-Wall -Wextra -Wpedantic -Wshadow -Wundef -Werror'
compiled=0
for cc in gcc clang; do
    command -v $cc >/dev/null || continue
    for flags in -std=c99 -std=c11 '-std=c11 -O2 -fno-pie -no-pie' '-std=gnu17 -O2 -fPIE -pie' -masm=intel -static '-O2 -flto'; do
        # shellcheck disable=SC2086
        $cc $warnings -Wstrict-prototypes $flags -I"$root/include" plain.c -o plain >out 2>err || { wrong "$cc $flags"; continue; }
        [ ! -s err ] || wrong "$cc $flags"
        expect 0 ./plain
        compiled=$((compiled + 1))
    done
done
for cxx in g++ clang++; do
    command -v $cxx >/dev/null || continue
    for flags in -std=c++11 '-std=c++17 -O2 -fno-pie -no-pie' -std=c++20; do
        # shellcheck disable=SC2086
        $cxx $warnings -Wmissing-declarations $flags -I"$root/include" plain.cc -o plain >out 2>err || { wrong "$cxx $flags"; continue; }
        [ ! -s err ] || wrong "$cxx $flags"
        expect 0 ./plain
        compiled=$((compiled + 1))
    done
done
[ $compiled -gt 0 ] || { echo "no compiler here"; exit 77; }

# ---- a program of fixed address has marks as well ----
cc -no-pie -fno-pie -I"$root/include" plain.c -o fixed
expect 1 "$drd" record -o fixed.drd -- ./fixed
[ "$(recorded_marks fixed.drd)" = 'mark text 0 0 0 "x"' ] || wrong "a program of fixed address has no marks"

# ---- all kinds, all texts, all threads ----
expect 0 "$drd" record -o all.drd -- "$build/tests/calls/mark_all"
ls=$(printf '%47s' '' | tr ' ' l) ps=$(printf '%47s' '' | tr ' ' p)
cat >wanted <<END
mark node 7 0 0
mark term 1 0 0
mark vote 1 7 0
mark role 1 2 0
mark append 1 1 abc
mark append 2 1 def "two"
mark append 3 1 5a73f1720ca645a3 "three"
mark truncate 2 0 0
mark commit 2 0 0
mark apply 2 1 5747e
mark snapshot 2 1 5747e
mark configuration 1 0 0 "7 8 9*"
mark read 1 0 0 "x"
mark write 2 0 e "y"
mark result 1 2 a
mark text 0 0 0 "words"
mark ? 1 2 ffffffffffffffff
mark text 0 0 0 "$ls"...
mark text 0 0 0
mark text 0 0 0
mark text 0 0 0
mark text 0 0 0 "$ps"...
mark text 0 0 0
mark text 0 0 0
mark text 0 0 0
mark text 0 0 0 "after the wild ones"
mark text 0 0 0 "errno stays"
[1] mark commit 501 0 0
mark commit 1010 0 0
mark commit 504 0 0
mark commit 502 0 0
END
recorded_marks all.drd --node 'mark_all#1' >out
recorded_marks all.drd --node 'mark_all#2' >>out # the child
cmp -s wanted out || { diff wanted out >err; wrong "marks of mark_all"; }
expect 0 "$drd" replay all.drd

# ---- the samples of the page ----
fence c 1 >sample.c
cat >>sample.c <<'END'
int main(void)
{
    struct entry e = {1, 5, "x=1", 3};
    on_append(&e);
    on_apply(&e, "x=1", 3);
    return 0;
}
END
# shellcheck disable=SC2086
cc -std=c99 $warnings -I"$root/include" sample.c -o sample >out 2>err || wrong "the C sample does not compile"
expect 0 ./sample
expect 0 "$drd" record -o sample.drd -- ./sample
digest=$(recorded_marks sample.drd | sed -n 's/^mark append 1 5 \([0-9a-f]*\) "x=1"$/\1/p')
[ -n "$digest" ] && recorded_marks sample.drd | grep -qx "mark apply 1 5 $digest" || wrong "the marks of the C sample"

{ fence c 2; fence c 3; } >excerpt
while IFS= read -r line; do
    grep -qxF "$line" "$root/tests/nodes/marked.c" || wrong "docs/marks.md shows a line that is not in marked.c: $line"
done <excerpt
grep -q drd_append_entry excerpt && grep -q drd_apply excerpt || wrong "docs/marks.md has no excerpt of marked.c"

mkdir go
fence go 1 >go/drd.go
sed -n 's|^// \(#include .*\)|\1|p' go/drd.go >go/preamble.c
sed -n 's/.*C\.\(drd_[a-z_]*\)(.*/(void)\1;/p' go/drd.go | sort -u >go/used
[ "$(wc -l <go/used)" -ge 9 ] || wrong "docs/marks.md has no Go sample"
{ echo 'int main(void) {'; cat go/used; echo 'return 0; }'; } >>go/preamble.c
cc $warnings -I"$root/include" go/preamble.c -o go/preamble >out 2>err || wrong "the C side of the Go sample"

if command -v go >/dev/null; then
    mkdir gonode gonode/drd
    cp go/drd.go gonode/drd/
    printf 'module gonode\ngo 1.19\n' >gonode/go.mod
    cat >gonode/main.go <<'END'
package main

import "gonode/drd"

func main() {
	drd.Node(1)
	drd.Term(5)
	drd.Vote(5, 1)
	drd.Role(5, 2)
	drd.Append(1, 5, []byte("x=1"))
	drd.Commit(1)
	drd.Apply(1, 5, 42)
	drd.Truncate(1)
	drd.Text("done")
}
END
    (cd gonode && GOCACHE=$PWD/cache GOFLAGS=-mod=mod CGO_ENABLED=1 CGO_CFLAGS=-I$root/include go build -o ../gonode.bin .) \
        >out 2>err || wrong "the Go sample does not compile"
    expect 0 ./gonode.bin
    expect 0 "$drd" record -o go.drd -- ./gonode.bin
    cat >wanted <<END
mark node 1 0 0
mark term 5 0 0
mark vote 5 1 0
mark role 5 2 0
mark append 1 5 $digest "x=1"
mark commit 1 0 0
mark apply 1 5 2a
mark truncate 1 0 0
mark text 0 0 0 "done"
END
    recorded_marks go.drd | cmp -s wanted - || { recorded_marks go.drd | diff wanted - >err; wrong "marks of the Go sample"; }
    expect 0 "$drd" replay go.drd
else
    echo "No Go compiler here: the Go sample was not built."
fi

if command -v python3 >/dev/null; then
    fence python 1 >drd.py
    fence python 2 >node.py
    python=$(python3 -c 'import sys; print(sys.executable)')
    expect 0 "$python" node.py
    [ ! -s out ] && [ ! -s err ] || wrong "the Python sample, not recorded, says something"
    expect 0 "$drd" record -o python.drd --only "$(basename "$python")*" -- "$python" node.py
    cat >wanted <<END
mark node 1 0 0
mark term 5 0 0
mark vote 5 1 0
mark role 5 2 0
mark append 1 5 $digest "x=1"
mark commit 1 0 0
END
    recorded_marks python.drd >out
    head -n 6 out | cmp -s - wanted || { diff wanted out >err; wrong "marks of the Python sample"; }
    grep -c 'mark apply 1 5 [0-9a-f]\{8\}' out >/dev/null || wrong "the Python sample applies nothing"
fi
leave

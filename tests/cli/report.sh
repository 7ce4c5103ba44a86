#!/bin/sh
# drd report without a browser: the file, its size, its bytes, what it holds without JavaScript, what it refuses.
#   report.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
. "$(dirname "$0")/lib.sh"

has() { # has FILE WORDS
    grep -qF -- "$2" "$1" || wrong "$1 lacks: $2"
}

nothing_new() { # no file, whole or half, is left by what failed
    [ -z "$(find . -maxdepth 2 -name '*.html*')" ] || wrong "$1 left $(find . -maxdepth 2 -name '*.html*')"
}

# ---- what cannot be done ----
expect 0 "$drd" record -o none.drd -- true
refuse 2 "drd: no Raft in none.drd: *" "$drd" report none.drd
refuse 128 "drd: no such run: no-such.drd: *" "$drd" report no-such.drd
refuse 128 "drd: cannot write no/such/dir.html: No such file or directory" "$drd" report -o no/such/dir.html "$root/traces/T05.drd"
refuse 128 "drd: cannot write /dev/full: No space left on device" "$drd" report -o /dev/full "$root/traces/T05.drd"
refuse 128 "drd: cannot write big.html: File too large" sh -c 'trap "" XFSZ; ulimit -f 16; exec "$@"' - "$drd" report -o big.html "$root/traces/T05.drd"
refuse 129 "drd: --max-size wants at most 16M*" "$drd" report --max-size 17M "$root/traces/T05.drd"
refuse 129 "drd: the page takes * bytes without most of its events: *" "$drd" report --max-size 10K "$root/traces/T05.drd"
refuse 129 "drd report: *" "$drd" report a.drd b.drd c.drd
nothing_new "what was refused"

# ---- the file ----
cp "$root/traces/T05.drd" run.drd
expect 0 "$drd" report run.drd
grep -q '^run.html ([0-9.]* KiB): showing \([0-9]*\) of \1 events$' out || wrong "what it says"
[ -z "$(find . -name '*.tmp')" ] || wrong "a temporary file is left"
cp run.html first.html
expect 0 "$drd" report run.drd
cmp -s run.html first.html || wrong "the same run gave another file"
"$drd" report -o - run.drd | cmp -s - first.html || wrong "stdout is another file"
has run.html '<h1>State Machine Safety broken at index 3: n1 applied &quot;x=A&quot; (term 2), n2 and n3 applied &quot;no-op&quot; (term 3)</h1>'
has run.html 'drd replay run.drd --node n3 --until n3@168 --gdb'
has run.html 'persistent state is updated on stable storage before responding to RPCs'
grep -q 'Showing \([0-9]*\) of \1 events' run.html || wrong "how much it shows"
[ "$(grep -c '<li class="step' run.html)" -eq 10 ] || wrong "the chain"
grep -q '<a class="event" href="#n3@168">n3@168</a>.*<span class="tag">cause</span>' run.html || wrong "the cause in the chain"

# ---- nothing from outside, and nothing but its own script and style: the hashes are those of what stands there ----
/usr/bin/python3 - run.html >hashes <<'PYTHON' || wrong "the hashes"
import base64, hashlib, re, sys
page = open(sys.argv[1], "rb").read()
policy = re.search(rb'http-equiv="Content-Security-Policy" content="([^"]*)"', page).group(1).decode()
digest = lambda text: "'sha256-" + base64.b64encode(hashlib.sha256(text).digest()).decode() + "'"
style = re.search(rb"<style>(.*?)</style>", page, re.S).group(1)
script = page[page.rindex(b"<script>") + 8:page.rindex(b"</script>")]
assert policy == f"default-src 'none'; script-src {digest(script)}; style-src {digest(style)}; base-uri 'none'; form-action 'none'", policy
body = page[page.index(b"<body"):page.index(b'<script type="application')]
assert not re.search(rb"<[^>]* (style|on[a-z]+)=", body), "an attribute that the policy forbids"
assert not re.search(rb'(src|href)="(?!#)', body), "an address outside the page"
PYTHON

# ---- size ----
expect 0 "$drd" report --max-size 84K -o small.html "$root/traces/T07.drd"
[ "$(wc -c <small.html)" -le 86016 ] || wrong "larger than --max-size"
grep -q 'Showing [0-9][0-9][0-9] of 1,[0-9]* events' small.html || wrong "a small one does not say how much it shows"
expect 0 "$drd" report -o whole.html "$root/traces/T07.drd"
grep -q 'Showing \(1,[0-9]*\) of \1 events' whole.html || wrong "a whole one does not show all"

# ---- a healthy run; one of which not all was seen ----
expect 0 "$drd" report -o healthy.html "$root/traces/T13.drd"
has healthy.html '<h1>No property of Raft was broken</h1>'
"$drd" record -o unfinished.drd -- sh -c 'echo $$ >node; "$0"; : >said; exec sleep 60' "$build/tests/nodes/hostile" >out 2>err &
recorder=$!
wait_for test -e said
{ kill -9 $recorder && wait $recorder; } 2>/dev/null || true
expect 2 "$drd" report -o unfinished.html unfinished.drd
has err "; it is not finished: 'drd fsck --repair' finishes it"
[ ! -e unfinished.html ] || wrong "a page of nothing"
kill "$(cat node)"
expect 0 "$drd" fsck --repair unfinished.drd
expect 0 "$drd" report -o unfinished.html unfinished.drd
has unfinished.html 'State Machine Safety broken at index 10'
has unfinished.html '<dt>state</dt><dd>complete</dd>'

# ---- two ----
expect 0 "$drd" report -o two.html "$root/traces/T05.drd" "$root/traces/T09.drd"
has two.html '<h1>The runs parted: n3, messages to n1</h1>'
has two.html '<a class="event" href="#A:n3@168">n3@168</a>'
expect 0 "$drd" report "$root/traces/T05.drd" "$root/traces/T07.drd"
has T05-T07.html 'These runs cannot be compared'

# ---- names and words of a node that means no good ----
expect 0 "$drd" record -o hostile.drd -- "$build/tests/nodes/hostile"
cp hostile.drd '$(hostile).drd'
expect 0 "$drd" report -o hostile.html '$(hostile).drd'
has hostile.html "drd replay &#39;\$(hostile).drd&#39; --node &#39;&lt;img/src=x/onerror=hostile=1&gt;&#39;"
! grep -q '<img\|<script>hostile\|<iframe\|<svg/' hostile.html || wrong "markup of a node"
! LC_ALL=C grep -q "$(printf '\342\200\256')" hostile.html || wrong "an override of direction"
rm -rf spool/* tmp/*
exit $failed

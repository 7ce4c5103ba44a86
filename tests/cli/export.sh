#!/bin/sh
# drd export, read by those it is for: tshark, Graphviz, a strict parser for each of the others; bytes that nobody expects; what
# is refused.
#   export.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
cp "$root"/traces/*.drd .

check() {
    expect 0 "$python" "$root/tests/tools/export_check.py" "$1" "$2"
}

have() {
    command -v "$1" >/dev/null || { echo "skipped: no $1 here"; return 1; }
}

# fields FILE FILTER FIELD: of the packets that pass, each value on a line
fields() {
    tshark -N n -r "$1" -Y "$2" -T fields -e "$3" -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE 2>/dev/null
}

flaws='_ws.malformed || tcp.analysis.flags || tcp.checksum.status == 0 || ip.checksum.status == 0'

# ---- every run of traces/ ----
for run in T*.drd; do
    name=${run%.drd}
    for format in shiviz chrome tla; do
        expect 0 "$drd" export -f $format -o "$name.$format" "$run"
        [ ! -s out ] || wrong "$name: $format writes to stdout too"
        [ "$name.$format" = T15.tla ] || check $format "$name.$format" # T15 is a term that goes back
    done
    expect 0 "$drd" export --format shiviz "$run"
    cmp -s out "$name.shiviz" || wrong "$name: to stdout it is something else"
    expect 0 "$drd" export -f pcapng "$run" --output "$name.pcapng"
    expect 0 "$drd" export -f markdown --no-source -o "$name.md" "$run"
    expect 0 "$drd" export -f dot --no-source -o "$name.dot" "$run"
    if have dot >/dev/null; then expect 0 dot -Tsvg -o "$name.svg" "$name.dot"; xmllint --noout "$name.svg" || wrong "$name.svg"; fi
    if have tshark >/dev/null; then [ -z "$(fields "$name.pcapng" "$flaws" frame.number)" ] || wrong "$name.pcapng has flaws"; fi
done
expect 1 "$python" "$root/tests/tools/export_check.py" tla T15.tla
grep -q "term went back" err || wrong "a term that goes back is not seen in the lines of TLA+"

# ---- the checkers themselves see what is wrong ----
broken() {
    sed "$3" "$2" >broken
    cmp -s broken "$2" && wrong "$3 changes nothing in $2"
    expect 1 "$python" "$root/tests/tools/export_check.py" "$1" broken
}
broken shiviz T01.shiviz '/^n2 .*"n2":7/,+1d'
broken shiviz T01.shiviz 's/"n1":20, "n2":5/"n1":20, "n2":6/'
broken shiviz T01.shiviz '/^n1 .*"n1":20/,+1d'
broken chrome T01.chrome '0,/"ph":"s"/s//"ph":"f"/'
broken chrome T01.chrome 's/,"dur":[0-9.]*/,"dur":99999999/'
broken tla T01.tla '0,/SendRequestVoteRequest/s//SendRequestVoteResponse/'
broken tla T01.tla '/"SendRequestVoteRequest"/d'

# ---- T07 in detail ----
steps=$(sed -n 's/^           \([0-9]*\) .*/\1/p; s/^CHAIN *\([0-9]*\) .*/\1/p' "$root/traces/T07.txt" | sort -n | tail -n 1)
[ "$(grep -c '^    step[0-9]* \[' T07.dot)" -eq "$steps" ] || wrong "T07.dot has not $steps steps"
[ "$(grep -c '^[0-9]*\. `s[0-9]@[0-9]*` ' T07.md)" -eq "$steps" ] || wrong "T07.md has not $steps steps"
grep -q 'step8 \[.*penwidth' T07.dot || wrong "the cause is not marked"
grep -q 'step1 -> step2' T07.dot && ! grep -q 'step1 -> step3' T07.dot || wrong "the edges are not the direct ones"
grep -q '^    drd replay T07.drd --node s0 --until s0@5598 --gdb$' T07.md || wrong "T07.md has no line to reproduce it"
grep -q '^\*\*State Machine Safety broken at index 2: ' T07.md || wrong "T07.md does not begin with the verdict"
grep -q '"name":"leader of term 14"' T07.chrome || wrong "T07.chrome has no leader of term 14"
if have tshark; then
    sent='ip.src_host == "s0" && ip.dst_host == "s2" && frame.interface_name == "s2"'
    fields T07.pcapng "$sent" frame.comment | grep -q '^s0@5593 -> s2@5388: AppendEntries of term 14, 1 entry after 1' ||
        wrong "T07.pcapng has not the fatal AppendEntries with both events"
    [ "$(fields T07.pcapng 'tcp.len > 0' frame.packet_id | sort | uniq -d | wc -l)" -eq 0 ] || wrong "a message stands there twice"
    fields T07.pcapng 'frame.number == 1' frame.time_epoch | grep -q '^1795458767\.' || wrong "not the time of the recording"
fi

# ---- what nodes say stays what it is, and nothing else ----
DRD_NODE='n"o<b> </script>|`' "$drd" record -o talk.drd -- "$python" "$root/tests/tools/export_talk.py" >said 2>&1 || wrong "cannot record"
for format in shiviz chrome; do
    expect 0 "$drd" export -f $format -o talk.$format talk.drd
    check $format talk.$format
    [ -z "$(LC_ALL=C tr -d '\11\12\40-\176' <talk.$format)" ] || wrong "$format: something that is not printable"
done
expect 0 "$drd" export -f pcapng -o talk.pcapng talk.drd
if have tshark; then
    expect 0 "$python" "$root/tests/tools/export_talk.py" said spoken
    # The lines of the other side begin with a tab.
    tshark -r talk.pcapng -q -z follow,tcp,raw,0 2>/dev/null >followed
    grep '^[0-9a-f]' followed | xxd -r -p >client
    sed -n 's/^\t\([0-9a-f]*\)$/\1/p' followed | xxd -r -p >server
    cmp client spoken || wrong "the client's bytes are others in the capture"
    cmp server spoken.back || wrong "the server's bytes are others in the capture"
    [ -z "$(fields talk.pcapng "$flaws" frame.number)" ] || wrong "talk.pcapng has flaws"
    [ "$(fields talk.pcapng 'tcp.len > 0 && ip.src_host == "client"' frame.packet_id | sort -u | wc -l)" -eq 8 ] ||
        wrong "the client's messages are not 8"
fi

# ---- Markdown: made twice from the same run, it is the same; nothing of it is HTML ----
if have cmark; then
    for run in T*.drd; do
        cmark -t xml "${run%.drd}.md" >md.xml
        [ -s md.xml ] || wrong "$run: no Markdown"
        ! grep -q '<html_\|<link\|<image' md.xml || wrong "$run: markup, a link or a picture in its Markdown"
        [ "$(grep -c '<heading level="3">' md.xml)" -ge 3 ] || wrong "$run: too few headings"
    done
    cmark -t xml T07.md >md.xml
    [ "$(grep -c '<item>' md.xml)" -eq "$steps" ] || wrong "T07.md: the list has not $steps items"
fi

# ---- what is refused: one line, nothing on stdout, no file ----
rm -f new.drd talk.* T0[2-9]* T1* T2* client server spoken* followed broken
refuse 129 "drd export: *nosuch*" "$drd" export -f nosuch T01.drd
refuse 129 "drd: which format*" "$drd" export T01.drd
refuse 129 "drd export: *" "$drd" export -f shiviz T01.drd T01.drd
refuse 128 "drd: *nowhere.drd*" "$drd" export -f shiviz ./nowhere.drd
refuse 128 "drd: cannot write no/such/dir: *" "$drd" export -f chrome -o no/such/dir T01.drd
head -c $(($(wc -c <T01.drd) / 2)) T01.drd >half.drd
refuse 128 "drd: *damaged*" "$drd" export -f chrome -o half.json ./half.drd
"$drd" record -o calm.drd -- /bin/echo hello >said 2>&1 || wrong "cannot record"
for format in markdown dot tla jepsen pcapng; do
    refuse 5 "drd: nothing to export: *" "$drd" export -f $format -o calm.out calm.drd
    refuse 5 "drd: nothing to export: *" "$drd" export -f $format calm.drd
done
refuse 5 "drd: nothing to export: no client*" "$drd" export -f jepsen T01.drd
for format in shiviz chrome pcapng tla markdown dot; do
    refuse 128 "drd: cannot write*" "$drd" export -f $format --no-source -o /dev/full T01.drd
done
status=0
"$drd" export -f chrome T01.drd >/dev/full 2>err || status=$?
[ $status -eq 128 ] && [ "$(wc -l <err)" -eq 1 ] || wrong "a full disk on stdout: status $status"
echo old >kept
chmod 600 kept
mkdir shut
cp kept shut/
chmod 500 shut
if [ "$(id -u)" != 0 ]; then refuse 128 "drd: cannot write*" "$drd" export -f chrome -o shut/new T01.drd; fi
refuse 5 "drd: nothing to export: *" "$drd" export -f tla -o kept calm.drd
[ "$(cat kept)" = old ] || wrong "an export that failed replaced a file"
(ulimit -f 8; trap '' XFSZ; "$drd" export -f chrome -o kept T01.drd 2>err) && wrong "a file that may not grow was written"
[ "$(cat kept)" = old ] || wrong "a disk that is full replaced a file"
rm -rf shut
[ -z "$(find . -name 'kept.*' -o -name 'half.*' ! -name '*.drd' -o -name 'calm.*' ! -name '*.drd')" ] || wrong "left: $(ls)"
expect 0 "$drd" export -f chrome -o kept T01.drd
check chrome kept
[ "$(stat -c %a kept)" = 600 ] || wrong "others may read an export"

# a reader that leaves is no error of ours
"$drd" export -f chrome T01.drd 2>err | head -n 1 >/dev/null
[ ! -s err ] || wrong "a reader that left is an error"
leave

#!/bin/sh
# drd simulate: what each fault of docs/drd-fault.md does to the processes that it strikes, as they see it themselves.
#   simulate_faults.sh BUILD SCRATCH
build=$(cd "$1" && pwd)
. "$(dirname "$0")/lib.sh"
struck=$build/tests/nodes/struck

# world SEED COMMAND...: by `plan`; what the processes said is in `out`, the times in ms of the world
world() {
    seed=$1
    shift
    rm -f new.drd
    expect 124 "$drd" simulate --seed "$seed" --plan plan -o new.drd -- sh -c "{ $*; } & sleep 9"
    awk '{ $1 -= 1000; print }' out >said
}

# holds NAME AWK: of `said`; `ok` has to be true in the end
holds() {
    awk "$2 END { exit !(ok) }" said || { cp said out; wrong "seed $seed: $1"; }
}

# A disk that loses its power has what was synced, and maybe what was written since; never half of a page that was synced.
kept=0 lost=0
for seed in 1 2 3 4 5 6 7 8; do
    printf 'at 0.303 crash a\nat 0.5 restart a\nend 0.6\n' >plan
    world $seed "DRD_NODE=a $struck disk f"
    holds 'what was synced is there' '/sync .* ok/ && $1 < 303 { synced = $4 + 1 } /has/ && $1 > 303 { has = $4 } { ok = has >= synced && synced > 10 }'
    holds 'no more than was written' '/write .* ok/ && $1 < 303 { wrote = $4 + 1 } /has/ && $1 > 303 { has = $4 } { ok = has <= wrote }'
    if awk '/write/ && $1 < 303 { wrote = $4 + 1 } /has/ && $1 > 303 { has = $4 } END { exit !(has < wrote) }' said; then
        lost=$((lost + 1))
    else
        kept=$((kept + 1))
    fi
done
[ $lost -gt 0 ] || wrong "nothing that was not synced was lost: $lost lost, $kept kept"
[ $kept -gt 0 ] || wrong "what was not synced was always lost"
# what was killed loses nothing
printf 'at 0.303 kill a\nat 0.5 restart a\nend 0.6\n' >plan
world 1 "DRD_NODE=a $struck disk f"
holds 'kill loses nothing' '/write/ && $1 < 303 { wrote = $4 + 1 } /has/ && $1 > 303 { has = $4 } { ok = has == wrote && wrote > 10 }'

# A disk that lies says that it synced, and loses it; one that is well again does not.
lost=0
for seed in 1 2 3 4; do
    printf 'at 0.001 disk a lie\nat 0.303 crash a\nat 0.5 restart a\nend 0.6\n' >plan
    world $seed "DRD_NODE=a $struck disk f"
    if awk '/sync .* ok/ && $1 < 303 { synced = $4 + 1 } /has/ && $1 > 303 { has = $4 } END { exit !(has < synced) }' said; then
        lost=$((lost + 1))
    fi
done
[ $lost -gt 0 ] || wrong "a disk that lies lost nothing"

# It fails, is full, is slow, and well again each time.
printf '%s\n' 'at 0.2 disk a fail EIO' 'at 0.4 disk a well' 'at 0.6 disk a full' 'at 0.8 disk a well' 'at 1.0 disk a slow 100' \
    'at 1.5 disk a well' 'at 1.6 disk b full' 'end 2' >plan
world 1 "DRD_NODE=a $struck disk f & DRD_NODE=b $struck clock"
holds 'EIO from 200 to 400 ms' '/ EIO/ { n++; wrong += $1 < 200 || $1 > 401 } { ok = n > 10 && !wrong }'
holds 'ENOSPC from 600 to 800 ms' '/ ENOSPC/ { n++; wrong += $1 < 600 || $1 > 801 } { ok = n > 10 && !wrong }'
holds 'syncs of 100 ms from 1000 to 1500 ms' '/took/ && $NF > 90 { n++; wrong += $1 < 1090 || $1 > 1601 || $NF > 104 } { ok = n > 2 && !wrong }'
holds 'syncs of 0.5 to 2.5 ms else' '/took/ && $NF < 90 { n++; wrong += $NF < 0.5 || $NF > 2.6 } { ok = n > 30 && !wrong }'
holds 'written again in the end' '/write .* ok/ && $1 > 1900 { ok = 1 }'

# A pause stops a node and nobody else; it goes on where it was.
printf 'at 0.5 pause a\nat 0.9 resume a\nend 1.2\n' >plan
world 1 "DRD_NODE=a $struck clock & DRD_NODE=b $struck disk f"
holds 'nothing from 500 to 900 ms' '/clock/ && $1 < 500 { before++ } /clock/ && $1 > 500 && $1 < 900 { wrong++ } /clock/ && $1 >= 900 { after++ }
    { ok = before > 8 && after > 4 && !wrong }'
holds 'the other goes on' '/disk write/ && $1 > 500 && $1 < 900 { n++ } { ok = n > 20 }'

# The time of day is off, and jumps; CLOCK_MONOTONIC is never set.
printf 'at 0.3 skew a +50ms\nat 0.6 jump a -2s\nat 0.9 skew a 0\nend 1.2\n' >plan
world 1 "DRD_NODE=a $struck clock & DRD_NODE=b $struck clock"
holds 'off by 0, 50, -1950, 0 ms' '/clock/ { off = sprintf("%.0f", $3); seen[off]++ }
    { ok = seen["0"] > 20 && seen["50"] > 3 && seen["-1950"] > 3 && seen["0"] + seen["-0"] + seen["50"] + seen["-1950"] == NR }'

# Connections: reset, cut for both, and for the others too.
talk="DRD_NODE=b $struck receive 4711 & DRD_NODE=a $struck send 4711"
printf 'at 0.5 reset a b\nend 1\n' >plan
world 1 "$talk"
holds 'reset once, then connected anew' '/end ECONNRESET/ { end = $1 } /receive took/ && end { ok = end >= 500 && end < 503 }'
printf 'at 0.4 cut a b\nat 0.8 heal\nend 1.2\n' >plan
world 1 "$talk"
holds 'nothing from 400 to 800 ms' '/receive took/ { n[$1 < 400 ? 0 : $1 < 800 ? 1 : 2]++ } /send connect/ && $1 >= 400 && $1 < 800 { refused++ }
    { ok = n[0] > 10 && n[1] == 0 && n[2] > 10 && refused }'

# How long a message is on its way: usually up to 1 ms, some up to 20 ms more; otherwise if that is said.
hear="DRD_NODE=b $struck hear 4711 & DRD_NODE=a $struck tell 4711"
printf 'end 2\n' >plan
world 1 "$hear"
holds 'the usual delays' '/took/ { n++; wrong += $4 < 0.1 || $4 > 21.1; late += $4 > 1.1; over += /overtaken/ }
    { ok = n > 1500 && !wrong && late > n / 80 && late < n / 20 && over }'
printf 'at 0 delay 5ms 7ms\nat 0 late 50%% 40ms\nend 2\n' >plan
world 1 "$hear"
holds 'delays of 5 to 7 ms, half of them more' '/took/ { n++; wrong += $4 < 5 || $4 > 47.1; late += $4 > 7.1 } { ok = n > 1500 && !wrong && late > n * .4 && late < n * .6 }'
printf 'at 0 late 0 0\nat 0.5 lose 40\nat 1.5 lose 0\nend 2\n' >plan
world 1 "$hear"
holds '40 percent of one second lost' '/took/ { n[$1 >= 502 && $1 < 1500]++ } { ok = n[0] > 900 && n[1] > 450 && n[1] < 700 }'
printf 'at 0 late 0 0\nat 0.5 duplicate 30\nat 1.5 duplicate 0\nend 2\n' >plan
world 1 "$hear"
holds '30 percent of one second twice' '/took/ { n[$1 >= 502 && $1 < 1502]++ } { ok = n[0] > 900 && n[0] < 1010 && n[1] > 1150 && n[1] < 1400 }'

# A model says the same, and a run that follows from one can be made again from its seed and plan.
printf 'delay 5ms 7ms\nlate 0 0\nfrom 0s\nuntil 2s\nevery 100ms\nmessages 0\nvary 0\ncut 0\ncut-one-way 0\nreset 0\nkill 0\ncrash 0\npause 0
skew 0\njump 0\ndisk-slow 0\nlose 1 200ms\nduplicate 1 200ms\n' >model
rm -f new.drd
expect 124 "$drd" simulate --seed 3 --model model --limit 2 -o new.drd -- sh -c "{ $hear; } & sleep 9"
awk '{ $1 -= 1000; print }' out >said
holds 'lost and twice by the model' '/took/ { n++; wrong += $4 < 5 || $4 > 7.1; again += /again/ } { ok = n > 600 && !wrong && (n < 1750 || again > 50) }'
mv new.drd made.drd
python3 - >plan <<'PY' || wrong "no plan is kept"
import sqlite3
for (text,) in sqlite3.connect("made.drd").execute("SELECT value FROM fact WHERE key = ?", ("plan",)):
    print(text.decode() if isinstance(text, bytes) else text, end="")
PY
grep -q '^at 0.000000000 delay 5000000ns 7000000ns$' plan && grep -q ' lose [1-9]' plan && grep -q ' duplicate [1-9]' plan ||
    { cp plan out; wrong "the plan does not say what was drawn"; }
expect 124 "$drd" simulate --seed 3 --plan plan --limit 2 -o new.drd -- sh -c "{ $hear; } & sleep 9"
expect 0 "$build/tests/tools/same" made.drd new.drd
expect 0 "$drd" replay new.drd
leave

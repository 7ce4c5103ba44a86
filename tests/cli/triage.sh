#!/bin/sh
# drd triage: what is told apart, what is new, the outputs as their readers read them, and what it refuses.
#   triage.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
unset DRD_STORE CI_COMMIT_SHA GITHUB_SHA GIT_COMMIT
export XDG_CACHE_HOME="$scratch/kept"
mkdir runs
for tool in xmllint jq; do
    command -v $tool >/dev/null || { echo "no $tool: see tests/lib/packages.sh"; exit 77; }
done

# record STATUS NAME SCRIPT...: a run of a script.
record() {
    expect "$1" "$drd" record -o "runs/$2.drd" -- sh -c "$3"
}

triage() {
    wanted=$1
    shift
    expect "$wanted" "$drd" triage "$@"
}

# says FILTER VALUE: what jq makes of the JSON on out.
says() {
    [ "$(jq -c "$1" out)" = "$2" ] || wrong "jq $1: $(jq -c "$1" out), wanted $2"
}

kind_of() {
    says ".runs[] | select(.run == \"runs/$1.drd\") | .kind" "\"$2\""
}

# Crashes: of a node, by its own doing. A signal that the test sent is none, neither is the failure of the test itself.
record 1 crash1 'DRD_NODE=n1 sh -c "echo server.c:17: Assertion failed >&2; kill -ABRT \$\$" & wait $!; exit 1'
record 1 crash2 'DRD_NODE=n2 sh -c "echo server.c:23: Assertion failed >&2; kill -ABRT \$\$" & wait $!; exit 1'
record 0 asked 'DRD_NODE=n1 sh -c "echo >up; exec sleep 60" & until [ -e up ]; do :; done; kill -SEGV $!; wait $!; exit 0'
for name in check again; do
    echo $name >>nth
    record 3 $name 'n=$(wc -l <nth); echo "lost key k$n at /tmp/x$n/log" >&2; exit 3'
done
record 0 green 'exit 0'
expect 124 "$drd" record -o runs/late.drd --timeout 1 -- sleep 60

triage 1 --json runs
for name in crash1 crash2; do kind_of $name crash; done
for name in check again late; do kind_of $name check; done
for name in asked green; do kind_of $name healthy; done
says '.counts.crash, .counts.check, .counts.healthy' '2
3
2'
says '[.groups[] | select(.kind == "crash") | .count]' '[2]'
says '[.groups[] | select(.kind == "check") | .count]' '[2,1]'
says '.groups[0].title' '"sh ended with SIGABRT: server.c:N: Assertion failed"'
says '[.runs[].cached] | any' false
says '.exit' 1
cp out first
/usr/bin/python3 -c 'import json, sys, jsonschema
schema, value = (json.load(open(name)) for name in sys.argv[1:])
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(value, schema)' "$here/../../docs/triage.schema.json" first 2>said || wrong "schema: $(tail -n 3 said)"
triage 1 --json runs
says '[.runs[].cached] | all' true
jq '.runs[].cached = false' out >second
jq . first | cmp - second || wrong "what was kept is not what was found"

# Known by content: another place, another time, and read-only.
cp -r runs elsewhere
touch elsewhere/*
chmod 400 elsewhere/*
triage 1 --json elsewhere
says '[.runs[].cached] | all' true
rm -rf elsewhere
triage 1 --json --no-cache runs
says '[.runs[].cached] | any' false

# A commit with both colours is flaky, two commits are not.
script='[ -e up2 ]; code=$?; : >up2; exit $code'
CI_COMMIT_SHA=c0ffee expect 1 "$drd" record -o runs/flaky1.drd -- sh -c "$script"
CI_COMMIT_SHA=decade expect 0 "$drd" record -o runs/flaky2.drd -- sh -c "$script"
triage 1 --json runs/flaky1.drd runs/flaky2.drd
says '.groups[0].flaky, [.runs[].commit]' 'false
["c0ffee","decade"]'
CI_COMMIT_SHA=c0ffee expect 0 "$drd" record -o runs/flaky2.drd -- sh -c "$script"
triage 1 --json runs/flaky1.drd runs/flaky2.drd
says '.groups[0].flaky' true
rm runs/flaky*

# The baseline.
triage 1 --json runs
jq -r '.groups[] | .fingerprint.value + "  " + .title' out >known
triage 0 --known known runs
grep -q '^KNOWN' out || wrong "nothing known"
! grep -q '^NEW' out || wrong "something new"
sed 's/^[0-9]*:/1:/' known >old
triage 1 --known old runs
grep -q 'another version of the algorithm' out || wrong "an old baseline goes unnoticed"

# One group.
triage 1 --fingerprint "$(sed -n '/SIGABRT/s/ .*//p' known)" runs
grep -q 'RUNS.*crash2.drd\|RUNS.*crash1.drd' out || wrong "no runs of the group"
refuse 5 "drd: no run has the fingerprint 2:nothing" "$drd" triage --fingerprint 2:nothing runs

# Among others, what is no run is listed and changes nothing.
head -c 1000 runs/green.drd >runs/cut.drd
echo noise >runs/noise.drd
triage 0 --known known runs
grep -q '^NOT JUDGED  runs/cut.drd: damaged: cut short' out || wrong "a damaged run is not listed"
grep -q '^NOT JUDGED  runs/noise.drd: not a DRD run' out || wrong "noise is not listed"

# A recording that stopped before the nodes did: nothing can be said for a test that passed; one that failed, failed. The
# recorder drains when the processors are idle: the command waits for it, and then does some more.
for ends in 0 3; do
    expect $ends "$drd" record --max-size 256K -o "runs/short$ends.drd" -- sh -c '
        more=30
        while [ $more -gt 0 ]; do
            head -c 400000 /dev/urandom | wc -c
            [ "$(stat -c %s "$1")" -lt 262144 ] || more=$((more - 1))
            sleep 0.05
        done
        exit "$2"' sh "runs/short$ends.drd" "$ends"
    triage $((ends / 3)) --json "runs/short$ends.drd" runs/green.drd
    [ $ends = 0 ] || kind_of short3 check
    [ $ends = 3 ] || kind_of short0 broken
    rm "runs/short$ends.drd"
done
ln -s ../runs/green.drd "$scratch/tmp/link.drd"
triage 0 --json "$scratch/tmp"
says '.counts.healthy' 1
rm "$scratch/tmp/link.drd"

# Outputs. What a node said stays text in all of them.
hostile="<b>]]>&\"'|\`x\` ::error::no %0A @all
::error::no"
record 3 hostile "printf '%s\\033[31m' '$(printf %s "$hostile" | sed "s/'/'\\\\''/g" | head -n 1)' >&2; exit 3"
triage 1 --junit junit.xml --markdown summary.md --github runs
xmllint --noout --schema "$here/../lib/junit.xsd" junit.xml 2>xml || { cat xml; wrong "the JUnit file is not valid"; }
[ "$(xmllint --xpath 'count(//testcase)' junit.xml)" = "$(xmllint --xpath 'string(//testsuite/@tests)' junit.xml)" ] ||
    wrong "tests= does not count the cases"
[ "$(xmllint --xpath 'count(//failure)' junit.xml)" = "$(xmllint --xpath 'string(//testsuite/@failures)' junit.xml)" ] ||
    wrong "failures= does not count the failures"
[ "$(xmllint --xpath 'count(//testcase[skipped])' junit.xml)" = 2 ] || wrong "two runs were not judged"
names=$(xmllint --xpath '//testcase/@name' junit.xml)
[ "$(echo "$names" | sort | uniq -d | wc -l)" = 0 ] || wrong "GitLab counts cases of one name once"
xmllint --xpath 'string(//failure[contains(., "::error::no")])' junit.xml >story
grep -q "Reproduce: drd replay runs/hostile.drd" story ||
    wrong "the story is not in the content"
grep -q '\[\[ATTACHMENT|runs/' junit.xml || wrong "no run is attached"
# Annotations are the lines behind the token; nothing before it is obeyed.
sed -n '1s/^::stop-commands::\(.*\)$/::\1::/p' out >token
[ -s token ] || wrong "commands are not stopped"
sed "1,/^$(cat token)\$/d" out >annotations
[ "$(grep -cv '^::\(error\|warning\) title=[^:,]*::' annotations)" = 0 ] || wrong "an annotation is none: $(cat annotations)"
[ "$(wc -l <annotations)" -le 10 ] || wrong "too many annotations"
[ "$(wc -l <annotations)" = "$(xmllint --xpath 'count(//failure)' junit.xml)" ] || wrong "not one annotation a group"
! grep -q "$(printf '\033')" out summary.md junit.xml || wrong "an escape sequence came through"
# A row of the table has five bars that are not escaped; no HTML.
[ "$(sed 's/\\|//g' summary.md | grep '^|' | tr -cd '|\n' | sort -u)" = "|||||" ] || wrong "a row of the table is torn"
! grep -v '`' summary.md | grep -q '<' || wrong "HTML in the summary"
[ "$(grep -c '^### ' summary.md)" = $(($(wc -l <annotations) + 1)) ] || wrong "not one part a group"
# As GitHub renders it: a row a group, a part a group, what a node said as text, and no element that drd did not mean.
if command -v cmark-gfm >/dev/null; then
    { echo '<summary>'; cmark-gfm -e table -e strikethrough -e autolink --unsafe summary.md; echo '</summary>'; } >summary.html
    groups=$(wc -l <annotations)
    [ "$(xmllint --xpath 'count(//tbody/tr)' summary.html)" = "$groups" ] || wrong "rendered: not one row a group"
    [ "$(xmllint --xpath 'count(//tbody/tr[count(td) != 4])' summary.html)" = 0 ] || wrong "rendered: a row is torn"
    [ "$(xmllint --xpath 'count(//h3)' summary.html)" = $((groups + 1)) ] || wrong "rendered: not one part a group"
    xmllint --xpath 'string(/)' summary.html | grep -qF "<b>]]>&\"'|\`x\` ::error::no" || wrong "rendered: not what the node said"
    allowed="self::h2 or self::h3 or self::p or self::ul or self::li or self::code or self::strong or self::pre or self::table"
    allowed="$allowed or self::thead or self::tbody or self::tr or self::th or self::td"
    [ "$(xmllint --xpath "count(/summary//*[not($allowed)])" summary.html)" = 0 ] || wrong "rendered: mark-up of a node's own"
else
    echo "no cmark-gfm: the summary is not rendered"
fi
size=$(wc -c <summary.md)
triage 1 --markdown summary.md runs
[ "$(wc -c <summary.md)" -gt "$size" ] || wrong "the summary was not appended"

# Real recordings, each of another mistake: a group each, named by its class.
triage 1 --json --no-source "$here/../../traces"
says '[.runs[] | select((.path | split("/") | last | rtrimstr(".drd")) as $class | .fingerprint | endswith("-" + $class) | not)]' '[]'
says '[.groups[].count] | unique' '[1]'
says '(.groups | length) == (.runs | length) and (.runs | length) >= 25' true

# What it refuses.
mkdir empty
refuse 125 "drd: no run in empty: *" "$drd" triage empty
refuse 128 "drd: no such run: ./nowhere: *" "$drd" triage ./nowhere
refuse 128 "drd: cannot read nowhere: *" "$drd" triage --known nowhere runs
refuse 128 "drd: cannot write nowhere/x: *" "$drd" triage --junit nowhere/x runs
refuse 128 "drd: cannot write nowhere/x: *" "$drd" triage --markdown nowhere/x runs
expect 128 "$drd" triage --junit /dev/full runs
grep -q "drd: cannot write /dev/full" err || wrong "a full disk"
refuse 129 "drd*--jobs*" "$drd" triage --jobs -1 runs
mkdir spoilt
cp runs/cut.drd runs/noise.drd spoilt
triage 125 --junit junit.xml spoilt
grep -q '0 failures' out || wrong "failures without a run"
xmllint --noout --schema "$here/../lib/junit.xsd" junit.xml 2>xml || { cat xml; wrong "the JUnit file is not valid"; }
[ "$(xmllint --xpath 'count(//error)' junit.xml)" = 2 ] || wrong "errors of runs that could not be judged"
# A cache that cannot be written costs time only.
triage 1 --cache /dev/null/nowhere runs/check.drd
triage 1 --jobs 1 --cache "$scratch/other" runs/check.drd
[ -n "$(ls other)" ] || wrong "--cache keeps nothing"
leave

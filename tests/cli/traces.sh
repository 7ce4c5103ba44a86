#!/bin/sh
# The runs of traces/ explain themselves, without their programs, exactly as the files beside them say; what is said in JSON
# follows the schema; and the pages show what is said now. tests/tools/traces_update.sh makes all of it anew.
#   traces.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
classes=$1/tests/tools/classes
. "$(dirname "$0")/lib.sh"
. "$root/tests/lib/pages.sh"

# Copies, in a folder of that name: an older run gets new rows when it is opened, and the explanation names the run.
mkdir traces
cp "$root"/traces/*.drd traces/

# status NAME: violated 1, none 0, unknown 2.
status() {
    case $(cat "$root/traces/$1.json") in
    *'"verdict":{"status":"violated"'*) echo 1 ;;
    *'"verdict":{"status":"none"'*) echo 0 ;;
    *) echo 2 ;;
    esac
}

while read -r name _; do
    if [ "$name" = "#" ]; then continue; fi
    [ "$(wc -c <"traces/$name.drd")" -lt 307200 ] || wrong "$name.drd has more than 300 KB"
    for form in txt json; do
        if [ $form = txt ]; then option=--no-pager; else option=--json; fi
        expect "$(status "$name")" "$drd" explain $option "traces/$name.drd"
        cmp -s out "$root/traces/$name.$form" || {
            diff "$root/traces/$name.$form" out | cut -c 1-300
            wrong "$name.$form is not what is said now: see tests/tools/traces_update.sh"
        }
        [ ! -s err ] || wrong "explain $option $name says something on stderr"
    done
    grep -q "\"class\":\"$name\"" "$root/traces/$name.json" || wrong "$name is explained without its class"
    expect 0 "$drd" fsck "traces/$name.drd"
done <"$root/tests/tools/traces.list"

# ---- the schema ----

# A number beyond 2^53 is a string; one that is left a number, a step without its event, and an unknown status are refused.
cp "$root/traces/T07.json" good.json
sed 's/"term":2,/"term":"9007199254740993",/g' good.json >large.json
sed 's/"index":2,/"index":9007199254740993,/g' good.json >number.json
sed 's/"chain":\[{"step":1,"node":"[^"]*","event":"[^"]*",/"chain":[{"step":1,/' good.json >step.json
sed 's/"certainty":"[a-z]*"/"certainty":"perhaps"/' good.json >certainty.json
for changed in large number step certainty; do
    ! cmp -s good.json $changed.json || wrong "$changed.json is not changed: T07.json has another form"
done
cat >valid.py <<'E2'
import json, sys
import jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
for name in sys.argv[2:]:
    errors = list(jsonschema.Draft7Validator(schema).iter_errors(json.load(open(name))))
    for e in errors:
        print(name, list(e.path), e.message[:200])
    if errors:
        sys.exit(1)
E2
expect 0 "$drd" record -o none.drd -- true
expect 2 "$drd" explain --json none.drd
cp out unknown.json
expect 0 /usr/bin/python3 valid.py "$root/docs/explain.schema.json" "$root"/traces/*.json large.json unknown.json
for changed in number step certainty; do
    expect 1 /usr/bin/python3 valid.py "$root/docs/explain.schema.json" $changed.json
    grep -q "^$changed.json" out || wrong "$changed.json is refused for another reason"
done

# ---- the pages ----
cd "$root"
for page in $PAGES; do
    page_fill "$page" >"$scratch/page"
    cmp -s "$scratch/page" "$page" || {
        diff "$page" "$scratch/page" | head -n 20
        echo "$page is not current: run tests/tools/traces_update.sh BUILD"
        failed=1
    }
done
cd "$scratch"
leave

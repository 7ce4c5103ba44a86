#!/bin/sh
# The recipes of docs/ci.md, word for word, with a test that fails: they find its failure, once as new and once as known.
#   ci.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
page=$here/../../docs/ci.md
unset DRD_STORE CI_COMMIT_SHA GITHUB_SHA GIT_COMMIT
export XDG_CACHE_HOME="$scratch/kept" PATH="$1:$PATH"
command -v xmllint >/dev/null || { echo "no xmllint: see tests/lib/packages.sh"; exit 77; }

# recipe HEADING: its code, without the indentation.
recipe() {
    sed -n "/^## $1\$/,/^## /s/^    //p" "$page"
}

# job: begins in an empty directory. found FILE...: what it must have left.
job() {
    rm -rf job
    mkdir job
    : >job/known.txt
    printf 'echo "lost key k17" >&2\nexit 3\n' >job/test.sh
}

found() {
    for file; do
        [ -s "job/$file" ] || wrong "$name: no $file"
        [ "${file%.xml}" = "$file" ] || xmllint --noout --schema "$here/../lib/junit.xsd" "job/$file" 2>xml ||
            wrong "$name: $(cat xml)"
    done
}

# run SCRIPT STATUS: as a runner does.
run() {
    got=0
    (cd job && CI_PROJECT_DIR=$PWD WORKSPACE=$PWD GITHUB_STEP_SUMMARY=$PWD/summary.md sh -e -c "$1") >out 2>err || got=$?
    [ "$got" -eq "$2" ] || wrong "$name: '$1' ended with $got, wanted $2"
}

name="plain shell"
job
recipe 'A plain shell' >job/ci.sh
[ "$(grep -c 'drd record\|drd triage' job/ci.sh)" = 2 ] || wrong "$name: no recipe"
run 'sh ci.sh' 1
found drd.xml
[ "$(find job/drd-runs -name '*.drd' | wc -l)" = 10 ] || wrong "$name: not ten runs"
grep -q '10 of 10 runs' out || wrong "$name: not one group"
sed -n 's/^NEW *\([^ ]*\).*/\1/p' out >job/known.txt
run 'sh ci.sh' 0
grep -q '^KNOWN' out || wrong "$name: nothing known"
job
echo 'exit 0' >job/test.sh
recipe 'A plain shell' >job/ci.sh
run 'sh ci.sh' 0
[ -z "$(find job/drd-runs -name '*.drd')" ] || wrong "$name: a run that did not fail was kept"

# yaml WORDS: what a recipe that is YAML says, as the CI system reads it: `value` is all of it.
yaml() {
    /usr/bin/python3 -c 'import sys, yaml
value = yaml.safe_load(open("recipe"))
result = eval(sys.argv[1], {"value": value})
print("\n".join(result) if isinstance(result, list) else result)' "$1" || wrong "$name: $1"
}
/usr/bin/python3 -c 'import yaml' 2>/dev/null || { echo "no python3-yaml: see tests/lib/packages.sh"; exit 77; }

name=GitHub
job
recipe 'GitHub Actions' >recipe
[ "$(yaml '[set(s) <= {"name", "run", "env", "if", "uses", "with"} and ("run" in s) != ("uses" in s) for s in value].count(False)')" = 0 ] ||
    wrong "$name: a step that is none"
[ "$(yaml 'value[0]["env"]["DRD_STORE"]')" = "\${{ github.workspace }}/drd-runs" ] || wrong "$name: another store"
[ "$(yaml '[s["if"] for s in value[1:]]' | sort -u)" = "failure()" ] || wrong "$name: steps after a failure that are not for one"
run "export DRD_STORE=\$PWD/drd-runs; $(yaml 'value[0]["run"]')" 3
run "$(yaml 'value[1]["run"]')" 1
[ -d "job/$(yaml 'value[2]["with"]["path"]')" ] || wrong "$name: what is uploaded is not there"
found summary.md
grep -q '^::error title=' out || wrong "$name: no annotation"
[ -d job/drd-cache ] || wrong "$name: no cache"

name=GitLab
job
recipe GitLab >recipe
store="export DRD_STORE=\"$(yaml 'value["test"]["variables"]["DRD_STORE"]')\""
run "$store; $(yaml 'value["test"]["script"]')" 3
run "$store; $(yaml 'value["test"]["after_script"]')" 1
found drd.xml "$(yaml 'value["test"]["artifacts"]["reports"]["junit"]')"
for path in $(yaml 'value["test"]["artifacts"]["paths"] + value["test"]["cache"]["paths"]'); do
    [ -d "job/$path" ] || wrong "$name: no $path to keep"
done
grep -q '\[\[ATTACHMENT|drd-runs/runs/' job/drd.xml || wrong "$name: no attachment that GitLab finds"

name=Jenkins
job
recipe Jenkins >recipe
run "export DRD_STORE=\$PWD/drd-runs; $(sed -n "s/^ *sh '\(drd record .*\)'/\1/p" recipe)" 3
run "$(sed -n "s/^ *sh '\(drd triage .*\)'/\1/p" recipe)" 0
found drd.xml

name="runs of many jobs"
mkdir job/artifacts
mv job/drd-runs/runs/*.drd job/artifacts/
run "$(recipe 'Runs of many jobs')" 1
found drd.xml
leave

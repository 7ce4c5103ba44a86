#!/bin/sh
# The recipe of docs/drd-bisect.md for versions of a program: git bisect run finds the commit that brought a mistake, past
# one that cannot be built. And what drd explain --bisect says of what.
#   git_bisect.sh BUILD SCRATCH
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
command -v git >/dev/null || { echo "no git: see tests/lib/packages.sh"; exit 77; }
pkg-config --exists libuv || { echo "no libuv: see tests/lib/packages.sh"; exit 77; }
export DRD="$drd" PATH="$1:$PATH" GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
unset DRD_STORE GIT_DIR GIT_WORK_TREE

# A repository of a server, its test and a Makefile; nothing in it knows of DRD but the marks.
mkdir -p repo/src/drd repo/out/tests/nodes
cp "$here"/../nodes/raftkv/*.[ch] "$here"/../nodes/raftkv/bugs.def repo/src/
cp "$here"/../../include/drd/drd.h repo/src/drd/
cp "$1/tests/nodes/kv_client" repo/out/tests/nodes/
cat >repo/Makefile <<'END'
out/tests/nodes/raftkv: $(wildcard src/*.[ch]) src/bugs.def
	$(CC) -O1 -g -Isrc src/*.c -o $@ $(shell pkg-config --cflags --libs libuv)
END
cat >repo/test.sh <<END
BUG=none sh "$here/../cluster/raftkv/T16a.sh" out
END
echo out >repo/.gitignore
cd repo

# commit WORDS [SED FILE]: after a change; without one of the words alone.
commit() {
    [ $# -eq 1 ] || sed -i "$2" "$3"
    echo "$1" >>CHANGES
    git add -A
    git -c user.name=drd -c user.email=drd@example commit -q -m "$1"
    git tag "c$(wc -l <CHANGES)"
}

git init -q .
commit "A key-value server"
commit "Words"
commit "More words"
commit "Broken off in the middle" 's/^bool bug_choose(void)$/bool bug_choose(void/' src/bug.c
commit "Mended" 's/^bool bug_choose(void$/bool bug_choose(void)/' src/bug.c
commit "Faster" 's/^enum bug bug_planted;/enum bug bug_planted = BUG_T16a;/' src/bug.c
commit "Yet more words"
commit "The last words"

cd ..
recipe=$(sed -n "/git bisect run sh -c/,/'\$/{p;/'\$/q}" "$here/../../docs/drd-bisect.md" | sed 's/^ *//')
[ -n "$recipe" ] || { wrong "no recipe in docs/drd-bisect.md"; leave; }

# finds GOOD RECIPE: between GOOD and the last commit it is the sixth.
finds() {
    (cd repo && git bisect start c8 "$1" && sh -c "$2") >out 2>err </dev/null || wrong "git bisect run: $?"
    grep -q 'is the first bad commit' out || wrong "no commit was found"
    [ "$(git -C repo rev-parse refs/bisect/bad)" = "$(git -C repo rev-parse c6)" ] || wrong "another commit was found"
    cp out "found.$1"
    git -C repo bisect reset >/dev/null 2>&1
}

finds c1 "$recipe"
grep -q '^bad  fingerprint' found.c1 || wrong "nothing was said"
grep -q '] Broken off in the middle' found.c1 || wrong "the commit that cannot be built was not met"

# the same, told of the mistake by a run of the last version
git -C repo checkout -q c8
(cd repo && make -s && "$drd" record -o known.drd -- sh test.sh) >/dev/null 2>&1 || true
expect 1 "$drd" explain --bisect repo/known.drd
grep -q '^bad  fingerprint [0-9]*:[0-9a-f]*-T16  ' out || wrong "bad: other words"
mark=$(sed 's/^bad  fingerprint \([^ ]*\) .*/\1/' out)
expect 1 "$drd" explain --bisect --same "$mark" repo/known.drd
expect 1 "$drd" explain --bisect --same "${mark#*:}" repo/known.drd
expect 1 "$drd" explain --bisect --same repo/known.drd repo/known.drd
finds c2 "$(echo "$recipe" | sed "s|--bisect|--bisect --same ../repo/known.drd|")"

# another mistake than the one looked for says nothing of this commit; nor does a run in which nothing can be told
expect 125 "$drd" explain --bisect --same 123456-T01 repo/known.drd
grep -q '^cannot be judged  fingerprint' out || wrong "another mistake: other words"
"$drd" record -o nothing.drd -- true 2>err
expect 125 "$drd" explain --bisect nothing.drd
refuse 125 'drd: no such run: nowhere.drd*' "$drd" explain --bisect nowhere.drd
: >empty.drd
refuse 125 'drd: *' "$drd" explain --bisect empty.drd
# what is no commit's fault ends the search: git bisect run stops at 128 and above
refuse 128 'drd: no such run: nowhere.drd*' "$drd" explain --bisect --same nowhere.drd repo/known.drd
refuse 129 'drd: --same nothing.drd: no rule of Raft is broken in that run' \
    "$drd" explain --bisect --same nothing.drd repo/known.drd
refuse 129 'drd: --same goes with --bisect' "$drd" explain --same "$mark" repo/known.drd
# a good one
git -C repo checkout -q c5
(cd repo && make -s && "$drd" record -o good.drd -- sh test.sh) >/dev/null 2>&1 || wrong "the test of a good version fails"
expect 0 "$drd" explain --bisect repo/good.drd
[ "$(cat out)" = good ] || wrong "good: other words"
expect 0 "$drd" explain --bisect --same "$mark" repo/good.drd
leave

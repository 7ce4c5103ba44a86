#!/bin/sh
# drd report in Chromium: opens without an error or a request, lands on the divergence, keys, links, search, filters, two runs side by
# side, dark, narrow, print, without JavaScript, hostile payloads, accessibility. Screenshots stay in the scratch directory.
#   report.sh BUILD SCRATCH
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$1
. "$root/tests/cli/lib.sh"

chromium=$(command -v chromium || true) driver=$(command -v chromedriver || true)
python=/usr/bin/python3
if [ -z "$chromium" ] || [ -z "$driver" ] || [ ! -x $python ]; then
    echo "skipped: chromium, chromium-driver or python3 is not installed"
    exit 77
fi

mkdir pages shots
for run in "$root"/traces/T*.drd; do
    expect 0 "$drd" report -o "pages/$(basename "$run" .drd).html" "$run"
done
expect 0 "$drd" report -o pages/two.html "$root/traces/T05.drd" "$root/traces/T09.drd"
expect 0 "$drd" record -o hostile.drd -- "$build/tests/nodes/hostile"
cp hostile.drd 'a"><script>hostile=7<!--.drd'
expect 0 "$drd" report -o pages/hostile.html 'a"><script>hostile=7<!--.drd'
expect 0 "$drd" report -o pages/hostile-two.html hostile.drd 'a"><script>hostile=7<!--.drd'

# axe-core is no Debian package: from the registry of npm, where there is one
axe=
if command -v npm >/dev/null && timeout 60 npm pack --silent axe-core@4.10.2 >out 2>err && tar -xzf axe-core-*.tgz package/axe.min.js; then
    axe=$PWD/package/axe.min.js
else
    echo "not checked with axe-core: the registry of npm cannot be reached"
fi
# shellcheck disable=SC2086
PYTHONDONTWRITEBYTECODE=1 "$python" "$root/tests/browser/report.py" "$driver" "$chromium" "$PWD/pages" "$PWD/shots" $axe >out 2>err || wrong "in the browser"
cat out
find tmp spool -mindepth 1 -delete 2>/dev/null || true
exit $failed

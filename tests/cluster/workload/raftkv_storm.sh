#!/bin/sh
# A raftkv cluster in a storm of faults while clients count and read: see tests/nodes/raftkv/storm.py.
#   SEED (1), SECONDS_LONG (6), NODES (3), MARKS=no
set -eu
. "$(dirname "$0")/../lib.sh"
command -v python3 >/dev/null || skip "no python3"
begin
python3 "$cluster/../nodes/raftkv/storm.py" --server "$nodes/raftkv" --dir "$dir" --port "$PORT" --seed "${SEED:-1}" \
    --seconds "${SECONDS_LONG:-6}" --nodes "${NODES:-3}" $([ "${MARKS:-yes}" = yes ] || echo --no-marks) &
storm=$!
echo $storm >"$dir/storm.pid"
wait $storm || fail "the storm was not weathered"
rm "$dir/storm.pid"

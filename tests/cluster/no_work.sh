#!/bin/sh
# A replay does no real work: strace of a replayed node sees, after the loader, no socket, no file of the node, no sleep.
#   no_work.sh BUILD SCRATCH
set -eu
export DRD_BUILD=${1:-}
. "$(dirname "$0")/lib.sh"
[ -x "$drd" ] || skip "no drd at $drd"
[ -x "$nodes/libraft_kv" ] || skip "no libraft server in $nodes"
command -v strace >/dev/null || skip "strace is not installed"
begin
KILL=no RATE=200 COMMANDS=400 WINDOW=4 "$drd" record -o "$dir/kv.drd" --only libraft_kv -- sh "$cluster/workload/libraft.sh" \
    >"$dir/said" 2>&1 || { cat "$dir/said" >&2; fail "recording libraft"; }

# -ff: a file for each process; drd itself is the first
strace -ff -qq -o "$dir/trace" "$drd" replay "$dir/kv.drd" --node n1 >"$dir/said" 2>&1 || { cat "$dir/said" >&2; fail "replay under strace"; }
tail -n 1 "$dir/said"
replayed=0
for file in "$dir"/trace.*; do
    # what the node does begins where the loader has handed over: after the last library was opened
    if ! grep -q 'execve.*libraft_kv' "$file"; then continue; fi
    replayed=$((replayed + 1))
    sed '1,/execve.*libraft_kv/d' "$file" >"$dir/node"
    # the loader reads libraries, the shim its stream and its own status: whatever else is named is a file of the node
    grep -E '^(open|openat|openat2|creat|stat|unlink|unlinkat|rename|mkdir|truncate)\(' "$dir/node" |
        grep -vE '\.so|"/proc/self/|/etc/ld\.so|drd-replay\.' >"$dir/files" || true
    grep -E '^(socket|connect|accept|accept4|bind|listen|send|sendto|sendmsg|recv|recvfrom|recvmsg)\(' "$dir/node" >"$dir/sockets" || true
    grep -E '^(nanosleep|clock_nanosleep|poll|ppoll|select|pselect6|epoll_wait|epoll_pwait|fsync|fdatasync)\(' "$dir/node" >"$dir/sleeps" || true
    for what in files sockets sleeps; do
        if [ -s "$dir/$what" ]; then
            head -n 5 "$dir/$what" >&2
            fail "a replayed node touches $what"
        fi
    done
    echo "$(wc -l <"$dir/node") calls after exec: no file of the node, no socket, no sleep"
done
[ $replayed -ge 1 ] || fail "strace saw no replayed node"

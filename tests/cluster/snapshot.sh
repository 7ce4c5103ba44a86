#!/bin/sh
# workload/snapshot.sh recorded: every process replays to its end, explain finds no violation, and the leader's snapshot is
# among the messages.
#
# Why a test of its own: under load it is chance whether workload/libraft.sh needs a snapshot. And libraft 0.15 has a pitfall
# there. A follower that is taking a snapshot itself (a restarted one does so early) drops an InstallSnapshot without an
# answer: "already taking or installing snapshot", RAFT_BUSY, in replicationInstallSnapshot. The leader sends it nothing but
# heartbeats until its install_snapshot_timeout, 30 s, is over. Seen without DRD in 1 of 25 runs of workload/libraft.sh beside
# three busy loops on one processor, and in 1 of 25 with SNAPSHOT=128 on an idle machine: 33 s instead of 3. So
# libraft_kv sets that time to 1 s.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record_and_judge snapshot 0
"$drd" show "$dir/snapshot.drd" >"$dir/shown"
grep -q InstallSnapshot "$dir/shown" || { cat "$dir/shown" >&2; fail "no InstallSnapshot was sent"; }

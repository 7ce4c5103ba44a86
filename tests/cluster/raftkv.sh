#!/bin/sh
# workload/raftkv.sh recorded: every process replays to its end, and explain finds no violation.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record_and_judge raftkv 0

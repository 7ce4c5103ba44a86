#!/bin/sh
# workload/pysyncobj.sh recorded: every process replays to its end. DRD has no adapter for pysyncobj: explain says unknown.
set -eu
. "$(dirname "$0")/lib.sh"
begin
record_and_judge pysyncobj 2

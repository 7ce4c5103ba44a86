#!/bin/sh
# Run a node under strace, itself keeping its process number: what starts it can signal it as always.
exec strace -D -f -qq -o "$BENCH_STRACE/$DRD_NODE" "$@"

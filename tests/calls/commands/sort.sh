#!/bin/sh
# sort with several threads and temporary files.
seq 1 20000 | awk '{ print ($1 * 7919) % 20011 }' >numbers
sort -n --parallel=4 -S 100k -T . numbers | cksum
sort numbers | tail -n 2

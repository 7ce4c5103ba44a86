#!/bin/sh
# needs: tar gzip
mkdir tree && seq 1 5000 >tree/numbers && ln -s numbers tree/link && : >tree/empty
tar -czf tree.tar.gz tree && rm -r tree && tar -xzf tree.tar.gz && cksum <tree/numbers
tar -tf tree.tar.gz | sort
gzip -dc tree.tar.gz | wc -c | awk '{ print $1 > 20000 }'

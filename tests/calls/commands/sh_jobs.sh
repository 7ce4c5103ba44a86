#!/bin/sh
# Jobs in the background, traps, files, redirections.
trap 'echo trapped' USR1
for n in 1 2 3; do (sleep 0.0$n; echo $n >file$n) & done
wait
cat file1 file2 file3
sh -c "kill -USR1 $$"
echo after
mkdir -p a/b && echo text >a/b/c && find a | sort
ls no-such-file 2>/dev/null || echo "no such file"
echo err >&2
test -d a && rm -r a && echo gone

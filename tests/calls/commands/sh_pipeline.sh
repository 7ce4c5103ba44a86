#!/bin/sh
# Pipes between many programs, their statuses, here documents, substitutions.
seq 1 2000 | sed 's/1/one/g' | grep one | tr o 0 | sort -r | uniq | head -n 5
yes | head -n 3
x=$(printf '%s\n' a b c | wc -l)
echo $((x + 1))
cat <<END | while read -r line; do echo "<$line>"; done
first
second
END
(exit 3) || echo "status $?"
sh -c 'kill -TERM $$' 2>/dev/null
echo "status $?"
exit 6

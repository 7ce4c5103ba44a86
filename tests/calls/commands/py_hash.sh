#!/bin/sh
# needs: /usr/bin/python3
# Python salts its hashes with random bytes: the order of a set is another one in each run, and the same in a replay.
exec /usr/bin/python3 -c '
import hashlib, os
words = {str(n) for n in range(50)}
with open(os.devnull, "w") as f:
    f.write(" ".join(words))
print(hashlib.sha256(b"text").hexdigest(), len(words), sorted(words)[:3])
'

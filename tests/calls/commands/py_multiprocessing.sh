#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import os
r, w = os.pipe()
pids = []
for n in range(4):
    pid = os.fork()
    if not pid:
        os.write(w, b"%d" % n)
        os._exit(n)
    pids.append(pid)
print([os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids])
os.close(w)
print(sorted(os.read(r, 100)))
'

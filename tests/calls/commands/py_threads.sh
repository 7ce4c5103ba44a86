#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import threading, queue
q, out, lock = queue.Queue(), [], threading.Lock()
def work():
    while (n := q.get()) is not None:
        with lock:
            out.append(n * n)
        q.task_done()
threads = [threading.Thread(target=work) for _ in range(6)]
for t in threads: t.start()
for n in range(200): q.put(n)
q.join()
for t in threads: q.put(None)
for t in threads: t.join()
print(len(out), sum(out))
'

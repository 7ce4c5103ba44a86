#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import time, datetime
a = time.monotonic(); time.sleep(0.02); b = time.monotonic()
print(b - a >= 0.02, time.time() > 1.6e9, datetime.datetime.now().year >= 2020, time.perf_counter() > 0, time.process_time() > 0)
print(time.strftime("%Y", time.gmtime(0)))
'

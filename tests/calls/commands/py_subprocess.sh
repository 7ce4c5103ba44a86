#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import subprocess, sys, signal
print(subprocess.run(["tr", "a-z", "A-Z"], input="upper\n", capture_output=True, text=True).stdout, end="")
print(subprocess.run("exit 5", shell=True).returncode)
p = subprocess.Popen(["sleep", "30"]); p.send_signal(signal.SIGTERM); print(p.wait())
try:
    subprocess.run(["sleep", "30"], timeout=0.05)
except subprocess.TimeoutExpired:
    print("timeout")
try:
    subprocess.run(["no-such-command"])
except FileNotFoundError as e:
    print(e.errno)
sys.exit(3)
'

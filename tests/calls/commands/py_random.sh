#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import os, random, secrets, uuid, tempfile
random.seed(5)
print(random.random(), random.sample(range(100), 5))
r = random.SystemRandom().random(), secrets.token_hex(8), uuid.uuid4(), os.urandom(8)
with tempfile.NamedTemporaryFile("w") as f:
    print(f.write(repr(r)) > 60)
'

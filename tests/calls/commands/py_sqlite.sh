#!/bin/sh
# needs: /usr/bin/python3
exec /usr/bin/python3 -c '
import sqlite3
c = sqlite3.connect("test.db")
c.execute("pragma journal_mode=delete")
c.execute("create table t (n integer primary key, text)")
with c:
    c.executemany("insert into t values (?, ?)", ((n, str(n)) for n in range(1000)))
print(c.execute("select count(*), sum(n), max(text) from t").fetchone())
c.close()
'

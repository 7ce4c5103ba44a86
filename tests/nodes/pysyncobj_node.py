#!/usr/bin/python3
"""A replicated dictionary on pysyncobj, with journal and dump, behind the line protocol of libraft_kv.c.

usage: pysyncobj_node.py ID DIR HOST:PORT,HOST:PORT,... CLIENT_PORT
"""
import hashlib
import os
import selectors
import signal
import socket
import sys

from pysyncobj import FAIL_REASON, SyncObj, SyncObjConf, replicated

ROLES = ("follower", "candidate", "leader")


class Store(SyncObj):
    def __init__(self, own, partners, directory):
        # One tuple, so that a reader in the other thread never sees a new count beside an old digest.
        self.state = (0, "0" * 16)
        self.pairs = {}
        self.recent = []
        super().__init__(own, partners, SyncObjConf(
            journalFile=os.path.join(directory, "journal"), fullDumpFile=os.path.join(directory, "dump"),
            logCompactionMinEntries=1000, connectionRetryTime=0.2, raftMinTimeout=0.4, raftMaxTimeout=1.0,
            commandsWaitLeader=False))

    @replicated
    def put(self, key, value):
        count, digest = self.state
        self.pairs[key] = value
        self.recent = (self.recent + [key + "=" + value])[-64:]
        digest = hashlib.sha256(f"{digest} {key}={value}".encode()).hexdigest()[:16]
        self.state = (count + 1, digest)
        return count + 1


class Server:
    def __init__(self, number, store, members, port):
        self.number, self.store, self.members = number, store, members
        self.selector = selectors.DefaultSelector()
        self.listener = socket.create_server(("127.0.0.1", port), backlog=64)
        self.selector.register(self.listener, selectors.EVENT_READ)
        self.pending = {}

    def run(self):
        while True:
            for key, _ in self.selector.select():
                if key.fileobj is self.listener:
                    client, _ = self.listener.accept()
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self.selector.register(client, selectors.EVENT_READ)
                    self.pending[client] = b""
                else:
                    self.read(key.fileobj)

    def read(self, client):
        try:
            data = client.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(client)
            del self.pending[client]
            client.close()
            return
        *lines, self.pending[client] = (self.pending[client] + data).split(b"\n")
        for line in lines:
            self.line(client, line.decode().split())

    def line(self, client, words):
        tag, verb, *rest = words
        if verb == "PUT" and len(rest) == 2:
            self.store.put(*rest, callback=lambda result, error: self.applied(client, tag, result, error))
        elif verb == "GET" and len(rest) == 1:
            value = self.store.pairs.get(rest[0])
            self.answer(client, tag, "NONE" if value is None else "VALUE " + value)
        elif verb == "STAT":
            self.answer(client, tag, self.stat())
        elif verb == "LOG":
            self.answer(client, tag, " ".join(["LOG"] + self.store.recent))
        elif verb == "DUMP":
            self.answer(client, tag, " ".join(["DUMP"] + [f"{k}={v}" for k, v in sorted(self.store.pairs.items())]))
        else:
            self.answer(client, tag, "ERR not understood leader=0")

    def applied(self, client, tag, result, error):
        """Called by pysyncobj's thread."""
        if error == FAIL_REASON.SUCCESS:
            self.answer(client, tag, f"OK {result}")
        else:
            self.answer(client, tag, f"ERR reason {error} leader={self.leader()}")

    def leader(self):
        leader = self.store._getLeader()
        return self.members.index(leader.id) + 1 if leader else 0

    def stat(self):
        status = self.store.getStatus()
        count, digest = self.store.state
        return (f"STAT id={self.number} role={ROLES[status['state']]} term={status['raft_term']} leader={self.leader()} "
                f"last={status['log_len']} commit={status['commit_idx']} applied={count} digest={digest}")

    @staticmethod
    def answer(client, tag, text):
        try:
            client.sendall(f"{tag} {text}\n".encode())
        except OSError:
            pass  # the client has gone; its connection is closed where it is read


def main():
    number, directory, members, port = int(sys.argv[1]), sys.argv[2], sys.argv[3].split(","), int(sys.argv[4])
    os.makedirs(directory, exist_ok=True)
    own = members[number - 1]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    store = Store(own, [member for member in members if member != own], directory)
    try:
        Server(number, store, members, port).run()
    finally:
        store.destroy()
        print(f"node {number} stops: applied {store.state[0]}, digest {store.state[1]}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        sys.exit(__doc__.strip().splitlines()[-1])
    main()

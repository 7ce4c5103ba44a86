#!/usr/bin/python3
"""A client and a server that say what must not break any format: every byte, markup, quotes, ends of lines, bidirectional
overrides, a key of 1 MB, through one TCP connection.

    export_talk.py                   talks
    export_talk.py said FILE         writes what the client said to FILE, and what it was told to FILE.back
"""
import os
import socket
import sys

PIECES = [
    b"x PUT k v\n",
    b"</script><script>alert(1)</script>\n",
    b"quotes \" ' ` \\ and a | in a table, [link](javascript:alert(1)) @somebody #1\n",
    "right to left \u202e\u2066 and back \u2069 \u200b\n".encode(),
    b"not UTF-8: \xff\xfe\xc0\xaf\xed\xa0\x80\n",
    b"{\"clock\": 1}\nhost {\"host\":1} id 0\n\x1b[31mred\x1b[0m\x00\n",
    bytes(range(256)),
    b"K" * (1 << 20) + b"\n",
]
BACK = b"got it \x00\xff </script>\n"


def take(s, length):
    data = b""
    while len(data) < length:
        more = s.recv(length - len(data))
        assert more
        data += more
    return data


def client(port):
    s = socket.create_connection(("127.0.0.1", port))
    for piece in PIECES:
        s.sendall(piece)
        assert take(s, len(BACK)) == BACK
    s.close()


def talk():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    child = os.fork()
    if not child:
        os.execve(sys.executable, [sys.executable, __file__, "client", str(listener.getsockname()[1])],
                  {**os.environ, "DRD_NODE": "client"})
    s, _ = listener.accept()
    for piece in PIECES:
        assert take(s, len(piece)) == piece
        s.sendall(BACK)
    s.close()
    os.waitpid(child, 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["said"]:
        with open(sys.argv[2], "wb") as f:
            f.write(b"".join(PIECES))
        with open(sys.argv[2] + ".back", "wb") as f:
            f.write(BACK * len(PIECES))
    elif sys.argv[1:2] == ["client"]:
        client(int(sys.argv[2]))
    else:
        talk()

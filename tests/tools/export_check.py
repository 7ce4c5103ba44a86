#!/usr/bin/python3
"""Strict readers of what drd export writes, for tests.

    export_check.py shiviz|chrome|tla|jepsen FILE      prints what it counted; exits 1 at the first thing that is wrong
"""
import json
import re
import sys


def wrong(text):
    print("export_check: " + text, file=sys.stderr)
    sys.exit(1)


def text_of(path):
    """All of a file, which must be UTF-8."""
    with open(path, "rb") as f:
        data = f.read()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        wrong(f"not UTF-8: {e}")


# --- ShiViz -------------------------------------------------------------------------------------------------------------

def shiviz(path):
    """The rules of its parser and graph: each host counts from 1 without a gap, no clock speaks of an unknown event, and the
    clock of an event is exactly what its host's previous event and the events it newly speaks of make of it."""
    text = text_of(path)
    first, second, rest = text.split("\n", 2)
    if second:
        wrong("line 2 is to be an empty delimiter")
    for group in ("host", "event", "clock"):
        if f"(?<{group}>" not in first:
            wrong(f"the expression has no group {group}")
    expression = re.compile(re.sub(r"\(\?<(\w+)>", r"(?P<\1>", first))
    clocks, events, at, hops = {}, 0, 0, 0
    while at < len(rest):
        m = expression.match(rest, at)
        if not m:
            wrong(f"the expression does not fit {rest[at:at + 200]!r}")
        at = m.end()
        if rest[at:at + 1] != "\n":
            wrong(f"more behind an event: {rest[at:at + 40]!r}")
        at += 1
        hops += shiviz_event(clocks, m["host"], json.loads(m["clock"]), m["event"])
        events += 1
    if not events:
        wrong("no event")
    print(f"{events} events, {len(clocks)} hosts, {hops} receives that follow their sends")


def shiviz_event(clocks, host, clock, text):
    if any(not isinstance(v, int) or v < 1 for v in clock.values()):
        wrong(f"not a clock: {clock}")
    known = clocks.setdefault(host, [])
    if clock.get(host) != len(known) + 1:
        wrong(f"{host} goes from {len(known)} to {clock.get(host)}: {text}")
    expected = dict(known[-1]) if known else {}
    expected[host] = len(known) + 1
    news = [o for o in clock if o != host and clock[o] > expected.get(o, 0)]
    for other in news:
        if other not in clocks or clock[other] > len(clocks[other]):
            wrong(f"{host} knows of an event of {other} that was not told before: {text}")
    for other in news:
        for name, value in clocks[other][clock[other] - 1].items():
            expected[name] = max(expected.get(name, 0), value)
    if clock != expected:
        wrong(f"clock {clock} should be {expected}: {text}")
    if news and not text.startswith("receives from "):
        wrong(f"{host} learns of {news} without receiving: {text}")
    known.append(clock)
    return bool(news)


# --- Chrome ------------------------------------------------------------------------------------------------------------

CHROME_SCHEMA = {
    "type": "object", "required": ["traceEvents", "displayTimeUnit"], "additionalProperties": False,
    "properties": {
        "displayTimeUnit": {"enum": ["ms", "ns"]},
        "traceEvents": {"type": "array", "minItems": 1, "items": {
            "type": "object", "required": ["ph", "pid"],
            "properties": {"ph": {"enum": ["M", "X", "B", "E", "C", "s", "f"]}, "pid": {"type": "integer", "minimum": 1},
                           "tid": {"type": "integer", "minimum": 0}, "ts": {"type": "number", "minimum": 0},
                           "dur": {"type": "number", "minimum": 0}, "name": {"type": "string"}, "cat": {"type": "string"},
                           "args": {"type": "object"}, "id": {"type": "integer", "minimum": 1}, "bp": {"const": "e"}},
            "additionalProperties": False,
            "oneOf": [
                {"properties": {"ph": {"const": "M"}, "name": {"enum": ["process_name", "thread_name"]}},
                 "required": ["name", "args", "tid"]},
                {"properties": {"ph": {"const": "X"}}, "required": ["name", "ts", "dur", "tid", "args", "cat"]},
                {"properties": {"ph": {"const": "B"}}, "required": ["name", "ts", "tid"]},
                {"properties": {"ph": {"const": "E"}}, "required": ["ts", "tid"]},
                {"properties": {"ph": {"const": "C"}, "args": {"additionalProperties": {"type": "integer"}, "minProperties": 1}},
                 "required": ["name", "ts", "args"]},
                {"properties": {"ph": {"enum": ["s", "f"]}}, "required": ["name", "cat", "id", "ts", "tid"]}]}}}}


def chrome(path):
    """By the schema; slices of a track nest; flows begin once and before they end, inside of a slice; every process and
    thread has a name."""
    import jsonschema
    trace = json.loads(text_of(path), parse_float=lambda t: int(round(float(t) * 1000)) / 1000)
    jsonschema.validate(trace, CHROME_SCHEMA)
    events = trace["traceEvents"]
    named = {(e["name"], e["pid"], e["tid"]) for e in events if e["ph"] == "M"}
    tracks, flows, starts = {}, {}, set()
    for e in events:
        key = (e["pid"], e.get("tid"))
        if e["ph"] == "X":
            tracks.setdefault(key, []).append((round(e["ts"] * 1000), -round(e["dur"] * 1000)))
            starts.add((*key, e["ts"]))
        elif e["ph"] in "sf":
            flows.setdefault(e["id"], {}).setdefault(e["ph"], []).append(e)
        if e["ph"] in "XB" and ("thread_name", *key) not in named:
            wrong(f"a track without a name: {e}")
    for key, slices in tracks.items():
        chrome_nesting(key, sorted(slices))
    chrome_pairs(events)
    ended = chrome_flows(flows, starts)
    print(f"{len(events)} trace events, {sum(map(len, tracks.values()))} slices, {len(flows)} flows, {ended} of them received")


def chrome_nesting(key, slices):
    open_until = []
    for begin, minus in slices:
        while open_until and open_until[-1] <= begin:
            open_until.pop()
        if open_until and begin - minus > open_until[-1]:
            wrong(f"track {key}: a slice from {begin} to {begin - minus} ns crosses the end of another at {open_until[-1]}")
        open_until.append(begin - minus)


def chrome_pairs(events):
    open_at = {}
    for e in events:
        key = (e["pid"], e.get("tid"))
        if e["ph"] == "B" and key in open_at or e["ph"] == "E" and key not in open_at:
            wrong(f"B and E do not alternate: {e}")
        if e["ph"] == "B":
            open_at[key] = e["ts"]
        elif e["ph"] == "E" and e["ts"] < open_at.pop(key):
            wrong(f"ends before it begins: {e}")
    if open_at:
        wrong(f"not ended: {open_at}")


def chrome_flows(flows, starts):
    ended = 0
    for number, ends in flows.items():
        if len(ends.get("s", [])) != 1 or len(ends.get("f", [])) > 1:
            wrong(f"flow {number}: {ends}")
        for e in ends["s"] + ends.get("f", []):
            if (e["pid"], e["tid"], e["ts"]) not in starts:
                wrong(f"flow {number} is not at a slice: {e}")
        ended += "f" in ends
    return ended



# --- etcd's TLA+ traces ------------------------------------------------------------------------------------------------

TLA_NAMES = {"InitState", "BecomeCandidate", "BecomeFollower", "BecomeLeader", "Commit", "Replicate", "ApplyConfChange"} | {
    a + b for a in ("Send", "Receive") for b in ("AppendEntriesRequest", "AppendEntriesResponse", "RequestVoteRequest",
                                                 "RequestVoteResponse")}
TLA_TYPES = {"AppendEntriesRequest": {"MsgApp", "MsgHeartbeat", "MsgSnap"}, "AppendEntriesResponse": {"MsgAppResp", "MsgHeartbeatResp"},
             "RequestVoteRequest": {"MsgVote"}, "RequestVoteResponse": {"MsgVoteResp"}}
TLA_MESSAGE = {"type": str, "term": int, "from": str, "to": str, "entries": int, "logTerm": int, "index": int, "commit": int,
               "vote": str, "reject": bool, "rejectHint": int}


def typed(value, types, what):
    for key, kind in types.items():
        if type(value.get(key)) is not kind:
            wrong(f"{what}: {key} is {value.get(key)!r}")


def tla(path):
    """Each line as state_trace.go of etcd's raft has it; a node's first line is InitState; its term does not go back but at a
    restart; a leader was a candidate; what is received was sent before, but for what a node was sending as it was killed: of
    that node there is then no further line but of its next life."""
    nodes, sent, lines, matched, killed = {}, [], 0, 0, {}
    for line in text_of(path).splitlines():
        whole = json.loads(line)
        e = whole["event"]
        if whole["tag"] != "trace" or e["name"] not in TLA_NAMES or (e["name"] not in ("InitState",) and e["nid"] not in nodes):
            wrong(f"not a trace event, or before its node's InitState: {line}")
        typed(e, {"nid": str, "state": dict, "role": str, "log": int, "conf": list}, line)
        typed(e["state"], {"term": int, "vote": str, "commit": int}, line)
        if e["role"] not in ("StateFollower", "StateCandidate", "StateLeader") or len(e["conf"]) != 2:
            wrong(line)
        if e["name"] == "InitState":
            killed.pop(e["nid"], None)
            nodes[e["nid"]] = e
        elif e["nid"] in killed:
            wrong(f"received before it was sent: {killed[e['nid']]}")
        elif e["state"]["term"] < nodes[e["nid"]]["state"]["term"]:
            wrong(f"term went back: {line}")
        nodes[e["nid"]] = e
        if e["name"].startswith(("Send", "Receive")):
            matched += tla_message(e, sent, killed, line)
        elif "msg" in e:
            wrong(f"a message at {e['name']}")
        lines += 1
    if not lines:
        wrong("no line")
    print(f"{lines} lines, {len(nodes)} nodes, {matched} messages received after they were sent")


def tla_message(e, sent, killed, line):
    m, verb = e["msg"], "Send" if e["name"].startswith("Send") else "Receive"
    typed(m, TLA_MESSAGE, line)
    if m["type"] not in TLA_TYPES[e["name"][len(verb):]] or (e["nid"] != m["from" if verb == "Send" else "to"]):
        wrong(f"a message of another: {line}")
    if verb == "Send":
        sent.append(m)
        return 0
    if m not in sent:
        killed[m["from"]] = line
        return 0
    sent.remove(m)
    return 1


# --- Jepsen ------------------------------------------------------------------------------------------------------------

EDN_TOKEN = re.compile(r'[\s,]*([{}\[\]]|"(?:[^"\\\n]|\\["\\]|\\u[0-9a-f]{4})*"|:[a-z][a-z0-9-]*|nil|-?[0-9]+)')


def edn(text):
    """One value of the part of EDN that a history needs; nothing else is taken."""
    tokens, at = [], 0
    while text[at:].strip(" ,\n"):
        m = EDN_TOKEN.match(text, at)
        if not m:
            wrong(f"not EDN: {text[at:at + 60]!r}")
        tokens.append(m[1])
        at = m.end()
    value = edn_value(tokens)
    if tokens:
        wrong(f"more than one value: {text!r}")
    return value


def edn_value(tokens):
    t = tokens.pop(0)
    if t in "{[":
        items = []
        while tokens and tokens[0] not in "}]":
            items.append(edn_value(tokens))
        if not tokens or tokens.pop(0) != {"{": "}", "[": "]"}[t]:
            wrong("brackets do not match")
        if t == "{" and (len(items) % 2 or len(set(items[::2])) != len(items) // 2):
            wrong("not a map")
        return dict(zip(items[::2], items[1::2])) if t == "{" else items
    if t[0] == '"':
        return json.loads(t)
    return t if t[0] == ":" else None if t == "nil" else int(t)


def jepsen(path):
    """What jepsen.history demands: indices without a gap, a process has one operation at a time, completes what it invoked,
    and none after an :info; and time does not go back by more than clocks of two processes may differ."""
    open_ops, ended, counts, last = {}, set(), {}, 0
    for index, line in enumerate(text_of(path).splitlines()):
        op = edn(line)
        if op[":index"] != index or op[":time"] < last - 5_000_000:
            wrong(f"index or time: {line}")
        last = max(last, op[":time"])
        process, kind = op[":process"], op[":type"]
        counts[kind] = counts.get(kind, 0) + 1
        if process in ended:
            wrong(f"process {process} goes on after :info: {line}")
        if kind == ":invoke":
            if process in open_ops:
                wrong(f"process {process} has two operations at a time: {line}")
            open_ops[process] = op
            continue
        begun = open_ops.pop(process, None)
        if kind not in (":ok", ":fail", ":info") or not begun or begun[":f"] != op[":f"] or begun[":value"][0] != op[":value"][0]:
            wrong(f"completes what was not invoked: {line}")
        if op[":time"] < begun[":time"]:
            wrong(f"ended before it began: {line}")
        if kind == ":info":
            ended.add(process)
    if open_ops or not counts:
        wrong(f"not completed: {open_ops}")
    print(", ".join(f"{counts[k]} {k}" for k in sorted(counts)))



if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("shiviz", "chrome", "tla", "jepsen"):
        sys.exit(__doc__)
    globals()[sys.argv[1]](sys.argv[2])

#!/usr/bin/env python3
"""raftkv in a storm: kills, cuts, late messages, full disks, transfers and membership changes while clients count and read.

   storm.py --server RAFTKV --dir DIR --port BASE [--seed N] [--seconds S] [--nodes N] [--no-marks]

Three clients count, each sending a command again (under its number) until it is answered; one reads. It ends with 0 if every
command was done exactly once, no read was stale, and all members end alike. The seed decides which faults come, the machine
when. Uses the ports BASE+1 to BASE+15; one server beyond N joins and leaves."""
import argparse, os, random, re, socket, subprocess, sys, threading, time

CRASHES = ["voted", "written", "acked", "committed", "torn", "compacting", "installing"]


class Cluster:
    def __init__(self, options, dice):
        self.o, self.process = options, {}
        self.address = ["127.0.0.1:%d" % (options.port + i) for i in range(1, options.nodes + 2)]
        self.flags = ["--election", "150", "--heartbeat", "30", "--snapshot", "64", "--trailing", dice.choice(["0", "8", "64"]),
                      "--batch", dice.choice(["1", "4", "64"])]
        self.flags += ["--pre-vote"] * dice.randrange(2) + ["--no-marks"] * options.no_marks

    def start(self, i):
        joins = i > self.o.nodes
        command = [self.o.server, "--id", str(i), "--dir", "%s/n%d" % (self.o.dir, i), "--client-port",
                   str(self.o.port + 8 + i), "--members", ",".join(self.address[:i if joins else self.o.nodes])]
        with open("%s/n%d.out" % (self.o.dir, i), "a") as out:
            self.process[i] = subprocess.Popen(command + self.flags + ["--join"] * joins, stdout=out, stderr=out,
                                               env=dict(os.environ, DRD_NODE="n%d" % i))
        with open("%s/n%d.pid" % (self.o.dir, i), "w") as pid:  # for tests/cluster/lib.sh, should we be killed
            print(self.process[i].pid, file=pid)

    def alive(self, i):
        return i in self.process and self.process[i].poll() is None

    def restart_the_dead(self):
        for i in list(self.process):
            if not self.alive(i):
                self.start(i)

    def ask(self, i, request, within=1.0):
        """The answer without its tag; "" if none came in time."""
        try:
            with socket.create_connection(("127.0.0.1", self.o.port + 8 + i), timeout=within) as s:
                s.sendall(b"1 %s\n" % request.encode())
                answer = b""
                while not answer.endswith(b"\n"):
                    more = s.recv(65536)
                    if not more:
                        return ""
                    answer += more
                return answer.decode().strip()[2:]
        except OSError:
            return ""

    def stat(self, i):
        return dict(word.split("=", 1) for word in self.ask(i, "STAT").split()[1:])


class Clients:
    def __init__(self, cluster, seed):
        self.c, self.dice, self.stop, self.acked, self.reads, self.wrong = cluster, random.Random(seed), False, {}, 0, []
        self.threads = [threading.Thread(target=self.count, args=(k,)) for k in (1, 2, 3)]
        self.threads.append(threading.Thread(target=self.read))

    def count(self, k):
        number = 0
        while not self.stop:
            number += 1
            answer = ""
            while not answer.startswith("OK") and not self.stop:
                i = self.dice.choice(list(self.c.process))
                answer = self.c.ask(i, "INCR count%d c%d %d" % (k, k, number)) if self.c.alive(i) else ""
            if answer.startswith("OK"):
                if int(answer.split()[2]) != number:
                    self.wrong.append("command %d of client %d was answered %s" % (number, k, answer))
                self.acked[k] = number

    def read(self):
        while not self.stop:
            for i in list(self.c.process):
                least = self.acked.get(1, 0)
                answer = self.c.ask(i, "GET count1") if self.c.alive(i) else ""
                if answer.startswith("VALUE"):
                    self.reads += 1
                    if int(answer.split()[1]) < least:
                        self.wrong.append("n%d read %s after %d was acknowledged" % (i, answer, least))
            time.sleep(0.002)


def fault(c, dice):
    """One thing that may happen to a cluster, and its end."""
    kind = dice.choice(["kill", "kill", "cut", "cut", "hold", "crash", "full", "transfer", "campaign", "snapshot", "member"])
    i = dice.choice(list(c.process))
    others = [j for j in c.process if j != i]
    lasts = dice.uniform(0.1, 0.8)
    if kind == "kill":
        c.process[i].kill()
        c.process[i].wait()
        time.sleep(lasts / 2)
    elif kind == "cut":
        for j in others:
            c.ask(i, "STEP cut %d" % j)
        time.sleep(lasts)
        for j in others:
            c.ask(i, "STEP heal %d" % j)
    elif kind == "hold":
        j = dice.choice(others)
        c.ask(i, "STEP hold %d" % j)
        time.sleep(lasts / 2)
        c.ask(j, "STEP reconnect %d" % i)
        time.sleep(lasts / 2)
        c.ask(i, "STEP release 0")
    elif kind == "crash":
        c.ask(i, "STEP crash " + dice.choice(CRASHES))
        time.sleep(0.4)
        c.ask(i, "STEP crash never")
    elif kind == "full":
        c.ask(i, "STEP full")
        time.sleep(0.1)
        c.ask(i, "STEP room")
    elif kind == "member":
        x = c.o.nodes + 1
        if x not in c.process:
            c.start(x)
        verb = dice.choice(["ADD %d %s" % (x, c.address[x - 1]), "REMOVE %d" % x])
        for j in list(c.process):
            c.ask(j, verb)
    else:
        request = {"transfer": "TRANSFER %d" % i, "campaign": "STEP campaign", "snapshot": "SNAPSHOT"}[kind]
        for j in list(c.process) if kind == "transfer" else [i]:
            c.ask(j, request)
    c.restart_the_dead()


def calm(c):
    for i in list(c.process):
        for request in ["STEP crash never", "STEP room", "STEP release 0"] + ["STEP heal %d" % j for j in c.process]:
            c.ask(i, request)


def ended_alike(c, within=20):
    """The leader's id once all members of its configuration have applied the same, or 0."""
    deadline = time.time() + within
    while time.time() < deadline:
        c.restart_the_dead()
        stat = {i: c.stat(i) for i in c.process}
        leaders = [i for i, s in stat.items() if s.get("role") == "leader"]
        for i in leaders:
            members = [int(id, 16) for id in re.findall("[0-9a-f]", stat[i]["members"])]
            if len({(stat.get(m, {}).get("applied"), stat.get(m, {}).get("digest")) for m in members}) == 1:
                return i
        time.sleep(0.05)
    print(stat)
    return 0


def judge(c, clients):
    leader = ended_alike(c)
    if not leader:
        return ["the members do not end alike"]
    wrong = clients.wrong[:3]
    for k, number in clients.acked.items():
        done = int(c.ask(leader, "GET count%d" % k, 5).split()[1])
        if done not in (number, number + 1): # the last one may have been done and not answered
            wrong.append("count%d is %d, acknowledged were %d" % (k, done, number))
    return wrong


def main():
    p = argparse.ArgumentParser()
    for name, kind, value in [("server", str, None), ("dir", str, None), ("port", int, None), ("seed", int, 1),
                              ("seconds", float, 6), ("nodes", int, 3)]:
        p.add_argument("--" + name, type=kind, default=value, required=value is None)
    p.add_argument("--no-marks", action="store_true")
    options = p.parse_args()
    dice = random.Random(options.seed)
    c = Cluster(options, dice)
    for i in range(1, options.nodes + 1):
        c.start(i)
    clients = Clients(c, options.seed)
    for t in clients.threads:
        t.start()
    end, faults = time.time() + options.seconds, 0
    while time.time() < end:
        time.sleep(dice.uniform(0.1, 0.5))
        fault(c, dice)
        faults += 1
    clients.stop = True
    for t in clients.threads:
        t.join()
    calm(c)
    wrong = judge(c, clients)
    for process in c.process.values():
        process.terminate()
    ended = [process.wait(20) for process in c.process.values()]
    for i in c.process:
        os.remove("%s/n%d.pid" % (options.dir, i))
    wrong += ["a server ended with %d" % status for status in ended if status]
    print("seed=%d nodes=%d faults=%d counted=%d reads=%d %s" %
          (options.seed, options.nodes, faults, sum(clients.acked.values()), clients.reads, "; ".join(wrong) or "ok"))
    return 1 if wrong or not clients.acked else 0


sys.exit(main())

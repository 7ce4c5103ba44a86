"""What drd replay --gdb adds to gdb: docs/drd-replay.md. Of the run nothing is known here. drd, which waits at the other end
of a socket, says what happened where and re-drives the process; here gdb is told to go on, and what to show. A question is
a line of words, an answer an object of JSON on a line."""

import json
import os
import socket

import gdb

SHIM = "libdrd_shim.so"
# What carries the calls of the node, as src/explain/cause_text.c has it: nobody looks for the mistake there.
PLUMBING = ("libc.", "libc-2", "ld-linux", "libpthread", "librt.", "libuv.", "libev.", "libevent", "libstdc++",
            "libssl", "libcrypto")
KINDS = ["message", "send", "receive", "timer", "draw", "write", "sync", "mark", "fault", "term", "vote", "role", "append",
         "truncate", "commit", "apply", "snapshot", "RequestVote", "RequestVoteResult", "AppendEntries",
         "AppendEntriesResult", "InstallSnapshot", "InstallSnapshotResult", "TimeoutNow", "ClientRequest", "ClientResult"]


class Channel:
    """The socket to drd."""

    def __init__(self):
        self.socket = socket.socket(fileno=int(os.environ["DRD_GDB_CHANNEL"]))
        self.socket.set_inheritable(False)
        self.rest = b""

    def ask(self, *words):
        """The answer. What drd cannot do is an error of the command that asked."""
        self.socket.sendall(" ".join(words).replace("\n", " ").encode() + b"\n")
        while b"\n" not in self.rest:
            try:
                more = self.socket.recv(65536)
            except KeyboardInterrupt:  # drd has seen it too: it stops on its way, and answers
                continue
            if not more:
                raise gdb.GdbError("drd is gone")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        answer = json.loads(line)
        if "error" in answer:
            raise gdb.GdbError("drd: " + answer["error"])
        return answer


class StopHere(gdb.Breakpoint):
    """Where the shim lets a debugger look: at the event that was asked for, at the end, at a fault."""

    def __init__(self, address):
        super().__init__("*%d" % address, internal=True)
        self.silent = True


# ---- frames ----

def object_of(pc):
    return os.path.basename(gdb.solib_name(pc) or "")


def is_shim(frame):
    """Of the shim, or of the signal by which it sees a call."""
    return object_of(frame.pc()).startswith(SHIM) or (
        frame.type() == gdb.SIGTRAMP_FRAME and frame.newer() is not None and is_shim(frame.newer()))


def own_frame():
    """The innermost frame of the node's own code; where all is plumbing, of that."""
    first = None
    try:
        frame = gdb.newest_frame()
        while frame is not None:
            if not is_shim(frame):
                first = first or frame
                if not object_of(frame.pc()).startswith(PLUMBING):
                    return frame
            frame = frame.older()
    except gdb.error:  # the stack cannot be followed further
        pass
    return first


class HideShim:
    """bt leaves the frames of the shim out; bt -no-filters does not."""

    name = "drd"
    priority = 100
    enabled = True

    def filter(self, frames):
        return (frame for frame in frames if not is_shim(frame.inferior_frame()))


# ---- the process ----

def notices(suppressed):
    """Older gdbs cannot do without them."""
    try:
        gdb.execute("set suppress-cli-notifications " + suppressed)
    except gdb.error:
        pass


class Session:
    def __init__(self):
        self.channel = Channel()
        self.stop_here = None
        self.target = None      # the event on the way to which it is, as it is called
        self.quiet = False      # what stops and ends is ours
        self.prompt = self.shown = None

    def alive(self):
        return gdb.selected_inferior().pid != 0

    def attach(self, where):
        """It waits at its event until it is traced. Let it come to the place where it always stops."""
        self.quiet = True
        try:
            if self.stop_here is not None:
                self.stop_here.delete()
                self.stop_here = None
            notices("on")  # where it waits is of no interest
            gdb.execute("attach %d" % where["pid"], to_string=True)
            self.stop_here = StopHere(where["stop"])
            gdb.execute("continue", to_string=True)
        finally:
            notices("off")
            self.quiet = False
        self.arrived()

    def kill(self):
        self.quiet = True
        try:
            gdb.execute("kill", to_string=True)
        finally:
            self.quiet = False

    def leave(self, event):
        """Left alone it would run on to its end."""
        if self.alive():
            self.kill()

    def arrived(self):
        """At its event, its end or a fault: say which, and show the node's own code."""
        self.target = None
        print(self.channel.ask("arrived")["text"])
        frame = own_frame()
        if frame is not None:
            frame.select()
            gdb.execute("frame")

    def stopped(self, event):
        if self.quiet:
            return
        if isinstance(event, gdb.BreakpointEvent) and self.stop_here in event.breakpoints:
            self.arrived()
            return
        if self.target is not None:
            self.target = None
            print(self.channel.ask("astray")["text"])

    def exited(self, event):
        if not self.quiet:
            self.target = None
            print(self.channel.ask("exited")["text"])

    def go(self, way):
        """Follow the answer to goto, next or back."""
        if way["way"] == "here":
            self.arrived()
        elif way["way"] == "on" and self.alive():
            self.target = way["event"]
            gdb.execute("continue")
        else:
            if self.alive():
                self.kill()
            self.attach(self.channel.ask("restart"))

    def prompted(self, prompt):
        """The event in front of the prompt."""
        if prompt != self.shown:
            self.prompt = prompt
        try:
            event = self.channel.ask("prompt")["event"] if self.alive() else None
        except (gdb.GdbError, OSError, ValueError):
            event = None
        self.shown = "%s %s" % (event, self.prompt) if event else self.prompt
        return self.shown


# ---- commands ----

class Command(gdb.Command):
    verb = ""           # what is asked of drd
    completion = ()

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_RUNNING)

    def complete(self, text, word):
        return [kind for kind in self.completion if kind.lower().startswith(word.lower())]

    def invoke(self, argument, from_tty):
        self.do(argument.strip())


class Event(Command):
    """drd-event [EVENT]: what happens at the present event, or at another one: the call, what it means in Raft, when it was
recorded. In the middle of the program the present event is the last that happened."""

    name = "drd-event"
    verb = "event"

    def do(self, argument):
        print(session.channel.ask(self.verb, argument)["text"])


class Message(Event):
    """drd-message [EVENT]: the Raft messages of the present event, or of another one: their fields and the bytes."""

    name = "drd-message"
    verb = "message"


class Chain(Event):
    """drd-chain: the steps by which drd explain leads from the cause to the violation. drd-goto takes those of this node."""

    name = "drd-chain"
    verb = "chain"


class Goto(Command):
    """drd-goto EVENT: go to an event: n1@317, or 317. Backwards, the process is re-driven from its start; breakpoints
stay."""

    name = "drd-goto"
    verb = "goto"

    def do(self, argument):
        session.go(session.channel.ask(self.verb, argument))


class Next(Goto):
    """drd-next [KIND]: run on to the next event, of this kind: message, send, receive, timer, draw, write, sync, mark, fault,
term, vote, append, commit, apply ...; a type of Raft message such as AppendEntries, also with * in it; or a kind of drd log."""

    name = "drd-next"
    verb = "next"
    completion = KINDS


class Back(Goto):
    """drd-back [KIND]: go back to the event before, of this kind: see help drd-next."""

    name = "drd-back"
    verb = "back"
    completion = KINDS


class Finish(Command):
    """drd-finish: let the present event happen, and stop where the node's own code goes on. next and step do so by
themselves."""

    name = "drd-finish"

    def do(self, argument):
        own = own_frame()
        if own is None or not is_shim(gdb.newest_frame()) or own.newer() is None:
            if argument != "quiet":
                raise gdb.GdbError("drd: it is in the node's own code")
            return
        there = gdb.FinishBreakpoint(own.newer(), internal=True)
        there.silent = True
        gdb.execute("continue")
        if there.is_valid():  # something else came first
            there.delete()
        if session.alive() and gdb.newest_frame() == own and argument != "quiet":
            gdb.execute("frame")


gdb.execute("handle SIGSEGV SIGBUS nostop noprint pass", to_string=True)  # the shim stops at those that are the node's own
session = Session()
for command in (Event, Message, Chain, Goto, Next, Back, Finish):
    command()
gdb.execute("skip -gfile */src/shim/*", to_string=True)
for command in ("next", "step"):  # gdb would take the lines of the shim
    gdb.execute("define hook-%s\ndrd-finish quiet\nend" % command)
gdb.frame_filters[HideShim.name] = HideShim()
gdb.events.stop.connect(session.stopped)
gdb.events.exited.connect(session.exited)
gdb.events.gdb_exiting.connect(session.leave)
gdb.prompt_hook = session.prompted
gdb.set_convenience_variable("drd", 1)
session.attach(session.channel.ask("process"))

# SPDX-License-Identifier: MIT
"""A FastCGI client that hides nothing, and a way to run a responder on a socket of its own.

    with Responder([ECHO, "-w", "4"]) as r:
        answer = request(r.address, {"REQUEST_METHOD": "GET"})
        answer.status, answer.body

A Connection sends records one by one, whole or in pieces, right or wrong. Source: FastCGI Specification 1.0.
"""
import os
import re
import signal
import socket
import struct
import subprocess
import time

from harness import BUILD, private_directory, remove_directory, stop_process, wait_for

# For "TEST_WRAPPER='valgrind -q --error-exitcode=99' make check TESTS=tests/live/fcgi_peer.py".
WRAPPER = os.environ.get("TEST_WRAPPER", "").split()
ECHO = os.path.join(BUILD, "tests", "programs", "fcgi-echo")

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES = range(1, 10)
RESPONDER, AUTHORIZER, FILTER = 1, 2, 3
KEEP_CONN = 1


def record(kind, content=b"", request_id=1, padding=0, version=1):
    return struct.pack(">BBHHBB", version, kind, request_id, len(content), padding, 0) + content + b"\0" * padding


def begin(request_id=1, role=RESPONDER, keep=False):
    return record(BEGIN_REQUEST, struct.pack(">HB5x", role, KEEP_CONN if keep else 0), request_id)


def length(n):
    return struct.pack(">B", n) if n < 128 else struct.pack(">I", n | 0x80000000)


def pairs(params):
    """Name-value pairs of a dict, or of a list of tuples when a name comes twice."""
    out = []
    for name, value in params.items() if isinstance(params, dict) else params:
        name, value = (x if isinstance(x, bytes) else str(x).encode() for x in (name, value))
        out.append(length(len(name)) + length(len(value)) + name + value)
    return b"".join(out)


def stream(kind, content, request_id=1, size=65535):
    """The content in records, and the empty one."""
    out = [record(kind, content[i:i + size], request_id) for i in range(0, len(content), size)]
    return b"".join(out) + record(kind, b"", request_id)


def whole(params, body=b"", request_id=1, keep=False, role=RESPONDER):
    return begin(request_id, role, keep) + stream(PARAMS, pairs(params), request_id) + stream(STDIN, body, request_id)


class Answer:
    """What came back for one request. "ended": (application status, protocol status) or None when the connection
    closed first."""

    def __init__(self):
        self.stdout, self.stderr, self.ended = b"", b"", None

    @property
    def head(self):
        return self.stdout.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self):
        """The status as a number; 0 when there was no answer."""
        for line in self.head.split("\r\n"):
            if line.lower().startswith("status:"):
                return int(line.split()[1])
        return 200 if self.stdout else 0

    def header(self, name):
        for line in self.head.split("\r\n"):
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    @property
    def body(self):
        return self.stdout.partition(b"\r\n\r\n")[2]

    def fact(self, name):
        """A line "NAME value" of fcgi-echo's answer."""
        for line in self.body.decode("latin-1").split("\n"):
            key, _, value = line.partition(" ")
            if key == name:
                return value
        return None


class Connection:
    def __init__(self, address, timeout=90):
        self.socket = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.socket.settimeout(timeout)
        self.socket.connect(address)
        self.pending = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def try_send(self, data):
        """Send as much as the peer takes; returns whether it took all."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def read_record(self):
        """(type, request id, content), or None at the end of the connection."""
        while True:
            if len(self.pending) >= 8:
                _, kind, request_id, n, padding, _ = struct.unpack(">BBHHBB", self.pending[:8])
                if len(self.pending) >= 8 + n + padding:
                    content = self.pending[8:8 + n]
                    self.pending = self.pending[8 + n + padding:]
                    return kind, request_id, content
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self.pending += data

    def read_answer(self):
        answer = Answer()
        while True:
            got = self.read_record()
            if got is None:
                return answer
            kind, _, content = got
            if kind == STDOUT:
                answer.stdout += content
            elif kind == STDERR:
                answer.stderr += content
            elif kind == END_REQUEST:
                answer.ended = struct.unpack(">IB3x", content)
                return answer

    def is_closed(self, seconds=15.0):
        """Whether the responder closes the connection in that time (and sends nothing more before)."""
        self.socket.settimeout(seconds)
        try:
            return self.pending == b"" and self.socket.recv(65536) == b""
        except TimeoutError:
            return False
        except OSError:
            return True


def request(address, params, body=b"", timeout=90):
    """One request on a connection of its own."""
    with Connection(address, timeout) as c:
        c.send(whole(params, body))
        return c.read_answer()


def is_slow(command=ECHO):
    """Whether the program was built with a sanitizer or runs under a wrapper: its times and its memory say nothing
    then."""
    with open(command, "rb") as f:
        return bool(WRAPPER) or re.search(rb"__(asan|tsan)_init", f.read()) is not None


class Responder:
    """Processes that share one listening socket as descriptor 0, as a front's spawner starts them."""

    def __init__(self, command, processes=1, env=None, tcp=False):
        self.dir = private_directory()
        self.command, self.env = command, dict(os.environ, **(env or {}))
        if tcp:
            self.listener = socket.socket()
            self.listener.bind(("127.0.0.1", 0))
            self.address = self.listener.getsockname()
        else:
            self.address = os.path.join(self.dir, "socket")
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.address)
        self.listener.listen(1024)
        self.log = os.path.join(self.dir, "log")
        self.processes = []
        for _ in range(processes):
            self.start()

    def start(self):
        with open(self.log, "ab") as log:
            p = subprocess.Popen(WRAPPER + self.command, stdin=self.listener, stdout=subprocess.DEVNULL, stderr=log,
                env=self.env)
        self.processes.append(p)
        return p

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for p in self.processes:
            stop_process(p, signal.SIGTERM)
        self.listener.close()
        remove_directory(self.dir)

    @property
    def process(self):
        return self.processes[0]

    def logged(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ready(self, seconds=30):
        """Wait until it answers; returns itself."""
        wait_for(lambda: request(self.address, {"REQUEST_METHOD": "GET"}).status, seconds)
        return self


def rss_kib(pid):
    """Resident memory of a process."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        for line in f:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def stop_time(process, signal_number):
    """Send the signal; returns (seconds until it ended, exit status)."""
    began = time.monotonic()
    status = stop_process(process, signal_number)
    return time.monotonic() - began, status

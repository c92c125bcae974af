#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stopping in good order, against fcgi-echo: soon on every signal, whatever its peers are doing, and without losing a
request while another process shares the socket. The third trap of libfcgi: its own signal handling wakes one thread of
four; then a stop lasts for the whole grace, here a minute."""
import os
import signal
import subprocess
import threading
import time

from fastcgi import ECHO, PARAMS, Connection, Responder, begin, pairs, request, stop_time, stream, whole
from harness import diag, done, is_, ok, skip, skip_all, steady, stop_process, wait_for, which

GET = {"REQUEST_METHOD": "GET"}
POST = {"REQUEST_METHOD": "POST"}
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
STOPPED = 0
# Who waits for the grace waits for a minute; stop_process() kills after 30 s.
GRACE = "60"
SOON = 20

# A request to be sent in two parts: cut in its head at 20, in its body's first record after "cut".
full = whole(POST, b"abcdef")
cut = len(begin() + stream(PARAMS, pairs(POST)))

if not os.path.exists(ECHO):
    skip_all("tests/programs/fcgi-echo is not built")


def mixed(signal_number, name):
    """A scene: the process waits for half a second for what was sent in part, so who is away for that long spoils it."""
    with Responder([ECHO, "-w", "4", "-g", GRACE]) as r:
        r.ready()
        working, head, body, raced = (Connection(r.address) for _ in range(4))
        working.send(whole(dict(GET, QUERY_STRING="sleep=400"), keep=True))
        head.send(full[:20])
        body.send(full[:cut + 10])
        raced.send(whole(GET, keep=True))
        raced.read_answer()
        time.sleep(0.1)
        began = time.monotonic()
        r.process.send_signal(signal_number)
        raced.try_send(whole(GET, keep=True))
        time.sleep(0.05)
        head.try_send(full[20:])
        body.try_send(full[cut + 10:])
        status = wait_for(lambda: r.process.poll() is not None) and r.process.returncode
        took = time.monotonic() - began
        claims = [
            ((took < SOON, status), (True, STOPPED),
             name + "with a working, two half-sent and one racing request (%.2f s)" % took),
            (working.read_answer().status, 200, name + "the working request is answered"),
            (head.read_answer().status, 200, name + "the request whose head was half sent is answered"),
            (body.read_answer().fact("body"), "6", name + "the request whose body was half sent is answered"),
            (raced.read_answer().status, 200, name + "a request sent on a kept connection just then is answered")]
        for c in (working, head, body, raced):
            c.close()
        return claims


def states(signal_number):
    name = "trap 3, stop: %s, " % signal_number.name
    with Responder([ECHO, "-w", "4", "-g", GRACE]) as r:
        r.ready()
        took, status = stop_time(r.process, signal_number)
        ok(took < SOON and status == STOPPED, name + "idle: 4 threads end (%.2f s)" % took)

    with Responder([ECHO, "-w", "4", "-g", GRACE]) as r:
        r.ready()
        idle = [Connection(r.address) for _ in range(10)]
        for c in idle:
            c.send(whole(GET, keep=True))
            c.read_answer()
        silent = [Connection(r.address) for _ in range(10)]
        time.sleep(0.05)
        took, status = stop_time(r.process, signal_number)
        ok(took < SOON and status == STOPPED, name + "10 idle kept connections, 10 that said nothing (%.2f s)" % took)
        ok(all(c.is_closed() for c in idle), name + "idle kept connections are closed")
        for c in idle + silent:
            c.close()

    steady(lambda: mixed(signal_number, name), 3)

    with Responder([ECHO, "-w", "4", "-g", GRACE]) as r:
        r.ready()
        stuck = [Connection(r.address) for _ in range(4)]
        for i, c in enumerate(stuck):
            c.send(full[:(3, 20, cut, cut + 10)[i]])
        time.sleep(0.1)
        took, status = stop_time(r.process, signal_number)
        ok(took < SOON and status == STOPPED,
            name + "every thread in a request whose peer says no more (%.2f s)" % took)
        for c in stuck:
            c.close()


def hangup():
    with Responder([ECHO, "-w", "2"]) as r:
        r.ready()
        for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGUSR2):
            r.process.send_signal(number)
            time.sleep(0.05)
            ok(r.process.poll() is None and request(r.address, GET).status == 200, "%s ends nothing" % number.name)


def grace():
    with Responder([ECHO, "-w", "2", "-g", "1"]) as r:
        r.ready()
        with Connection(r.address) as c:
            c.send(whole(dict(GET, QUERY_STRING="log&sleep=25000")))
            wait_for(lambda: "ran GET" in r.logged())
            took, status = stop_time(r.process, signal.SIGTERM)
            ok(0.9 < took < 20 and status == 4, "a request that outlasts the grace is given up (%.2f s)" % took)


class Load:
    """Clients that count what was not answered."""

    def __init__(self, address, clients, kept):
        self.address, self.kept = address, kept
        self.over = threading.Event()
        self.answered, self.lost, self.again = 0, [], 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.run, args=(i,), daemon=True) for i in range(clients)]
        for t in self.threads:
            t.start()

    def one(self, n):
        body = b"%d" % n
        answer = request(self.address, dict(POST, CONTENT_LENGTH=len(body), QUERY_STRING="sleep=2"), body)
        return answer.status == 200 and answer.fact("body") == str(len(body))

    def run(self, n):
        connection, used = None, 0
        while not self.over.is_set():
            try:
                if self.kept:
                    # As fronts do: a kept connection that was closed before it was used again is opened anew.
                    if connection is None:
                        connection, used = Connection(self.address), 0
                    connection.send(whole(dict(GET, QUERY_STRING="sleep=2"), keep=True))
                    answer = connection.read_answer()
                    good = answer.status == 200
                    if not good and used and not answer.stdout:
                        connection = None
                        with self.lock:
                            self.again += 1
                        continue
                    used += 1
                else:
                    good = self.one(n)
                with self.lock:
                    self.answered += good
                    if not good:
                        self.lost.append("no answer")
            except OSError as e:
                connection = None
                with self.lock:
                    if used:
                        self.again += 1
                    else:
                        self.lost.append(repr(e))
                time.sleep(0.01)

    def more(self, n):
        """Wait until so many more were answered."""
        wanted = self.answered + n
        if not wait_for(lambda: self.answered >= wanted, 60):
            ok(False, "there is load")

    def end(self):
        self.over.set()
        for t in self.threads:
            t.join()


def restarts(kept):
    what = "kept connections" if kept else "a connection a request"
    with Responder([ECHO, "-w", "4", "-g", GRACE], processes=2) as r:
        r.ready()
        load = Load(r.address, 8, kept)
        slowest = 0
        for i in range(8):
            load.more(60)
            r.start()
            took, status = stop_time(r.processes[i], SIGNALS[i % 3])
            slowest = max(slowest, took)
            if status != STOPPED:
                ok(False, "restart %d: ends in good order" % i)
        load.end()
        is_(load.lost, [], "8 restarts under load, %s: none of %d requests is lost" % (what, load.answered))
        ok(slowest < SOON, "each stop comes to its end soon (%.2f s)" % slowest)
        diag("%d requests on kept connections had to be sent again" % load.again)


def max_requests():
    with Responder([ECHO, "-w", "4", "-m", "50"], processes=1) as r:
        load = Load(r.address, 4, False)
        ended = 0
        for _ in range(4):
            p = r.processes[-1]
            # A supervisor starts the next one when it sees the end.
            ended += wait_for(lambda: p.poll() is not None, 60) is not False and p.returncode == STOPPED
            r.start()
        load.end()
        is_(ended, 4, "each process ends in good order after its 50 requests")
        is_(load.lost, [], "none of %d requests is lost meanwhile" % load.answered)
        ok(load.answered >= 200, "there was load")


def killed():
    with Responder([ECHO, "-w", "4"], processes=2) as r:
        r.ready()
        r.processes[0].kill()
        r.processes[0].wait()
        ok(all(request(r.address, GET).fact("pid") == str(r.processes[1].pid) for _ in range(50)),
           "kill -9 of one process: the other serves")


def multiwatch():
    if not which("multiwatch"):
        skip("8 restarts under multiwatch", "multiwatch is not installed")
        return
    with Responder([ECHO], processes=0) as r:
        with open(r.log, "ab") as log:
            p = subprocess.Popen([which("multiwatch"), "-f", "2", "-t", "100", "--", ECHO, "-w", "4"], stdin=r.listener,
                                 stdout=subprocess.DEVNULL, stderr=log)
        r.processes.append(p)
        r.ready()
        load = Load(r.address, 8, False)
        seen = set()
        for _ in range(8):
            load.more(60)
            pid = int(request(r.address, GET).fact("pid"))
            seen.add(pid)
            os.kill(pid, signal.SIGTERM)
            wait_for(lambda: not os.path.exists("/proc/%d" % pid))
        load.end()
        is_(load.lost, [], "8 restarts under multiwatch: none of %d requests is lost" % load.answered)
        ok(len(seen) >= 4, "of processes that it started anew")
        stop_process(p)


for number in SIGNALS:
    states(number)
hangup()
grace()
restarts(False)
restarts(True)
max_requests()
killed()
multiwatch()
done()

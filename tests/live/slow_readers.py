#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Clients that take their answers slowly, on the responder's own socket: nobody else waits for them."""
import os
import threading
import time

from fastcgi import ECHO, Connection, Responder, is_slow, request, whole
from harness import done, ok, skip_all, wait_for

if not os.path.exists(ECHO):
    skip_all("tests/programs/fcgi-echo is not built")

# How much longer a sanitizer's build may take.
FACTOR = 4 if is_slow() else 1


def get(query):
    return {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1", "QUERY_STRING": query}


class Slow:
    """Whoever asks, and takes so many bytes of the answer every second until it is told to leave."""

    def __init__(self, r, query, size):
        self.connection, self.size, self.taken, self.leaves = Connection(r.address), size, 0, threading.Event()
        self.connection.send(whole(get(query)))
        self.thread = threading.Thread(target=self._read)
        self.thread.start()

    def _read(self):
        while not self.leaves.wait(1):
            try:
                got = self.connection.socket.recv(self.size)
            except OSError:
                return
            if not got:
                return
            self.taken += len(got)

    def close(self):
        self.leaves.set()
        self.thread.join()
        self.connection.close()


def time_to_piece(r):
    began = time.monotonic()
    with Connection(r.address) as c:
        c.send(whole(get("stream=1&sleep=10&pulse=100")))
        c.read_record()
        return time.monotonic() - began


def time_to_answer(r):
    began = time.monotonic()
    return time.monotonic() - began if request(r.address, get("")).status == 200 else 99


def beside(r, queries, measure, seconds, text):
    """What measure() does while slow readers of answers of 5 MB are there, which takes them more than a minute."""
    readers = [Slow(r, query, 65536) for query in queries]
    ok(wait_for(lambda: all(s.taken for s in readers), 30), text + ": their answers have begun")
    time.sleep(1)
    took = measure(r)
    ok(took < seconds * FACTOR, "%s: nobody waits for them (%.0f ms)" % (text, took * 1000))
    for s in readers:
        s.close()


def given_up(r):
    """fcgi-echo -t 15: a client that takes something every second, but 4 KiB."""
    s = Slow(r, "size=500000", 4096)
    ok(wait_for(lambda: "it takes its answer too slowly" in r.logged(), 120), "who takes too little is given up")
    s.close()
    ok(time_to_answer(r) < 10 * FACTOR, "and its thread answers others")


def main():
    with Responder([ECHO, "-w", "4", "-t", "15"]) as r:
        r.ready()
        beside(r, ["stream=1&size=5000000&pulse=400"], time_to_piece, 12, "a slow reader of a stream")
    with Responder([ECHO, "-w", "2", "-t", "15"]) as r:
        r.ready()
        beside(r, ["size=5000000"] * 2, time_to_answer, 12, "slow readers of whole answers, as many as workers")
    with Responder([ECHO, "-w", "1", "-t", "15"]) as r:
        r.ready()
        given_up(r)
    done()


main()

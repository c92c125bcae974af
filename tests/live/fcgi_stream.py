#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Answers that leave in pieces, on the responder's own socket: when they leave, who notices that a client has left, and
that neither slow readers nor many streams keep a process from answering calls."""
import os
import signal
import socket
import threading
import time

from fastcgi import ABORT_REQUEST, ECHO, Connection, Responder, is_slow, record, request, rss_kib, stop_time, whole
from harness import diag, done, is_, ok, prompt, skip_all, wait_for

if not os.path.exists(ECHO):
    skip_all("tests/programs/fcgi-echo is not built")

SLOW = is_slow()
# How much longer a sanitizer's build may take.
FACTOR = 4 if SLOW else 1


def get(query):
    return {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1", "QUERY_STRING": query}


class Stream(Connection):
    """A request whose answer is read in pieces."""

    def __init__(self, r, query, keep=False):
        super().__init__(r.address)
        self.began = time.monotonic()
        self.text = b""
        self.ended = None
        self.send(whole(get(query), keep=keep))

    def until(self, text):
        """Read until the text has come or the answer has ended; returns the seconds since the request."""
        while text not in self.text and self.ended is None:
            got = self.read_record()
            if got is None:
                self.ended = "closed"
            elif got[0] == 3:
                self.ended = "ended"
            else:
                self.text += got[2]
        return time.monotonic() - self.began


def threads(r):
    return len(os.listdir("/proc/%d/task" % r.process.pid))


def says(r, text, count=1, seconds=15):
    return wait_for(lambda: r.logged().count(text) >= count, seconds * FACTOR)


def time_of(r, query, text):
    """Seconds until a piece of an answer is there."""
    with Stream(r, query) as s:
        return s.until(text)


def time_to_answer(r):
    began = time.monotonic()
    return time.monotonic() - began if request(r.address, get("")).status == 200 else 99


def pieces(r):
    prompt(lambda: time_of(r, "stream=2&sleep=300", b"piece 0"), 0.1 * FACTOR, "the first piece is there at once (%s)")
    with Stream(r, "stream=3&sleep=300") as s:
        s.until(b"piece 0")
        ok(b"\r\n\r\npiece 0" in s.text and b"Content-Length" not in s.text, "after a head without a length")
        ok(s.until(b"piece 1") > 0.25, "the second not before it is written")
        s.until(b"never")
        is_(s.ended, "ended", "the request is ended")
        ok(s.is_closed(), "and the connection closed")
    ok(says(r, "streamed: 3 written, the client is there"), "who answered knows that all was read")
    def before_its_end():
        with Stream(r, "stream=2&sleep=300") as s:
            there = s.until(b"piece 1")
            return s.until(b"never") - there
    ok(any(before_its_end() > 0.2 for _ in range(5)), "and at once then, long before the end")
    with Stream(r, "stream=2&sleep=500&pulse=100") as s:
        took, pulses = s.until(b"never"), s.text.count(b"~")
        ok(4 <= pulses <= 1 + 10 * took, "a silent stream has its pulse (%d in %.1f s)" % (pulses, took))
        ok(s.text.replace(b"~", b"").endswith(b"piece 0 \npiece 1 \n"), "and its pieces are whole")
    with Stream(r, "stream=20&size=1000000") as s:
        s.until(b"never")
        ok(len(s.text) > 20000000 and s.text.count(b"piece") == 20, "pieces of a megabyte are whole")
    with Stream(r, "stream=2", keep=True) as s:
        s.until(b"never")
        s.send(whole(get(""), request_id=2, keep=True))
        ok(s.read_answer().status == 200, "a connection that its front keeps is used again after a stream")


def time_to_notice(r, how):
    """Seconds until it is noticed that a client has left; 99: it is not."""
    seen = r.logged().count("has left")
    with Stream(r, "stream=100&sleep=100") as s:
        s.until(b"piece 1")
        if how == "abort":
            s.send(record(ABORT_REQUEST))
        elif how == "shut":
            s.socket.shutdown(socket.SHUT_WR)
        else:
            s.close()
        began = time.monotonic()
        return time.monotonic() - began if says(r, "the client has left", seen + 1) else 99


def leaving(r):
    for how in ("close", "abort", "shut"):
        prompt(lambda how=how: time_to_notice(r, how), 0.3 * FACTOR,
               "a client that leaves a stream (" + how + ") is noticed within a moment (%s)")
    seen = r.logged().count("watched: the client has left")
    with Connection(r.address) as c:
        c.send(whole(get("watch&sleep=10000")))
        time.sleep(0.2)
    ok(says(r, "watched: the client has left", seen + 1),
        "a client that leaves before anything was sent is noticed too")


def slow_readers(r):
    """fcgi-echo -t 1: whoever takes nothing for a second loses its stream."""
    with Stream(r, "stream=100&size=1000000") as s:
        s.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ok(says(r, "the client has left"), "who reads nothing is given up")
        took = time.monotonic() - s.began
        ok(0.8 < took < 15 * FACTOR, "after the time that a silent peer gets (%.1f s)" % took)
    before = rss_kib(r.process.pid)
    streams = [Stream(r, "stream=1000&size=100000&sleep=5&keep&leave") for _ in range(10)]
    ok(says(r, "told that the client has left, lost", 10, 20), "a kept stream whose client reads nothing is given up")
    grown = rss_kib(r.process.pid) - before
    ok(SLOW or grown < 8192, "its queue has a bound (%d KiB for 10 of them)" % grown)
    for s in streams:
        s.close()
    with Stream(r, "stream=600&sleep=100&life=300") as s:
        took = s.until(b"never")
        ok(0.25 < took < 30, "a stream that lives too long is cut (%.1f s of 60)" % took)
        is_(s.ended, "closed", "without pretending that its answer was whole")


def kept(r, at_rest):
    """fcgi-echo -w 1: streams that are kept hold no thread."""
    streams = [Stream(r, "stream=2&sleep=200&keep&leave" + ("" if i < 10 else "&life=3000")) for i in range(20)]
    for s in streams:
        s.until(b"piece 0")
    # Each of the first ten would hold it for ten minutes.
    took = time_to_answer(r)
    ok(took < 20, "20 kept streams leave the one thread free (%.0f ms)" % (took * 1000))
    for s in streams[:10]:
        s.close()
    ok(says(r, "told that the client has left, lost", 10), "their owners are told of clients that leave")
    for s in streams[10:]:
        s.until(b"never")
    ok(all(s.text.endswith(b"the end\n") and s.ended == "ended" for s in streams[10:]),
        "and when their life is over, so that they end with a last word")
    ok(says(r, "told that it is over, delivered", 10), "which is known to be delivered")
    with Stream(r, "stream=2&sleep=50&keep", keep=True) as s:
        s.until(b"never")
        s.send(whole(get(""), request_id=2, keep=True))
        ok(s.read_answer().status == 200, "a kept connection is used again after a kept stream")
    ok(wait_for(lambda: threads(r) == at_rest), "no thread is left over (%d)" % threads(r))


def many(r):
    """500 idle streams in one process."""
    before = rss_kib(r.process.pid)
    streams = []
    for _ in range(500):
        streams.append(Stream(r, "stream=1&sleep=0&keep&leave&pulse=3000"))
    for s in streams:
        s.until(b"piece 0")
    held = rss_kib(r.process.pid) - before
    # fcgi-echo has a thread a kept stream; its stacks are a few pages each.
    diag("500 kept streams: %d KiB resident, %d threads" % (held, threads(r)))
    prompt(lambda: sum(time_to_answer(r) for _ in range(20)), 5 * FACTOR, "500 idle streams, and 20 calls take %s")
    ok(all(s.until(b"~") and b"~" in s.text for s in streams), "every stream has its pulse")
    for s in streams:
        s.close()
    ok(says(r, "told that the client has left, lost", 500, 30), "all are noticed when they leave")


def starving(r, at_rest):
    """fcgi-echo -w 1: streams that hold threads, and clients that have left, do not hold up calls."""
    streams = [Stream(r, "stream=50&sleep=100") for _ in range(10)]
    for s in streams:
        took = s.until(b"piece 0")
    # Each lasts 5 s.
    ok(took < 3, "10 streams at once with one thread for calls (%.0f ms)" % (took * 1000))
    ok(threads(r) > 10, "by threads started for it (%d)" % threads(r))
    took = time_to_answer(r)
    ok(took < 1.5, "and calls are answered meanwhile (%.0f ms)" % (took * 1000))
    for s in streams:
        s.until(b"never")
    ok(all(s.text.count(b"piece") == 50 for s in streams), "all streams are whole")
    request(r.address, get(""))
    ok(wait_for(lambda: threads(r) == at_rest), "the additional threads end after that (%d are left)" % threads(r))
    with Connection(r.address) as c:
        c.send(whole(get("sleep=8000")))
        time.sleep(0.1)
    took = time_to_answer(r)
    ok(took < 5, "a call after a client has left its own does not wait for what goes on for nobody (%.0f ms)" % (
        took * 1000))
    with Connection(r.address) as c:
        c.send(whole(get("sleep=8000")))
        time.sleep(0.1)
        took = time_to_answer(r)
        ok(took < 5, "nor for a slow one whose client is there (%.0f ms)" % (took * 1000))
    wait_for(lambda: threads(r) == at_rest)


def too_many(r):
    """More streams than threads may be away."""
    streams = [Stream(r, "stream=1&sleep=20000") for _ in range(140)]
    answers = {"piece": 0, "whole": 0}
    for s in streams[:128]:
        s.until(b"piece 0")
        answers["piece"] += b"piece 0" in s.text
    is_(answers["piece"], 128, "128 streams hold threads")
    for s in streams[128:]:
        s.until(b"pid ")
        answers["whole"] += b"Content-Length" in s.text
    is_(answers["whole"], 12, "those beyond are answered whole")
    ok(says(r, "not begun: a limit was reached", 12), "and told why")
    for s in streams:
        s.close()


def stopping():
    for how in ("kept", "kept without end"):
        with Responder([ECHO, "-w", "2", "-g", "60"]) as r:
            r.ready()
            streams = [Stream(r, "stream=1&keep&leave") for _ in range(5)]
            for s in streams:
                s.until(b"piece 0")
            if how == "kept":
                took, status = stop_time(r.process, signal.SIGTERM)
                # The grace is 60 s, and stop_time() kills after 30 s.
                ok(took < 20 and status == 0, "SIGTERM ends kept streams and then the process (%.0f ms, "
                    "status %d)" % (took * 1000, status))
                for s in streams:
                    s.until(b"never")
                ok(all(s.text.endswith(b"the end\n") and s.ended == "ended" for s in streams),
                    "each with its last word")
            else:
                r.process.send_signal(signal.SIGKILL)
                for s in streams:
                    s.until(b"never")
                ok(all(s.ended == "closed" for s in streams), "SIGKILL ends them all, as what they are: cut")
                r.process.wait()
                r.processes.clear()
            for s in streams:
                s.close()
    with Responder([ECHO, "-w", "1", "-g", "3"]) as r:
        r.ready()
        with Stream(r, "stream=5&sleep=100") as s:
            s.until(b"piece 0")
            stopper = threading.Thread(target=stop_time, args=(r.process, signal.SIGTERM))
            stopper.start()
            s.until(b"never")
            ok(s.text.count(b"piece") == 5 and s.ended == "ended", "a stream that runs is whole before SIGTERM ends us")
            stopper.join()


def main():
    with Responder([ECHO, "-w", "4"]) as r:
        r.ready()
        pieces(r)
        leaving(r)
    with Responder([ECHO, "-w", "4", "-t", "1"]) as r:
        r.ready()
        slow_readers(r)
    with Responder([ECHO, "-w", "1"]) as r:
        r.ready()
        at_rest = threads(r)
        kept(r, at_rest)
        starving(r, at_rest)
        too_many(r)
    with Responder([ECHO, "-w", "1"]) as r:
        r.ready()
        many(r)
    stopping()
    done()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Peers on the responder's own socket, good and hostile, against fcgi-echo: what must be answered, what must end the
connection, and that the process goes on, frees its memory and keeps its threads."""
import os
import signal
import socket
import struct
import threading
import time

from fastcgi import (ABORT_REQUEST, AUTHORIZER, DATA, ECHO, FILTER, GET_VALUES, PARAMS, STDIN, Connection, Responder,
    begin,
                     is_slow, length, pairs, record, request, rss_kib, stream, whole)
from harness import diag, done, is_, ok, skip, skip_all, wait_for

GET = {"REQUEST_METHOD": "GET", "REMOTE_ADDR": "192.0.2.1"}
POST = {"REQUEST_METHOD": "POST", "REMOTE_ADDR": "192.0.2.1"}

CLOSED, TIMEOUT = "connection closed", "timed out"  # mcp_strerror()

if not os.path.exists(ECHO):
    skip_all("tests/programs/fcgi-echo is not built")


def alive(r, text):
    """The process that was there is there, and answers."""
    answer = request(r.address, GET)
    return ok(answer.status == 200 and answer.fact("pid") == str(r.process.pid), text)


def bodies(r):
    for size in (0, 1, 5, 8191, 8192, 65535, 65536, 1 << 20, 4 << 20):
        body = bytes(i * 7 & 255 for i in range(min(size, 4096))) * (size // 4096 + 1)
        body = body[:size]
        checksum = 0
        for byte in body if size <= 65536 else b"":
            checksum = (checksum * 31 + byte) & (1 << 64) - 1
        answer = request(r.address, dict(POST, CONTENT_LENGTH=size), body)
        is_(answer.fact("body"), str(size), "a body of %d bytes arrives whole" % size)
        if size <= 65536:
            is_(answer.fact("sum"), str(checksum), "and unchanged")
    answer = request(r.address, dict(GET, QUERY_STRING="size=3000000"))
    is_(len(answer.body.split(b"\n")[-1]), 3000000, "an answer of 3 MB leaves whole")
    answer = request(r.address, dict(GET, REQUEST_METHOD="HEAD"))
    ok(answer.body == b"" and int(answer.header("Content-Length")) > 50,
        "HEAD: the length is told, the bytes are not sent")
    answer = request(r.address, dict(GET, QUERY_STRING="fail"))
    ok(answer.status == 503 and b"out of resources" in answer.body, "an answer that cannot be composed is a 503")
    with Connection(r.address) as c:
        for piece in whole(dict(POST, CONTENT_LENGTH=3), b"abc"):
            c.send(bytes([piece]))
        is_(c.read_answer().fact("body"), "3", "a request that comes byte by byte is a request")
    with Connection(r.address) as c:
        c.send(begin() + stream(PARAMS, pairs(POST), size=1) + record(STDIN, b"ab", padding=255) + record(STDIN,
            b"c") + record(STDIN))
        is_(c.read_answer().fact("body"), "3", "parameters of one byte a record and padding of 255 bytes are a request")


def kept(r):
    with Connection(r.address) as c:
        answers = []
        for i in range(200):
            c.send(whole(dict(POST, CONTENT_LENGTH=4), b"%04d" % i, request_id=i + 1, keep=True))
            answers.append(c.read_answer())
        ok(all(a.status == 200 and a.ended == (0, 0) and a.fact("body") == "4" for a in answers),
            "200 requests on one kept connection")
        c.send(b"".join(whole(GET, request_id=i, keep=True) for i in range(1, 21)))
        ok(all(c.read_answer().status == 200 for _ in range(20)), "20 requests sent at once on it are answered in turn")
        c.send(whole(GET, keep=False))
        ok(c.read_answer().status == 200 and c.is_closed(), "a request that does not ask to keep it ends it")


def trap_accept_lock():
    """The first trap of libfcgi: threads held by kept connections that are idle."""
    with Responder([ECHO, "-w", "2"]) as r:
        r.ready()
        idle = [Connection(r.address) for _ in range(20)]
        for c in idle:
            c.send(whole(GET, keep=True))
            ok_status = c.read_answer().status
            if ok_status != 200:
                ok(False, "trap 1, accept: a kept connection is answered")
        silent = [Connection(r.address) for _ in range(20)]
        began = time.monotonic()
        alive(r, "trap 1, accept: 2 threads, 20 idle kept connections, 20 that say nothing: a new one is served")
        # Who waits for one of the others waits for 10 s.
        ok(time.monotonic() - began < 5, "trap 1, accept: at once")
        fine = 0
        for c in reversed(idle):
            c.send(whole(GET, keep=True))
            fine += c.read_answer().status == 200
        is_(fine, 20, "trap 1, accept: and every kept one again")
        for c in idle + silent:
            c.close()


def forged():
    return whole({"REQUEST_METHOD": "GET", "REMOTE_ADDR": "127.0.0.66", "HTTP_AUTHORIZATION": "Bearer stolen",
        "QUERY_STRING": "log"}, keep=True)


def trap_smuggling():
    """The second trap: records in a body that was refused early must not run."""
    with Responder([ECHO, "-w", "2"]) as r:
        r.ready()
        evil = forged() * 20
        for name, body in (("at the body's start", evil), ("after 8 KiB", b"x" * 8192 + evil),
            ("after 64 KiB", b"x" * 65536 + evil),
                           ("at the edge of libfcgi's buffer", b"x" * (8192 - 200) + evil)):
            for size in (65535, 8184, 1000):
                with Connection(r.address) as c:
                    c.send(begin(keep=True) + stream(PARAMS,
                        pairs(dict(POST, QUERY_STRING="unread", CONTENT_LENGTH=len(body)))))
                    first = c.read_answer()
                    c.send(stream(STDIN, body, size=size))
                    c.send(whole(dict(GET, REMOTE_ADDR="192.0.2.2"), keep=True, request_id=2))
                    second = c.read_answer()
                    ok(first.status == 200 and second.fact("from") == "192.0.2.2",
                       "trap 2, smuggling: records %s (%d a record): the next answer is the next request's" % (name,
                       size))
        # Read in part, then refused.
        with Connection(r.address) as c:
            c.send(whole(dict(POST, QUERY_STRING="read=5"), b"hello" + evil, keep=True))
            c.send(whole(dict(GET, REMOTE_ADDR="192.0.2.2"), keep=True, request_id=2))
            ok(c.read_answer().status == 200 and c.read_answer().fact("from") == "192.0.2.2",
               "trap 2, smuggling: a body of which five bytes were read")
        is_(r.logged().count("127.0.0.66"), 0, "trap 2, smuggling: nothing ran")
        request(r.address, dict(GET, QUERY_STRING="log", REMOTE_ADDR="127.0.0.66"))
        is_(r.logged().count("127.0.0.66"), 1, "trap 2, smuggling: (a request that does run is seen in the log)")


def refused(r):
    """What no front ever sends: the connection ends without an answer, the process does not."""
    known = pairs([("FCGI_MAX_CONNS", "")])
    rows = [
        ("GET_VALUES", record(GET_VALUES, known, 0)),
        ("GET_VALUES with a name 200 times (aborts libfcgi)", record(GET_VALUES, known * 200, 0)),
        ("GET_VALUES 200 times among the parameters",
        begin() + record(PARAMS, pairs(GET)) + record(GET_VALUES, known * 200, 0)),
        ("both lengths 2^30 (aborts libfcgi)",
        begin() + record(PARAMS, struct.pack(">II", 0xC0000000, 0xC0000000) + b"ab") + record(PARAMS)),
        ("both lengths 2^31 - 1 (CVE-2025-23016)", begin() + record(PARAMS, b"\xff" * 8 + b"ab") + record(PARAMS)),
        ("a value longer than what follows",
        begin() + record(PARAMS, length(1) + length(100) + b"ab") + record(PARAMS)),
        ("version 0", record(1, b"\0" * 8, version=0)),
        ("version 2", record(1, b"\0" * 8, version=2)),
        ("HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
        ("TLS", bytes.fromhex("16030100a5010000a10303") + b"\0" * 64),
        ("request id 0", begin(request_id=0)),
        ("BEGIN_REQUEST of 7 bytes", record(1, b"\0" * 7)),
        ("BEGIN_REQUEST of 9 bytes", record(1, b"\0" * 9)),
        ("an unknown type", record(77, b"x", 1)),
        ("an unknown management type", record(77, b"x", 0)),
        ("a second request among the parameters", begin() + record(PARAMS, pairs(GET)) + begin(2)),
        ("a body before its parameters end", begin() + record(PARAMS, pairs(GET)) + record(STDIN, b"x")),
        ("an abort among the parameters", begin() + record(PARAMS, pairs(GET)) + record(ABORT_REQUEST)),
        ("a parameter of 64 MiB", begin() + stream(PARAMS, length(4) + length(64 << 20) + b"NAME" + b"v" * (64 << 20))),
    ]
    for text, data in rows:
        with Connection(r.address) as c:
            c.try_send(data)
            answer = c.read_answer()
            ok(answer.stdout == b"" and answer.ended is None, "refused: " + text)
    alive(r, "after all of these the process is the same and answers")


def faults(r):
    """What is answered, with the fault told to the handler (which makes it a 400)."""
    rows = [
        ("Authorization twice", 2,
        list(GET.items()) + [("HTTP_AUTHORIZATION", "Bearer a"), ("HTTP_AUTHORIZATION", "Bearer b")]),
        ("REMOTE_ADDR twice", 2, list(GET.items()) + [("REMOTE_ADDR", "127.0.0.1")]),
        ("100,000 parameters", 1, list(GET.items()) + [("N%d" % i, "v") for i in range(100000)]),
        ("600 parameters", 1, list(GET.items()) + [("N%d" % i, "v") for i in range(600)]),
        ("parameters of 300 KiB", 1, dict(GET, HTTP_X="v" * 300000)),
        ("a NUL in a value", 3, dict(GET, HTTP_AUTHORIZATION=b"Bearer a\0b")),
        ("a name with \"=\" in it", 3, dict(GET, **{"A=B": "c"})),
        ("a line end in a value", 3, dict(GET, HTTP_ORIGIN="a\r\nb")),
        ("a length that is no number", 4, dict(GET, CONTENT_LENGTH="+3")),
        ("no method", 5, {"REMOTE_ADDR": "192.0.2.1"}),
        ("no parameters at all", 5, {}),
    ]
    for text, fault, params in rows:
        is_(request(r.address, params).fact("fault"), str(fault), "fault: " + text)
    for size in (0, 1, 1 << 10, 16 << 10, 60 << 10, 64 << 10, 70 << 10, 128 << 10, 180 << 10):
        answer = request(r.address, dict(GET, HTTP_AUTHORIZATION="Bearer " + "t" * size))
        is_(answer.fact("authorization"), str(size + 7 if size else 6), "a token of %d bytes arrives whole" % size)
    for name in ("HTTP_AUTHORIZATION", "REDIRECT_HTTP_AUTHORIZATION"):
        for size in (192 << 10, 200 << 10, 1 << 20, 9 << 20):
            params = dict(GET, HTTP_A="a" * 9000, **{name: "Bearer " + "t" * size, "HTTP_ORIGIN": "o"})
            answer = request(r.address, params)
            ok(answer.fact("fault") == "0" and answer.fact("authorization") == str(80 << 10) and answer.fact("from") == "192.0.2.1",
               "A7: a token of %d KiB in %s is cut, the rest of the request is read" % (size >> 10, name))
    answer = request(r.address, dict(GET, HTTP_X="v" * 150000, HTTP_AUTHORIZATION="t" * (1 << 20)))
    is_(answer.fact("fault"), "1", "a token of 1 MiB behind 150 kB of other parameters is a fault")
    answer = request(r.address, [("HTTP_AUTHORIZATION", "t" * (1 << 20)), ("HTTP_AUTHORIZATION", "t" * (1 << 20))] + list(GET.items()))
    ok(answer.fact("fault") in ("1", "2"), "two of 1 MiB each are a fault")
    with Connection(r.address) as c:
        c.try_send(whole(dict(GET, HTTP_AUTHORIZATION="Bearer " + "t" * (17 << 20))))
        is_(c.read_answer().stdout, b"", "a token of 17 MiB ends the connection")
    with Connection(r.address) as c:
        c.send(begin() + record(PARAMS, length(18) + length(1 << 30) + b"HTTP_AUTHORIZATION" + b"t" * 60000)
               + record(PARAMS, b"t" * 65535) * 3 + record(PARAMS) + record(STDIN))
        is_(c.read_answer().stdout, b"", "a token that is shorter than it was said to be ends the connection")
    for name, role in (("AUTHORIZER", AUTHORIZER), ("FILTER", FILTER), ("9", 9), ("0", 0)):
        with Connection(r.address) as c:
            c.send(whole(GET, role=role))
            answer = c.read_answer()
            ok(answer.stdout == b"" and answer.ended == (0, 3), "role %s: FCGI_UNKNOWN_ROLE" % name)
    with Connection(r.address) as c:
        c.send(begin() + stream(PARAMS, pairs(POST)) + record(STDIN, b"abc") + record(ABORT_REQUEST))
        is_(c.read_answer().fact("error"), CLOSED, "an abort in the body is a body cut off")
    with Connection(r.address) as c:
        c.send(begin() + stream(PARAMS, pairs(POST)) + record(STDIN, b"abc"))
        c.socket.shutdown(socket.SHUT_WR)
        answer = c.read_answer()
        ok(answer.fact("body") == "3" and answer.fact("error") == CLOSED,
            "a peer that closes in the body: a body cut off")
    with Connection(r.address) as c:
        c.send(begin() + stream(PARAMS, pairs(POST)) + record(STDIN, b"abc") + record(GET_VALUES,
            pairs([("FCGI_MAX_CONNS", "")]) * 200, 0))
        is_(c.read_answer().fact("error"), CLOSED, "GET_VALUES 200 times in the body: a body cut off")
    with Connection(r.address) as c:
        c.send(begin() + stream(PARAMS, pairs(POST)) + record(DATA, b"zzz") + record(STDIN, b"abc") + record(STDIN))
        is_(c.read_answer().fact("body"), "3", "DATA records beside the body are passed over")
    alive(r, "after all of these the process is the same and answers")


def truncated(r):
    """A good request cut at every byte, then closed."""
    data = whole(dict(POST, CONTENT_LENGTH=3), b"abc")
    for cut in range(len(data)):
        with Connection(r.address) as c:
            c.send(data[:cut])
    alive(r, "a request cut at each of %d bytes: the process answers" % len(data))


def silent():
    # Only silence ends these: the whole may last a minute.
    with Responder([ECHO, "-w", "2", "-t", "1", "-T", "60"]) as r:
        r.ready()
        rows = [
            ("before the first byte", b"", None),
            ("in a record's header", begin()[:4], None),
            ("in the parameters", begin() + record(PARAMS, pairs(GET))[:20], None),
            ("in the body", begin() + stream(PARAMS, pairs(POST)) + record(STDIN, b"abc"), TIMEOUT),
            ("before the body", begin() + stream(PARAMS, pairs(POST)), TIMEOUT),
        ]
        for text, data, error in rows:
            with Connection(r.address) as c:
                began = time.monotonic()
                c.send(data)
                answer = c.read_answer()
                took = time.monotonic() - began
                if error:
                    is_(answer.fact("error"), error, "silent %s: the handler is told" % text)
                else:
                    is_(answer.stdout, b"", "silent %s: no answer" % text)
                ok(0.8 < took < 40, "silent %s: ends after the time-out (%.1f s)" % (text, took))
    with Responder([ECHO, "-w", "2", "-t", "60", "-T", "3"]) as r:
        r.ready()
        for text, head in (("the parameters", begin()),
            ("the body", begin() + stream(PARAMS, pairs(POST)) + record(STDIN, b"a" * 1000)[:8])):
            with Connection(r.address) as c:
                c.send(head + (b"\1\4\0\1\xff\0\0\0" if text == "the parameters" else b""))
                began = time.monotonic()
                while c.try_send(b"a") and time.monotonic() - began < 60:
                    time.sleep(0.1)
                    c.socket.setblocking(False)
                    try:
                        if c.socket.recv(65536):
                            break
                    except BlockingIOError:
                        pass
                    except ConnectionError:
                        break
                    c.socket.setblocking(True)
                took = time.monotonic() - began
                ok(2 < took < 40, "a byte every 0.1 s in %s ends after the total time (%.1f s)" % (text, took))
    with Responder([ECHO, "-w", "2", "-t", "30", "-T", "90"]) as r:
        r.ready()
        head = begin() + stream(PARAMS, pairs(GET))
        held = [Connection(r.address) for _ in range(40)]
        for i, c in enumerate(held):
            c.send(head[:1 + i % (len(head) - 1)])
        time.sleep(0.2)
        began = time.monotonic()
        alive(r, "40 peers silent in the middle of a head, 2 threads: a good one is served")
        took = time.monotonic() - began
        ok(took < 20, "at once: silence may last 30 s (%.3f s)" % took)
        for i, c in enumerate(held):
            c.send(head[1 + i % (len(head) - 1):] + record(STDIN))
        is_([c.read_answer().status for c in held], [200] * 40, "and so are they when they go on")
        for c in held:
            c.close()
        held = [Connection(r.address) for _ in range(300)]
        for c in held:
            c.send(head[:20])
        ok(wait_for(lambda: "too many requests have come in part" in r.logged(), 30), "300 of them are too many")
        began = time.monotonic()
        alive(r, "and a good one is served all the same")
        took = time.monotonic() - began
        ok(took < 20, "at once: silence may last 30 s (%.3f s)" % took)
        for c in held:
            c.close()


def slow_reader():
    with Responder([ECHO, "-w", "1", "-t", "1", "-T", "90"]) as r:
        r.ready()
        with Connection(r.address) as c:
            c.send(whole(dict(GET, QUERY_STRING="size=8000000")))
            began = time.monotonic()
            alive(r, "a peer that does not read its answer is given up")
            took = time.monotonic() - began
            # Who waits for the peer waits longer than request() does.
            ok(took < 40, "after the time-out (%.1f s)" % took)


def memory():
    """Neither many requests nor large ones leave anything behind."""
    if is_slow():
        skip("memory stays flat", "a sanitizer or a wrapper keeps what is freed")
        return
    with Responder([ECHO, "-w", "4"]) as r:
        r.ready()

        def load(n):
            for i in range(n):
                request(r.address, dict(POST, CONTENT_LENGTH=1000, HTTP_AUTHORIZATION="Bearer " + "t" * 3000),
                    b"x" * 1000)

        load(500)
        before = rss_kib(r.process.pid)
        load(3000)
        after = rss_kib(r.process.pid)
        diag("resident after 500 requests %d KiB, after 3500 %d KiB" % (before, after))
        ok(after - before < 512, "memory stays flat over 3,000 requests")
        for _ in range(4):
            request(r.address, dict(GET, QUERY_STRING="size=12000000"))
            request(r.address, dict(GET, HTTP_X="v" * 190000))
        for _ in range(40):
            with Connection(r.address) as c:
                c.try_send(begin() + stream(PARAMS, length(4) + length(8 << 20) + b"NAME" + b"v" * (8 << 20)))
        load(500)
        large = rss_kib(r.process.pid)
        diag("after answers of 12 MB and heads of 8 MiB: %d KiB" % large)
        ok(large - after < 4096, "and large ones give their memory back")


def descriptors():
    """More connections than descriptors: the oldest idle one makes room."""
    with Responder(["sh", "-c", "ulimit -n 40; exec '%s' -w 2" % ECHO]) as r:
        r.ready()
        idle = []
        for _ in range(60):
            c = Connection(r.address)
            c.send(whole(GET, keep=True))
            if c.read_answer().status == 200:
                idle.append(c)
        is_(len(idle), 60, "60 kept connections with 40 descriptors: all are answered")
        alive(r, "and a new one too")
        for c in idle:
            c.close()
        ok(wait_for(lambda: len(os.listdir("/proc/%d/fd" % r.process.pid)) < 20), "closed connections leave no descriptor behind")


def many_peers(r):
    """32 clients at once, kept and not, while hostile ones come and go."""
    wrong = []

    def client(n):
        try:
            for i in range(40):
                body = b"%d-%d" % (n, i)
                if n % 2:
                    answer = request(r.address, dict(POST, CONTENT_LENGTH=len(body), REMOTE_ADDR="10.0.%d.%d" % (n, i)),
                        body)
                    if answer.fact("from") != "10.0.%d.%d" % (n, i) or answer.fact("body") != str(len(body)):
                        wrong.append(answer.stdout)
                else:
                    with Connection(r.address) as c:
                        for k in range(3):
                            c.send(whole(dict(GET, REMOTE_ADDR="10.%d.%d.%d" % (k, n, i)), keep=True))
                            answer = c.read_answer()
                            if answer.fact("from") != "10.%d.%d.%d" % (k, n, i):
                                wrong.append(answer.stdout)
                        c.send(os.urandom(64))
        except OSError as e:
            wrong.append(e)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    is_(wrong, [], "32 clients at once: every answer is its own request's")


def tcp():
    with Responder([ECHO, "-w", "2"], tcp=True) as r:
        r.ready()
        is_(request(r.address, dict(POST, CONTENT_LENGTH=100000), b"x" * 100000).fact("body"), "100000",
            "TCP: a request")
        with Connection(r.address) as c:
            c.send(begin() + stream(PARAMS, pairs(dict(POST, QUERY_STRING="unread", CONTENT_LENGTH=3000000))))
            c.try_send(stream(STDIN, b"x" * 3000000))
            ok(c.read_answer().status == 200,
                "TCP: an answer to a request whose body is not read is not lost in a reset")


with Responder([ECHO, "-w", "4"]) as responder:
    responder.ready()
    bodies(responder)
    kept(responder)
    refused(responder)
    faults(responder)
    truncated(responder)
    many_peers(responder)
trap_accept_lock()
trap_smuggling()
silent()
slow_reader()
memory()
descriptors()
tcp()
done()

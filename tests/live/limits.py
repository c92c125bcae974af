#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rate limit is exact to the request, whatever number of processes and clients there are."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import Front, missing  # noqa: E402
from harness import done, is_, modern_call, ok, skip, wait_for  # noqa: E402

OVER = b'{"error":"Rate limit exceeded: %d per 1 minute"}'


def storm(front, messages, clients):
    """Each client sends its message once, all at the same moment. Returns {(status, body if refused): count}."""
    gate, lock, seen = threading.Barrier(clients), threading.Lock(), {}

    def client(i):
        gate.wait()
        try:
            r = front.post(messages[i % len(messages)], timeout=60.0)
            while r.status == 503 and b"replaced by the web server" in r.body:
                # mod_fcgid itself, which had no process soon enough: nobody has counted this one.
                time.sleep(0.1)
                r = front.post(messages[i % len(messages)], timeout=60.0)
            key = (r.status, b"" if r.status == 200 else r.body)
        except Exception as e:
            key = (0, repr(e).encode())
        with lock:
            seen[key] = seen.get(key, 0) + 1

    threads = [threading.Thread(target=client, args=(i,)) for i in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return seen


def two_processes_used(front):
    """Whether at least two responders have written a request line; the log names the process."""
    return len(front.responders()) >= 2


def try_front(name, clients):
    with Front(name, {"RATE_LIMIT": "10/minute", "RATE_LIMIT_PRINCIPAL": "off"}) as front:
        message = modern_call("greet_user", {"name": "Ada"}, front.token())
        is_(storm(front, [message], 40), {(200, b""): 10, (429, OVER % 10): 30},
            name + ": 10/minute lets ten of forty pass [S82]")
        is_([front.post(message).status for _ in range(3)], [429] * 3, name + ": and none later in that minute")
        is_(front.request("GET", "/health").status, 200, name + ": /health is not limited")
        ok(wait_for(lambda: two_processes_used(front)), name + ": there were several processes [S59]")
    with Front(name, {"RATE_LIMIT": "100/minute", "RATE_LIMIT_PRINCIPAL": "off"}) as front:
        message = modern_call("greet_user", {"name": "Ada"}, front.token())
        is_(storm(front, [message], clients), {(200, b""): 100, (429, OVER % 100): clients - 100},
            name + ": of %d clients at the same time 100 pass a limit of 100" % clients)
    with Front(name, {"RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "10/minute"}) as front:
        messages = [modern_call("greet_user", {"name": "Ada"}, front.token(sub="usr_%d" % i)) for i in range(3)]
        is_(storm(front, messages, 60), {(200, b""): 30, (429, OVER % 10): 30},
            name + ": three principals with ten each [S60]")


def wrong_tokens_count():
    with Front("lighttpd", {"RATE_LIMIT": "10/minute", "RATE_LIMIT_PRINCIPAL": "off"}) as front:
        bad = modern_call("greet_user", {"name": "Ada"}, "guess")
        good = modern_call("greet_user", {"name": "Ada"}, front.token())
        is_(storm(front, [bad], 15), {(401, b'{"error": "Token validation failed"}'): 10, (429, OVER % 10): 5},
            "guessing tokens is limited too")
        is_(front.post(good).status, 429, "and costs the address its budget")


for front_name, n in (("lighttpd", 200), ("apache-fcgid", 200), ("nginx", 200)):
    lacking = missing(front_name)
    if lacking:
        skip(front_name + ": limits", "there is no " + lacking)
    else:
        try_front(front_name, n)
if not missing("lighttpd"):
    wrong_tokens_count()
done()

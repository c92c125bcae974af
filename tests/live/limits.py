#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rate limit is exact to the request, whatever number of processes and clients there are."""
import http.client
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import Front, missing  # noqa: E402
from harness import diag, done, is_, modern_call, skip, wait_for  # noqa: E402

OVER = b'{"error":"Rate limit exceeded: %d per 1 minute"}'


def counted(front, message):
    """The answer to a message. What the web server itself turned away, nobody has counted: it is sent again."""
    for _ in range(600):
        try:
            r = front.post(message, timeout=200.0)
            if r.status != 503 or b"replaced by the web server" not in r.body:
                return r  # else mod_fcgid had no process soon enough
        except http.client.RemoteDisconnected:
            if front.server != "apache":  # which ends connections that it has not read
                raise
        time.sleep(0.1)
    return r


def storm(front, messages, clients):
    """Each client sends its message once, all at the same moment. Returns {(status, body if refused): count}."""
    gate, lock, seen = threading.Barrier(clients), threading.Lock(), {}

    def client(i):
        gate.wait()
        try:
            r = counted(front, messages[i % len(messages)])
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


def exact(name, settings, scene, tries=5):
    """The claims of scene(front) about a fresh front, (got, want, text) each. A machine that stands still lets requests
    pass uncounted, which the product says in its log: only then the scene is played again."""
    while True:
        with Front(name, settings) as front:
            claims = scene(front)
            log = front.logs()["responder.log"]
        tries -= 1
        if tries == 0 or "admitted uncounted" not in log or all(got == want for got, want, _ in claims):
            break
        diag("once more, as the log tells of requests that were not counted: %s" % [
            (got, text) for got, want, text in claims if got != want])
    for got, want, text in claims:
        is_(got, want, text)


def two_processes_used(front):
    """Whether at least two responders have written a request line; the log names the process."""
    return len(front.responders()) >= 2


def try_front(name, clients):
    def forty(front):
        message = modern_call("greet_user", {"name": "Ada"}, front.token())
        return [(storm(front, [message], 40), {(200, b""): 10, (429, OVER % 10): 30},
                 name + ": 10/minute lets ten of forty pass [S82]"),
                ([front.post(message).status for _ in range(3)], [429] * 3, name + ": and none later in that minute"),
                (front.request("GET", "/health").status, 200, name + ": /health is not limited"),
                (bool(wait_for(lambda: two_processes_used(front))), True,
                 name + ": there were several processes [S59]")]
    exact(name, {"RATE_LIMIT": "10/minute", "RATE_LIMIT_PRINCIPAL": "off"}, forty)

    def many(front):
        message = modern_call("greet_user", {"name": "Ada"}, front.token())
        return [(storm(front, [message], clients), {(200, b""): 100, (429, OVER % 100): clients - 100},
                 name + ": of %d clients at the same time 100 pass a limit of 100" % clients)]
    exact(name, {"RATE_LIMIT": "100/minute", "RATE_LIMIT_PRINCIPAL": "off"}, many)

    def principals(front):
        messages = [modern_call("greet_user", {"name": "Ada"}, front.token(sub="usr_%d" % i)) for i in range(3)]
        return [(storm(front, messages, 60), {(200, b""): 30, (429, OVER % 10): 30},
                 name + ": three principals with ten each [S60]")]
    exact(name, {"RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "10/minute"}, principals)


def wrong_tokens_count():
    def guesses(front):
        bad = modern_call("greet_user", {"name": "Ada"}, "guess")
        good = modern_call("greet_user", {"name": "Ada"}, front.token())
        return [(storm(front, [bad], 15), {(401, b'{"error": "Token validation failed"}'): 10, (429, OVER % 10): 5},
                 "guessing tokens is limited too"),
                (front.post(good).status, 429, "and costs the address its budget")]
    exact("lighttpd", {"RATE_LIMIT": "10/minute", "RATE_LIMIT_PRINCIPAL": "off"}, guesses)


for front_name, n in (("lighttpd", 200), ("apache-fcgid", 200), ("nginx", 200)):
    lacking = missing(front_name)
    if lacking:
        skip(front_name + ": limits", "there is no " + lacking)
    else:
        try_front(front_name, n)
if not missing("lighttpd"):
    wrong_tokens_count()
done()

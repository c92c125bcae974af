#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""kill -9 of a responder under load: whoever is answered with 200 is answered rightly, and the service goes on."""
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import Front, missing  # noqa: E402
from harness import diag, done, is_, modern_call, ok, skip, skip_all, wait_for  # noqa: E402

CLIENTS = 6


class Load:
    """Clients that call all the time, each with its own name to be greeted by."""

    def __init__(self, front):
        self.front, self.stop = front, threading.Event()
        self.right, self.failed, self.wrong = 0, {}, []
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._run, args=(i,)) for i in range(CLIENTS)]
        for t in self.threads:
            t.start()

    def _run(self, i):
        value = self.front.token(sub="usr_%d" % i)
        n = 0
        while not self.stop.is_set():
            n += 1
            name = "client %d call %d" % (i, n)
            try:
                r = self.front.post(modern_call("greet_user", {"name": name}, value, request_id=n), timeout=20.0)
                status = r.status
            except Exception as e:
                r, status = None, type(e).__name__
            with self.lock:
                if status == 200:
                    message = r.json() or {}
                    if message.get("id") == n and ("Hi %s, welcome" % name) in r.body.decode():
                        self.right += 1
                    else:
                        self.wrong.append(repr(r))
                elif status == 400 and r.json() == {"error": "The body was cut short"} and self.front.server == "lighttpd":
                    # lighttpd sends a request again that died with its responder, but has thrown the body away. The other
                    # responder sees that and does nothing.
                    self.failed["cut short"] = self.failed.get("cut short", 0) + 1
                elif status in (500, 502, 503) or isinstance(status, str):
                    self.failed[status] = self.failed.get(status, 0) + 1
                else:
                    self.wrong.append(repr(r))
            if status != 200:
                time.sleep(0.02)

    def end(self):
        self.stop.set()
        for t in self.threads:
            t.join()


def goes_on(load, seconds=60.0):
    """Whether calls are answered again, fifty in a row without a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with load.lock:
            right, failed = load.right, sum(load.failed.values())
        wait_for(lambda: load.right >= right + 50 or sum(load.failed.values()) > failed, 10.0)
        if load.right >= right + 50 and sum(load.failed.values()) == failed:
            return True
    return False


def try_front(name):
    with Front(name, {"RATE_LIMIT": "100000/minute", "RATE_LIMIT_PRINCIPAL": "100000/minute"}) as front:
        load = Load(front)
        try:
            ok(wait_for(lambda: load.right >= 50, 60.0), name + ": calls are answered")
            for n in range(3):
                # Killing the last one while the other is not back yet would show something else.
                wait_for(lambda: len(front.responders()) >= 2, 20.0)
                victims = front.responders()
                if not ok(len(victims) > 0, "%s: there is a responder to kill (%d)" % (name, len(victims))):
                    break
                os.kill(victims[n % len(victims)], signal.SIGKILL)
                ok(goes_on(load), "%s: the service goes on after kill -9 (%d)" % (name, n + 1))
                ok(wait_for(lambda gone=victims[n % len(victims)]: any(p not in victims for p in front.responders())
                    or gone not in front.responders(), 30.0),
                   "%s: the dead one is replaced or gone" % name)
        finally:
            load.end()
        is_(load.wrong[:2], [], name + ": no answer was wrong, of %d" % load.right)
        diag("%s: %d right, failed %r" % (name, load.right, load.failed))


if not os.path.isdir("/proc/1"):
    skip_all("there is no /proc to find responders in")
for front_name in ("lighttpd", "lighttpd-socket", "apache-fcgid", "apache-proxy", "nginx"):
    lacking = missing(front_name)
    if lacking:
        skip(front_name + ": kill -9", "there is no " + lacking)
    else:
        try_front(front_name)
done()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Event streams through the web servers: how soon events come, what becomes of calls whose client leaves or does not
read, how many streams there may be, and that other calls do not wait for them."""
import http.client
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from events import Events, at_once  # noqa: E402
from front import CGI_FRONTS, missing  # noqa: E402
from harness import (diag, done, is_, legacy_call, legacy_message, modern_call, ok, prompt, skip,  # noqa: E402
                     skip_all, wait_for)
from module_front import ModuleFront  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from tavily import Tavily  # noqa: E402


class StreamFront(ModuleFront):
    """A front whose responders have the tool "work"."""

    MODULES = ("modules/streams.so",)

    def configure(self):
        self.diary_path, self.gate_path = self.dir + "/log/diary", self.dir + "/log/gate"
        super().configure()
        with open(self.dir + "/mcp-fcgi.conf", "a", encoding="utf-8") as f:
            f.write("[module streams]\nDIARY=%s\nGATE=%s\n" % (self.diary_path, self.gate_path))

    def diary(self, word):
        """How many calls have begun, or ended so."""
        try:
            with open(self.diary_path, encoding="ascii") as f:
                return f.read().count(" %s after " % word)
        except FileNotFoundError:
            return 0

    def begun(self, calls):
        """Wait until so many calls more than when it is made have begun."""
        wanted = self.diary("begun") + calls
        return lambda: wait_for(lambda: self.diary("begun") >= wanted)

    def open_gate(self, is_open=True):
        """Let calls that are gated end."""
        if is_open:
            with open(self.gate_path, "wb"):
                pass
        elif os.path.exists(self.gate_path):
            os.unlink(self.gate_path)


StreamFront.need()


def work(token, modern=True, progress="p-1", request_id=7, level=None, **arguments):
    """A call of "work" as (headers, body)."""
    headers, body = (modern_call if modern else legacy_call)("work", arguments, token, request_id)
    message = json.loads(body)
    meta = message["params"].setdefault("_meta", {})
    if progress is not None:
        meta["progressToken"] = progress
    if level:
        meta["io.modelcontextprotocol/logLevel"] = level
    return headers, json.dumps(message).encode()


def first_events(front, name):
    token = front.token()


    def two_events():
        with Events(front, work(token, steps=2, gap_ms=300)) as e:
            times = e.event(0)[0], e.event(1)[0]
            e.rest()
        return times

    def missing_gap():
        """Events that are held back come together."""
        first, second = two_events()
        return max(0, 0.3 - (second - first))
    prompt(missing_gap, 0.1, name + ": the first event is there before the second is sent (%s too late)")
    if name not in CGI_FRONTS:  # a program has to be started first
        # Of five, so that one moment of a busy machine is not taken for buffering.
        at_once(front, lambda: sorted(two_events()[0] for _ in range(5))[2],
                name + ": the first event is there at once (%s)")


def messages(front, name):
    token = front.token()
    with Events(front, work(token, steps=3, gap_ms=10, logs=1, level="info")) as e:
        got = [m for m in (e.event(i)[1] for i in range(8)) if m]
        head = e.rest().head()
    is_([m.get("method") for m in got], ["notifications/progress", "notifications/message"] * 3 + [None],
        name + ": progress and log messages in their order, then the answer")
    is_(got[0]["params"], {"progressToken": "p-1", "progress": 1, "total": 3, "message": "step"}, name + ": progress")
    is_(got[1]["params"], {"level": "info", "logger": "work", "data": 1}, name + ": a log message")
    is_((got[-1]["id"], got[-1]["result"]["content"][0]["text"]), (7, "done"), name + ": the answer is the last event")
    is_((head.status, head.getheader("Content-Type"), head.getheader("Cache-Control"), head.getheader(
        "Content-Length")), (200, "text/event-stream", "no-store", None), name + ": the head of a stream")
    ok(head.getheader("RateLimit") and head.getheader("Vary") == "Origin", name + ": with rate limit and Vary")
    if front.server != "nginx":  # which takes it for itself
        is_(head.getheader("X-Accel-Buffering"), "no", name + ": and a word against buffers on the way")
    headers, body = work(token, steps=1)
    with Events(front, (headers + [("Origin", front.origin)], body)) as e:
        is_(e.rest().head().getheader("Access-Control-Allow-Origin"), front.origin, name + ": a page may read it")
    with Events(front, work(token, modern=False, progress=12, steps=1)) as e:
        is_(e.event(0)[1]["params"]["progressToken"], 12, name + ": a legacy client gets a stream too")
        e.rest()
    for text, message in (("who wants no progress", work(token, progress=None, steps=2)),
                          ("who reads no events", ([h if h[0] != "Accept" else ("Accept", "application/json")
                                                    for h in work(token)[0]], work(token, steps=2)[1]))):
        r = front.post(message)
        ok(r.status == 200 and r.get("Content-Type") == "application/json" and
           r.json()["result"]["content"][0]["text"] == "done", "%s: %s gets JSON" % (name, text))


def time_to_cancel(front, message, events=0, begun=None):
    """Seconds until a call is cancelled whose client leaves after so many events, or when it has begun; 99: it is not."""
    before = front.diary("cancelled")
    with Events(front, message) as e:
        if begun:
            begun()
        elif events:
            e.event(events - 1)
    left = time.monotonic()
    return time.monotonic() - left if wait_for(lambda: front.diary("cancelled") > before, 8) else 99


def leaving(front, name):
    token = front.token()
    for i in range(2):
        prompt(lambda n=i + 1: time_to_cancel(front, work(token, steps=100, gap_ms=200), n), 1,
               "%s: a modern client that leaves after event %d cancels its call within a second (%%s)" % (name, i + 1))
    prompt(lambda: time_to_cancel(front, work(token, steps=1, gap_ms=20000), 1), 1.2,
           name + ": also one of a tool that says nothing more (%s)")
    before = front.diary("done")
    with Events(front, work(token, modern=False, steps=4, gap_ms=200)) as e:
        e.event(0)
    ok(wait_for(lambda: front.diary("done") > before), name + ": a legacy client that leaves does not")
    ok(wait_for(lambda: ", client left" in front.logs()["responder.log"]), name + ": the log says so")
    ok(wait_for(lambda: all(word in front.logs()["responder.log"] for word in (", stream of 7 events for ", ", complete"))),
       name + ": and how long others were")


def cancelling(front, name):
    """notifications/cancelled comes as a request of its own, to whichever process."""
    token = front.token()
    before = front.diary("cancelled")
    statuses, answered = [], []

    def four():
        """Four, so that they run in several processes. The time of all but the slowest."""
        times = []
        for _ in range(4):
            n = 100 + len(statuses)
            with Events(front, work(token, modern=False, request_id=n, steps=1, gap_ms=60000)) as e:
                e.event(0)
                r = front.post(legacy_message("notifications/cancelled", {"requestId": n}, token, request_id=None))
                statuses.append(r.status)
                began = time.monotonic()
                e.rest()
                times.append(time.monotonic() - began)
                answered.append(b'"done"' in e.whole)
        return sorted(times)[2]
    prompt(four, 1, name + ": a call is cancelled within a second, most times (%s)")
    n = len(statuses)
    is_(statuses, [202] * n, name + ": the cancellations are accepted")
    is_(answered, [False] * n, name + ": the cancelled calls end without an answer")
    is_(front.diary("cancelled") - before, n, name + ": all were cancelled, in whichever process they ran")
    other = front.token(sub="usr_other")
    with Events(front, work(token, modern=False, request_id=200, steps=1, gap_ms=1200)) as e:
        e.event(0)
        front.post(legacy_message("notifications/cancelled", {"requestId": 200}, other, request_id=None))
        ok(b'"done"' in e.rest().whole, name + ": nobody cancels what is not his")


def calls_meanwhile(front, name, token, what):
    """Calls are answered while none of the gated ones has ended."""
    before = front.diary("done")
    ok(all(front.post(modern_call("greet_user", {"name": "Ann"}, token)).status == 200 for _ in range(5)),
       "%s: calls %s" % (name, what))
    is_(front.diary("done") - before, 0, name + ": do not wait for those")


def silent_calls(front, name):
    """nginx: clients that leave calls which have not sent anything, and never will."""
    token = front.token()
    prompt(lambda: time_to_cancel(front, work(token, progress=None, steps=1, gap_ms=8000), begun=front.begun(1)), 1,
           name + ": a modern client that leaves cancels a call that is no stream, within a second (%s)")
    front.open_gate(False)
    for _ in range(4):
        begun = front.begun(1)
        with Events(front, work(token, modern=False, progress=None, steps=1, gap_ms=20000, deaf=1, gated=1)):
            begun()
    calls_meanwhile(front, name, token, "after legacy clients have left others that are no streams")
    front.open_gate()


def searching(name):
    """web_search while the search service hangs."""
    with Tavily() as tavily:
        tavily.behave("search", "hang")
        with StreamFront(name, {"TAVILY_API_KEY": "tvly-good", "TAVILY_API_URL": tavily.url,
                                "WEB_SEARCH_SCOPES": ""}) as front:
            headers, body = modern_call("web_search", {"query": "cats"}, front.token())
            message = json.loads(body)
            message["params"]["_meta"]["progressToken"] = "s"
            given_up = "web_search, tool error, stream of 1 events"

            def time_to_give_up():
                log, asked = front.logs()["responder.log"], tavily.count("search")
                with Events(front, (headers, json.dumps(message).encode())) as e:
                    said = e.event(0)[1]["params"]["message"]
                    wait_for(lambda: tavily.count("search") > asked)
                left = time.monotonic()
                over = wait_for(lambda: front.logs()["responder.log"].count(given_up) > log.count(given_up))
                return time.monotonic() - left if over and said == "Searching the web" else 99
            prompt(time_to_give_up, 1, name + ": a search says that it has begun, and is given up within a second when "
                   "its client leaves (%s)")


def bounded(name):
    """MAX_STREAM_S and MAX_STREAMS=0."""
    with StreamFront(name, {"MAX_STREAM_S": "1"}) as front:
        with Events(front, work(front.token(), steps=1000, gap_ms=100)) as e:
            e.rest()
            took = time.monotonic() - e.began
        # The call by itself lasts 100 s.
        ok(0.8 < took < 60 and b'"done"' not in e.whole,
           "%s: a stream that is older than MAX_STREAM_S is cut (%.1f s)" % (name, took))
        ok(wait_for(lambda: front.diary("cancelled") == 1), name + ": and its call cancelled")
        front.settings["MAX_STREAMS"] = "0"
        front.configure()
        ok(wait_for(lambda: front.post(work(front.token(), steps=1)).get("Content-Type") == "application/json"),
           name + ": MAX_STREAMS=0 answers all as JSON")


def not_starving(front, name):
    """WORKERS=1: more streams than threads, and calls for clients that have left."""
    token = front.token()
    front.open_gate(False)
    streams = [Events(front, work(token, steps=2, gap_ms=20000, gated=1)) for _ in range(12)]
    for e in streams:
        e.event(0)
    calls_meanwhile(front, name, token, "while 12 streams are open with one thread a process")
    front.open_gate()
    is_(sum(e.rest().whole.count(b'"done"') for e in streams), 12, name + ": all streams have their answers")
    for e in streams:
        e.close()
    front.open_gate(False)
    for _ in range(4):
        with Events(front, work(token, modern=False, steps=1, gap_ms=20000, deaf=1, gated=1)) as e:
            e.event(0)
    calls_meanwhile(front, name, token, "after legacy clients have left theirs")
    front.open_gate()


def slow_reader(front, name):
    """nginx passes on that nobody reads; lighttpd and Apache take all in."""
    before = front.diary("cancelled")
    with Events(front, work(front.token(), steps=3000, gap_ms=10, size=60000), receive=4096) as e:
        began = time.monotonic()
        e.head()
        ok(wait_for(lambda: front.diary("cancelled") > before, 90),
           name + ": who does not read loses its stream")
        diag("%s: after %.1f s" % (name, time.monotonic() - began))
    ok(front.post(modern_call("greet_user", {"name": "Cid"}, front.token())).status == 200, name + ": and holds up nobody")


def keep_alive(front, name):
    with Events(front, work(front.token(), modern=False, steps=1, gap_ms=3300)) as e:
        e.rest()
        took = time.monotonic() - e.began
        ok(2 <= e.comments <= took + 0.5, "%s: a silent stream gets comments, one a second (%d in %.1f s)" % (
            name, e.comments, took))


def too_many(name):
    with StreamFront(name, {"MAX_STREAMS": "2"}, procs=3) as front:
        token = front.token()
        begun = front.begun(6)
        streams = [Events(front, work(token, steps=2, gap_ms=20000, gated=1, request_id=i)) for i in range(6)]
        begun()
        front.open_gate()
        types = sorted(e.rest().head().getheader("Content-Type") for e in streams)
        is_(types, ["application/json"] * 4 + ["text/event-stream"] * 2,
            name + ": of six calls to three processes two get a stream, as MAX_STREAMS says")
        ok(all(b'"done"' in e.whole for e in streams), name + ": and all an answer")
        for e in streams:
            e.close()
        front.open_gate(False)
        e = Events(front, work(token, steps=2, gap_ms=20000, gated=1))
        e.event(0)
        for pid in front.responders():
            os.kill(pid, signal.SIGKILL)
        e.rest()
        ok(b'"done"' not in e.whole and len(e.events) > 0, name + ": kill -9 cuts a stream, and nobody takes it for whole")
        e.close()

        def both():
            try:
                with Events(front, work(token, steps=1)) as a, Events(front, work(token, steps=1)) as b:
                    return a.rest().head().status == 200 == b.rest().head().status and len(a.events) == 2
            except (OSError, http.client.HTTPException):
                return False
        ok(wait_for(both, 60), name + ": what the dead held is free again")


def on_stop(name):
    """The web server's polite stop while a stream runs."""
    with StreamFront(name) as front:
        e = Events(front, work(front.token(), steps=5, gap_ms=100))
        e.event(0)
        stopper = threading.Thread(target=front.stop_gracefully)
        stopper.start()
        e.rest()
        ok(b'"done"' in e.whole, name + ": a stream that runs is whole before a polite stop ends it")
        e.close()
        stopper.join()


def try_front(name):
    with StreamFront(name, {"WORKERS": "1", "STREAM_KEEPALIVE_S": "1"}) as front:
        first_events(front, name)
        messages(front, name)
        if name in CGI_FRONTS:
            return
        leaving(front, name)
        cancelling(front, name)
        keep_alive(front, name)
        if front.kind != "fcgid":
            not_starving(front, name)
        if front.server == "nginx":
            silent_calls(front, name)
    if front.server == "nginx":
        with StreamFront(name, {"WORKERS": "1", "BODY_GAP_S": "2"}) as front:
            slow_reader(front, name)


def main():
    tried = 0
    for name in sys.argv[1:] or ("lighttpd", "apache-fcgid", "apache-proxy", "nginx", "cgi-lighttpd", "cgi-apache"):
        lack = missing(name)
        if lack:
            skip(name, lack + " is not there")
            continue
        tried += 1
        try_front(name)
        if name in ("lighttpd", "nginx"):
            too_many(name)
            on_stop(name)
            searching(name)
            bounded(name)
    if not tried:
        skip_all("no web server is there")
    done()


main()

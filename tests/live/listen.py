#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""subscriptions/listen through the web servers: what is published by a call, in whichever process, reaches the streams
that asked for it; how streams end; what becomes of clients that leave or do not read."""
import json
import os
import re
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from events import Events, at_once  # noqa: E402
from front import CGI_FRONTS, missing  # noqa: E402
from harness import diag, done, is_, legacy_message, modern_call, ok, prompt, skip, skip_all, wait_for  # noqa: E402
from module_front import ModuleFront  # noqa: E402

SUBSCRIPTION = "io.modelcontextprotocol/subscriptionId"


class ListenFront(ModuleFront):
    """A front whose responders have the tool "change"."""

    MODULES = ("modules/changes.so",)

    def change(self, what, token=None):
        return self.post(modern_call("change", {"what": what}, token or self.token())).status == 200


class SlowFront(ListenFront):
    """The same, which gives up soon whoever does not read. A few KiB fill what nginx has for it."""

    listen_options = " sndbuf=8192"

    def __init__(self, name):
        super().__init__(name, {"WORKERS": "1", "BODY_GAP_S": "2"})


ListenFront.need()


def listen(token, request_id=7, accept="application/json, text/event-stream", **wanted):
    """subscriptions/listen as (headers, body)."""
    headers, body = modern_call("x", {}, token, request_id)
    message = json.loads(body)
    message["method"] = "subscriptions/listen"
    message["params"] = {"_meta": message["params"]["_meta"], "notifications": wanted}
    headers = [(k, {"Mcp-Method": "subscriptions/listen", "Accept": accept}.get(k, v)) for k, v in headers
               if k != "Mcp-Name"]
    return headers, json.dumps(message).encode()


def method(message):
    return message.get("method") if message else None


def acknowledged(front, name):
    token = front.token()
    with Events(front, listen(token, toolsListChanged=True, promptsListChanged=False)) as e:
        at, first = e.event(0)
        is_(first, {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {
            "_meta": {SUBSCRIPTION: 7}, "notifications": {"toolsListChanged": True}}},
            name + ": the acknowledgment comes first, with what is honoured")
        is_((e.head().status, e.head().getheader("Content-Type")), (200, "text/event-stream"), name + ": on a stream")
    times = [at]

    def time_to_begin():
        if times:
            return times.pop()
        time.sleep(3)  # until mod_fcgid has its process back from the one before
        with Events(front, listen(token, toolsListChanged=True)) as again:
            return again.event(0)[0]
    if name in CGI_FRONTS:
        # A program has to be started first. What is held back comes when the stream ends, after five seconds.
        prompt(time_to_begin, 2.5, name + ": long before the end (%s)")
    else:
        at_once(front, time_to_begin, name + ": at once (%s)")
    with Events(front, listen(token, "a \"b\"", resourceSubscriptions=["test://open", "test://secret", "test://none",
                                                                       "test://item/1", "test://open"])) as e:
        is_(e.event(0)[1]["params"], {"_meta": {SUBSCRIPTION: "a \"b\""}, "notifications": {
            "resourceSubscriptions": ["test://open", "test://item/1"]}},
            name + ": only resources that there are and that may be read; the id as it was sent")
    with Events(front, listen(front.token(scope="secret:read"), resourceSubscriptions=["test://secret"])) as e:
        is_(e.event(0)[1]["params"]["notifications"], {"resourceSubscriptions": ["test://secret"]},
            name + ": with the scope that one too")
    r = front.post(listen(token, accept="application/json", toolsListChanged=True))
    is_((r.status, r.json()["error"]["code"]), (400, -32600), name + ": who takes no stream is told")
    for wrong in ({"toolsListChanged": 1}, {"resourceSubscriptions": "test://open"}, {"resourceSubscriptions": [1]},
                  {"resourceSubscriptions": ["test://item/%d" % i for i in range(65)]}):
        r = front.post(listen(token, **wrong))
        is_((r.status, r.json()["error"]["code"]), (200, -32602), "%s: a wrong filter (%.40s) is refused" % (name, wrong))
    headers, body = listen(token)
    body = body.replace(b"subscriptions/listen", b"server/discover")
    headers = [(k, "server/discover" if k == "Mcp-Method" else v) for k, v in headers]
    capabilities = front.post((headers, body)).json()["result"]["capabilities"]
    is_((capabilities["tools"], capabilities["prompts"], capabilities["resources"]), (
        {"listChanged": True}, {"listChanged": True}, {"listChanged": True, "subscribe": True}),
        name + ": and server/discover says that there are such streams")


def delivered(front, name):
    """Streams in all processes hear of each call."""
    token = front.token()
    lists = [Events(front, listen(token, i, toolsListChanged=True)) for i in range(8)]
    others = [Events(front, listen(token, 100 + i, promptsListChanged=True, resourcesListChanged=True,
                                   resourceSubscriptions=["test://item/5"])) for i in range(4)]
    for e in lists + others:
        e.event(0)
    best = 99
    for n in range(3):
        worst = 0
        began = time.monotonic()
        ok(front.change("tools", token), name + ": a call says that the tools have changed")
        for i, e in enumerate(lists):
            at, message = e.event(1 + n)
            if message != {"jsonrpc": "2.0", "method": "notifications/tools/list_changed",
                           "params": {"_meta": {SUBSCRIPTION: i}}}:
                ok(False, "%s: stream %d got %s" % (name, i, message))
            worst = max(worst, e.began + (at or 99) - began)
        best = min(best, worst)
    # Who has to look for events, because nobody tells, does so once a second.
    ok(best < 0.5, "%s: 8 streams hear of it at once (%.0f ms)" % (name, best * 1000))
    processes = set(re.findall(r"\b([0-9a-f]{8})[0-9a-f]{8} POST \S+ 200 .*subscriptions/listen", front.log()))
    diag("%s: the streams are in %d processes" % (name, len(processes)))
    front.change("test://item/4", token)
    front.change("test://item/5", token)
    front.change("prompts", token)
    front.change("resources", token)
    is_([method(others[0].event(i)[1]) for i in range(1, 4)],
        ["notifications/resources/updated", "notifications/prompts/list_changed",
         "notifications/resources/list_changed"], name + ": who asked for others gets those and no more")
    is_(others[1].event(1)[1]["params"], {"_meta": {SUBSCRIPTION: 101}, "uri": "test://item/5"},
        name + ": an update names the resource")
    time.sleep(0.2)
    is_([len(e.events) for e in lists], [4] * 8, name + ": and nobody gets anything twice")
    for e in lists + others:
        e.close()


def open_session(front, name, kept):
    """A session of a client of 2025-11-25: how to say something in it."""
    token = front.token()
    r = front.post(legacy_message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {
        "name": "listen", "version": "1"}}, token))
    capabilities = r.json()["result"]["capabilities"]
    is_((capabilities["tools"], capabilities["resources"]), (
        {"listChanged": True} if kept else {}, {"listChanged": True, "subscribe": True} if kept else {}),
        "%s: initialize %s that changes are told" % (name, "says" if kept else "does not say"))
    session = r.get("Mcp-Session-Id")

    def message(method, params=None):
        headers, body = legacy_message(method, params, token)
        return headers + [("Mcp-Session-Id", session)], body
    return message


def of_session(front, name):
    """GET of a session: what it has subscribed to at that time, and changed lists."""
    message = open_session(front, name, True)
    hear = (message("x")[0], b"")
    subscribe = front.post(message("resources/subscribe", {"uri": "test://item/5"}))
    is_(subscribe.json()["result"], {}, name + ": a session subscribes to a resource")
    with Events(front, hear, verb="GET") as e, Events(front, (open_session(front, name, True)("x")[0], b""),
                                                      verb="GET") as other:
        is_([(x.head().status, x.head().getheader("Content-Type")) for x in (e, other)],
            [(200, "text/event-stream")] * 2, name + ": and listens by GET")
        for what in ("test://item/4", "test://item/5", "tools"):
            ok(front.change(what), name + ": a call says that something has changed")
        is_([e.event(i)[1] for i in range(2)], [
            {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "test://item/5"}},
            {"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {}}],
            name + ": it hears of what it has subscribed to, and of lists")
        is_(method(other.event(0)[1]), "notifications/tools/list_changed", name + ": another session of lists alone")
        front.post(message("resources/unsubscribe", {"uri": "test://item/5"}))
        front.post(message("resources/subscribe", {"uri": "test://item/6"}))
        for what in ("test://item/5", "test://item/6"):
            front.change(what)
        is_(e.event(2)[1]["params"], {"uri": "test://item/6"}, name + ": it may change its mind while it listens")
        is_(front.request("DELETE", "/mcp", hear[0]).status, 204, name + ": when the session is ended")
        front.change("prompts")
        is_(method(other.event(1)[1]), "notifications/prompts/list_changed", name + ": others hear the next change,")
        is_(len(e.events), 3, name + ": and it does not")
    is_(front.request("GET", "/mcp", hear[0]).status, 404, name + ": nor can it listen again")
    one_stream(front, name)


def one_stream(front, name):
    """A message goes out on one stream of a session only (2025-11-25 basic/transports, "Multiple Connections")."""
    hear = (open_session(front, name, True)("x")[0], b"")
    streams = []
    for _ in range(5):
        streams.append(Events(front, hear, verb="GET"))
        streams[-1].head()  # so that it is known which is the last
    front.change("tools")
    is_(method(streams[-1].event(0)[1]), "notifications/tools/list_changed", name + ": of five streams the last one hears")
    for e in streams[:-1]:
        e.rest()
    is_([len(e.events) for e in streams], [0, 0, 0, 0, 1], name + ": and no other, they end")
    front.change("prompts")
    is_(method(streams[-1].event(1)[1]), "notifications/prompts/list_changed", name + ": it goes on to hear")
    is_(front.request("DELETE", "/mcp", hear[0]).status, 204, name + ": when the session is ended")
    front.change("tools")
    streams[-1].rest()
    is_(len(streams[-1].events), 2, name + ": it ends too")
    for e in streams:
        e.close()


def leaving(front, name):
    """STREAM_KEEPALIVE_S=1."""
    token = front.token()
    before = front.log().count(", client left")
    streams = [Events(front, listen(token, toolsListChanged=True)) for _ in range(5)]
    for e in streams:
        e.event(0)
    for e in streams:
        e.close()
    ok(wait_for(lambda: front.log().count(", client left") >= before + 5), name + ": clients that leave are noticed")


def busy(front, name):
    """WORKERS=1: idle streams hold no thread."""
    token = front.token()
    streams = [Events(front, listen(token, i, toolsListChanged=True)) for i in range(30)]
    for e in streams:
        e.event(0)
    began = time.monotonic()
    ok(all(front.change("prompts", token) for _ in range(10)), name + ": calls while 30 streams are open, two threads")
    took = time.monotonic() - began
    # The streams last an hour.
    ok(took < 60, "%s: do not wait for them (%.0f ms)" % (name, took * 1000))
    for e in streams:
        e.close()


def sockets(pid):
    try:
        return sum(os.readlink("/proc/%d/fd/%s" % (pid, fd)).startswith("socket:") for fd in
                   os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return 0


def killed(front, name):
    """kill -9 of the process that publishes, while it does."""
    token = front.token()
    time.sleep(2.5)  # until streams of before are noticed to be gone
    before = {pid: sockets(pid) for pid in front.responders()}
    with Events(front, listen(token, toolsListChanged=True)) as e:
        e.event(0)
        time.sleep(0.3)
        holders = [pid for pid in before if sockets(pid) > before[pid]]
        victims = [pid for pid in before if pid not in holders]
        if len(holders) != 1 or not victims:
            skip(name + ": kill -9 of the publisher", "who holds the stream does not show")
            return
        stop = threading.Event()

        def publish():
            while not stop.is_set():
                try:
                    front.change("prompts", token)
                except OSError:
                    pass
        threads = [threading.Thread(target=publish) for _ in range(3)]
        for t in threads:
            t.start()
        time.sleep(0.3)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.3)
        stop.set()
        for t in threads:
            t.join()
        ok(wait_for(lambda: front.change("tools", token), 60),
           name + ": calls are answered after kill -9 of a publisher")
        is_(method(e.event(1)[1]), "notifications/tools/list_changed", name + ": and heard by who listens elsewhere")


def slow_reader(front, name):
    """nginx passes on that nobody reads; lighttpd and Apache take all in."""
    token = front.token()
    uri = "test://item/" + "x" * 1900
    with Events(front, listen(token, resourceSubscriptions=[uri]), receive=4096) as e, \
            Events(front, listen(token, 8, toolsListChanged=True)) as other:
        e.head()
        other.event(0)
        began = time.monotonic()
        while ", client left" not in front.log() and time.monotonic() - began < 90:
            for _ in range(20):
                front.change(uri, token)
        ok(", client left" in front.log(), name + ": who does not read loses its stream")
        diag("%s: after %.1f s" % (name, time.monotonic() - began))
        front.change("tools", token)
        is_(method(other.event(1)[1]), "notifications/tools/list_changed", name + ": and holds up nobody")


def complete(e, request_id):
    """Whether the stream ends with its result."""
    e.rest()
    _, message = e.event(len(e.events) - 1)
    return (message.get("id") == request_id and message["result"]["resultType"] == "complete" and
            message["result"]["_meta"][SUBSCRIPTION] == request_id)


def life(front, name, least):
    """By default a stream lasts an hour."""
    with Events(front, listen(front.token(), "life", toolsListChanged=True)) as e:
        waited, _ = e.event(0)  # mod_fcgid may not have a process at once
        ok(complete(e, "life"), name + ": a stream that we end, ends with its result")
        took = time.monotonic() - e.began
        ok(least <= took and took - waited < 100, "%s: after its time (%.1f s, and %.1f until it began)" % (
            name, took - waited, waited))
    ok(wait_for(lambda: "stream of 2 events" in front.log()), name + ": which the log counts")


def bounds(name):
    with ListenFront(name, {"MAX_STREAMS": "2", "MAX_STREAM_S": "4", "WORKERS": "1"}, procs=3) as front:
        life(front, name, 3.9)
        token = front.token()
        for _ in range(4):
            streams = [Events(front, listen(token, i, toolsListChanged=True)) for i in range(2)]
            for e in streams:
                e.event(0)
            r = front.post(listen(token, 3, toolsListChanged=True))
            if r.status == 503:
                break
            # Four seconds may have gone by since the first one.
            for e in streams:
                e.rest().close()
        refusal = r.json() or {}
        is_((r.status, refusal.get("id"), refusal.get("error", {}).get("code")), (503, 3, -32603),
            name + ": beyond MAX_STREAMS there is none")
        ok(all(complete(e, i) for i, e in enumerate(streams)), name + ": those before it are whole")
        for e in streams:
            e.close()
    with ListenFront(name, {"MAX_STREAMS": "0"}) as front:
        r = front.post(listen(front.token(), toolsListChanged=True))
        is_((r.status, r.json()["error"]["code"]), (404, -32601), name + ": without streams there is no such method")


def on_stop(name):
    with ListenFront(name) as front:
        e = Events(front, listen(front.token(), 9, toolsListChanged=True))
        e.event(0)
        for pid in front.responders():
            os.kill(pid, signal.SIGTERM)
        ok(complete(e, 9), name + ": a responder that is stopped ends its streams with their result")
        e.close()


def try_front(name):
    with ListenFront(name, {"WORKERS": "1", "STREAM_KEEPALIVE_S": "1"}) as front:
        acknowledged(front, name)
        if name in CGI_FRONTS or front.kind == "fcgid":
            with Events(front, listen(front.token(), toolsListChanged=True)) as e:
                e.event(0)
                ok(front.change("tools"), name + ": a call says that the tools have changed")
                at, message = e.event(1)
                is_(method(message), "notifications/tools/list_changed", name + ": a stream hears of it")
            life(front, name, 4.5)
            headers = open_session(front, name, False)("x")[0]
            is_(front.request("GET", "/mcp", headers).status, 405, name + ": and no session has one that lasts")
            return
        delivered(front, name)
        of_session(front, name)
        leaving(front, name)
        busy(front, name)
        killed(front, name)
    if front.server == "nginx":
        with SlowFront(name) as front:
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
            bounds(name)
            on_stop(name)
    if not tried:
        skip_all("no web server is there")
    done()


main()

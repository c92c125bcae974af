#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client with a valid token that means harm: what it makes of values that travel through it (session ids, cursors,
requestState, event ids), of what is kept for it, of streams, of headers and of bodies. Whatever it does, answers stay
answers, others are served, and no process ends."""
import base64
import http.client
import json
import os
import random
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from events import Events  # noqa: E402
from front import missing  # noqa: E402
from harness import MODERN, diag, done, is_, legacy_message, modern_call, ok, skip, wait_for  # noqa: E402
from module_front import ModuleFront  # noqa: E402

META = "io.modelcontextprotocol/"
random.seed(4)


class HostileFront(ModuleFront):
    """A front whose responders have the fixtures, and the tools "change" and "work"."""

    MODULES = ("fixtures/conformance.so", "modules/changes.so", "modules/streams.so")


class NarrowFront(HostileFront):
    """The same, with 1024 descriptors a process."""

    def spawn(self, name, argv):
        return super().spawn(name, ["sh", "-c", 'ulimit -n 1024; exec "$0" "$@"'] + argv)


HostileFront.need()


def modern(method, params, token, name=None, request_id=1, capabilities=None, more=()):
    """A request of 2026-07-28 as (headers, body); "name" is what Mcp-Name says."""
    params = dict(params, _meta={META + "protocolVersion": MODERN, META + "clientInfo": {"name": "h", "version": "1"},
                                 META + "clientCapabilities": capabilities or {}, **params.get("_meta", {})})
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
               ("MCP-Protocol-Version", MODERN), ("Mcp-Method", method), ("Authorization", "Bearer " + token)]
    headers += [("Mcp-Name", name)] if name is not None else []
    body = json.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params}).encode()
    return headers + list(more), body


class Session:
    """A session of 2025-11-25."""

    def __init__(self, front, token, capabilities=None):
        self.front, self.token = front, token
        r = front.post(legacy_message("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities or {
            "sampling": {}, "elicitation": {}, "roots": {}}, "clientInfo": {"name": "h", "version": "1"}}, token))
        self.id = r.get("Mcp-Session-Id")

    def message(self, method, params=None, request_id=1, session=None, token=None):
        headers, body = legacy_message(method, params, token or self.token, request_id)
        return headers + [("Mcp-Session-Id", session or self.id)], body

    def post(self, *arguments, **more):
        return self.front.post(self.message(*arguments, **more))

    def headers(self, *more):
        return self.message("x")[0] + list(more)

    def answer(self, body):
        return self.front.request("POST", "/mcp", self.headers(), body)

    def delete(self):
        return self.front.request("DELETE", "/mcp", self.headers())


def code(r):
    """(status, code of the error) of an answer; 0 where there is a result."""
    message = r.json() or {}
    return r.status, message.get("error", {}).get("code", 0)


def forgeries(text):
    """(what, forged) of a text that was sealed for its holder."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    for i in sorted({0, 3, 4, 15, 16, len(raw) // 2, len(raw) - 17, len(raw) - 16, len(raw) - 1}):
        changed = bytearray(raw)
        changed[i] ^= 1
        yield "bit of byte %d" % i, base64.urlsafe_b64encode(bytes(changed)).decode().rstrip("=")
    for n in (1, 2, 4, 16, 22, 40, len(text) // 2, len(text) - 1):
        yield "the first %d characters" % n, text[:n]
    for more in ("A", "AA", "AAAA", "=", "==", "\x09", ".", text, "A" * 4000, "%00"):
        yield "%r behind it" % more[:20], text + more
    yield "something before it", "A" + text
    yield "its last bits", text[:-1] + chr(ord(text[-1]) ^ 1)
    yield "turned around", text[::-1]
    yield "in upper case", text.upper()
    yield "the other alphabet", text.replace("-", "+").replace("_", "/") + "+"
    for _ in range(20):
        yield "noise", base64.urlsafe_b64encode(os.urandom(random.choice((1, 28, 32, 64, 300)))).decode().rstrip("=")


def others(front):
    """(who, token) of everybody but the holder."""
    return [("another subject", front.token(sub="usr_other")), ("another client", front.token(client_id="skc_other")),
            ("no client", front.token(client_id=None))]


def ask_state(front, token, tool="test_input_required_result_request_state", **more):
    """The result of a modern call that asks for a form."""
    return front.post(modern("tools/call", dict({"name": tool, "arguments": {}}, **more), token, tool, capabilities={
        "elicitation": {}}))


def sealed(front, name):
    """Values that travel through the client."""
    token = front.token()
    session = Session(front, token)
    tried = bad = 0

    def refused(what, r, want):
        nonlocal tried, bad
        tried += 1
        if code(r) not in want:
            bad += 1
            diag("%s: %s: %r" % (name, what, r))
    for what, forged in forgeries(session.id):
        if any(c in forged for c in "\x00\x09"):
            continue
        for r in (session.post("ping", session=forged), session.post("tools/list", session=forged),
                  front.request("DELETE", "/mcp", session.message("x", session=forged)[0]),
                  front.request("GET", "/mcp", session.message("x", session=forged)[0])):
            refused("session, " + what, r, [(404, -32001), (404, 0)])
    for who, other in others(front):
        for r in (session.post("ping", token=other), session.post("tools/list", token=other),
                  front.request("DELETE", "/mcp", session.message("x", token=other)[0]),
                  front.request("GET", "/mcp", session.message("x", token=other)[0])):
            refused("session of " + who, r, [(404, -32001), (404, 0)])
    cursor = front.post(modern("tools/list", {}, token)).json()["result"]["nextCursor"]
    for what, forged in forgeries(cursor):
        refused("cursor, " + what, front.post(modern("tools/list", {"cursor": forged}, token)), [(200, -32602)])
    for kind in ("prompts/list", "resources/list", "resources/templates/list"):
        refused("cursor of tools for " + kind, front.post(modern(kind, {"cursor": cursor}, token)), [(200, -32602)])
    for wrong in (None, 7, 1e300, True, [], {}, "", "\x00", "\ud800", session.id):
        refused("cursor %r" % wrong, front.post(modern("tools/list", {"cursor": wrong}, token)), [(200, -32602),
                                                                                                (400, -32700)])
    tool = "test_input_required_result_request_state"
    state = ask_state(front, token).json()["result"]["requestState"]
    answer = {"confirm": {"action": "accept", "content": {"ok": True}}}
    for what, forged in list(forgeries(state)) + [("a cursor", cursor), ("a session", session.id), ("", "")]:
        refused("state, " + what, ask_state(front, token, requestState=forged, inputResponses=answer), [(200, -32602)])
    for wrong in (None, 7, True, [], {"a": 1}):
        refused("state %r" % wrong, ask_state(front, token, requestState=wrong), [(200, -32602)])
    for who, other in others(front):
        refused("state of " + who, ask_state(front, other, requestState=state, inputResponses=answer), [(200, -32602)])
    refused("state of another tool", ask_state(front, token, "test_input_required_result_tampered_state",
                                               requestState=state, inputResponses=answer), [(200, -32602)])
    refused("state as a cursor", front.post(modern("tools/list", {"cursor": state}, token)), [(200, -32602)])
    refused("state as a session", session.post("ping", session=state), [(404, -32001)])
    refused("cursor as a session", session.post("ping", session=cursor), [(404, -32001)])
    is_(bad, 0, "%s: %d forged, foreign and mistaken session ids, cursors and states are refused" % (name, tried))
    is_(code(session.post("ping")), (200, 0), name + ": the session is as good as before")
    is_(code(front.post(modern("tools/list", {"cursor": cursor}, token))), (200, 0), name + ": so is the cursor")
    r = ask_state(front, token, requestState=state, inputResponses=answer)
    is_(r.json()["result"]["content"][0]["text"], "state-ok", name + ": and the state")
    return tried


# What no parameter should be. Deep values are within what a message may have, and beyond.
HOSTILE = [None, True, 0, -1, 2 ** 53, 2 ** 63, -2 ** 63 - 1, 1e308, 1.5, "", "x", "\x00", "a\x00b", "\x01\x1f\x7f", "\u2028",
           "\ud800", "\ufffe", "\U0010ffff", "x" * 5000, "%s%n%d", "../" * 20 + "etc/passwd", "\r\nX: y", "' OR 1=1 --",
           "test://item/" + "%" * 100, "test://item/%00", "test://item/\x00", "test://item/" + "a" * 2100, "file:///etc/passwd",
           "test://template/" + "x/" * 900 + "data", [], {}, [[]] * 500, [{}] * 500, {"a": {"b": {"c": []}}},
           {"": ""}, {"__proto__": 1}, {"x" * 3000: 1}, [1] * 20000]
REQUESTS = [
    ("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}),
    ("ping", {}), ("tools/list", {"cursor": "x"}), ("prompts/list", {"cursor": "x"}), ("resources/list", {"cursor": "x"}),
    ("resources/templates/list", {"cursor": "x"}), ("server/discover", {}),
    ("tools/call", {"name": "test_simple_text", "arguments": {}, "task": {}}),
    ("tools/call", {"name": "work", "arguments": {"steps": 1, "gap_ms": 1, "logs": 1}, "_meta": {"progressToken": 1}}),
    ("tools/call", {"name": "change", "arguments": {"what": "test://item/1"}}),
    ("tools/call", {"name": "test_input_required_result_multi_round", "arguments": {}, "requestState": "x", "inputResponses": {
        "step1": {"action": "accept", "content": {"name": "x"}}}}),
    ("prompts/get", {"name": "test_prompt_with_arguments", "arguments": {"arg1": "a", "arg2": "b"}}),
    ("resources/read", {"uri": "test://static-text"}), ("resources/read", {"uri": "test://item/1"}),
    ("resources/subscribe", {"uri": "test://item/1"}), ("resources/unsubscribe", {"uri": "test://item/1"}),
    ("completion/complete", {"ref": {"type": "ref/prompt", "name": "test_prompt_with_arguments"}, "argument": {
        "name": "arg1", "value": "p"}, "context": {"arguments": {"arg2": "x"}}}),
    ("logging/setLevel", {"level": "info"}),
    ("subscriptions/listen", {"notifications": {"toolsListChanged": False, "resourceSubscriptions": ["test://item/1"]}}),
    ("notifications/cancelled", {"requestId": 1, "reason": "x"}),
    ("notifications/progress", {"progressToken": 1, "progress": 1}),
    ("notifications/initialized", {}), ("notifications/roots/list_changed", {}),
    ("x" * 3000, {}), ("", {}), ("tools/call\x00", {}), ("tasks/get", {"taskId": "x"}),
]


def mutations(value, depth=0):
    """Every value that differs from "value" in one place, which has a hostile value or is missing."""
    for hostile in HOSTILE:
        yield hostile
    if isinstance(value, dict) and depth < 4:
        for key in value:
            yield {k: v for k, v in value.items() if k != key}
            for changed in mutations(value[key], depth + 1):
                yield dict(value, **{key: changed})
    if isinstance(value, list) and value and depth < 4:
        for changed in mutations(value[0], depth + 1):
            yield [changed]


def shapes(front, name, share):
    """Requests of both eras with one wrong value, on connections that are not waited for long."""
    token = front.token()
    session = Session(front, token)
    work = []
    for method, params in REQUESTS:
        for changed in mutations(params):
            work.append(session.message(method, changed, None if method.startswith("notifications/") else 1))
            whole = changed
            if isinstance(changed, dict):
                meta = changed.get("_meta", {})
                whole = dict(changed, _meta=dict({META + "protocolVersion": MODERN, META + "clientCapabilities": {
                    "elicitation": {}}, META + "logLevel": "debug"}, **meta) if isinstance(meta, dict) else meta)
            headers = modern(method.replace("\x00", "") or "x", {}, token)[0]
            named = changed.get("name", changed.get("uri")) if isinstance(changed, dict) else None
            if isinstance(named, str):
                headers.append(("Mcp-Name", "=?base64?%s?=" % base64.b64encode(named.encode(errors="replace")).decode()))
            work.append((headers, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": whole}).encode()))
    for member, values in (("id", HOSTILE + ["x" * 1024, "x" * 1025]), ("jsonrpc", HOSTILE), ("method", HOSTILE)):
        for value in values:
            work.append((session.headers(), json.dumps({**{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {}},
                                                        member: value}).encode()))
    random.shuffle(work)
    work = work[:len(work) // share]
    bad, slowest, lock = [], 0.0, threading.Lock()

    def send(message):
        """The head of the answer, whether it is a good one, and whether the web server has turned the request away."""
        try:
            with Events(front, message) as e:
                head = e.head()
                if head.getheader("Content-Type") == "text/event-stream":
                    return head, head.status == 200 and e.read(), False
                e.rest()
                if front.kind == "fcgid" and head.status == 503 and b"replaced by the web server" in e.whole:
                    return head, False, True  # mod_fcgid had no process soon enough
                return head, head.status in (200, 202, 400, 404) and (head.status == 202 or is_answer(e.whole)), False
        except http.client.RemoteDisconnected as error:
            return error, False, front.server == "apache"  # which ends connections that it has not read

    def run(part):
        nonlocal slowest
        for message in part:
            try:
                for _ in range(5):
                    began = time.monotonic()
                    head, good, turned_away = send(message)
                    if not turned_away:
                        break
            except (OSError, http.client.HTTPException, ValueError) as error:
                good, head = False, error
            with lock:
                slowest = max(slowest, time.monotonic() - began)
                if not good:
                    bad.append((message[1][:300], getattr(head, "status", head)))
    threads = [threading.Thread(target=run, args=(work[i::8],)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for row in bad[:5]:
        diag(repr(row))
    is_(len(bad), 0, "%s: %d requests with a wrong value have their answers" % (name, len(work)))
    # mod_fcgid looks for a free process once a second.
    ok(slowest < (60 if front.kind == "fcgid" else 10), "%s: soon (%.1f s at most)" % (name, slowest))
    return len(work)


def is_answer(text):
    message = json.loads(text)
    return message.get("jsonrpc") == "2.0" and ("result" in message) != ("error" in message)


def listen(token, request_id=1, **wanted):
    return modern("subscriptions/listen", {"notifications": wanted}, token, request_id=request_id)


def is_stream(e):
    return e.head().getheader("Content-Type") == "text/event-stream"


def hoarding(front, name):
    """MAX_STREAMS_PRINCIPAL=12. Who takes all that is to be had takes only what is his."""
    token, other = front.token(), front.token(sub="usr_other")
    streams, tokens = [], [front.token(client_id="skc_%d" % i) if i % 2 else token for i in range(40)]
    for i, mine in enumerate(tokens):
        message = [listen(mine, i, toolsListChanged=True), (Session(front, mine).headers(), b""),
                   modern("tools/call", {"name": "work", "arguments": {"steps": 1, "gap_ms": 600000}, "_meta": {
                       "progressToken": i}}, mine, "work", i)][i % 3]
        if i >= 12 and i % 3 == 2:
            continue    # would wait for its end, as it is no stream
        streams.append(Events(front, message, verb="POST" if message[1] else "GET"))
        if i < 12:
            streams[-1].head()  # else a later one may have its place, and this call no stream
    statuses = [e.head().status for e in streams if not is_stream(e)]
    is_(sum(is_stream(e) for e in streams), 12, name + ": one principal has so many streams, of all kinds and clients")
    ok(all(status == 503 for status in statuses), name + ": others are refused (%s)" % statuses)
    with Events(front, listen(other, toolsListChanged=True)) as e:
        ok(is_stream(e), name + ": another principal has one")
    for e in streams:
        e.close()

    def again():
        with Events(front, listen(token, toolsListChanged=True)) as e:
            return is_stream(e)
    ok(wait_for(again, 60), name + ": and so has the first when it has let go")


def subscribing(front, name):
    token, other = front.token(), front.token(sub="usr_other")
    theirs = Session(front, other)
    is_(theirs.delete().status, 204, name + ": somebody ends a session")
    theirs_too = Session(front, other)
    theirs_too.post("resources/subscribe", {"uri": "test://item/theirs"})
    sessions = [Session(front, token) for _ in range(6)]
    counts = [sum(code(s.post("resources/subscribe", {"uri": "test://item/%d" % i})) == (200, 0) for i in range(300))
              for s in sessions]
    is_(counts, [256] * 6, name + ": one session subscribes to so many resources and no more")
    is_(code(sessions[-1].post("logging/setLevel", {"level": "info"})), (200, 0), name + ": which leave room for a level")
    is_(sessions[-1].delete().status, 204, name + ": but can be ended")
    is_([code(sessions[-1].post("ping")), sessions[-1].delete().status], [(404, -32001), 404], name + ": for good")
    is_(theirs.delete().status, 404, name + ": what others have ended is ended still")
    if front.kind != "fcgid":
        with Events(front, (theirs_too.headers(), b""), verb="GET") as e:
            e.head()
            time.sleep(0.2)
            front.post(modern_call("change", {"what": "test://item/theirs"}, token))
            is_(e.event(0)[1]["params"], {"uri": "test://item/theirs"}, name + ": and what they subscribed to is kept")


# Bodies of an answer to a question whose id is %s: none of them is one, and none does harm.
NO_ANSWERS = [
    b'', b'{', b'\xff\xfe', b'null', b'[]', b'"x"', b'{"jsonrpc":"2.0","id":%s}', b'{"jsonrpc":"2.0","id":%s,"result":null}',
    b'{"jsonrpc":"2.0","id":%s,"result":[]}', b'{"jsonrpc":"2.0","id":%s,"result":"x"}',
    b'{"jsonrpc":"2.0","id":%s,"result":{},"error":{"code":1,"message":"x"}}', b'{"jsonrpc":"1.0","id":%s,"result":{}}',
    b'{"jsonrpc":"2.0","id":%s,"error":{}}', b'{"jsonrpc":"2.0","id":%s,"error":{"code":"x","message":1}}',
    b'{"jsonrpc":"2.0","id":%s,"id":1,"result":{}}', b'{"jsonrpc":"2.0","id":[%s],"result":{}}',
    b'[{"jsonrpc":"2.0","id":%s,"result":{}}]', b'{"jsonrpc":"2.0","id":%s,"result":{"action":"\xc3\x28"}}',
    b'{"jsonrpc":"2.0","id":%s,"result":{"a":' + b"[" * 70 + b"]" * 70 + b"}}",
]
# Results that are answers, but not to a question for a form with a string "name".
WRONG_RESULTS = [
    {}, {"action": 7}, {"action": "maybe"}, {"action": "accept"}, {"action": "accept", "content": None},
    {"action": "accept", "content": []}, {"action": "accept", "content": {}}, {"action": "accept", "content": {"name": 7}},
    {"action": "accept", "content": {"name": ["x"]}}, {"action": "accept", "content": {"name": {"a": {"b": "c"}}}},
    {"action": "ACCEPT", "content": {"name": "x"}}, {"role": "assistant", "content": {"type": "text", "text": "x"}, "model": "m"},
]


def question(e):
    """The first question of a stream."""
    n = 0
    while True:
        while len(e.events) <= n and e.read():
            pass
        if len(e.events) <= n:
            return None
        line = e.events[n][1].split(b"\n")[-1]
        if line.startswith(b"data: {"):
            message = json.loads(line[6:])
            if "method" in message and "id" in message:
                return message
        n += 1


def result_of(e):
    """The answer at the end of a stream."""
    e.rest()
    return json.loads(e.events[-1][1].split(b"\n")[-1][6:])


def answers(front, name):
    """Questions to clients of 2025-11-25, and who answers how."""
    token = front.token()
    session = Session(front, token)
    ask = session.message("tools/call", {"name": "test_elicitation", "arguments": {"message": "?"}}, 5)
    good = {"action": "accept", "content": {"username": "u", "email": "e"}}
    tried = bad = 0

    def body(q, result):
        return json.dumps({"jsonrpc": "2.0", "id": q["id"], "result": result}).encode()
    with Events(front, ask) as e, Events(front, session.message("tools/call", {"name": "test_elicitation", "arguments": {
            "message": "!"}}, 5)) as twin:
        q, other = question(e), question(twin)
        ok(q["id"] != other["id"] and len(q["id"]) == 32, name + ": each question has an id that nobody guesses")
        strangers = [Session(front, t) for _, t in others(front)] + [Session(front, token)]
        for s in strangers:
            tried += 1
            bad += s.answer(body(q, {"action": "accept", "content": {"username": "stranger", "email": "e"}})).status != 202
        for message in NO_ANSWERS:
            tried += 1
            r = session.answer(message.replace(b"%s", json.dumps(q["id"]).encode()))
            bad += r.status not in (202, 400)
        for text in (q["id"][:-1], q["id"] + "0", q["id"].upper(), "0" * 32, "", "x" * 1024, 1, -1, q["id"] + "\x00"):
            tried += 1
            bad += session.answer(body({"id": text}, good)).status not in (202, 400)
        # Without its session an answer is nobody's.
        bad += front.post(([h for h in session.headers() if h[0] != "Mcp-Session-Id"], body(q, good))).status != 202
        for s in (0, 1, 2):
            session.answer(body(other, dict(good, content={"username": "n%d" % s, "email": "e"})))
        bad += session.answer(body(q, good)).status != 202
        is_(bad, 0, "%s: %d answers of others, of no shape and to nothing are passed over" % (name, tried))
        is_([result_of(x)["result"]["content"][0]["text"].count(t) for x, t in ((e, '"u"'), (twin, '"n0"'))], [1, 1],
            name + ": each call has the first answer of its own session to its own question")
    for message in NO_ANSWERS[6:]:
        with Events(front, ask) as e:
            r = session.answer(message.replace(b"%s", json.dumps(question(e)["id"]).encode()))
            if r.status not in (202, 400):
                bad += 1
            if r.status == 202:
                e.rest()
    streams = [Events(front, session.message("tools/call", {"name": "test_input_required_result_elicitation", "arguments": {}}, i))
               for i in range(len(WRONG_RESULTS))]
    for e, wrong in zip(streams, WRONG_RESULTS):
        session.answer(body(question(e), wrong))
    told = [result_of(e) for e in streams]
    ok(all(m.get("result", {}).get("isError") or "error" in m for m in told) and not bad,
       name + ": an answer of the wrong shape is an error of its call")
    for m in told:
        if not (m.get("result", {}).get("isError") or "error" in m):
            diag(m)
    for e in streams:
        e.close()


def raw(front, message, verb="POST"):
    """The bytes of a request."""
    headers, body = message
    head = ["%s /mcp HTTP/1.1" % verb, "Host: 127.0.0.1:%d" % front.port, "Content-Length: %d" % len(body)]
    return "\r\n".join(head + ["%s: %s" % pair for pair in headers]).encode() + b"\r\n\r\n" + body


def holdings(front):
    """(descriptors, threads) of all responders."""
    fds = threads = 0
    for pid in front.responders():
        try:
            fds += len(os.listdir("/proc/%d/fd" % pid))
            threads += len(os.listdir("/proc/%d/task" % pid))
        except OSError:
            pass
    return fds, threads


def moments(front, name, rounds):
    """STREAM_KEEPALIVE_S=1. Clients that leave at every moment: before, within and after the request, while they are asked, in the middle
    of events; politely, half, and by a reset."""
    token = front.token()
    session = Session(front, token)
    for _ in range(20):
        front.post(modern_call("greet_user", {"name": "Eve"}, token))
    before = holdings(front)
    kinds = [raw(front, listen(token, toolsListChanged=True, resourceSubscriptions=["test://item/1"])),
             raw(front, (session.headers(), b""), "GET"),
             raw(front, session.message("tools/call", {"name": "test_elicitation", "arguments": {"message": "?"}}, 5)),
             raw(front, session.message("tools/call", {"name": "work", "arguments": {"steps": 40, "gap_ms": 5}, "_meta": {
                 "progressToken": 1}}, 5)),
             raw(front, modern("tools/call", {"name": "work", "arguments": {"steps": 4000, "gap_ms": 5}, "_meta": {
                 "progressToken": 1}}, token, "work")),
             raw(front, modern("tools/list", {}, token)),
             raw(front, (session.headers(("Last-Event-ID", "0" * 32)), b""), "GET"),
             raw(front, (session.headers(), b""), "DELETE")]
    count = 0

    def leave(part):
        nonlocal count
        for text, cut, how, wait in part:
            with socket.socket() as s:
                s.settimeout(5)
                try:
                    s.connect(("127.0.0.1", front.port))
                    s.sendall(text[:cut])
                    if how == 1:
                        s.shutdown(socket.SHUT_WR)
                    time.sleep(wait)
                    if how == 2:
                        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                    if how == 3:
                        s.recv(random.choice((1, 100, 1000)))
                except OSError:
                    pass
            count += 1
    work = [(text, random.choice((len(text), len(text), len(text), random.randrange(len(text)))), random.randrange(4),
             random.choice((0, 0, 0.001, 0.01, 0.05, 0.3))) for text in kinds[:-1] * rounds]
    random.shuffle(work)
    threads = [threading.Thread(target=leave, args=(work[i::6],)) for i in range(6)]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads):
        front.post(modern_call("change", {"what": random.choice(("tools", "test://item/1"))}, token))
        time.sleep(0.02)
    leave([(kinds[-1], len(kinds[-1]), 2, 0)])
    began = time.monotonic()
    ok(front.post(modern_call("greet_user", {"name": "Eve"}, token)).status == 200 and time.monotonic() - began < 10,
       "%s: a call after %d clients have left at any moment" % (name, count))

    def free():
        now = holdings(front)
        return now[0] <= before[0] + 40 and now[1] <= before[1] + 2 * len(front.responders())
    ok(wait_for(free, 30, 0.2), "%s: nothing is held for them (%s descriptors and threads, now %s)" % (
        name, before, holdings(front)))


def descriptors(front, name):
    """Streams of many, each with a descriptor, in processes that have few of them."""
    streams = []
    for i in range(320):
        streams.append(Events(front, listen(front.token(sub="usr_%d" % (i % 10)), i, toolsListChanged=True)))
    statuses = [e.head().status for e in streams]
    ok(statuses.count(200) >= 100 and statuses.count(503) > 0 and set(statuses) == {200, 503},
       "%s: streams end where descriptors do (%d of %d)" % (name, statuses.count(200), len(statuses)))
    token = front.token()
    began = time.monotonic()
    ok(all(front.post(modern_call("greet_user", {"name": "Fay"}, token)).status == 200 for _ in range(20)),
       name + ": and calls are answered beside them")
    ok(time.monotonic() - began < 30, name + ": soon")
    for e in streams:
        e.close()


def demoted(front, name):
    """A session subscribes with a token that may read, and listens with one that may not."""
    mighty, weak = front.token(scope="secret:read"), front.token()
    session = Session(front, mighty)
    for uri in ("test://secret", "test://open"):
        session.post("resources/subscribe", {"uri": uri})
    is_(code(session.post("resources/subscribe", {"uri": "test://secret"}, token=weak))[0], 403,
        name + ": who may not read a resource cannot subscribe to it")
    for token, want in ((weak, ["test://open"]), (mighty, ["test://secret", "test://open"])):
        with Events(front, (session.message("x", token=token)[0], b""), verb="GET") as e:
            e.head()
            time.sleep(0.2)
            for uri in ("test://secret", "test://open"):
                front.post(modern_call("change", {"what": uri}, weak))
            is_([e.event(i)[1]["params"]["uri"] for i in range(len(want))], want,
                name + ": nor hears of it, whoever subscribed; with the scope it does")


def dawdling(front, name):
    """Slow calls of one, which are no streams, and a quick one of another."""
    greedy, other = front.token(sub="usr_greedy"), front.token(sub="usr_other")
    call = {"name": "work", "arguments": {"steps": 1, "gap_ms": 60000}}
    slow = [Events(front, modern("tools/call", call, greedy, "work", i)) for i in range(40)]
    time.sleep(0.3)
    began = time.monotonic()
    r = front.post(modern_call("greet_user", {"name": "Gus"}, other))
    took = time.monotonic() - began
    ok(r.status == 200 and took < 30,
       "%s: 40 slow calls of one keep nobody else waiting for long (%.1f s)" % (name, took))
    for e in slow:
        e.close()


def events(front, name):
    """Ids of events, of which one is good for one answer of one session."""
    token = front.token()
    session = Session(front, token)

    def fetch(of, event):
        return front.request("GET", "/mcp", of.headers(("Last-Event-ID", event)))
    with Events(front, session.message("tools/call", {"name": "work", "arguments": {"steps": 2, "gap_ms": 1500}, "_meta": {
            "progressToken": 1}}, 77)) as e:
        while not e.events and e.read():
            pass
        event = next(line[4:] for line in e.events[0][1].decode().split("\n") if line.startswith("id: "))
    strangers = [Session(front, t) for _, t in others(front)] + [Session(front, token)]
    forged = [event[:-1], event + "0", event.upper() if event.upper() != event else "f" * 32, "0" * 32, "x", "-1", "%00",
              "\xff\xfe", "x" * 7000, "../" * 30, event + "," + event]
    tried = [fetch(of, event).status for of in strangers] + [fetch(session, text).status for text in forged]
    ok(set(tried) <= {400, 405}, "%s: %d foreign and forged ids of events lead nowhere (%s)" % (name, len(tried), set(tried)))
    r = fetch(session, event)
    ok(r.status == 200 and b'"done"' in r.body and b'"id":77' in r.body, name + ": its own session has the answer")
    is_(fetch(session, event).status, 405, name + ": once")
    session.delete()
    is_(fetch(session, event).status, 404, name + ": and nothing after its end")


def main():
    for name in sys.argv[1:] or ("lighttpd", "apache-fcgid", "apache-proxy", "nginx"):
        lack = missing(name)
        if lack:
            skip(name, lack + " is not there")
            continue
        with HostileFront(name, {"PAGE_SIZE": "5", "MAX_STREAMS_PRINCIPAL": "1000"}) as front:
            before = set(front.responders())
            sealed(front, name)
            shapes(front, name, 1)
            subscribing(front, name)
            answers(front, name)
            events(front, name)
            if front.kind != "fcgid":
                demoted(front, name)
            ok(before <= set(front.responders()), name + ": no process has ended")
        if front.kind != "fcgid":
            with HostileFront(name, {"MAX_STREAMS_PRINCIPAL": "12", "STREAM_KEEPALIVE_S": "1",
                                     "TOOL_TIMEOUT_S": "600"}) as front:
                hoarding(front, name)
            with HostileFront(name, {"STREAM_KEEPALIVE_S": "1", "MAX_STREAMS_PRINCIPAL": "1000"}) as front:
                before = front.responders()
                moments(front, name, 40)
                dawdling(front, name)
                is_(front.responders(), before, name + ": no process has ended")
            with NarrowFront(name, {"STREAM_KEEPALIVE_S": "1", "MAX_STREAMS_PRINCIPAL": "1000"}) as front:
                descriptors(front, name)
    done()


main()

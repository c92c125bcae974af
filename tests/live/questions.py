#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Questions to clients of 2025-11-25 through the web servers: the answer comes as a request of its own, to whichever
process; what becomes of a question whose process is killed, whose client leaves, or that nobody answers."""
import http.client
import json
import os
import re
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from events import Events  # noqa: E402
from front import missing  # noqa: E402
from harness import diag, done, is_, legacy_message, ok, prompt, skip, skip_all, wait_for  # noqa: E402
from module_front import ModuleFront  # noqa: E402

FORM = {"action": "accept", "content": {"username": "grace", "email": "grace@example.com"}}
ANSWERED = 'The client answered: {"action":"accept","content":{"username":"grace","email":"grace@example.com"}}'


class QuestionFront(ModuleFront):
    """A front whose responders have the tools of the conformance suite."""

    MODULES = ("fixtures/conformance.so",)

    def serves(self):
        """Whether requests are answered; while processes are started anew some are not."""
        try:
            return Session(self).post("ping").json()["result"] == {}
        except (OSError, http.client.HTTPException, TypeError, KeyError):
            return False


QuestionFront.need()


class Session:
    """A client that can be asked anything."""

    def __init__(self, front):
        self.front, self.token = front, front.token()
        r = front.post(legacy_message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {
            "elicitation": {}, "sampling": {}}, "clientInfo": {"name": "q", "version": "1"}}, self.token))
        self.id = r.get("Mcp-Session-Id")

    def message(self, method, params=None, request_id=1):
        headers, body = legacy_message(method, params, self.token, request_id)
        return headers + [("Mcp-Session-Id", self.id)], body

    def post(self, *arguments):
        return self.front.post(self.message(*arguments))

    def ask(self, request_id=1):
        """A call whose tool asks for a form: its stream, and the question."""
        e = Events(self.front, self.message("tools/call", {"name": "test_elicitation", "arguments": {"message": "?"}},
                                            request_id))
        for n in range(2):  # the first event is for coming back
            while len(e.events) <= n and e.read():
                pass
        return e, json.loads(e.events[1][1].split(b"\n")[-1][len(b"data: "):])

    def answer(self, question, result=None):
        """The status of the client's answer."""
        body = json.dumps({"jsonrpc": "2.0", "id": question["id"], "result": result or FORM}).encode()
        return self.front.request("POST", "/mcp", self.message("x")[0], body).status


def text_of(e):
    """The text of the result at the end of a stream."""
    e.rest()
    message = json.loads(e.events[-1][1].split(b"\n")[-1][len(b"data: "):])
    return message["result"]["content"][0]["text"] if "result" in message else None


def across(front, name):
    session = Session(front)
    asked = [session.ask(100 + i) for i in range(6)]
    for e, question in reversed(asked):
        session.answer(question)
    is_([text_of(e) for e, _ in asked], [ANSWERED] * 6, name + ": six questions at a time, answered the other way round")
    got = []

    def eight():
        times = []
        for i in range(8):
            e, question = session.ask(i)
            began = time.monotonic()
            got.append((session.answer(question), text_of(e)))
            times.append(time.monotonic() - began)
            e.close()
        return sorted(times)[3]
    # Who has to look for an answer, because nobody tells, does so once a second.
    prompt(eight, 0.5, name + ": a call goes on at once when its question is answered, half of the time (%s)")
    is_(got, [(202, ANSWERED)] * len(got), name + ": all answers are accepted, and the calls go on with them")
    asking, answering = (set(re.findall(r"\b([0-9a-f]{8})[0-9a-f]{8} POST \S+ %d" % status, front.log()))
                         for status in (200, 202))
    diag("%s: asked in %d processes, answers to %d" % (name, len(asking), len(answering)))
    is_(session.answer(asked[0][1]), 202, name + ": an answer to nothing is accepted, and nobody's")
    for e, _ in asked:
        e.close()


def left(front, name):
    """STREAM_KEEPALIVE_S=1."""
    session = Session(front)
    before = front.log().count(", client left")
    asked = [session.ask(i) for i in range(3)]
    for e, _ in asked:
        e.close()
    ok(wait_for(lambda: front.log().count(", client left") >= before + 3),
       name + ": calls whose client leaves while it is asked wait no more")
    is_([session.answer(q) for _, q in asked], [202] * 3, name + ": its answers are accepted, and nobody's")
    e, question = session.ask()
    session.answer(question)
    is_(text_of(e), ANSWERED, name + ": and the next question has its own")
    e.close()


def killed(front, name):
    """kill -9 of all processes while a question is open."""
    session = Session(front)
    e, question = session.ask()
    for pid in front.responders():
        os.kill(pid, signal.SIGKILL)
    e.rest()
    ok(b'"result"' not in e.whole, name + ": kill -9 cuts the stream of a question, and nobody takes it for whole")
    e.close()
    ok(wait_for(front.serves, 60), name + ": the service goes on")

    def accepted(question):
        try:
            return session.answer(question) == 202
        except (OSError, http.client.HTTPException):
            return False
    ok(wait_for(lambda: accepted(question), 60), name + ": the answer is accepted by another process")

    def again():
        try:
            e, question = session.ask(2)
            # lighttpd may still hold one of the killed processes for alive.
            return wait_for(lambda: accepted(question), 10) and text_of(e) == ANSWERED
        except (OSError, http.client.HTTPException, IndexError, ValueError):
            return False
    ok(wait_for(again, 60), name + ": the session is as good as before, and asked again")


def silent(name):
    """By default a call may take a minute, and a stream an hour."""
    with QuestionFront(name, {"MAX_STREAM_S": "6", "TOOL_TIMEOUT_S": "5"}) as front:
        session = Session(front)
        e, question = session.ask()
        text = text_of(e)
        took = time.monotonic() - e.began
        withdrawn = [m for m in (json.loads(x.split(b"\n")[-1][len(b"data: "):] or b"{}") for _, x in e.events)
                     if m.get("method") == "notifications/cancelled"]
        is_([m["params"]["requestId"] for m in withdrawn], [question["id"]],
            name + ": a question that nobody answers is withdrawn")
        ok(text and "did not answer" in text and 1.5 < took < 30, "%s: and its call told so (%.1f s)" % (name, took))
        is_(session.answer(question), 202, name + ": an answer that comes too late is nobody's")
        e.close()


def main():
    tried = 0
    for name in sys.argv[1:] or ("lighttpd", "apache-fcgid", "apache-proxy", "nginx"):
        lack = missing(name)
        if lack:
            skip(name, lack + " is not there")
            continue
        tried += 1
        with QuestionFront(name, {"STREAM_KEEPALIVE_S": "1"}) as front:
            across(front, name)
            left(front, name)
            killed(front, name)
        silent(name)
    if not tried:
        skip_all("no web server is there")
    done()


main()

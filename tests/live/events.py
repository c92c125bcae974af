# SPDX-License-Identifier: MIT
"""A client of event streams that reads them event by event."""
import http.client
import json
import socket
import time

from harness import Answer, prompt, record


def at_once(front, measure, text):
    """One claim, as prompt() makes it: what measure() does takes no longer than some short answers of the same front,
    on the machine as it is now."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        front.request("GET", "/health")
        times.append(time.monotonic() - began)
    prompt(measure, max(0.1, 5 * sorted(times)[2]), text)


class Events:
    """A POST (or another method) whose answer is read event by event."""

    def __init__(self, front, message, receive=None, verb="POST"):
        headers, body = message
        self.message = message
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.settimeout(90)
        self.socket.connect(("127.0.0.1", front.port))
        self.began = time.monotonic()
        lines = [verb + " /mcp HTTP/1.1", "Host: 127.0.0.1:%d" % front.port, "Content-Length: %d" % len(body)][:None if body else 2]
        lines += ["%s: %s" % pair for pair in headers]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        self.response, self.text, self.whole, self.ended = None, b"", b"", False
        self.events, self.comments = [], 0
        self.recorded = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        # Of a stream, what was read of it is whole but for its last event.
        if self.response and (self.ended or self.response.getheader("Content-Type") == "text/event-stream"):
            self.record()
        if self.response:
            self.response.close()
        self.socket.close()

    def record(self):
        if not self.recorded:
            record(*self.message, Answer(self.head().status, self.head().getheaders(), self.whole))
        self.recorded = True

    def head(self):
        if not self.response:
            self.response = http.client.HTTPResponse(self.socket, method="POST")
            self.response.begin()
        return self.response

    def read(self):
        """Read what comes next; returns False at the end, or when a stream that should have ended goes on for ever."""
        if time.monotonic() - self.began > 120:
            self.ended = True
            return False
        try:
            data = self.head().read1(65536)
        except (http.client.HTTPException, ConnectionError):
            data = b""
        if not data:
            self.ended = True
            return False
        self.text += data
        self.whole += data
        while b"\n\n" in self.text:
            event, _, self.text = self.text.partition(b"\n\n")
            if event.startswith(b":"):
                self.comments += 1
            else:
                self.events.append((time.monotonic() - self.began, event))
        return True

    def event(self, n):
        """(seconds, message) of the n-th event, or (None, None)."""
        while len(self.events) <= n and self.read():
            pass
        if len(self.events) <= n:
            return None, None
        at, event = self.events[n]
        lines = event.split(b"\n")
        return at, json.loads(lines[-1][len(b"data: "):])

    def rest(self):
        while self.read():
            pass
        self.record()
        return self

# SPDX-License-Identifier: MIT
"""How an authorization server can go bad: what the tests of the fetch of keys and of introspection share. The rows are
those of docs/attacks.md."""
import time

import fastcgi
from harness import RESPONDER

# The longest that a request may wait: 5 s for a whole fetch, and what a busy machine adds. Without a deadline it would
# wait for 90 s (fastcgi.request()) or more.
DEADLINE = 60.0 if fastcgi.is_slow(RESPONDER) else 25.0


def timed(r, token):
    """Status, Retry-After and seconds of a call. The first one waits until the responder has begun to serve."""
    r.serving()
    began = time.monotonic()
    answer = r.call(token)
    return answer.status, answer.header("Retry-After"), time.monotonic() - began


def behaviours(server, document, canary):
    """(row, what, behaviour of a place of "server"): all of them refused, whatever "document" they carry. Redirects
    lead to /elsewhere there and to the URL "canary"."""
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    for status in (301, 302, 303, 307, 308):
        for what, target in (("the same host", "/elsewhere"), ("another host", "https://localhost:%d/elsewhere" %
                                                               server.port), ("plain http", canary + "/elsewhere"),
                             ("a file", "file:///etc/passwd"), ("itself", "")):
            yield "F4", "%d to %s, with a good body" % (status, what), ("redirect", status, target)
    for status in (201, 202, 203, 204, 206, 300, 400, 401, 403, 404, 410, 429, 500, 502, 503):
        yield "F3", "%d with a good body" % status, ("status", status, document)
    for kind in ("text/html", "text/plain", "application/jwt", "application/octet-stream", "application/jsonx",
                 "text/json, application/json", ""):
        yield "F3", "the type %r" % kind, ("type", kind)
    for what, text in (("no keys", '{"keys":[]}'), ("an empty object", "{}"), ("an array", "[]"), ("null", "null"),
                       ("a secret only", '{"keys":[{"kty":"oct","k":"AAAA","kid":"k1"}]}'),
                       ("two documents", document * 2),
                       ("a byte order mark", "\ufeff" + document), ("a NUL", document + "\0"),
                       ("a comment", "/**/" + document), ("an error page", '{"error":"down"}'),
                       ("XSSI's prefix", ")]}'\n" + document)):
        yield "F3", what, ("body", text)
    for how in ("html", "empty", "truncated"):
        yield "F3", "an answer that is " + how, (how,)
    for how in ("oversize", "oversize-chunked", "gzip-bomb", "endless-headers"):
        yield "F6", how, (how,)
    for how in ("drip", "drip-headers", "hang"):
        yield "F7", how, (how,)
    for how in ("reset", "reset-middle", "close", "short"):
        yield "F8", how, (how,)
    for what, text in (("no HTTP", "220 mail.example ESMTP\r\n"), ("HTTP/0.9", document),
                       ("a length that is too short", head + "Content-Length: 20\r\n\r\n" + document),
                       ("two lengths", head + "Content-Length: 5\r\nContent-Length: %d\r\n\r\n%s" % (len(document),
                           document)),
                       ("a negative length", head + "Content-Length: -1\r\n\r\n" + document[:9]),
                       ("a length beyond 64 bits", head + "Content-Length: 99999999999999999999\r\n\r\n" + document),
                       ("a chunk of no size", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + document),
                       ("a chunk that ends early", head + "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s" % (
                           len(document) + 9, document)),
                       ("an unknown coding", head + "Transfer-Encoding: sdch\r\n\r\n" + document),
                       ("a compressed one", head + "Content-Encoding: gzip\r\n\r\n" + document[:30]),
                       ("informational ones without end", "HTTP/1.1 100 Continue\r\n\r\n" * 5000),
                       ("a status of 4 digits", head.replace("200", "2000") + "\r\n" + document),
                       ("a status of 2 digits", head.replace("200", "20") + "\r\n" + document),
                       ("one line of 400 KB", head + "X: " + "y" * 400000 + "\r\n\r\n" + document)):
        yield "F8", "an answer with " + what, ("raw", text)

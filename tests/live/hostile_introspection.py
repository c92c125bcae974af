#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The responder asks about tokens over TLS, and the authorization server has gone bad: whatever it does, a token is 503
and never 200 or 401, nothing takes longer than the deadline, and nobody else sees our credentials. The ids are those of
docs/attacks.md; live/introspection.py has what answers mean."""
import base64
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from attack import Alone, Canary  # noqa: E402
from harness import done, is_, ok  # noqa: E402
from hostile import DEADLINE, behaviours, timed  # noqa: E402
import peer  # noqa: E402

ISSUER, AUDIENCE, SECRET = "https://as.example", "https://mcp.example/mcp", "a-secret-of-this-test"
TOKEN = "opaque-5f0c2e"


class Inspector(peer.Peer):
    """Every path is an introspection endpoint for which every token is good."""

    def answer(self, request):
        return 200, [], json.dumps({"active": True, "iss": ISSUER, "aud": AUDIENCE, "sub": "u", "client_id": "c",
                                    "scope": "usr:read", "exp": 4102444800}).encode()


def alone(server, path="/introspect", **more):
    return Alone({"SK_ENV_URL": ISSUER, "EXPECTED_AUDIENCE": AUDIENCE, "VALIDATION": "introspect", "LOG_LEVEL": "debug",
                  "INTROSPECTION_ENDPOINT": server.url + path, "SK_CLIENT_ID": "skc_1", "SK_CLIENT_SECRET": SECRET,
                  "CA_FILE": server.ca_file, **more})


def is_told(log):
    """Whether a log has our credentials or the token."""
    basic = base64.b64encode(("skc_1:" + SECRET).encode()).decode()
    return any(secret in log for secret in (SECRET, basic, TOKEN))


def test_behaviours(server):
    document = server.answer(None)[2].decode()
    with Canary() as canary:
        rows = list(behaviours(server, document, "http://127.0.0.1:%d" % canary.port))

        def one(i):
            path = "/b%d" % i
            server.behave(path, *rows[i][2])
            with alone(server, path) as r:
                return timed(r, TOKEN), server.count(path), is_told(r.logged())
        with ThreadPoolExecutor(12) as pool:
            results = list(pool.map(one, range(len(rows))))
        for (_, what, how), ((status, retry, _), tries, told) in zip(rows, results):
            row = "H8" if how[0] == "redirect" else "H4" if how[1:] == ("application/jwt",) else "H2"
            is_((status, retry is not None, tries <= 2, told), (503, True, True, False),
                "%s H9: %s: 503, nothing of ours in the log" % (row, what))
        slowest = max(seconds for (_, _, seconds), _, _ in results)
        ok(slowest < DEADLINE, "H2: and no request took longer than the deadline (%.1f s)" % slowest)
        is_((server.count("/elsewhere"), canary.count), (0, 0), "H8: no redirect was followed with our credentials")


def test_certificates():
    for kind in ("wrong-host", "expired", "self-signed", "other-ca"):
        with Inspector(tls=kind) as bad, alone(bad) as r:
            is_((r.call(TOKEN).status, bad.count()), (503, 0),
                "H2 H9: a certificate that is %s gets nothing of ours" % kind)


def main():
    with Inspector(tls="good") as server:
        with alone(server) as r:
            is_(r.call(TOKEN).status, 200, "a token is asked about over TLS, by the authority of CA_FILE")
            request = server.last("/introspect")
            is_((request.method, b"token=" + TOKEN.encode() in request.body, request.path),
                ("POST", True, "/introspect"), "H9: by POST, with the token in the body and not in the URL")
        test_behaviours(server)
    test_certificates()
    done()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The responder and an authorization server gone bad, over TLS: whatever the place of the keys does, known keys go on
serving, unknown ones are 503 and never 200 or 401, nothing takes longer than the deadline, and nobody else is asked.
The ids are those of docs/attacks.md; F3, F4, F6, F7 and F8 go through the list of hostile.py."""
import json
import os
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fastcgi  # noqa: E402
from attack import Alone, Canary, Mint  # noqa: E402
from harness import (diag, done, is_, ok, private_directory, remove_directory, stop_process,  # noqa: E402
                     wait_for)
from hostile import DEADLINE, behaviours, timed  # noqa: E402
import crypto  # noqa: E402
import peer  # noqa: E402

ISSUER, AUDIENCE = "https://as.example", "https://mcp.example/mcp"
KEY = crypto.RSAKey("k1")
MINT = Mint(KEY, ISSUER, AUDIENCE)
TOP = private_directory()


class KeyServer(peer.Peer):
    """Every path is a place of its own and has the same good key set."""

    def answer(self, request):
        return 200, [], json.dumps({"keys": [KEY.jwk()]}).encode()


def settings(server, path="/keys", **more):
    return {"SK_ENV_URL": ISSUER, "EXPECTED_AUDIENCE": AUDIENCE, "JWKS_URI": server.url + path,
            "CA_FILE": server.ca_file, **more}


def template(server):
    """A state directory whose database has the good set."""
    directory = os.path.join(TOP, "template")
    with Alone(settings(server), directory) as r:
        is_(r.call(MINT.token()).status, 200, "keys are fetched over TLS, by the authority of CA_FILE")
    return directory


def aged(server, path, hours):
    """A state directory whose set for "path" was fetched so long ago."""
    directory = os.path.join(TOP, os.urandom(6).hex())
    shutil.copytree(os.path.join(TOP, "template"), directory)
    db, then = sqlite3.connect(os.path.join(directory, "state.db")), int(time.time() - hours * 3600)
    with db:
        db.execute("UPDATE issuer_keys SET issuer = ?, fetched_s = ?, attempt_s = ?", (server.url + path, then, then))
    db.close()
    return directory


def try_one(server, path, how):
    """What a responder without keys, and one with old keys, make of a behaviour."""
    server.behave(path, *how)
    with Alone(settings(server, path)) as r:
        cold = timed(r, MINT.token())
        again = timed(r, MINT.token())
    before = server.count(path)
    with Alone(settings(server, path), aged(server, path, 3)) as r:
        known = timed(r, MINT.token())
        unknown = timed(r, MINT.with_header(kid="k2"))
        # A fetch that was tried for the first is not repeated for the second.
    return cold, again, known, unknown, server.count(path) - before


def test_behaviours(server):
    with Canary() as canary:
        rows = list(behaviours(server, server.answer(None)[2].decode(), "http://127.0.0.1:%d" % canary.port))
        with ThreadPoolExecutor(12) as pool:
            results = list(pool.map(lambda i: try_one(server, "/b%d" % i, rows[i][2]), range(len(rows))))
        slowest = 0.0
        for (row, what, how), (cold, again, known, unknown, tries) in zip(rows, results):
            slowest = max(slowest, cold[2], known[2], unknown[2])
            got = [x[0] for x in (cold, again, known, unknown)]
            is_((got, cold[1] is not None, tries <= 2), ([503, 503, 200, 503], True, True),
                "%s: %s: without keys 503, with old keys 200, an unknown key 503" % (row, what))
        ok(slowest < DEADLINE, "F7: and no request took longer than the deadline of a fetch (%.1f s)" % slowest)
        # Who asks such a server again waits for 5 s each time; once the machine may have stood still.
        again = sorted(r[1][2] for row, r in zip(rows, results) if row[0] == "F7")
        ok(again[1] < 4, "F14: and the second one without keys was answered at once")
        is_((server.count("/elsewhere"), canary.count), (0, 0), "F4: no redirect was followed")


def test_certificates():
    def one(kind):
        with KeyServer(tls=kind) as bad:
            with Alone(settings(bad)) as r:
                status = r.call(MINT.token()).status
            with Alone(settings(bad), aged(bad, "/keys", 3)) as r:
                return status, r.call(MINT.token()).status, bad.count(), r.logged()
    kinds = ("wrong-host", "expired", "not-yet", "self-signed", "other-ca")
    with ThreadPoolExecutor(3) as pool:
        for kind, (cold, old, requests, log) in zip(kinds, pool.map(one, kinds)):
            is_((cold, old, requests), (503, 200, 0),
                "F1: a certificate that is %s: nothing is asked, old keys serve" % kind)
            ok(any(word in log for word in ("certificate", "SSL", "TLS")), "F1: and the log tells")
    with KeyServer(tls="good") as good:
        with Alone(settings(good, CA_FILE=None)) as r:
            is_(r.call(MINT.token()).status, 503, "F1 F19: an authority that the system does not know")
        with Alone(settings(good, CA_FILE=TOP + "/nothing.pem")) as r:
            is_((r.call(MINT.token()).status, "nothing.pem" in r.logged()), (503, True),
                "F19: a missing CA_FILE is named")
        dead = good.url
    for what, url in (("refused", dead), ("of no such host", "https://nowhere.invalid")):
        with Alone({"SK_ENV_URL": ISSUER, "EXPECTED_AUDIENCE": AUDIENCE, "JWKS_URI": url + "/keys"}) as r:
            is_(r.call(MINT.token()).status, 503, "F1: a connection that is " + what)
    with socket.create_server(("127.0.0.1", 0), backlog=16) as silent:
        with Alone({"SK_ENV_URL": ISSUER, "EXPECTED_AUDIENCE": AUDIENCE, "JWKS_URI":
                    "https://127.0.0.1:%d/keys" % silent.getsockname()[1]}) as r:
            status, _, seconds = timed(r, MINT.token())
            ok(status == 503 and seconds < DEADLINE, "F7: a peer that never shakes hands (%.1f s)" % seconds)


def test_mended(server):
    """What one more try, or an unusual but good answer, mends."""
    document = server.answer(None)[2].decode()
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    for row, what, how, times in (
            ("F8", "a reset, once", ("reset",), 1), ("F8", "a reset in the middle, once", ("reset-middle",), 1),
            ("F8", "no answer, once", ("close",), 1), ("F3", "jwk-set+json", ("type", "application/jwk-set+json"),
                                                       None),
            ("F3", "a charset", ("type", "application/json; charset=utf-8"), None),
            ("F8", "an informational answer first",
             ("raw", "HTTP/1.1 103 Early Hints\r\n\r\n" + head + "\r\n" + document),
             None), ("F8", "HTTP/1.0", ("raw", head.replace("1.1", "1.0") + "\r\n" + document), None),
            ("F8", "a kept connection that closes", ("close-kept",), None)):
        server.behave("/m", *how, times=times)
        with Alone(settings(server, "/m")) as r:
            is_(r.call(MINT.token()).status, 200, "%s: %s is mended" % (row, what))
    server.forget()


def test_cache_control(server):
    for values, ttl in ((["max-age=0"], 300), (["no-store"], 300), (["no-cache"], 300), (["max-age=600"], 600),
                        (["max-age=99999999999"], 21600), (["max-age=99999999999999999999999"], 21600),
                        (["max-age=-1"], 3600), (["max-age=1e9"], 3600), (["max-age"], 3600), (["garbage"], 3600),
                        (["max-age=\"900\""], 900), (["MAX-AGE=900"], 900), (["s-maxage=1, max-age=900"], 900),
                        (["max-age=900", "no-store"], 300), (["no-store", "max-age=900"], 300), (["x" * 8000], 3600),
                        (["max-age=900,,, ,"], 900), (["private=\"max-age=5\", max-age=900"], 900), ([""], 3600)):
        server.behave("/c", "headers", [["Cache-Control", v] for v in values])
        state = os.path.join(TOP, os.urandom(6).hex())
        with Alone(settings(server, "/c"), state) as r:
            status = r.call(MINT.token()).status
        db = sqlite3.connect(os.path.join(state, "state.db"))
        got = db.execute("SELECT soft_ttl_s FROM issuer_keys").fetchone()
        db.close()
        is_((status, got), (200, (ttl,)), "F9: Cache-Control %s keeps keys for %d s" % (
            " and ".join(v[:40] or "nothing" for v in values), ttl))


def test_meanwhile(server):
    """While a fetch hangs, the others serve."""
    server.behave("/h", "hang")
    with Alone(settings(server, "/h", WORKERS="8"), aged(server, "/h", 0.02)) as r:
        with ThreadPoolExecutor(12) as pool:
            waiting = [pool.submit(timed, r, MINT.with_header(kid="new%d" % i)) for i in range(12)]
            wait_for(lambda: server.count("/h"))
            known = [timed(r, MINT.token()) for _ in range(20)]
            unknown = [w.result() for w in waiting]
        ok(all(s == 200 and t < 4 for s, _, t in known), "F7: known keys serve while a fetch hangs (%.2f s at most)"
           % max(t for _, _, t in known))
        ok(all(s == 503 and t < DEADLINE for s, _, t in unknown), "F7: unknown ones are 503 within the deadline")
        is_(server.count("/h"), 1, "F7 F11: and one fetch was tried for twelve")
    with Alone(settings(server, "/h", WORKERS="4")) as r:
        waiting = threading.Thread(target=r.call, args=(MINT.token(),))
        waiting.start()
        wait_for(lambda: server.count("/h") > 1)
        began = time.monotonic()
        status = fastcgi.request(r.address, {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/health",
                                             "REQUEST_URI": "/health"})
        ok(status.status == 200 and time.monotonic() - began < 4, "F7: /health answers while the first fetch hangs")
        began = time.monotonic()
        ended = stop_process(r.process, signal.SIGTERM, 60)
        ok(ended is not None and time.monotonic() - began < DEADLINE + 1,
           "F20: a process in the middle of a fetch ends when told to (%.1f s)" % (time.monotonic() - began))
        waiting.join()


def test_storm(server):
    """Bad tokens in two processes."""
    server.forget()
    stranger, began = crypto.ECKey("k1"), time.monotonic()
    with Alone(settings(server, "/s", WORKERS="4"), processes=2) as r:
        is_([r.call(MINT.token()).status for _ in range(8)], [200] * 8, "two processes start")
        tokens = [MINT.with_header(kid="x%d" % i) for i in range(200)]
        tokens += [MINT.token(sign=lambda d: bytes(256)) for _ in range(200)]
        tokens += [stranger.jws(json.loads(MINT.claims()), {"alg": a, "kid": "k1"}) for a in ("ES256", "RS256")]
        with ThreadPoolExecutor(4) as pool:
            statuses = set(pool.map(lambda t: r.call(t).status, tokens))
        is_(statuses, {401}, "F11 F12: %d bad tokens are 401" % len(tokens))
        # Once a start, and for unknown keys once in 30 s.
        ok(server.count("/s") <= 3 + (time.monotonic() - began) // 30, "F11 F12: and caused %d fetches in all" % server.count("/s"))


def test_learnt(server):
    """A document that the authorization server serves may not send us elsewhere."""
    with Canary() as canary:
        where = "http://127.0.0.1:%d/" % canary.port
        jwk = {**KEY.jwk(), "x5u": where, "jku": where}
        server.behave("/l", "body", json.dumps({"keys": [jwk], "jwks_uri": where, "next": where}))
        with Alone(settings(server, "/l")) as r:
            is_((r.call(MINT.token()).status, canary.count), (200, 0), "C9: URLs in a key set are not followed")


def test_places():
    """State that others could write is not used."""
    for what in ("a directory that others may write", "a symbolic link"):
        directory = os.path.join(TOP, os.urandom(4).hex())
        os.mkdir(directory, 0o700)
        if "link" in what:
            os.symlink(directory, directory + ".link")
            directory += ".link"
        else:
            os.chmod(directory, 0o777)
        with Alone({"SK_ENV_URL": ISSUER, "EXPECTED_AUDIENCE": AUDIENCE}, directory) as r:
            answer = fastcgi.request(r.address, {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/health"})
            is_((answer.status, os.listdir(directory)), (503, []), "G8: a STATE_DIR that is %s is refused" % what)


def main():
    try:
        with KeyServer(tls="good") as server:
            template(server)
            for test in (test_behaviours, test_mended, test_cache_control, test_meanwhile, test_storm, test_learnt):
                began = time.monotonic()
                test(server)
                diag("%s: %.1f s" % (test.__name__, time.monotonic() - began))
        test_certificates()
        test_places()
    finally:
        remove_directory(TOP)
    done()


main()

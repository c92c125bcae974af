#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The life of an issuer's keys as clients of a web server see it: with FastCGI processes, and in plain CGI, where every
request is a process of its own (F10 to F14, F20, G7, G9). tests/live/keystore.py tries each rule with a clock of its
own; here the clock is the real one, and hours pass by making what state.db holds older.

"keys.py PART" tries one front, "stop", "metadata" or "running" alone; without PART all of them run side by side.

Figures in lines "# figure:": fetches in a storm, time to serve again after the issuer returns."""
import contextlib
import json
import os
import re
import signal
import sqlite3
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crypto       # noqa: E402
import scalekit     # noqa: E402
from fastcgi import Connection, Responder, request, stop_time, whole     # noqa: E402
from front import CGI_FRONTS, Front, missing    # noqa: E402
from harness import (RESPONDER, b64u, diag, done, is_, modern_call, ok, side_by_side, skip, steady,  # noqa: E402
                     stop_process, wait_for)

HOUR = 3600
COOLDOWN = 30
NO_LIMITS = {"RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off", "JWKS_FILE": None}


def update(state, assignments, *values):
    """Change what is kept of the keys in a state directory."""
    db = sqlite3.connect(state + "/state.db", timeout=5)
    with db:
        db.execute("UPDATE issuer_keys SET %s, generation = generation + 1" % assignments, values)
    db.close()


def make_older(state, seconds):
    update(state, "fetched_s = fetched_s - ?, attempt_s = attempt_s - ?", seconds, seconds)


class Site:
    """A web server with this program, and the issuer that it fetches keys from."""

    def __init__(self, name):
        self.name = name
        self.env = scalekit.Scalekit()
        self.front = Front(name, dict(NO_LIMITS, SK_ENV_URL=self.env.url))

    def __enter__(self):
        self.env.start()
        self.front.start()
        return self

    def __exit__(self, *_):
        self.front.stop()
        self.env.stop()

    def token(self, key=None, header=None, **claims):
        return self.env.token(key, header, **dict({"iss": self.env.url, "aud": self.front.url}, **claims))

    def call(self, token=None):
        """One tools/call; returns the status. self.took says how long it took."""
        began = time.monotonic()
        self.answer = self.front.post(modern_call("greet_user", {"name": "Ada"}, token or self.token()), timeout=60)
        self.took = time.monotonic() - began
        return self.answer.status

    def restart(self):
        """Have the web server start new responders, as it does over a day; CGI has new ones anyway."""
        old = self.front.responders()
        for pid in old:
            os.kill(pid, signal.SIGTERM)
        wait_for(lambda: not set(old) & set(self.front.responders()))
        wait_for(self.is_up)

    def is_up(self):
        try:
            return self.front.request("GET", "/health", timeout=5).status == 200
        except Exception:   # lighttpd answers 503 until it has started a new one
            return False

    def pass_time(self, seconds):
        """What is on disk becomes older by so much, and no process remembers anything younger."""
        make_older(self.front.dir + "/state", seconds)
        self.restart()

    def write(self, assignments, *values):
        update(self.front.dir + "/state", assignments, *values)

    def age(self):
        """Seconds since the set on disk was fetched; None without one."""
        db = sqlite3.connect(self.front.dir + "/state/state.db", timeout=5)
        row = db.execute("SELECT fetched_s FROM issuer_keys WHERE jwks IS NOT NULL").fetchone()
        db.close()
        return time.time() - row[0] if row else None

    def storm(self, tokens, clients=16):
        """All tokens by so many clients at once. Returns {status: count}."""
        seen, lock, left = {}, threading.Lock(), list(tokens)

        def client():
            while True:
                with lock:
                    if not left:
                        return
                    token = left.pop()
                status = self.front.post(modern_call("greet_user", {"name": "Ada"}, token), timeout=60).status
                with lock:
                    seen[status] = seen.get(status, 0) + 1
        threads = [threading.Thread(target=client) for _ in range(clients)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return seen


def try_soft_ttl(site):
    """A refresh is nobody's delay."""
    name, env = site.name + ": ", site.env
    is_(site.call(), 200, name + "the first request of all fetches the keys")
    is_([site.call() for _ in range(8)] + [env.count("keys")], [200] * 8 + [1], name + "which serve the next ones")
    site.pass_time(HOUR - 60)
    env.behave("keys", "slow", 2)  # Apache ends a CGI process 3 s after its answer
    is_(site.call(), 200, name + "F13: a request shortly before the end of the soft TTL is answered")
    ok(site.took < 1.8, name + "while the issuer takes 2 s (%.3f s)" % site.took)
    ok(wait_for(lambda: env.count("keys") == 2), name + "the refresh comes after the answer")
    is_(site.call(), 200, name + "and one that comes meanwhile")
    ok(site.took < 1.8, name + "waits for nothing either (%.3f s)" % site.took)
    ok(wait_for(lambda: site.age() < 30), name + "the refreshed set is kept for all")
    is_(env.count("keys"), 2, name + "it was one fetch")
    env.behave("keys")


def try_rotation(site):
    name, env = site.name + ": ", site.env
    old = env.keys[0]
    site.pass_time(COOLDOWN + 1)
    new = env.rotate(keep_old=True)
    env.forget()
    is_((site.call(site.token(new)), site.call(site.token(old))), (200, 200),
        name + "F10: a new key is accepted at once outside the cooldown, the old one still")
    newest = env.rotate(keep_old=False)
    is_(site.call(site.token(newest)), 401, name + "F10: a newer one within the cooldown is 401")
    is_(env.count("keys"), 1, name + "F10: with one fetch for all")
    site.pass_time(COOLDOWN + 1)
    is_(site.call(site.token(newest)), 200, name + "F10: after the cooldown it is accepted")
    is_((site.call(site.token(new)), site.call(site.token(old))), (401, 401),
        name + "F10: and what that set lacks is 401 at once")
    last = env.rotate(keep_old=False)
    site.pass_time(HOUR - 60)
    env.forget()
    is_(site.call(site.token(newest)), 200,
        name + "F10: a key removed without another's use is accepted up to the soft TTL")
    wait_for(lambda: env.count("keys") == 1)
    stale = site.token(newest)
    ok(wait_for(lambda: site.call(stale) == 401), name + "F10: and refused after it")
    is_(site.call(site.token(last)), 200, name + "F10: while the new one is accepted")


def try_outage(site):
    name, env = site.name + ": ", site.env
    env.behave("keys", "status", 500)
    site.pass_time(20 * HOUR)
    is_([site.call() for _ in range(3)], [200] * 3, name + "F1: an outage is served from keys of 20 hours ago")
    is_(site.call(site.token(crypto.RSAKey("stranger"))), 503, name + "F1: an unknown key cannot be decided: 503")
    ok(site.answer.get("Retry-After") and not site.answer.get("WWW-Authenticate"),
        name + "with Retry-After and without a challenge")
    site.pass_time(4 * HOUR + 1)
    is_(site.call(), 503, name + "F1: keys of more than 24 hours ago serve nobody")
    env.behave("keys", "hang")
    site.pass_time(COOLDOWN + 1)
    site.call()
    ok(site.answer.status == 503 and site.took < 12,
        name + "F7: an issuer that hangs is 503 in time (%.1f s)" % site.took)
    env.behave("keys")
    began = time.monotonic()
    again = wait_for(lambda: site.call() == 200, 60, 0.25)
    took = time.monotonic() - began
    limit = COOLDOWN + 8 if site.name in CGI_FRONTS else 20
    ok(again and took < limit, name + "F14: it serves again by itself within %d s" % limit)
    diag("figure: %s: serves again %.1f s after the issuer has returned" % (site.name, took))


def try_storm(site):
    name, env = site.name + ": ", site.env
    site.pass_time(COOLDOWN + 1)
    is_(site.call(), 200, name + "keys are there")
    env.forget()
    env.behave("keys", "slow", 0.3)
    known = crypto.RSAKey(env.keys[0].kid)
    strangers = [crypto.RSAKey("stranger") for _ in range(2)]
    # Nobody looks at the signature of an unknown key, and Python takes long to make one.
    parts = [site.token(key).split(".") for key in strangers]
    tokens = [".".join((b64u(json.dumps({"alg": "RS256", "kid": "unknown-%d" % i}).encode()), *parts[i % 2][1:]))
              for i in range(200)]
    tokens += [site.token(known) for _ in range(10)] * 10
    tokens += [site.token(exp=int(time.time()) - 600, iat=int(time.time()) - 4200, nbf=None) for _ in range(5)] * 10
    tokens += ["opaque-%d" % i for i in range(25)] + [site.token(aud="https://other.example") for _ in range(5)] * 5
    began = time.monotonic()
    seen = site.storm(tokens)
    took = time.monotonic() - began
    ok(set(seen) <= {401, 503} and sum(seen.values()) == 400 and seen.get(401, 0) >= 200,
        name + "F11, F12: 400 bad tokens are refused (%r)" % seen)
    # Before the cooldown, after it has begun anew in each process, and one more each time that it has passed.
    ok(1 <= env.count("keys") <= 3 + took // COOLDOWN,
        name + "F11, F12: by at most 3 fetches of all processes (%d)" % env.count("keys"))
    if site.name not in CGI_FRONTS:
        ok(len(site.front.responders()) >= 2, name + "of which there were at least two")
    diag("figure: %s: %d fetches for 400 bad tokens in %.1f s" % (site.name, env.count("keys"), took))
    is_(site.call(), 200, name + "a good token is good after it")
    env.behave("keys")


def try_damage(site):
    name, env = site.name + ": ", site.env
    env.behave("keys", "status", 500)
    for text, words in (("garbage", "garbage"), ('{"keys":[]}', "no keys"),
                        ('{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"x"}]}', "a secret instead of a key")):
        site.write("jwks = ?", text)
        site.pass_time(COOLDOWN + 1)
        is_(site.call(), 503, name + "G7: a cached set that holds %s is not used" % words)
    env.behave("keys")
    site.pass_time(COOLDOWN + 1)
    is_(site.call(), 200, name + "G7: and is fetched anew")


def try_killed(site):
    """G9: a process that dies while it fetches blocks the others only for its lease."""
    name, env = site.name + ": ", site.env
    site.write("jwks = NULL, fetched_s = 0, attempt_s = 0")
    site.restart()
    env.forget()
    env.behave("keys", "hang")
    waiting = threading.Thread(target=lambda: swallow(site.call))
    waiting.start()
    wait_for(lambda: env.count("keys") == 1)
    began = time.monotonic()
    for pid in site.front.responders():
        swallow(os.kill, pid, signal.SIGKILL)
    waiting.join()
    env.behave("keys")
    wait_for(site.is_up)
    took = wait_for(lambda: site.call() == 200 and time.monotonic() - began, 40, 0.25)
    ok(took and took < 25, name + "G9: a killed process's lease ends, another one fetches (after %.1f s)" % took)
    is_(env.count("keys"), 2, name + "G9: once")


def swallow(function, *args):
    try:
        return function(*args)
    except Exception:
        return None


def try_front(name):
    with Site(name) as site:
        for part in (try_soft_ttl, try_rotation, try_storm, try_damage, try_outage, try_killed):
            began = time.monotonic()
            part(site)
            diag("%s %s: %.1f s" % (name, part.__name__, time.monotonic() - began))


def try_running():
    """The same processes all the time, with the cooldown as it is: no clock is moved here."""
    with Site("lighttpd") as site:
        name, env = "lighttpd, 30 s: ", site.env
        is_({site.call() for _ in range(8)}, {200}, name + "keys are fetched")
        fetched = time.monotonic()
        pids = site.front.responders()
        new = env.rotate(keep_old=True)
        time.sleep(1)
        is_(site.call(site.token(new)), 401, name + "F10: a key that appears within the cooldown is 401")
        token = site.token(new)
        again = wait_for(lambda: site.call(token) == 200, 60, 0.5)
        took = time.monotonic() - fetched
        ok(again and took < COOLDOWN + 8, name + "F10: and accepted when the cooldown is over (%.1f s)" % took)
        is_({site.call(site.token(new)) for _ in range(20)}, {200}, name + "F10: by all processes")
        is_((env.count("keys"), site.front.responders()), (2, pids),
            name + "F10: with one more fetch, by the same ones")


def call_params(token):
    headers, body = modern_call("greet_user", {"name": "Ada"}, token)
    params = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/mcp", "REQUEST_URI": "/mcp", "REMOTE_ADDR": "127.0.0.1",
              "HTTP_HOST": "127.0.0.1:3002", "CONTENT_LENGTH": len(body)}
    for key, value in headers:
        key = key.upper().replace("-", "_")
        params[key if key == "CONTENT_TYPE" else "HTTP_" + key] = value
    return params, body


def serves(process):
    """Whether a responder has begun to serve: from then on SIGTERM ends it in good order. The thread that waits for the
    signal is no witness, because the kernel takes it out of SigBlk meanwhile; those that it has made before are."""
    tasks = "/proc/%d/task" % process.pid
    for task in os.listdir(tasks):
        with open("%s/%s/status" % (tasks, task), encoding="ascii", errors="replace") as f:
            blocked = int(re.search(r"^SigBlk:\s+([0-9a-f]+)", f.read(), re.M).group(1), 16)
        if blocked >> (signal.SIGTERM - 1) & 1:
            return True
    return False


def try_stop():
    """F20: SIGTERM while keys are fetched, for a request that waits for them and after an answer."""
    audience = "http://127.0.0.1:3002/mcp"
    for what, behaviour, status in (("for a request", ("hang",), 503), ("for a request, slowly", ("slow", 2), 200),
                                    ("after an answer", ("hang",), 200)):
        with scalekit.Scalekit(audience=audience) as env, tempfile.TemporaryDirectory() as state:
            with open(state + "/conf", "w", encoding="ascii") as f:
                f.write("SK_ENV_URL=%s\nEXPECTED_AUDIENCE=%s\nSTATE_DIR=%s\n" % (env.url, audience, state))
            with Responder([RESPONDER, "-c", state + "/conf"], 2) as r:
                wait_for(lambda: request(r.address, *call_params("none")).status == 401)
                if what == "after an answer":
                    request(r.address, *call_params(env.token()))
                    for p in r.processes:
                        stop_process(p)
                    make_older(state, HOUR - 60)
                    r.processes = [r.start(), r.start()]
                    wait_for(lambda: request(r.address, *call_params("none")).status == 401)
                env.forget()
                env.behave("keys", *behaviour)
                with Connection(r.address, timeout=30) as c:
                    c.send(whole(*call_params(env.token())))
                    ok(wait_for(lambda: env.count("keys") == 1, 10), "F20: keys are fetched " + what)
                    ok(wait_for(lambda: all(serves(p) for p in r.processes)), "F20: by one of two that serve")
                    times = [stop_time(p, signal.SIGTERM) for p in r.processes]
                    got = c.read_answer().status
                ok(all(took < 5 and code == 0 for took, code in times),
                    "F20: SIGTERM meanwhile ends both processes in order (%.1f s, %.1f s)" % (times[0][0], times[1][0]))
                is_(got, status, "F20: and the request is answered")
                diag(r.logged()[-300:])


class ByMetadata:
    """A process whose only issuer is one whose keys are where its metadata says, and this issuer."""

    audience = "http://127.0.0.1:3002/mcp"

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.env = stack.enter_context(scalekit.Scalekit(audience=self.audience))
            self.state = stack.enter_context(tempfile.TemporaryDirectory())
            with open(self.state + "/conf", "w", encoding="ascii") as f:
                f.write("EXPECTED_AUDIENCE=%s\nPROTECTED_RESOURCE_METADATA=auto\nSTATE_DIR=%s\n"
                        "[issuer only]\nISSUER=%s\n" % (self.audience, self.state, self.env.url))
            self.responder = stack.enter_context(Responder([RESPONDER, "-c", self.state + "/conf"]))
            wait_for(lambda: self.call("none") == 401)
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()

    def behave(self, *how):
        for place in ("metadata-env", "openid"):
            self.env.behave(place, *how)

    def asked(self):
        return self.env.count("metadata-env") + self.env.count("openid")

    def call(self, token=None):
        return request(self.responder.address, *call_params(token or self.env.token())).status

    def stranger(self):
        """Anybody's wish for the metadata, which is passed on."""
        path = "/.well-known/oauth-authorization-server"
        return request(self.responder.address, {"REQUEST_METHOD": "GET", "SCRIPT_NAME": path, "REQUEST_URI": path,
                                                "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:3002"}).status


def crowd_scene():
    """More strangers ask for slow metadata than may wait for it; then a token comes whose keys it leads to."""
    with ByMetadata() as by:
        by.behave("slow", 2.5)
        seen = []
        strangers = [threading.Thread(target=lambda: seen.append(by.stranger())) for _ in range(6)]
        for t in strangers:
            t.start()
        wait_for(lambda: 503 in seen)   # no more may wait
        claims = [(by.call(), 200, "F7: a token is good whose keys the metadata leads to, while a crowd waits for it")]
        for t in strangers:
            t.join()
        return claims + [(sorted(seen), [200] * 4 + [503] * 2, "F7: of a crowd of six strangers four get the metadata"),
                         (by.asked(), 1, "F7: with one request for it")]


def try_metadata():
    """Keys that the metadata leads to: beside others who want the metadata, and when the process ends meanwhile."""
    steady(crowd_scene)
    with ByMetadata() as by:
        by.behave("hang")
        with Connection(by.responder.address, timeout=30) as c:
            c.send(whole(*call_params(by.env.token())))
            ok(wait_for(lambda: by.asked() == 1, 10), "F20: the metadata is fetched for a request")
            ok(wait_for(lambda: serves(by.responder.process)), "F20: by a process that serves")
            is_(stop_process(by.responder.process), 0, "F20: SIGTERM meanwhile ends it in order")
            is_(c.read_answer().status, 503, "F20: and the request is answered")
        with sqlite3.connect(by.state + "/state.db", timeout=5) as db:
            rows = db.execute("SELECT attempt_s > 0, attempt_failed FROM issuer_keys").fetchall()
        is_(rows, [(1, 0)], "F20: nobody else is told that the issuer has failed")


def main():
    fronts = ("lighttpd", "apache-fcgid", "cgi-lighttpd", "cgi-apache")
    part = sys.argv[1] if len(sys.argv) > 1 else None
    if part == "stop":
        try_stop()
    elif part == "metadata":
        try_metadata()
    elif part == "running":
        if missing("lighttpd"):
            skip("keys in running processes", "there is no lighttpd")
        else:
            try_running()
    elif part:
        lacking = missing(part)
        if lacking:
            skip(part + ": keys", "there is no " + lacking)
        else:
            try_front(part)
    else:
        side_by_side(("stop", "metadata", "running") + fronts)
    done()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The keys of an issuer over time, in several processes: rotation, outage, storms, poisoned caches, a process
that dies (F1 to F14, G7 to G11).

The clock is an argument of every command, so hours pass at once. T is when a test begins."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))

from harness import BUILD, diag, done, free_port, is_, ok     # noqa: E402
import crypto       # noqa: E402
import scalekit     # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "programs", "keystore-cli")
T = 1_800_000_000
HOUR = 3600
AUDIENCE = "https://mcp.example/mcp"


class Store:
    """One process with a keystore."""

    def __init__(self, env=None, state=None, file=None, uri=None, **options):
        if env:
            options["uri"] = uri or env.url + "/keys"
            if env.ca_file:
                options.setdefault("ca", env.ca_file)
        for name, value in (("state", state), ("file", file)):
            if value:
                options[name] = value
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([PROGRAM] + [f"{k}={v}" for k, v in options.items()], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE,
                                        stderr=self.log, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def send(self, *words):
        self.process.stdin.write(" ".join(str(w) for w in words) + "\n")
        self.process.stdin.flush()

    def receive(self):
        return self.process.stdout.readline().strip()

    def ask(self, *words):
        self.send(*words)
        return self.receive()

    def find(self, kid, now, alg="RS256"):
        """FOUND, UNKNOWN or UNAVAILABLE, and the milliseconds it took."""
        words = self.ask("find", kid, alg, now).split()
        self.ms = int(words[-1].split("=")[1])
        return words[0]

    def maintain(self, now):
        self.ask("maintain", now)

    def token(self, issuer, token, now, count=1):
        return self.ask("token", issuer, token, count, now)

    def storm_begin(self, threads, count, kid, now, how="plain"):
        self.send("storm", threads, count, kid, how, now)

    def storm_end(self):
        return {k: int(v) for k, v in (pair.split("=") for pair in self.receive().split())}

    def storm(self, *args, **kw):
        self.storm_begin(*args, **kw)
        return self.storm_end()

    def figures(self, now=T):
        text, fault = self.ask("figures", now).split(" fault=", 1)
        return {**{k: int(v) for k, v in (pair.split("=") for pair in text.split())}, "fault": fault}

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(20)
        self.process.stdout.close()

    def logged(self):
        self.log.seek(0)
        return self.log.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
        if self.process.returncode not in (0, -signal.SIGKILL):
            ok(False, f"a process ended with {self.process.returncode}")
            diag(self.logged()[-3000:])
        self.log.close()


def kid(env, i=0):
    return env.keys[i].kid


def test_life(env, state):
    with Store(env, state) as s:
        is_(s.find(kid(env), T), "FOUND", "a key is found after a fetch")
        is_([s.find(kid(env), T + i) for i in (1, 100, 1000)], ["FOUND"] * 3, "and later without one")
        is_(env.count("keys"), 1, "one fetch in all")
        is_(s.find("-", T + 5), "FOUND", "without kid the only key is the one")
        is_(s.find(kid(env), T + 5, "ES256"), "FOUND", "the set with a known kid is given for every algorithm")
        is_(s.find("-", T + 5, "ES256"), "UNKNOWN", "without kid, a key of another type is none")
        is_(s.find("-", T + 5, "HS256"), "UNKNOWN", "and no key does HS256")
        is_(env.count("keys"), 1, "none of these fetches")
        s.maintain(T + 3200)
        is_(env.count("keys"), 1, "well before the soft TTL nothing is refreshed")
        s.maintain(T + 3300)
        is_(env.count("keys"), 2, "shortly before its end it is, after an answer")
        for i in range(10):
            s.maintain(T + 3300 + i)
        is_(env.count("keys"), 2, "and once")
        is_(s.figures(T + 3310), {"usable": 1, "keys": 1, "age": 10, "fetches": 2, "failures": 0, "fault": ""},
            "the figures say so")
    with Store(env, state) as s:
        is_(s.find(kid(env), T + 3400), "FOUND", "a new process (plain CGI) has its keys from disk")
        is_(env.count("keys"), 2, "without a fetch")
        s.maintain(T + 3400)
        is_(env.count("keys"), 2, "also after its answer")


def test_alone(env, _):
    with Store(env) as s:
        is_(s.find(kid(env), T), "FOUND", "without a state database keys are found too")
        is_([s.find("nobody", T + i) for i in (1, 2, 31, 32)], ["UNKNOWN"] * 4, "and unknown ones are unknown")
        is_(env.count("keys"), 2, "with one fetch a cooldown")
    with Store(env, state="/proc/nowhere") as s:
        is_(s.find(kid(env), T), "FOUND", "G7: a state directory that cannot be made does not stop it")


def test_rotation(env, state):
    with Store(env, state) as s, Store(env, state) as other:
        old = kid(env)
        is_((s.find(old, T), other.find(old, T)), ("FOUND", "FOUND"), "two processes have the first key")
        new = env.rotate(keep_old=True).kid
        env.forget()
        is_(s.find(new, T + 40), "FOUND", "F10: a new key is accepted at once outside the cooldown [X10]")
        is_(other.find(new, T + 41), "FOUND", "F10: the other process takes it from the database")
        is_(env.count("keys"), 1, "F10: with one fetch for both")
        newest = env.rotate(keep_old=False).kid
        is_(s.find(newest, T + 60), "UNKNOWN", "F10: within the cooldown a still newer key is unknown")
        is_(s.find(newest, T + 71), "FOUND", "F10: after it, it is accepted")
        is_((s.find(old, T + 72), s.find(new, T + 72)), ("UNKNOWN", "UNKNOWN"),
            "F10: and the withdrawn ones are refused")
        is_(other.find(old, T + 75), "UNKNOWN", "F10: by the other process too, two seconds later at most")
        last = env.rotate(keep_old=False).kid
        env.forget()
        is_(s.find(newest, T + 80), "FOUND",
            "F10: a key withdrawn without another's appearing is accepted within the soft TTL")
        s.maintain(T + 71 + HOUR)
        is_(s.find(newest, T + 72 + HOUR), "UNKNOWN", "F10: and refused after it")
        is_(s.find(last, T + 72 + HOUR), "FOUND", "F10: all keys were replaced")
        env.rotate(keep_old=False)
        is_(s.find(last, T + 71 + 2 * HOUR), "FOUND",
            "within twice the soft TTL an idle server answers first and refreshes then")
        is_(s.find(last, T + 80 + 4 * HOUR), "UNKNOWN", "past it, it refreshes first")


def test_same_kid(env, state):
    with Store(env, state) as s:
        first = env.keys[0]
        old = env.token(iss="https://as.example", aud=AUDIENCE, iat=T, nbf=T, exp=T + 9 * HOUR)
        is_(s.token("https://as.example", old, T), "ok", "a token is accepted")
        env.keys = [crypto.RSAKey(first.kid)]
        new = env.token(iss="https://as.example", aud=AUDIENCE, iat=T, nbf=T, exp=T + 9 * HOUR)
        is_(s.token("https://as.example", new, T + 60), "bad_signature",
            "F10: another key under the same kid is a bad signature until the soft TTL")
        s.maintain(T + HOUR)
        is_((s.token("https://as.example", new, T + HOUR + 1), s.token("https://as.example", old, T + HOUR + 1)),
            ("ok", "bad_signature"),
            "F10: and the other way round after it")


def test_bad_signatures(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
        env.forget()
        stranger = crypto.RSAKey(kid(env))
        token = env.token(key=stranger, iss="https://as.example", aud=AUDIENCE, iat=T, nbf=T, exp=T + 9 * HOUR)
        is_(s.token("https://as.example", token, T + 60, 1000), "bad_signature",
            "F12: 1000 tokens with a known kid and a bad signature are refused")
        is_(env.count("keys"), 0, "F12: with no fetch")


def test_storm(env, state):
    stores = [Store(env, state) for _ in range(4)]
    for s in stores:
        s.find(kid(env), T)
    is_(env.count("keys"), 1, "four processes start with one fetch")
    env.forget()
    for s in stores:
        s.storm_begin(8, 13, "%", T + 100)
    results = [s.storm_end() for s in stores]
    ok(env.count("keys") <= 1, f"F11: 416 unknown kids, four processes of 8 threads: one fetch ({env.count('keys')})")
    ok(all(r["found"] == 0 and r["wrong"] == 0 for r in results), "F11: none is found")
    diag(results)
    is_([s.find("nobody", T + 105) for s in stores], ["UNKNOWN"] * 4, "F11: within the cooldown they are unknown: 401")
    for step in range(10):
        for s in stores:
            s.storm_begin(8, 32, "%", T + 200 + 3 * step)
        for s in stores:
            s.storm_end()
    ok(env.count("keys") <= 2, f"F11: ten thousand within the next cooldown one more ({env.count('keys')})")
    is_([s.find(kid(env), T + 240) for s in stores], ["FOUND"] * 4, "and the known key is known")
    for s in stores:
        s.close()


def test_cold_crowd(env, state):
    env.behave("keys", "slow", 0.5)
    stores = [Store(env, state) for _ in range(4)]
    for s in stores:
        s.storm_begin(16, 2, kid(env), T)
    results = [s.storm_end() for s in stores]
    is_([r["found"] for r in results], [32] * 4, "a cold start with 64 requests in four processes serves them all")
    is_(env.count("keys"), 1, "with one fetch")
    for s in stores:
        s.close()


def test_expiry(env, state):
    stores = [Store(env, state) for _ in range(2)]
    for s in stores:
        s.find(kid(env), T)
    env.forget()
    env.behave("keys", "slow", 0.3)
    for s in stores:
        s.storm_begin(25, 4, kid(env), T + HOUR + 10, "maintain")
    results = [s.storm_end() for s in stores]
    is_([r["found"] for r in results], [100, 100], "F13: requests at the end of the soft TTL go on with the old set")
    is_(env.count("keys"), 1, "F13: and one fetch refreshes it for fifty threads of two processes")
    for s in stores:
        s.close()


OUTAGES = [("status", 500), ("status", 404), ("status", 204), ("html",), ("empty",), ("body", '{"keys":[]}'),
           ("truncated",), ("type", "text/html"),
           ("type", "text/plain"), ("body", "[]"), ("body", '{"keys":{}}'),
           ("body", '{"keys":[{"kty":"oct","k":"AAAA","kid":"x"}]}'), ("body", "null"),
           ("redirect", 302, "/other"), ("oversize",), ("oversize-chunked",), ("gzip-bomb",), ("short",), ("reset",),
           ("reset-middle",), ("close",),
           ("not-http",)]


def test_outages(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
        now = T
        for how in OUTAGES:
            env.behave("keys", *how)
            now += 40
            name = " ".join(str(h) for h in how)
            is_((s.find(kid(env), now), s.find("nobody", now)), ("FOUND", "UNAVAILABLE"),
                f"F1 F3 F4 F6 F8: the old set stays, an unknown kid is 503 ({name})")
        f = s.figures(now)
        is_((f["fetches"], f["failures"]), (len(OUTAGES) + 1, len(OUTAGES)), "each was tried once")
    for i, how in enumerate(OUTAGES):
        env.behave("keys", *how)
        with Store(env) as s:
            is_(s.find(kid(env), T), "UNAVAILABLE",
                f"F3: without a set there is none ({' '.join(str(h) for h in how)})")
            if i in (0, 3, 5):
                diag(s.figures()["fault"])
    env.behave("keys")


def test_hard_ttl(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
        env.behave("keys", "status", 503)
        for hours in range(1, 24):
            s.maintain(T + hours * HOUR)
        is_(s.find(kid(env), T + 24 * HOUR), "FOUND", "F1: an outage of 24 hours is survived")
        is_(s.find(kid(env), T + 24 * HOUR + 1), "UNAVAILABLE", "F1: one second more is not")
        with Store(env, state) as fresh:
            is_(fresh.find(kid(env), T + 24 * HOUR + 1), "UNAVAILABLE", "F1: also for a process that starts then")
            is_(fresh.find(kid(env), T + 23 * HOUR), "FOUND", "while before it the set on disk is good for it")
        env.behave("keys")
        s.maintain(T + 24 * HOUR + 12)
        is_(s.find(kid(env), T + 24 * HOUR + 13), "FOUND", "it recovers alone")


def test_cold_outage(env, state):
    dead = f"http://127.0.0.1:{free_port()}/keys"
    with Store(env, state, uri=dead) as s:
        is_(s.find(kid(env), T), "UNAVAILABLE", "F14: a cold start without authorization server is 503")
        ok(s.ms < 4000, f"F14: at once when it refuses ({s.ms} ms)")
        r = s.storm(32, 50, kid(env), T + 1)
        ok(r["unavailable"] == 1600 and r["ms"] < 10000, f"F14: and 1600 more are answered in {r['ms']} ms")
        is_(s.figures()["fetches"], 1, "F14: without another try within the cooldown")
        ok("cannot be fetched" in s.logged() and s.logged().count("\n") <= 2, "the log tells it once")
    env.forget()
    env.behave("keys", "hang")
    with Store(env, state) as s:
        s.storm_begin(8, 1, kid(env), T + 50)
        r = s.storm_end()
        ok(r["unavailable"] == 8 and 4500 < r["ms"] < 12000,
           f"F7: a server that never answers holds the first callers for the deadline ({r['ms']} ms)")
        r = s.storm(8, 10, kid(env), T + 60)
        ok(r["unavailable"] == 80 and r["ms"] < 4000, f"F14: then they are answered at once ({r['ms']} ms)")
        is_(env.count("keys"), 1, "F14: with one try")
        maintain = threading.Thread(target=s.ask, args=("storm", 1, 1, kid(env), "maintain", T + 61))
        maintain.start()
        maintain.join()
        env.behave("keys")
        s.maintain(T + 72)
        is_(s.find(kid(env), T + 73), "FOUND", "F14: it recovers alone, after an answer")


def test_crowd_of_unknown(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
        env.behave("keys", "hang")
        s.storm_begin(12, 1, "%", T + 100)
        r = s.storm_end()
        ok(r["unavailable"] == 12 and r["ms"] < 14000,
           f"F7: unknown kids while the server hangs are 503 ({r['unavailable']} of 12, {r['ms']} ms)")
        is_(r["quick"], 8, "F7: one thread fetches, three wait for it, and the others are answered at once")
        is_(env.count("keys"), 2, "F7: one fetch for all")
        s.storm_begin(6, 1, "%", T + 140)
        s.send("find", kid(env), "RS256", T + 140)
        r = s.storm_end()
        is_(r["quick"], 5, "F7: after a failure nobody waits for the next try")
        is_(s.receive().split()[0], "FOUND", "the known key is served all the while")


def test_cache_control(env, _):
    for value, ttl in (("max-age=0", 300), ("no-store", 300), ("max-age=60", 300), ("max-age=301", 301),
                       ("max-age=7200", 7200),
                       ("max-age=99999999999", 21600), ("max-age=-1", 3600), ("garbage", 3600), (None, 3600)):
        env.forget()
        env.cache_control = value
        with Store(env) as s:
            s.find(kid(env), T)
            s.maintain(T + ttl * 9 // 10 - 2)
            before = env.count("keys")
            s.maintain(T + ttl * 9 // 10 + 2)
            is_((before, env.count("keys")), (1, 2), f"F9: Cache-Control {value} gives a soft TTL of {ttl} s")
    env.cache_control = None


def test_lease(env, state):
    with Store(env, state) as first, Store(env, state) as second:
        env.behave("keys", "hang")
        first.send("find", kid(env), "RS256", T)
        end = time.monotonic() + 5
        while env.count("keys") == 0 and time.monotonic() < end:
            time.sleep(0.01)
        first.kill()
        env.behave("keys")
        is_(second.find(kid(env), T + 1), "UNAVAILABLE", "G9: while a killed process's lease lasts nobody else fetches")
        ok(second.ms < 9000, f"G9: waiting for it ends ({second.ms} ms)")
        is_(env.count("keys"), 1, "G9: one fetch until then")
        is_(second.find(kid(env), T + 11), "FOUND", "G9: when it has expired another process fetches")


def test_clocks(env, state):
    with Store(env, state) as future:
        future.find(kid(env), T + 10 * 365 * 24 * HOUR)
    env.forget()
    with Store(env, state) as s:
        is_(s.find(kid(env), T), "FOUND", "G10: keys fetched by a clock ten years ahead")
        is_(env.count("keys"), 1, "G10: are fetched anew")
        is_(s.find("nobody", T + 1), "UNKNOWN", "G10: and unknown kids are judged by that")
        s.find(kid(env), T + 100)
        is_(s.find(kid(env), T - 100), "FOUND", "a clock that goes back a little disturbs nothing")


def test_clock_put_back(env, state):
    with Store(env, state) as s, Store(env, state) as other:
        old = kid(env)
        is_((s.find(old, T), other.find(old, T)), ("FOUND", "FOUND"), "two processes have the keys")
        new = env.rotate(keep_old=False).kid
        env.forget()
        is_((s.find(new, T - 100), env.count("keys")), ("FOUND", 1),
            "G10: the clock is put back by 100 s, and one of them fetches a new key")
        is_(other.find(new, T - 97), "FOUND", "G10: the other one takes it from the database")
        is_(other.find(old, T - 95), "UNKNOWN", "G10: and refuses the withdrawn one")
        is_(env.count("keys"), 1, "G10: without a fetch of its own")
        env.behave("keys", "status", 500)
        is_([p.find("nobody", now) for p, now in ((s, T - 60), (other, T - 57))], ["UNAVAILABLE"] * 2,
            "G10: that a fetch of one has failed is known to the other")
        is_(env.count("keys"), 2, "G10: which does not ask again")


def write_row(state, **values):
    db = sqlite3.connect(os.path.join(state, "state.db"))
    with db:
        for name, value in values.items():
            db.execute(f"UPDATE issuer_keys SET {name} = ?, generation = generation + 1", (value,))
    db.close()


def test_poison(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
    good = json.dumps({"keys": [k.jwk() for k in env.keys]})
    small = crypto.RSAKey("weak", 1024).jwk()
    for text, words in (("", "empty"), ("garbage", "garbage"), (good[:200], "truncated"),
                        ('{"keys":[]}', "without keys"),
                        (json.dumps({"keys": [small]}), "a weak key"),
                        (json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "x"}]}), "a secret key"),
                        ("\0" + good, "with a NUL before it"), (good + good, "twice"),
                        (b"\xff\xfe" + good.encode(), "not UTF-8")):
        write_row(state, jwks=text, fetched_s=T + 1000)
        env.behave("keys", "status", 500)
        with Store(env, state) as s:
            is_(s.find(kid(env), T + 2000), "UNAVAILABLE", f"a cached set that is damaged ({words}) is never used")
        env.behave("keys")
        with Store(env, state) as s:
            is_(s.find(kid(env), T + 2050), "FOUND", f"and fetched anew ({words})")
    with Store(env, state) as running:
        running.find(kid(env), T + 2060)
        write_row(state, jwks="garbage", fetched_s=T + 2070)
        is_(running.find(kid(env), T + 2080), "FOUND",
            "a process that runs keeps its set when the cache is damaged under it")
        for name, value in (("fetched_s", -2**63), ("fetched_s", 2**63 - 1), ("attempt_s", 2**63 - 1),
                            ("attempt_s", -5), ("soft_ttl_s", -2**63),
                            ("soft_ttl_s", 2**63 - 1)):
            write_row(state, jwks=good, **{name: value})
            is_(running.find(kid(env), T + 2100), "FOUND", f"nor does {name} = {value} harm it")


def test_database(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
        env.forget()
        db = sqlite3.connect(os.path.join(state, "state.db"), isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        is_(s.find(kid(env), T + 50), "FOUND", "G7: keys are found while the database is locked")
        r = s.storm(4, 10, "%", T + 60)
        ok(env.count("keys") <= 1, f"G7: and unknown kids still cause one fetch a cooldown ({env.count('keys')}, {r})")
        db.execute("ROLLBACK")
        db.close()
        for name in os.listdir(state):
            os.unlink(os.path.join(state, name))
        is_(s.find(kid(env), T + 70), "FOUND", "G7: keys are found when the database was deleted")
        env.forget()
        s.storm(4, 10, "%", T + 200)
        ok(env.count("keys") <= 1, "G7: and the cooldown holds")


def test_invalidate(env, state):
    with Store(env, state) as s:
        s.find(kid(env), T)
        s.ask("invalidate")
        is_(s.find(kid(env), T + 1), "FOUND", "an invalidated store finds its key again")
        is_(env.count("keys"), 2, "by a fetch, cooldown or not")
        env.behave("keys", "status", 500)
        s.ask("invalidate")
        is_(s.find(kid(env), T + 2), "UNAVAILABLE", "without an answer it has none")
        is_(s.find(kid(env), T + 5), "FOUND", "and goes back to what the database holds")


def write_file(path, text, mode=0o600):
    temporary = path + ".new"
    with open(temporary, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(temporary, mode)
    os.rename(temporary, path)


def test_file(env, state):
    path = os.path.join(state, "keys.json")

    def document():
        return json.dumps({"keys": [k.jwk() for k in env.keys]})
    with Store(file=path) as s:
        is_(s.find(kid(env), T), "UNAVAILABLE", "JWKS_FILE: without the file there are no keys")
        ok(path in s.logged(), "and the log names it")
        write_file(path, document())
        is_(s.find(kid(env), T + 1), "FOUND", "JWKS_FILE: it is read when it appears")
        is_(s.find(kid(env), T + 400 * 24 * HOUR), "FOUND", "JWKS_FILE: it has no age")
        is_(s.find("nobody", T + 1), "UNKNOWN", "an unknown kid is unknown")
        old = kid(env)
        new = env.rotate(keep_old=False).kid
        write_file(path, document())
        is_((s.find(new, T + 10), s.find(old, T + 10)), ("FOUND", "UNKNOWN"),
            "JWKS_FILE: a change counts at once for a new kid, and takes the old one away")
        for text, words in (("{", "damaged"), ('{"keys":[]}', "without keys"), ("x" * 300000, "too large")):
            write_file(path, text)
            is_(s.find(new, T + 20), "FOUND", f"JWKS_FILE: a file that is {words} leaves the keys read before")
        is_(s.figures()["fault"] != "", True, "and the figures tell the fault")
        write_file(path, document(), 0o666)
        is_(s.find(new, T + 30), "FOUND", "JWKS_FILE: the same for one that others may write")
    with Store(file=path) as s:
        is_(s.find(kid(env), T), "UNAVAILABLE", "JWKS_FILE: at the start a file that others may write is refused")
        diag(s.figures()["fault"])
    os.unlink(path)
    os.mkfifo(path, 0o600)
    with Store(file=path) as s:
        is_(s.find(kid(env), T), "UNAVAILABLE", "JWKS_FILE: a FIFO is refused and holds nobody")
    is_(env.count(), 0, "nothing was fetched for any of this")


def test_threads(env, state):
    with Store(env, state) as s:
        r = s.storm(32, 200, kid(env), T, "maintain,invalidate")
        ok(r["found"] + r["unavailable"] == 6400 and r["wrong"] == 0,
           f"G11: 32 threads ask, refresh and invalidate at once ({r})")
        ok(r["found"] > 3200, "G11: and most are answered from a set")
    with Store(env) as s:
        r = s.storm(32, 200, "%", T, "maintain")
        is_((r["found"], r["wrong"]), (0, 0), "the same with unknown kids and without a database")


def test_tls(state):
    with scalekit.Scalekit(tls="good") as env:
        with Store(env, state) as s:
            is_(s.find(kid(env), T), "FOUND", "keys are fetched over TLS")
        with Store(env, state, ca="/nonexistent.pem") as s:
            env.forget()
            is_(s.find("nobody", T + 100), "UNAVAILABLE", "F19: without the authorities' file an unknown kid is 503")
            is_(s.find(kid(env), T + 100), "FOUND", "F19: and the set on disk serves")
            ok("/nonexistent.pem" in s.logged(), "F19: the log says which file")
    for kind in ("wrong-host", "expired", "self-signed"):
        with scalekit.Scalekit(tls=kind) as env, Store(env) as s:
            is_(s.find(kid(env), T), "UNAVAILABLE", f"F1: a certificate that is {kind}: 503")


def main():
    only = sys.argv[1:]
    tests = (test_life, test_alone, test_rotation, test_same_kid, test_bad_signatures, test_storm, test_cold_crowd,
             test_expiry, test_outages,
             test_hard_ttl, test_cold_outage, test_crowd_of_unknown, test_cache_control, test_lease, test_clocks,
             test_clock_put_back, test_poison, test_database,
             test_invalidate, test_file, test_threads)
    for test in tests:
        if only and test.__name__ not in only:
            continue
        with tempfile.TemporaryDirectory() as state, scalekit.Scalekit(audience=AUDIENCE) as env:
            test(env, state)
    if not only or "test_tls" in only:
        with tempfile.TemporaryDirectory() as state:
            test_tls(state)
    done()


if __name__ == "__main__":
    main()

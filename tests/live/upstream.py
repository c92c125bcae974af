#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The authorization server's metadata and dynamic registration, passed on: unchanged when good, else 502 or 503
(W25, W26, W29)."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))

from harness import BUILD, diag, done, free_port, is_, ok     # noqa: E402
import scalekit     # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "programs", "upstream-cli")
T = 1_800_000_000
METADATA_ERRORS = {502: "Authorization server metadata is not usable",
                   503: "Failed to fetch authorization server metadata"}
REGISTER_ERRORS = {502: "Authorization server sent an unusable answer", 503: "Unable to reach authorization server"}
CLIENT = json.dumps({"client_name": "A client", "redirect_uris": ["http://localhost:6274/callback"],
                     "scope": "usr:read"})


class Answer(dict):
    @property
    def body(self):
        return bytes.fromhex(self["body"])

    @property
    def status(self):
        return int(self["status"])

    @property
    def error(self):
        return json.loads(self.body)["error"]


class Upstream:
    def __init__(self, issuer, registration="-", *more):
        self.process = subprocess.Popen([PROGRAM, issuer, registration, *more], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def ask(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return Answer(field.split("=", 1) for field in self.process.stdout.readline().rstrip("\n").split("\t"))

    def metadata(self, now=T):
        return self.ask(f"metadata {now}")

    def register(self, body=CLIENT, now=T):
        return self.ask(f"register {now} {body}")

    def crowd(self, threads, now=T):
        return {k: int(v) for k, v in self.ask(f"crowd {threads} {now}").items()}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        if self.process.wait(30):
            ok(False, f"the program ended with {self.process.returncode}")
        self.process.stdout.close()


def test_metadata(env):
    with Upstream(env.issuer) as u:
        a = u.metadata()
        is_((a.status, a["type"]), (200, "application/json"), "W25: the metadata is passed on")
        is_(a.body, json.dumps(env.metadata()).encode(), "W25: byte for byte")
        is_(env.last().path, f"/.well-known/oauth-authorization-server/resources/{env.resource}",
            "asked for at RFC 8414's inserted form")
        is_(sorted(env.last().headers), ["accept", "host", "user-agent"], "without cookies or Authorization")
        u.metadata(T + 299)
        is_(env.count(), 1, "it is kept for five minutes")
        env.registration = False
        is_(json.loads(u.metadata(T + 300).body).get("registration_endpoint"), None, "and no longer: a change shows")
        env.registration = True


def test_forms(env):
    resource = f"/resources/{env.resource}"
    place = env.place
    forms = ["/.well-known/oauth-authorization-server" + resource, resource + "/.well-known/oauth-authorization-server",
             "/.well-known/openid-configuration" + resource, resource + "/.well-known/openid-configuration"]
    for i, only in enumerate(forms):
        env.forget()
        env.place = lambda path, only=only: "metadata" if path == only else "other"
        with Upstream(env.issuer) as u:
            is_(u.metadata().status, 200, f"a document at {only} is found")
            is_([r.path for _, r in env.requests], forms[:i + 1], "after the forms before it")
    env.place = place
    env.forget()
    with Upstream(env.url) as u:
        is_(json.loads(u.metadata().body)["issuer"], env.url, "an issuer without path is asked at its root")
        is_(env.count(), 1, "once")
    with Upstream(env.url + "/") as u:
        is_(u.metadata().status, 502, "an issuer that differs by a slash is another one")
        is_(env.last().path, "/.well-known/openid-configuration", "and its URLs have no double slash")


def test_metadata_faults(env):
    for how, status in ((("status", 500), 503), (("status", 503), 503), (("status", 429), 503), (("reset",), 503),
                        (("close",), 503), (("short",), 503),
                        (("not-http",), 503), (("status", 404), 502), (("status", 403), 502), (("html",), 502),
                        (("empty",), 502), (("truncated",), 502),
                        (("body", "[]"), 502), (("body", "{}"), 502), (("body", '{"issuer": 1}'), 502),
                        (("body", '{"issuer":"https://evil.example"}'), 502), (("type", "text/html"), 502),
                        (("oversize",), 502),
                        (("redirect", 302, "/other"), 502), (("oversize-chunked",), 502)):
        env.forget()
        env.behave("*", *how)
        with Upstream(env.issuer) as u:
            a = u.metadata()
            name = " ".join(str(h) for h in how)
            is_(a.status, status, f"F3 F4 F6 F15: the authorization server misbehaves ({name}): {status}")
            is_(a.error, METADATA_ERRORS[status], "and says so")
            ok((int(a["retry_after"]) > 0) == (status == 503), "with Retry-After when it may pass")
            if name in ("html", 'body {"issuer":"https://evil.example"}'):
                diag(a["fault"])
            before = env.count()
            is_(u.metadata(T + 9).status, status, "the failure is remembered")
            is_(env.count(), before, "for ten seconds")
            env.behave("*")
            is_(u.metadata(T + 10).status, 200, "and then it recovers")
    env.behave("*", "status", 503, "{}", [["Retry-After", "77"]])
    with Upstream(env.issuer) as u:
        is_(u.metadata()["retry_after"], "77", "an upstream Retry-After is handed on")
    with Upstream(f"http://127.0.0.1:{free_port()}") as u:
        a = u.metadata()
        is_((a.status, a["retry_after"]), (503, "10"), "F1: nobody listens: 503")
    with scalekit.Scalekit(tls="self-signed") as other, Upstream(other.issuer, "-", other.ca_file) as u:
        is_(u.metadata().status, 503, "F1: a certificate nobody vouches for: 503")
    with scalekit.Scalekit(tls="good") as other, Upstream(other.issuer, "-", other.ca_file) as u:
        is_(u.metadata().status, 200, "TLS with a good one is fine")


def test_crowd(env):
    env.behave("metadata", "slow", 0.4)
    with Upstream(env.issuer) as u:
        r = u.crowd(4)
        is_((r["good"], env.count("metadata")), (4, 1), "four threads share one fetch")
    env.forget()
    env.behave("*", "hang")
    with Upstream(env.issuer) as u:
        r = u.crowd(12)
        ok(r["unreachable"] == 12 and r["ms"] < 10000,
           f"F7: a server that hangs: 503 for all within the deadline ({r['ms']} ms)")
        is_(env.count(), 1, "F7: with one fetch")
        r = u.crowd(12)
        ok(r["unreachable"] == 12 and r["ms"] < 4000, "F7: and at once after that")
    for issuer in ("http://example.com", "https://u:p@example.com/", "nonsense", "https://example.com/#x"):
        with Upstream(issuer) as u:
            is_(u.metadata().status, 502, f"an issuer that is no URL to ask is not asked: {issuer}")


def test_register(env):
    with Upstream(env.issuer) as u:
        a = u.register()
        is_((a.status, a["type"]), (201, "application/json"), "W26: a registration is passed on, its status too")
        is_(json.loads(a.body)["name"], "A client", "W26: with the authorization server's answer")
        sent = env.last("register")
        is_((sent.method, sent.body, sent.headers["content-type"]), ("POST", CLIENT.encode(), "application/json"),
            "W26: the body arrives unchanged")
        ok(not {"authorization", "cookie", "x-forwarded-for"} & set(sent.headers), "without credentials or cookies")
        is_(sent.path, f"/api/v1/resources/{env.resource}/clients:register", "at the metadata's registration_endpoint")
        env.register_status = 200
        is_(u.register().status, 200, "200 stays 200")
        a = u.register("{}")
        is_((a.status, json.loads(a.body)["code"]), (400, 3), "an upstream error keeps status and body")
        for status in (401, 403, 409, 422, 500, 503):
            env.behave("register", "status", status, '{"error":"x"}')
            a = u.register()
            is_((a.status, a.body), (status, b'{"error":"x"}'), f"so does {status}")
        env.behave("register", "status", 429, '{"error":"slow down"}', [["Retry-After", "9"]])
        a = u.register()
        is_((a.status, a["retry_after"]), (429, "9"), "and 429 with its Retry-After")


def test_register_refused(env):
    with Upstream(env.issuer) as u:
        for body in ("", "x", "[]", '"x"', '{"a":1,"a":2}', '{"client_name":"x"', "[" * 100 + "]" * 100):
            a = u.register(body)
            is_((a.status, a.error), (400, "invalid_client_metadata"),
                f"a body that is no JSON object is refused: {body[:20]}")
        is_(u.register('{"x":"' + "y" * 65536 + '"}').status, 413, "one over 64 KiB too")
        is_(env.count(), 0, "without asking anybody")
        u.register()
        for how, status in ((("redirect", 307, "/other"), 502), (("redirect", 302, "https://example.com/"), 502),
                            (("html",), 502), (("oversize",), 502),
                            (("status", 502, "<html>bad gateway</html>", [["Content-Type", "text/html"]]), 503),
                            (("reset",), 503), (("close",), 503),
                            (("short",), 503), (("not-http",), 503)):
            before = env.count("other")
            env.behave("register", *how)
            a = u.register()
            is_(a.status, status, f"F4 F6 F8: registration misbehaves ({' '.join(str(h) for h in how[:2])}): {status}")
            is_(a.error, REGISTER_ERRORS[status], "and says so")
            is_(env.count("other"), before, "and no redirect is followed")
        env.forget()
        env.behave("register", "close")
        u.register()
        is_(env.count("register"), 1, "a registration is never sent twice")


def test_register_target(env):
    env.registration = False
    with Upstream(env.issuer) as u:
        a = u.register()
        is_(a.status, 404, "W38: registration switched off in the dashboard is told")
        ok("not available" in a.error, a.error)
    with Upstream(env.issuer, f"{env.url}/api/v1/resources/{env.resource}/clients:register") as u:
        is_(u.register().status, 201, "a configured place is used when the metadata names none")
    with Upstream(f"http://127.0.0.1:{free_port()}",
                  f"{env.url}/api/v1/resources/{env.resource}/clients:register") as u:
        is_(u.register().status, 201, "or cannot be had")
    with Upstream(f"http://127.0.0.1:{free_port()}") as u:
        a = u.register()
        is_((a.status, a.error, int(a["retry_after"]) > 0), (503, "Unable to reach authorization server", True),
            "W29: an authorization server that is down: 503 with the seed's text")
    env.registration = True
    for endpoint in ("http://example.com/register", "file:///etc/passwd", "https://u:p@example.com/r",
                     "https://example.com/#r", "/relative", "", 5):
        document = dict(env.metadata(), registration_endpoint=endpoint)
        env.behave("metadata", "body", json.dumps(document))
        with Upstream(env.issuer) as u:
            is_(u.register().status, 404 if endpoint == 5 else 502,
                f"F15: a registration_endpoint of {endpoint!r} is not used")
            is_(u.metadata().status, 200, "while the document is passed on as it is")
    for endpoint in (f"https://localhost:{env.port}/register", "https://10.0.0.1/register",
                     "https://169.254.169.254/register", "https://[::1]/register"):
        document = dict(env.metadata(), registration_endpoint=endpoint)
        env.behave("metadata", "body", json.dumps(document))
        with Upstream(env.issuer) as u:
            a = u.register()
            is_(a.status, 502, f"F16: nor is {endpoint}, which the metadata may not choose")
            diag(a["fault"])


def main():
    for test in (test_metadata, test_forms, test_metadata_faults, test_crowd, test_register, test_register_refused,
                 test_register_target):
        with scalekit.Scalekit() as env:
            test(env)
    done()


if __name__ == "__main__":
    main()

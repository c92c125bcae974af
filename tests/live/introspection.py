#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Tokens that only the authorization server can read, through a real web server: who is let in, what an outage does, and
what no log may have. Ids in brackets are rows of docs/acceptance.md and docs/attacks.md.
"""
import base64
import json
import os
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import Front, missing  # noqa: E402
from harness import RESPONDER, diag, done, is_, modern_call, ok, prompt, request, skip_all, wait_for  # noqa: E402
from issuer import RESOURCE, Issuer  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import crypto  # noqa: E402
from scalekit import Scalekit  # noqa: E402

INVALID = b'{"error": "Token validation failed"}'
UNAVAILABLE = b'{"error": "Authorization temporarily unavailable"}'
sent = set()  # every token
CLIENT_KEY = crypto.RSAKey("client-1")


def make_front(env, **settings):
    front = Front("lighttpd", {
        "SK_ENV_URL": env.url, "MCP_SERVER_ID": env.resource, "VALIDATION": "opaque", "SK_CLIENT_ID": "skc_1",
        "SK_CLIENT_SECRET": env.secret, "INTROSPECTION_ENDPOINT": env.url + "/oauth/introspect", "JWKS_FILE": None,
        "RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off"})
    env.audience = front.url
    env.forget()
    front.settings.update(settings)
    front.configure()
    return front


def call(front, token, tool="greet_user", **more):
    sent.add(token)
    return front.post(modern_call(tool, {"name": "Ada"} if tool == "greet_user" else {}, token), **more)


def together(front, tokens):
    """One call a token, all at the same time: [(status, seconds)]."""
    gate, seen = threading.Barrier(len(tokens)), []

    def run(token):
        gate.wait()
        start = time.monotonic()
        try:
            status = call(front, token, timeout=60.0).status
        except Exception as e:
            status = repr(e)
        seen.append((status, time.monotonic() - start))

    threads = [threading.Thread(target=run, args=(t,)) for t in tokens]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return seen


def no_secrets(front, env):
    """The logs were written at level debug."""
    secrets = {env.secret, urllib.parse.quote_plus(env.secret),
               base64.b64encode(("skc_1:" + urllib.parse.quote_plus(env.secret)).encode()).decode(), "client_assertion",
               CLIENT_KEY.pem.splitlines()[1]} | sent
    text = "".join(front.logs().values())
    found = [s[:40] for s in secrets if s in text]
    ok("stage authenticate" in text and not found, "no log has a credential, an assertion or a token [H9] " +
       " ".join(found))


def tokens(env):
    """Who is let in."""
    with make_front(env) as front:
        good = env.opaque()
        r = call(front, good)
        ok(r.status == 200 and b"Hi Ada" in r.body, "VALIDATION=opaque: an active opaque token opens the server [W52]")
        form = dict(urllib.parse.parse_qsl(env.last("introspect").body.decode()))
        is_((env.last("introspect").method, form), ("POST", {"token": good, "token_type_hint": "access_token"}),
            "it was asked about by POST")
        is_(call(front, good, "admin_tool").status, 200, "its scopes open what they name")
        r = call(front, env.opaque(scope="usr:read"), "admin_tool")
        ok(r.status == 403 and 'error="insufficient_scope"' in (r.get("WWW-Authenticate") or ""),
           "and nothing else: 403 insufficient_scope")
        r = call(front, "opq_guessed")
        is_((r.status, r.body), (401, INVALID), "an unknown token is 401 [W54]")
        ok('error="invalid_token"' in r.get("WWW-Authenticate"), "with the challenge")
        is_(call(front, env.opaque(aud=front.url)).status, 200, "aud may be a text [W53]")
        is_(call(front, env.opaque(aud=["https://x.example", env.resource])).status, 200, "or an array [W53]")
        is_(call(front, env.opaque(aud="https://other.example/mcp")).status, 401, "another aud is 401 [H3 W53]")
        is_(call(front, env.opaque(aud=None)).status, 401, "so is none [H3 W53]")
        is_(call(front, env.opaque(iss="https://evil.example")).status, 401, "and another issuer [H3]")
        is_(call(front, env.opaque(iss=None)).status, 200, "no issuer is the one that was asked [H3]")
        is_(call(front, env.opaque(exp=int(time.time()) - 1, iat=None, nbf=None)).status, 401,
            "a token past its exp is 401 [H3]")
        is_(call(front, env.opaque(nbf=int(time.time()) + 600)).status, 401, "so is one that is not valid yet [H3]")
        is_(call(front, env.opaque(cnf={"jkt": "x"})).status, 401, "and one that is bound to a key [E21]")
        is_(call(front, env.opaque(sub=None)).status, 200, "a client that speaks for itself needs no sub")
        text = front.logs()["responder.log"]
        ok("wrong_audience, seen" in text and "other.example" in text, "the log has the audience that was seen [W53]")
        env.forget()
        is_(call(front, env.token()).status, 200, "a JWT is verified as before")
        is_(call(front, env.token(aud="https://other.example")).status, 401, "and refused as before")
        is_(env.count("introspect"), 0, "and nobody is asked about it [W52]")
        no_secrets(front, env)
    with make_front(env, VALIDATION=None) as front:
        is_(call(front, env.opaque()).status, 401, "VALIDATION=jwt: an opaque token is 401 [A12]")
        is_(env.count(), 0, "and nobody is asked for anything [A12]")


def ways(env):
    """Every way to authenticate, and where to ask."""
    env.client_key = CLIENT_KEY
    key = {"SK_CLIENT_SECRET": None, "SK_CLIENT_KEY_ID": "client-1"}
    for name, settings in (
            ("client_secret_basic", {}), ("client_secret_post", {"INTROSPECTION_AUTH": "client_secret_post"}),
            ("private_key_jwt", key),
            ("private_key_jwt for the endpoint", {**key, "INTROSPECTION_AUDIENCE": env.url + "/oauth/introspect"})):
        front = make_front(env, VALIDATION="introspect", **settings)
        if "SK_CLIENT_KEY_ID" in settings:
            front.settings["SK_CLIENT_KEY_FILE"] = front.write("client.pem", CLIENT_KEY.pem, 0o600)
            front.configure()
        with front:
            is_([call(front, env.opaque()).status for _ in range(3)], [200] * 3, name + " is accepted [W52]")
            no_secrets(front, env)
    is_(len(env.assertions), 6, "no assertion was made twice")
    env.introspection = True
    with make_front(env, VALIDATION="introspect", INTROSPECTION_ENDPOINT=None) as front:
        is_(call(front, env.opaque()).status, 200, "the endpoint of the metadata is found [W52]")
        is_(call(front, env.token()).status, 401, "VALIDATION=introspect: what the issuer does not know is 401, JWTs too")
        token = env.token()
        env.opaque_tokens[token] = env.claims()
        is_(call(front, token).status, 200, "and what it knows is good")
        is_(env.count("keys"), 0, "without keys")
        asked = env.count("introspect")
        is_(call(front, env.token(iss="https://evil.example")).status, 401, "a JWT that names another issuer is 401")
        is_(env.count("introspect"), asked, "and shown to nobody")
    env.introspection = False
    with make_front(env, INTROSPECTION_ENDPOINT=None) as front:
        r = call(front, env.opaque())
        is_((r.status, r.body), (503, UNAVAILABLE), "no endpoint in the metadata: 503 [H2 W54]")
        ok("its metadata names no introspection_endpoint" in front.logs()["responder.log"], "and the log says so")
    with make_front(env, SK_CLIENT_SECRET="wrong") as front:
        r = call(front, env.opaque())
        is_((r.status, r.body), (503, UNAVAILABLE), "wrong credentials of ours are 503 and not 401 [H2 W54]")
        ok("it does not accept our credentials" in front.logs()["responder.log"], "and the log says so [W54]")


def misconfigured(env):
    for settings, line in (({"SK_CLIENT_ID": None}, "VALIDATION=opaque asks the authorization server, and SK_CLIENT_ID is"),
                           ({"SK_CLIENT_SECRET": None}, "and SK_CLIENT_SECRET is not set"),
                           ({"INTROSPECTION_AUTH": "private_key_jwt"}, "and SK_CLIENT_KEY is not set"),
                           ({"SK_CLIENT_KEY": "x"}, "SK_CLIENT_KEY is no private key in PEM"),
                           ({"VALIDATION": "both"}, "VALIDATION is none of"),
                           ({"INTROSPECTION_ENDPOINT": "http://as.example/introspect"}, "INTROSPECTION_ENDPOINT is no")):
        front = make_front(env, **settings)
        p = subprocess.run([RESPONDER, "-n"], env=front.environment(), capture_output=True, text=True, check=False)
        if not ok(p.returncode == 1 and any(s.startswith("[FAIL]") and line in s for s in p.stdout.splitlines()),
                  "a configuration that cannot work says so: %s" % line):
            diag(p.stdout)
        front.stop()


def answers(env):
    """Whatever is no clear answer is 503 and is not remembered."""
    claims = '"sub":"u","aud":"%s","exp":4000000000'
    with make_front(env) as front:
        def body(active):
            return '{"active":%s,%s}' % (active, claims % front.url)
        rows = [("H1", active, ("body", body(active))) for active in ('"true"', '"false"', "1", "0", "null", "[]", "{}")]
        rows += [("H1", "no active", ("body", "{%s}" % claims % front.url)),
                 ("H2", "not JSON", ("body", "active=true")), ("H2", "HTML", ("html",)), ("H2", "nothing", ("empty",)),
                 ("H2", "a truncated body", ("truncated",)), ("H2", "a good body as text", ("type", "text/plain")),
                 ("H4", "a signed response", ("type", "application/token-introspection+jwt")),
                 ("H2", "status 400", ("status", 400)), ("H2", "status 404", ("status", 404)),
                 ("H2", "status 401", ("status", 401)), ("H2", "status 403", ("status", 403)),
                 ("H2", "status 500", ("status", 500)), ("H2", "a reset", ("reset",)),
                 ("H2", "more than it may be", ("oversize",)),
                 ("H8", "a redirect", ("redirect", 307, env.url + "/elsewhere")),
                 ("H8", "a redirect within", ("redirect", 302, "/oauth/introspect")),
                 ("H2", "status 429", ("status", 429, "{}", [("Retry-After", "1")])),
                 ("H2", "status 503", ("status", 503))]
        for row, name, how in rows:
            good = env.opaque()
            env.behave("introspect", *how)
            before = env.count("introspect")
            r = call(front, good)
            # Where the breaker has opened nobody is asked; the row is shown when somebody is.
            while env.count("introspect") == before and r.status == 503:
                time.sleep(0.2)
                r = call(front, good)
            is_((r.status, r.body, r.get("WWW-Authenticate")), (503, UNAVAILABLE, None), "%s: 503 [%s]" % (name, row))
            ok(int(r.get("Retry-After") or 0) >= 1, "with Retry-After")
            env.behave("introspect")
            ok(wait_for(lambda: call(front, good).status == 200, 60, 0.1), "and the token is good when the server is")
        is_(env.count("other"), 0, "no redirect was followed [H8]")
        no_secrets(front, env)


def large_answers(env):
    """A token about which there is too much to say is nothing that its server does wrong."""
    with make_front(env) as front:
        large = env.opaque(groups=["group-%05d" % i for i in range(9000)])
        is_([call(front, large).status for _ in range(20)], [503] * 20,
            "a token whose answer is more than 64 KiB is 503, twenty times [H2]")
        # Two processes, and what opens the breaker of one are five failures.
        is_(env.count("introspect"), 20, "each time somebody was asked: no process has begun a pause [H7]")
        is_([call(front, env.opaque()).status for _ in range(10)], [200] * 10, "and other tokens are judged at once")


def revocation(env):
    with make_front(env, INTROSPECTION_CACHE_S="2") as front:
        token, start = env.opaque(), time.monotonic()
        is_([call(front, token).status for _ in range(20)], [200] * 20, "a token is used twenty times")
        took = time.monotonic() - start
        # Counted in whole seconds, an answer may be kept for little more than one.
        ok(env.count("introspect") <= 2 * (2 + int(took)), "and asked about once a process in 2 s [G3]")
        env.revoke(token)
        start = time.monotonic()
        ok(wait_for(lambda: call(front, token).status == 401, 15, 0.05), "revoked, it is refused [H6]")
        took = time.monotonic() - start
        ok(took < 14, "after %.1f s, where answers are kept for 2 s [H6]" % took)
        is_([call(front, token).status for _ in range(10)], [401] * 10, "and stays refused [G4]")
    with make_front(env, INTROSPECTION_CACHE_S="60") as front:
        end = int(time.time()) + 15
        token = env.opaque(exp=end)
        is_(call(front, token).status, 200, "a token that ends in 15 s is good")
        time.sleep(max(0, end + 0.1 - time.time()))
        is_(call(front, token).status, 401, "and is none past its exp, though answers are kept for 60 s [G1]")
        token = env.opaque()
        is_({call(front, token).status for _ in range(8)}, {200}, "a token is good")
        front.settings["EXPECTED_AUDIENCE"] = "https://elsewhere.example/mcp"
        front.settings["MCP_SERVER_ID"] = "res_other"
        front.configure()
        ok(wait_for(lambda: call(front, token).status == 401, 20, 0.05),
           "another configuration forgets what was kept under the old one [G2]")


def floods(env):
    with make_front(env, RATE_LIMIT="600/hour") as front:
        start = time.monotonic()
        statuses = [call(front, "opq_guess_%d" % i).status for i in range(1000)]
        took = time.monotonic() - start
        is_({s: statuses.count(s) for s in set(statuses)}, {401: 600, 429: 400},
            "1000 unknown tokens of one address: 600 are looked at, 400 are 429 [H7]")
        is_(env.count("introspect"), 600, "600 questions in %.1f s, one each [H7]" % took)
    with make_front(env) as front:
        env.behave("introspect", "slow", 0.5)
        token = env.opaque()
        seen = together(front, [token] * 40)
        counted = {s: sum(1 for x, _ in seen if x == s) for s, _ in seen}
        is_(counted, {200: 40}, "one token 40 times at once, with answers after 0.5 s")
        ok(env.count("introspect") <= 2, "one question a process: %d [H7]" % env.count("introspect"))
        env.forget()
        statuses = [s for s, _ in together(front, ["opq_same"] * 30)]
        ok(set(statuses) == {401} and env.count("introspect") <= 2,
           "the same guess 30 times at once: %d questions [H7]" % env.count("introspect"))


def beside_a_crowd(env, front, jwt):
    """The slowest of ten calls, in seconds, while 24 others ask a server that hangs; 99: one was not answered."""
    before = env.count("introspect")
    env.behave("introspect", "hang")
    crowd = threading.Thread(target=lambda: together(front, ["opq_hang_" + os.urandom(8).hex() for _ in range(24)]))
    crowd.start()
    slowest = 0 if wait_for(lambda: env.count("introspect") > before) else 99
    for _ in range(10):
        start = time.monotonic()
        if call(front, jwt).status != 200 or front.request("GET", "/health").status != 200:
            slowest = 99
        slowest = max(slowest, time.monotonic() - start)
    crowd.join()
    env.behave("introspect")
    # No process may still be in its pause: it would not ask when this is done again.
    wait_for(lambda: {call(front, env.opaque()).status for _ in range(20)} == {200}, 60)
    return slowest


def outage(env):
    with make_front(env) as front:
        known, jwt = env.opaque(), env.token()
        for _ in range(8):
            call(front, known)
            call(front, jwt)
        env.behave("introspect", "status", 500)
        before, start = env.count("introspect"), time.monotonic()
        statuses = [call(front, "opq_outage_%d" % i).status for i in range(200)]
        asked, lasted = env.count("introspect") - before, time.monotonic() - start
        is_(set(statuses), {503}, "an outage is 503 [H2]")
        # Each process: five until it has enough, one after a pause of 2 s at least.
        ok(asked <= 12 + 2 * (lasted // 2), "200 tokens cost %d questions, from two processes [H7]" % asked)
        is_(call(front, known).status, 200, "what is kept counts meanwhile")
        is_(call(front, jwt).status, 200, "and JWTs do")
        env.behave("introspect")
        start = time.monotonic()
        fresh = env.opaque()
        ok(wait_for(lambda: call(front, fresh).status == 200, 60, 0.05), "it serves again by itself")
        diag("first answer %.1f s after the authorization server was back" % (time.monotonic() - start))
        # The pause between questions is at most twice as long as the outage was until it began.
        ok(time.monotonic() - start < 9 + 2 * lasted, "soon after a short outage")
        ok(wait_for(lambda: {call(front, env.opaque()).status for _ in range(20)} == {200}, 60), "in all processes")
        ok("answers again" in front.logs()["responder.log"], "and the log says so")

        # Whoever waits for that server waits for 5 s.
        prompt(lambda: beside_a_crowd(env, front, jwt), 3, "24 tokens at a server that hangs do not stop others (%s)", 3)
        no_secrets(front, env)


def development_issuer():
    """The issuer that comes with this program: real tokens, real revocation."""
    with Issuer() as issuer:
        r = request(issuer.port, "POST", "/api/v1/resources/res_dev/clients:register", [("Content-Type", "application/json")],
                    json.dumps({"grant_types": ["client_credentials"],
                                "token_endpoint_auth_method": "client_secret_basic"}).encode()).json()
        basic = [("Authorization", "Basic " + base64.b64encode(
            ("%s:%s" % (r["client_id"], r["client_secret"])).encode()).decode())]
        token = issuer.post("/oauth/token", {"grant_type": "client_credentials", "scope": "usr:read"},
                            basic).json()["access_token"]
        with Front("lighttpd", {"SK_ENV_URL": issuer.url, "MCP_SERVER_ID": "res_dev", "VALIDATION": "introspect",
                                "SK_CLIENT_ID": r["client_id"], "SK_CLIENT_SECRET": r["client_secret"],
                                "EXPECTED_AUDIENCE": RESOURCE, "JWKS_FILE": None, "INTROSPECTION_CACHE_S": "1"}) as front:
            is_(call(front, token).status, 200, "a token of the development issuer is introspected where it says [W52]")
            is_(call(front, token[:-4] + "AAAA").status, 401, "and a forged one is not active [W54]")
            issuer.post("/oauth/revoke", {"token": token}, basic)
            ok(wait_for(lambda: call(front, token).status == 401, 20, 0.1), "revoked there it is refused here [H6 W52]")


lacking = missing("lighttpd")
if lacking:
    skip_all("there is no " + lacking)
with Scalekit() as server:
    tokens(server)
    ways(server)
    misconfigured(server)
    answers(server)
    large_answers(server)
    revocation(server)
    floods(server)
    outage(server)
development_issuer()
done()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Attacks through a real web server: how a token reaches us, what it claims, what may be done with it, and what the
answers and the log give away. The ids are those of docs/attacks.md. Rows are (id and what is tried, what is sent,
status, error code of the challenge); every refusal is judged by all rules of attack.faults()."""
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fastcgi  # noqa: E402
from attack import Alone, Canary, Mint, Raw, challenge, judge, parameters, refusals  # noqa: E402
from front import Front, env_quote, missing  # noqa: E402
from harness import RESPONDER, done, free_port, is_, legacy_message, modern_call, ok, skip, skip_all  # noqa: E402
from scalekit import Scalekit  # noqa: E402

T401, T400 = (401, "invalid_token"), (400, "invalid_request")
NONE = (401, None)
sent = []   # every token


def lay_out(env, **settings):
    """lighttpd with the fixture as its authorization server."""
    front = Front("lighttpd")
    front.settings.update({"SK_ENV_URL": env.url, "JWKS_FILE": None, "EXPECTED_AUDIENCE": front.url,
                           "RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off"})
    front.settings.update(settings)
    front.configure()
    return front


class Target:
    """A running front and who makes its tokens."""

    def __init__(self, front, env):
        self.front, self.env = front, env
        self.mint = Mint(env.keys[0], env.url, front.url)

    def token(self, *more, **changes):
        value = self.mint.token(*more, **changes)
        sent.append(value)
        return value

    def call(self, headers=(), query="", body=None, tool="greet_user"):
        own, message = modern_call(tool, {"name": "x"} if tool == "greet_user" else {})
        return self.front.request("POST", "/mcp" + query, own + list(headers), body or message)

    def bearer(self, token, **more):
        return self.call([("Authorization", "Bearer " + token)], **more)

    def table(self, rows):
        for text, token, status, error in rows:
            judge(self.bearer(token), text, status, error, token)


# ---- A: getting the token out of the request ----

def opaque(t):
    for value in ("opaque-4f3a9c", "a.b", "~", "AAAA=="):
        judge(t.bearer(value), "A12: the opaque token %s is refused" % value, *T401)
    is_(t.env.count("keys"), 0, "A12: without asking for keys")


def header(t):
    good = t.token()
    rows = [
        ("A1: no Authorization", [], *NONE),
        ("A2: a bare Bearer", ["Bearer"], *NONE), ("A2: with a blank", ["Bearer "], *NONE),
        ("A2: with a tab", ["Bearer\t"], *NONE), ("A2: an empty value", [""], *NONE),
        ("A3: bearer", ["bearer " + good], 200, None), ("A3: BEARER", ["BEARER " + good], 200, None),
        ("A3: bEaReR and blanks", ["bEaReR   %s " % good], 200, None),
        ("A4: two words", ["Bearer a b"], *T400), ("A4: a comma", ["Bearer a,b"], *T400),
        ("A4: two credentials, as Apache joins them", ["Bearer a, Bearer b"], *T400),
        ("A4: a good one first", ["Bearer %s, Bearer b" % good], *T400),
        ("A4: a good one last", ["Bearer b, Bearer " + good], *T400),
        ("A4: Basic and a good one", ["Basic dTpw, Bearer " + good], *NONE),
        ("A5: Basic", ["Basic dTpw"], *NONE), ("A5: DPoP", ["DPoP " + good], *NONE),
        ("A5: Token", ["Token " + good], *NONE), ("A5: Bearerx", ["Bearerx " + good], *NONE),
        ("A5: the token alone", [good], *NONE), ("A5: Bearer=", ["Bearer=" + good], *T400),
        ("A6: a quote", ["Bearer \"" + good + "\""], *T400), ("A6: a brace", ["Bearer {}"], *T400),
        ("A6: a percent sign", ["Bearer " + good + "%0a"], *T400), ("A6: 0x80", ["Bearer a\x80b"], *T400),
        ("A6: a byte order mark", ["Bearer \xef\xbb\xbf" + good], *T400),
        ("A6: a tab in it", ["Bearer " + good.replace(".", "\t", 1)], *T400),
    ]
    for text, values, status, error in rows:
        judge(t.call([("Authorization", v) for v in values]), text, status, error, good)
    answer = t.call()
    told = challenge(answer)
    ok(told.get("resource_metadata", "").startswith(t.front.origin) and told.get("scope"),
       "A1: the challenge of a stranger names the metadata and the scopes, and no error")
    answer = t.call([("Authorization", "Bearer " + good), ("Authorization", "Bearer " + good)])
    ok(answer.status in (400, 401), "A4: the header twice is refused (%d)" % answer.status)
    for name in ("X-Authorization", "Proxy-Authorization", "Cookie", "Mcp-Session-Id"):
        value = ("access_token=" if name == "Cookie" else "Bearer ") + good
        judge(t.call([(name, value)]), "A9: a token in %s is none" % name, *NONE, good)


def elsewhere(t):
    good = t.token()
    judge(t.call(query="?access_token=" + good), "A8: a token in the query is none", *NONE, good)
    judge(t.bearer("x.y.z", query="?access_token=" + good), "A8: nor does it help a bad one", *T401, good)
    judge(t.bearer(good, query="?access_token=x.y.z"), "A8: nor is it looked at beside a good one", 200)
    form = [("Content-Type", "application/x-www-form-urlencoded")]
    answer = t.front.request("POST", "/mcp", form, b"access_token=" + good.encode())
    judge(answer, "A8: a token in a form is none", *NONE, good)
    answer = t.front.request("OPTIONS", "/mcp", [("Origin", t.front.origin), ("Authorization", "Bearer x y"),
                                                 ("Access-Control-Request-Method", "POST")])
    is_((answer.status, answer.get("WWW-Authenticate")), (204, None),
        "A10: a preflight is answered whatever credentials it has")


# ---- A on the responder's own socket ----

def own_socket(t):
    with Alone({"SK_ENV_URL": t.env.url, "EXPECTED_AUDIENCE": t.front.url}) as r:
        lengths(t, r)
        variables(t, r)
        identities(t, r)


def lengths(t, r):
    """Only what may be a token is read; the rest costs no memory."""
    good = t.token()
    is_(r.call(HTTP_AUTHORIZATION="Bearer " + good).status, 200, "A7: a good token on the responder's own socket")
    before = fastcgi.rss_kib(r.process.pid)
    for n in (0, 1, 2, 8 << 10, 16 << 10, (16 << 10) + 1, 20000, 60000, 1 << 20, 9 << 20):
        answers = [r.call(HTTP_AUTHORIZATION="Bearer " + c * n) for c in "a."]
        is_([a.status for a in answers], [401, 401], "A7: a token of %d bytes is 401" % n)
    tokens = [t.token(x="y" * n) for n in (8000, 11000, 12200, 1 << 20)]
    statuses = [(len(x) > 16384, r.call(HTTP_AUTHORIZATION="Bearer " + x).status) for x in tokens]
    is_(statuses, [(False, 200), (False, 200), (True, 401), (True, 401)],
        "A7 E18: well signed tokens up to TOKEN_MAX_BYTES are accepted, longer ones are not")
    grown = fastcgi.rss_kib(r.process.pid) - before
    if fastcgi.is_slow(RESPONDER):
        skip("A7: memory stays", "a sanitizer's build keeps what was freed")
    else:
        ok(grown < 4096, "A7: 40 MB of tokens leave the process as large as it was (%d KiB more)" % grown)
    for name, value in (("NUL", "a\0b"), ("CR LF", "a\r\nX: y"), ("ESC", "a\x1b[31m"), ("DEL", "a\x7fb"),
                        ("VT before it", "\x0b" + good), ("FF behind it", good + "\x0c"), ("NEL", "\x85" + good),
                        ("a no-break space", "\xa0" + good), ("a fold", "\r\n " + good), ("LF behind it", good + "\n")):
        answer = r.call(HTTP_AUTHORIZATION="Bearer " + value)
        ok(answer.status in (400, 401) and "X: y" not in answer.head and value.encode() not in answer.stdout,
           "A6: a token with %s is refused and not echoed (%d)" % (name, answer.status))


def variables(t, r):
    good, bad = "Bearer " + t.token(), "Bearer x.y.z"
    for text, status, params in (
            ("HTTP_AUTHORIZATION wins, good", 200, {"HTTP_AUTHORIZATION": good, "REDIRECT_HTTP_AUTHORIZATION": bad}),
            ("HTTP_AUTHORIZATION wins, bad", 401, {"HTTP_AUTHORIZATION": bad, "REDIRECT_HTTP_AUTHORIZATION": good}),
            ("HTTP_AUTHORIZATION wins, of another scheme", 401,
             {"HTTP_AUTHORIZATION": "Basic dTpw", "REDIRECT_HTTP_AUTHORIZATION": good}),
            ("the redirected one alone", 200, {"REDIRECT_HTTP_AUTHORIZATION": good}),
            ("twice redirected is no documented variable", 401, {"REDIRECT_REDIRECT_HTTP_AUTHORIZATION": good}),
            ("AUTHORIZATION is none", 401, {"AUTHORIZATION": good}),
            ("names are compared with case", 401, {"http_authorization": good}),
            ("REMOTE_USER is nobody's word", 401, {"REMOTE_USER": "admin", "AUTH_TYPE": "Bearer"}),
            ("nor is an environment of settings", 401, {"EXPECTED_AUDIENCE": "x", "JWT_ALGORITHMS": "none",
                                                        "HTTP_AUTHORIZATION": bad})):
        is_(r.call(**params).status, status, "A9: " + text)


def identities(t, r):
    """One connection, two requests."""
    params, body = parameters(t.token())
    nobody, _ = parameters()
    other, _ = parameters(t.token(scope=""))
    with fastcgi.Connection(r.address) as c:
        statuses = []
        for p in (params, nobody, params, other, nobody, params):
            c.send(fastcgi.whole(p, body, keep=True))
            statuses.append(c.read_answer().status)
    is_(statuses, [200, 401, 200, 403, 401, 200], "A11: on a kept connection each request has its own identity")


def proxy_header(t):
    """A field "Proxy" is HTTP_PROXY in a CGI process; a fetch of keys must not go there."""
    with Canary() as canary:
        where = "http://127.0.0.1:%d" % canary.port
        config = t.front.write("cgi.conf", "\n".join(
            "%s=%s" % (k, env_quote(v)) for k, v in t.front.settings.items() if v) + "\nSTATE_DIR=" +
            t.front.dir + "/home/state\n", 0o600)
        params, body = parameters(t.token(), HTTP_PROXY=where, http_proxy=where, ALL_PROXY=where,
                                  GATEWAY_INTERFACE="CGI/1.1")
        fetched = t.env.count("keys")
        done_ = subprocess.run([RESPONDER, "--config", config], input=body, capture_output=True, timeout=60,
                               env={**os.environ, **{k: str(v) for k, v in params.items()}})
        is_((done_.stdout[:11], t.env.count("keys") - fetched, canary.count), (b"Status: 200", 1, 0),
            "A9: in plain CGI a Proxy field sends the fetch of keys nowhere else")
    with Canary() as canary:
        value = "http://127.0.0.1:%d/" % canary.port
        jwk = t.mint.key.jwk()
        for name, extra in (("jku", value), ("x5u", value), ("x5c", ["MIIB"]), ("jwk", jwk), ("jwks_uri", value)):
            judge(t.bearer(t.token(header=t.mint.header((name, extra), kid="unknown"))),
                  "C9: a header's %s with an unknown kid" % name, *T401)
            judge(t.bearer(t.token(header=t.mint.header((name, extra)))), "C9: %s beside a good signature" % name, 200)
        is_(canary.count, 0, "C9: nothing was asked of the place that the headers named")


# ---- E: claims ----

def claims(t):
    iss, aud, now = t.env.url, t.front.url, int(time.time())
    port = ":%d" % t.env.port
    far = now + 3600
    rows = [("E1: without " + c, t.token(**{c: None}), *T401) for c in ("iss", "exp", "aud", "sub")]
    rows += [("E2: iss " + what, t.token(iss=value), *T401) for what, value in (
        ("of another", "https://evil.example"), ("a prefix", iss[:-1]), ("a suffix", iss + "0"),
        ("in upper case", iss.replace("http", "HTTP")), ("with a slash", iss + "/"),
        ("of https", iss.replace("http:", "https:")), ("with userinfo", iss + "@evil.example"),
        ("behind userinfo", iss.replace("127", "x@127")), ("without port", iss.replace(port, "")),
        ("percent-encoded", iss.replace("127", "%3127")), ("percent-encoded, other case", iss + "%2F"),
        ("with a NUL", iss + "\0"), ("with a NUL and more", iss + "\0.evil"), ("an array", [iss]), ("a number", 1),
        ("null", Raw("null")), ("empty", ""), ("an object", {iss: 1}), ("true", True), ("with a blank", iss + " "),
        ("with a line end", iss + "\n"), ("with a query", iss + "?"), ("with a fragment", iss + "#"),
        ("by localhost", iss.replace("127.0.0.1", "localhost")), ("in full width", iss.replace("1", "\uff11", 1)))]
    rows += [("E3: aud " + what, t.token(aud=value), *want) for what, value, want in (
        ("string", aud, (200, None)), ("array", [aud], (200, None)), ("array, other first", ["x", aud], (200, None)),
        ("nested", [[aud]], T401), ("with numbers", [1, aud], T401), ("with an object in it", [aud, {}], T401),
        ("with null in it", Raw('["%s",null]' % aud), T401), ("empty array", [], T401), ("empty", "", T401),
        ("object", {aud: True}, T401), ("number", 7, T401), ("null", Raw("null"), T401), ("true", True, T401),
        ("1200 others first", [aud[:4]] * 1200 + [aud], (200, None)), ("other", ["https://other.example/mcp"], T401))]
    rows += [("E4: aud " + what, t.token(aud=value), *T401) for what, value in (
        ("with a slash", aud + "/"), ("of an upper-case scheme", aud.replace("http", "HTTP")),
        ("by name", aud.replace("127.0.0.1", "localhost")), ("percent-encoded", aud.replace("mcp", "%6dcp")),
        ("with a fragment", aud + "#f"), ("with a query", aud + "?"), ("a blank before", " " + aud))]
    rows += [("E5: aud " + what, t.token(aud=value), *T401) for what, value in (
        ("with a suffix", aud + ".evil"), ("dots", aud.replace("/mcp", "/x/../mcp")), ("a prefix", aud[:-1]),
        ("two in a string", aud + " x"), ("two with a comma", aud + ",x"), ("the origin only", t.front.origin))]
    rows += [("E7: exp " + what, t.token(exp=value), *want) for what, value, want in (
        ("past by the leeway and 1", now - 31, T401), ("long past", 1, T401), ("0", 0, T401), ("-1", -1, T401),
        ("-0", Raw("-0"), T401), ("a fraction", far + 0.9, (200, None)),
        ("1e300", Raw("1e300"), T401), ("1E400", Raw("1E400"), T401), ("beyond int64", 1 << 63, T401),
        ("below int64", -(1 << 63) - 1, T401), ("a string", str(far), T401), ("true", True, T401),
        ("null", Raw("null"), T401), ("an array", [far], T401), ("NaN", Raw("NaN"), T401),
        ("Infinity", Raw("Infinity"), T401), ("leading zeros", Raw("0%d" % far), T401),
        ("hex", Raw("0x7fffffff"), T401),
        ("milliseconds", far * 1000, T401), ("with an exponent", Raw("%de0" % far), (200, None)),
        ("after 2038", 1 << 32, (200, None)), ("after 2106", 1 << 33, (200, None)), ("+", Raw("+%d" % far), T401))]
    rows += [("E8: nbf " + what, t.token(nbf=value), *want) for what, value, want in (
        ("in the future", now + 300, T401), ("within the leeway", now + 15, (200, None)), ("negative", -1, T401),
        ("a string", "0", T401), ("0", 0, (200, None)), ("a fraction", now - 0.5, (200, None)),
        ("true", True, T401), ("null", Raw("null"), T401), ("missing", None, (200, None)))]
    rows += [("E9: iat " + what, t.token(iat=value), *want) for what, value, want in (
        ("in the future", now + 300, T401), ("after exp", far + 10, T401), ("a string", "1", T401),
        ("missing", None, (200, None)), ("absurdly old", 1, (200, None)))]
    t.table(rows)
    # Signed now: what is above has taken its time.
    t.table([("E7: exp within the leeway", t.token(exp=int(time.time()) - 15, iat=None), 200, None)])


def kinds(t):
    rows = [("E11: " + what, t.token(**{name: value}), *T401) for what, name, value in (
        ("an ID token's at_hash", "at_hash", "x"), ("c_hash", "c_hash", "x"), ("Keycloak's ID token", "typ", "ID"),
        ("Keycloak's refresh token", "typ", "Refresh"), ("an offline token", "typ", "Offline"),
        ("Cognito's ID token", "token_use", "id"), ("a refresh token", "token_type", "refresh"),
        ("a logout token", "events", {"http://schemas.openid.net/event/backchannel-logout": {}}),
        ("an ID token, whose audience is the client", "aud", "skc_1"))]
    rows += [("E21: a token bound by " + what, t.token(cnf=value), *T401) for what, value in (
        ("DPoP", {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}), ("mTLS", {"x5t#S256": "x"}),
        ("a key", {"jwk": {}}), ("nothing at all", {}), ("null", Raw("null")))]
    good = t.token(jti="one")
    rows += [("E22: a jti seen before is no error", good, 200, None)] * 2
    rows += [("E16: %s twice" % name, t.token((name, value)), *T401) for name, value in (
        ("iss", t.env.url), ("aud", t.front.url), ("exp", 9999999999), ("sub", "usr_1"), ("scope", "admin"))]
    rows += [("E16: %s twice, behind an escape" % name, t.token((Raw('"\\u00%02x%s"' % (ord(name[0]), name[1:])), 1)),
              *T401) for name in ("iss", "aud", "exp", "sub", "scope")]
    payload = t.mint.claims().encode()
    rows += [("E17: a payload " + what, t.token(payload=p), *T401) for what, p in (
        ("with 0xff", payload[:-1] + b',"x":"\xff"}'), ("overlong", payload[:-1] + b',"x":"\xc0\x80"}'),
        ("with half a surrogate pair", payload[:-1] + b',"x":"\xed\xa0\x80"}'), ("in UTF-16", payload.decode().encode(
            "utf-16")), ("after a byte order mark", b"\xef\xbb\xbf" + payload), ("with a NUL", payload + b"\0"))]
    t.table(rows)


def configured(env):
    """What only counts when it is configured."""
    front = lay_out(env, TOKEN_MAX_LIFETIME_S="7200", REQUIRED_CLAIMS="tid=tenant-1, azp=app-1", JWT_LEEWAY_S="0",
                    GREET_USER_SCOPES="")
    with front:
        t, now = Target(front, env), int(time.time())
        ours = {"tid": "tenant-1", "azp": "app-1"}
        t.table([
            ("E9: a life within TOKEN_MAX_LIFETIME_S", t.token(**ours), 200, None),
            ("E9: a longer one", t.token(exp=now + 7300, **ours), *T401),
            ("E9: one of unknown length", t.token(iat=None, **ours), *T401),
            ("E19: another tenant", t.token(tid="tenant-2", azp="app-1"), *T401),
            ("E19: no tenant", t.token(azp="app-1"), *T401),
            ("E20: another client", t.token(tid="tenant-1", azp="app-2"), *T401),
            ("E7: leeway 0: exp now", t.token(exp=now, **ours), *T401),
            ("E7: leeway 0: exp a second ago", t.token(exp=now - 1, **ours), *T401),
            ("E8: leeway 0: nbf in a while", t.token(nbf=now + 30, **ours), *T401),
            ("I1: a tool with an empty list of scopes takes any valid token", t.token(scope=None, **ours), 200, None)])
    with lay_out(env, FILTER_LISTS="on") as front:
        t = Target(front, env)
        for scope, want in (("usr:read", {"greet_user"}), ("admin", {"admin_tool"})):
            headers, body = legacy_message("tools/list", {}, t.token(scope=scope))
            result = front.request("POST", "/mcp", headers, body).json()["result"]
            is_({tool["name"] for tool in result["tools"]}, want, "I5: FILTER_LISTS: %s lists what it may call" % scope)


# ---- I: what may be done ----

def authorization(t):
    for what, changes, status in (
            ("a string", {"scope": "usr:read"}, 200), ("with blanks", {"scope": "  x  usr:read "}, 200),
            ("an array", {"scope": ["usr:read"]}, 200), ("missing", {"scope": None}, 403),
            ("empty", {"scope": ""}, 403), ("an array with blanks in it", {"scope": ["x usr:read"]}, 403),
            ("a number", {"scope": 7}, 403), ("null", {"scope": Raw("null")}, 403), ("a prefix", {"scope": "usr"}, 403),
            ("longer", {"scope": "usr:read:all"}, 403), ("in upper case", {"scope": "USR:READ"}, 403),
            ("behind a tab", {"scope": "x\tusr:read"}, 403), ("with a comma", {"scope": "x,usr:read"}, 403),
            ("behind U+00A0", {"scope": "x\u00a0usr:read"}, 403), ("an object", {"scope": {"usr:read": 1}}, 403)):
        value = t.token(**changes)
        judge(t.bearer(value), "E12: scope " + what, status, None if status == 200 else "insufficient_scope", value)
    value = t.token(scope=" ".join("s%d" % i for i in range(600)))
    judge(t.bearer(value), "E12: more scopes than anybody has", *T401, value)
    for what, changes, status in (("scopes", {"scopes": ["usr:read"]}, 200), ("scp", {"scp": "usr:read"}, 200),
                                  ("permissions", {"permissions": ["usr:read"]}, 403),
                                  ("roles", {"roles": ["usr:read"]}, 403)):
        value = t.token(scope="x", **changes)
        judge(t.bearer(value), "E13: a scope in " + what, status, None if status == 200 else "insufficient_scope")
    answer = t.bearer(t.token(), tool="admin_tool")
    judge(answer, "I2: a scope stands for no other", 403, "insufficient_scope")
    is_(challenge(answer).get("scope"), "admin", "I7: and the challenge names what is missing")
    for what, changes in (("missing", {}), ("an array", {"oid": ["org_1"]}), ("an object", {"oid": {"org_1": {}}}),
                          ("a number", {"oid": 7}), ("empty", {"oid": ""}), ("null", {"oid": Raw("null")})):
        judge(t.bearer(t.token(**changes), tool="get_org_data"),
              "E14 I3: an organisation that is %s: 403 without an error code, which would loop" % what, 403, None)
    judge(t.bearer(t.token(oid="org_1\0"), tool="get_org_data"), "E14: an organisation with a NUL", *T401)
    for oid in ("org_1", "ORG_1", "org_2"):
        answer = t.bearer(t.token(oid=oid), tool="get_org_data")
        is_((answer.status, answer.json()["result"]["structuredContent"]["organization"]), (200, oid),
            "E14: %s sees its own data" % oid)
    messages = [json.loads(modern_call(tool, {})[1]) for tool in ("greet_user", "admin_tool")]
    answer = t.bearer(t.token(), body=json.dumps(messages).encode())
    is_((answer.status, answer.json()["error"]["code"]), (400, -32600),
        "I4: a batch with a forbidden call runs nothing")
    t.table([("I1: a tool that does not exist is no matter of scopes: 200 with an error", t.token(), 200, None)])


# ---- J and L: what answers and logs give away ----

def answers(t):
    kinds_ = sorted(set(refusals))
    ok(len(refusals) > 150 and kinds_ == [400, 401, 403], "J1 J2 J4 J6: each of %d refusals so far (%s) had one "
       "challenge, a fixed description, no-store, and JSON" % (len(refusals), kinds_))
    stranger = Scalekit().keys[0]
    forged = t.token(sign=stranger.sign)
    unknown = t.token(header=t.mint.header(kid="nobody"))
    both = [t.bearer(x) for x in (forged, unknown)]
    is_((both[0].all("WWW-Authenticate"), both[0].body), (both[1].all("WWW-Authenticate"), both[1].body),
        "J3: a bad signature and an unknown kid are told alike")
    for path in ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"):
        got = [t.front.request(m, path, [("Origin", "https://any.example")]) for m in ("GET", "HEAD")]
        is_([(a.status, a.get("Access-Control-Allow-Origin"), a.get("WWW-Authenticate")) for a in got],
            [(200, "*", None)] * 2, "J7 J8: %s is for everybody" % path)
        is_(got[0].json()["resource"], t.front.url, "J7: and names the resource that tokens are validated for")
        is_((got[1].body, got[1].get("Content-Length")), (b"", str(len(got[0].body))), "J8: HEAD has its length only")


def logs(t):
    found = {name: text for name, text in t.front.logs().items() if name != "access.log"}  # the web server's own
    parts = {p for value in sent for p in value.split(".")[1:] if len(p) > 16}
    is_([name for name, text in found.items() for p in parts if p in text], [],
        "L1: no log has any of %d tokens, or a part of one" % len(sent))
    text = found.get("responder.log", "")
    ok(len(sent) > 150 and not re.search(r"[^\x20-\x7e\n]", text), "L1: nor a byte that is not printable ASCII")
    noisy = [s for s in text.splitlines() if "token refused" in s]
    ok(0 < len(noisy) < 60, "L1: refusals of a kind are told once in a while, not each (%d lines)" % len(noisy))


def unavailable(env):
    """No authorization server: undecidable is not wrong."""
    front = lay_out(env, SK_ENV_URL="http://127.0.0.1:%d" % free_port())
    with front:
        t = Target(front, env)
        value = t.token(iss=front.settings["SK_ENV_URL"])
        judge(t.bearer(value), "J5: without keys 503 with Retry-After and no challenge", 503, None, value)


def main():
    lacking = missing("lighttpd")
    if lacking:
        skip_all("there is no " + lacking)
    with Scalekit() as env:
        front = lay_out(env)
        with front:
            t = Target(front, env)
            for part in (opaque, header, elsewhere, claims, kinds, authorization, answers, own_socket, proxy_header,
                         logs):
                try:
                    part(t)
                except Exception as e:
                    ok(False, "%s: all claims were tried (%r)" % (part.__name__, e))
                    front.show_logs()
                    raise
            judge(t.bearer(t.token()), "after all this a good token is good", 200)
        configured(env)
        unavailable(env)
    done()


main()

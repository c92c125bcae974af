#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The greeting server of Scalekit's guide, as a stranger sets it up and looks at it: at "/", with the metadata as the
dashboard prints it, and a stand-in for the environment. The ids in brackets are rows of docs/acceptance.md.
"""
import base64
import json
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import Front, missing  # noqa: E402
from harness import COMMAND, LEGACY, SRC, done, is_, legacy_call, legacy_message, ok, skip_all, wait_for  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from scalekit import Scalekit  # noqa: E402

GREETING = "Hi Saif, welcome to Scalekit!"
INSPECTOR = ("Origin", "http://localhost:6274")
MISSING = b'{"error": "Missing Bearer token"}'
INVALID = b'{"error": "Token validation failed"}'
SECRET = "sk-live-secret-of-this-test"
sent = set()  # every token


def greeting_front(env, **settings):
    """lighttpd with the settings of the guide. "env" gets the audience."""
    front = Front("lighttpd", mcp_path="")
    env.audience = front.url
    front.prm = {"authorization_servers": [env.issuer], "bearer_methods_supported": ["header"], "resource": front.url,
                 "resource_documentation": front.url + "docs", "scopes_supported": ["usr:read"]}
    front.settings.update({"SK_ENV_URL": env.url, "SK_CLIENT_ID": "skc_1", "SK_CLIENT_SECRET": SECRET,
                           "MCP_SERVER_ID": env.resource,
                           "EXPECTED_AUDIENCE": front.url, "PROTECTED_RESOURCE_METADATA": json.dumps(front.prm),
                           "JWKS_FILE": None,
                           "RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off"})
    front.settings.update(settings)
    front.configure()
    return front


def token(env, **claims):
    value = env.token(**claims)
    sent.add(value)
    return value


def text_of(answer):
    try:
        return answer.json()["result"]["content"][0]["text"]
    except (KeyError, IndexError, TypeError):
        return None


def log(front):
    return front.logs().get("responder.log", "")


def strangers(front):
    """Who has no token, or none that is any good."""
    challenge = 'Bearer realm="OAuth", resource_metadata="%s/.well-known/oauth-protected-resource"' % front.origin
    r = front.request("POST", "/")
    is_((r.status, r.body), (401, MISSING), "POST / without a token is 401 with its body [S9 S29 S68]")
    ok((r.get("WWW-Authenticate") or "").startswith(challenge),
       "and the challenge with the metadata's URL, byte for byte [S30 S35 S75]")
    r = front.request("POST", "/", [("Content-Type", "application/json")],
                      b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}')
    is_((r.status, (r.get("WWW-Authenticate") or "")[:len(challenge)]), (401, challenge),
        "the guide's probe of a protected endpoint [T28]")
    r = front.request("POST", "/", [("Authorization", "Bearer invalid-token")])
    is_((r.status, r.body), (401, INVALID), "POST / with invalid-token is 401 [S33 S69]")
    is_(front.request("GET", "/").status, 401, "GET / without a token is 401 [S67]")
    r = front.request("GET", "/health")
    is_((r.status, r.json()), (200, {"status": "healthy"}),
        "GET /health is 200 and exactly that JSON [S49 S70 T23 T27]")
    refused = [(p, front.request(m, p).status) for m, p in (
        ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/health/"), ("GET", "/.well-known/"),
        ("GET", "/x/.well-known/oauth-protected-resource"), ("POST", "/oauth/token"), ("GET", "/oauth/authorize"),
        ("PUT", "/"), ("DELETE", "/"))]
    # lighttpd itself answers what it does not route to us; nothing else may be served.
    is_([x for x in refused if x[1] not in (401, 403, 404, 405)], [],
        "nothing else is public, and there is no token endpoint here [S10 S14 S28]")
    with_www = [front.request("POST", "/", headers) for headers in (
        [], [("Authorization", "Basic dTpw")], [("Authorization", "Bearer")], [("Authorization", "Bearer a.b.c")])]
    ok(all(r.status == 401 and r.get("WWW-Authenticate") for r in with_www),
       "no 401 is without WWW-Authenticate [T17]")
    is_(front.request("POST", "/", [INSPECTOR]).get("Access-Control-Allow-Origin"), INSPECTOR[1],
        "a 401 carries CORS fields [S72 T9]")
    r = front.request("OPTIONS", "/", [INSPECTOR, ("Access-Control-Request-Method", "POST")])
    is_((r.status, r.get("Access-Control-Allow-Origin")), (204, INSPECTOR[1]),
        "a preflight is answered before authentication [T8]")


def tokens(front, env):
    """Good and bad ones, by the environment's keys."""
    r = front.post(legacy_call("greet_user", {"name": "Saif"}, token(env)))
    is_((r.status, text_of(r)), (200, GREETING), "a token of the environment opens the server [S1 S11 S13 S32 W1]")
    r = front.post(legacy_call("greet_user", {"name": "Saif"}, token(env, iss=env.issuer)))
    is_((r.status, text_of(r)), (200, GREETING), "so does one whose issuer is the resource's [X5]")
    r = front.post(legacy_call("greet_user", {"name": "Saif"}, token(env, aud=[env.resource])))
    is_((r.status, text_of(r)), (200, GREETING), "or whose audience is the resource id alone")
    value = env.machine_token()
    sent.add(value)
    r = front.post(legacy_call("greet_user", {"name": "Saif"}, value))
    is_((r.status, text_of(r)), (200, GREETING), "and a machine's, with the claim scopes [S78]")
    headers, body = legacy_call("greet_user", {"name": "Saif"})
    r = front.post((headers + [("Authorization", "bearer   %s  " % token(env))], body))
    is_((r.status, text_of(r)), (200, GREETING), "blanks around the token and the scheme's case do not matter [S31]")
    flawed = token(env)
    head, payload, signature = flawed.split(".")
    other = "A" if signature[10] != "A" else "B"
    now = int(time.time())
    bad = {"signature": "%s.%s.%s" % (head, payload, signature[:10] + other + signature[11:]),
           "expiration": token(env, iat=now - 3700, nbf=now - 3700, exp=now - 100),
           "issuer": token(env, iss="https://evil.example"), "audience": token(env, aud=["https://other.example/mcp"])}
    got = {k: front.post(legacy_call("greet_user", {"name": "Saif"}, v)).status for k, v in bad.items()}
    is_(got, dict.fromkeys(bad, 401), "signature, expiration, issuer and audience are each checked [S15 S37 S54]")
    r = front.post(legacy_call("greet_user", {"name": "Saif"}, bad["expiration"]))
    ok('error="invalid_token"' in r.get("WWW-Authenticate") and "expired" in r.get("WWW-Authenticate"),
       "a client is told that its token expired [S76 T32 W42]")
    slash = token(env, aud=[front.url[:-1]])
    is_(front.post(legacy_call("greet_user", {"name": "Saif"}, slash)).status, 401,
        "an audience that lacks the slash is another one [T13 T38]")
    text = log(front)
    ok("wrong_audience, seen" in text and "other.example" in text and 'expected "%s"' % front.url in text,
       "the log says which audience was seen and which is expected [S71 T30 W40 W41]")
    ok("wrong_issuer, seen" in text and "evil.example" in text, "and which issuer [T16 T31]")
    is_(front.post(legacy_call("greet_user", {"name": "Saif"})).status, 401,
        "after all these calls one without a token is 401: there is no session [S34]")
    idtoken = token(env, aud=["skc_1"])
    is_(front.post(legacy_call("greet_user", {"name": "Saif"}, idtoken)).status, 401,
        "an ID token, whose audience is the client, is none for us")
    unsecret = greeting_front(env, SK_CLIENT_ID=None, SK_CLIENT_SECRET=None)
    with unsecret:
        r = unsecret.post(legacy_call("greet_user", {"name": "Saif"}, token(env, aud=[unsecret.url])))
        is_((r.status, text_of(r)), (200, GREETING),
            "tokens are validated without SK_CLIENT_ID and SK_CLIENT_SECRET [S20 T14 T37]")
        r = unsecret.post(legacy_call("greet_user", {"name": "Saif"}, token(env, aud=[unsecret.url], scope="openid")))
        challenge = r.get("WWW-Authenticate") or ""
        ok(r.status == 403 and 'scope="usr:read"' in challenge,
           "a token without the tool's scope is 403, which names it [T33 W35]")
    env.audience = front.url


def tools(front, env):
    r = front.post(legacy_message("tools/list", {}, token(env)))
    listed = {t["name"]: t["description"] for t in (r.json() or {}).get("result", {}).get("tools", [])}
    is_(listed.get("greet_user"), "Greets the user with a personalized message.",
        "tools/list has greet_user with its description [S17 S42 T2 T50]")
    ok(listed and all(len(d) > 20 for d in listed.values()), "every tool has a description [S44]")
    refused = {name: front.post(legacy_call(name, {"name": "x"})).status for name in listed}
    is_(set(refused.values()), {401}, "no tool can be reached without a token [S12 S47]")
    ran = [line for line in log(front).splitlines() if " 401 " in line and "tools/call" in line]
    is_(ran, [], "and none of these got as far as a tool [S12]")
    # README's example, as it stands there.
    with open(os.path.join(SRC, "README.md"), encoding="utf-8") as f:
        example = re.search(r"curl (?:.|\n)*?-d '([^']*)'", f.read()).group(1)
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
               ("Authorization", "Bearer " + token(env))]
    r = front.request("POST", "/", headers, example.encode())
    is_((r.status, (r.json() or {}).get("result", {}).get("content")), (200, [{"type": "text", "text": GREETING}]),
        "README's curl example works [S43 S46 S66]")
    r = front.request("POST", "/", headers,
                      b'{"method":"tools/call","params":{"name":"greet_user","arguments":{"name":"Saif"}}}')
    is_((r.status, (r.json() or {}).get("error", {}).get("code")), (400, -32600),
        "the guide's, which lacks jsonrpc, is a clear error [S66]")
    batch = [{"jsonrpc": "2.0", "id": i, "method": "tools/call", "params": {"name": "admin_tool", "arguments": {}}}
             for i in (1, 2)]
    r = front.request("POST", "/", headers, json.dumps(batch).encode())
    is_((r.status, r.json()["error"]["code"]), (400, -32600),
        "an array of calls is refused whole, so it cannot pass the scope check [X11]")
    for scope, status in (("usr:read admin", 200), ("usr:read", 403)):
        r = front.post(legacy_call("admin_tool", {}, token(env, scope=scope)))
        is_(r.status, status, "admin_tool with the scopes %s is %d [S79 S5]" % (scope, status))
    is_((r.json()["error"]["message"], r.get("Access-Control-Allow-Origin")), ("Requires admin scope", None),
        "in the guide's words [S79]")
    r = front.post(legacy_call("admin_tool", {}, token(env)))
    state = r.json()["result"]["structuredContent"]
    ok(state["refusals"]["byReason"].get("wrong_audience", 0) >= 1
       and state["refusals"]["byReason"].get("no_credentials", 0) >= 3,
       "refusals are counted by reason [S62 T12]")
    is_((state["keys"][0]["issuer"], state["keys"][0]["usable"]), (env.url, True), "and the keys' state is shown")
    r = front.post(legacy_call("get_org_data", {}, token(env, oid="org_2")))
    is_(r.json()["result"]["structuredContent"], {"organization": "org_2", "data": {}},
        "an organisation sees its own data and none of org_1 [S5 S81]")
    r = front.post(legacy_call("get_org_data", {}, token(env, oid=None, org_id="org_1")))
    is_(r.json()["result"]["structuredContent"]["data"], {"plan": "gold"},
        "which org_1 sees, by either claim [S80 S81]")
    is_(front.post(legacy_call("get_org_data", {}, token(env, oid=None))).status, 403,
        "without an organisation it is refused [S81]")


def documents(front, env):
    r = front.request("GET", "/.well-known/oauth-protected-resource")
    is_((r.status, r.get("Content-Type"), r.body), (200, "application/json", json.dumps(front.prm, indent=2).encode()),
        "the metadata is the dashboard's, indented by two blanks, in its order [S16 S22 S39 S41 T10 T11 T27 W24]")
    # As a client goes: 401, metadata, authorization server, registration.
    r = front.request("POST", "/")
    url = re.search('resource_metadata="([^"]*)"', r.get("WWW-Authenticate")).group(1)
    is_(url, front.origin + "/.well-known/oauth-protected-resource", "the challenge names the metadata [S18]")
    prm = front.request("GET", url[len(front.origin):]).json()
    ok(prm["resource"] == front.url and prm["authorization_servers"] == [env.issuer],
       "which names the authorization server [S40 W3 W28]")
    r = front.request("GET", "/.well-known/oauth-authorization-server")
    is_(r.json(), env.metadata(), "whose metadata is passed on [S40 W25 W48]")
    ok("S256" in r.json()["code_challenge_methods_supported"] and "registration_endpoint" in r.json(),
       "with PKCE and registration [W6 W20]")
    r = front.request("POST", "/oauth/register", [("Content-Type", "application/json")],
                      json.dumps({"client_name": "stranger",
                                  "redirect_uris": ["http://localhost:6274/callback"]}).encode())
    is_((r.status, (r.json() or {}).get("name")), (201, "stranger"), "and where a client can register [S40 W4 W26 W29]")


def broken_metadata(env):
    for text, body, ids in ((None, b'{"error": "PROTECTED_RESOURCE_METADATA config missing"}', "S38 S73 T18 T19"),
                            ('{"resource": }', b'{"error": "Invalid JSON in PROTECTED_RESOURCE_METADATA"}', "T18 T20")):
        with greeting_front(env, PROTECTED_RESOURCE_METADATA=text) as front:
            r = front.request("GET", "/.well-known/oauth-protected-resource", [INSPECTOR])
            is_((r.status, r.get("Content-Type"), r.body), (500, "application/json", body),
                "metadata %s: 500 that says so [%s]" % (text, ids))
            is_(r.get("Access-Control-Allow-Origin"), "*", "a 500 carries CORS fields [T9]")
            r = front.post(legacy_call("greet_user", {"name": "Saif"}, token(env)))
            is_(r.status, 200, "all else works meanwhile")


def operators_view(front, env):
    """What the log says of the process and of each request."""
    text = log(front)
    ok("startup: db ok, jwks none yet, tavily off" in text, "the log says what was tried at the start [T5 T48]")
    ok("listening on " + front.url in text, "and where clients connect [T21 T22 W23]")
    r = front.request("POST", "/", legacy_call("greet_user", {"name": "Saif"}, token(env))[0],
                      legacy_call("greet_user", {"name": "Saif"})[1])
    lines = [s for s in log(front).splitlines() if "greet_user" in s and "INFO" in s]
    line = lines[-1] if lines else ""
    pattern = (r"POST / 200 \d+ ms client 127.0.0.1, Authentication successful, subject usr_\d+, "
               r"%s tools/call greet_user$" % LEGACY)
    ok(r.status == 200 and re.search(pattern, line),
       "each request has one line, which says that the validation succeeded [S61 S65]")
    ident = (re.search(r"INFO: ([0-9a-f]{16}) ", line) or [None, "none"])[1]
    stages = re.findall(r"DEBUG: %s stage ([a-z ]+): (passed|answered)" % ident, log(front))
    is_([s for s, _ in stages], ["fault", "look up", "admit", "address", "public", "authenticate", "charge",
                                 "method and type", "body", "dispatch"],
        "at level debug each stage has a line, and they stand in their order [S48 S72 T26 T34 T47 W46]")
    ok(stages and [how for _, how in stages] == ["passed"] * 9 + ["answered"], "with what became of it")
    front.request("POST", "/")
    ident = (re.findall(r"INFO: ([0-9a-f]{16}) POST / 401", log(front)) or ["none"])[-1]
    ok("%s stage authenticate: answered with 401" % ident in log(front) and "%s stage body" % ident not in log(front),
       "without a token it ends at authentication and nothing is read [S12 W51]")


def restarts(env):
    """Reloading, and the end."""
    with greeting_front(env, ALLOWED_ORIGINS="https://app.example") as front:
        r = front.request("POST", "/", [("Origin", "https://app.example")])
        is_(r.get("Access-Control-Allow-Origin"), "https://app.example",
            "another origin may be let in by a setting [S6 S56]")
        is_(r.get("Access-Control-Allow-Credentials"), None, "without credentials [S56]")
        front.settings["RATE_LIMIT"] = "1/minute"
        front.settings["RESOURCE_METADATA_URL"] = "https://mcp.example.com/prm"
        front.configure()
        # Each process looks at the file when it gets to it.
        r = wait_for(lambda: (lambda a: a if a.status == 429 else None)(front.request("POST", "/", [INSPECTOR])))
        is_(r and r.body, b'{"error":"Rate limit exceeded: 1 per 1 minute"}',
            "a changed file switches the rate limit on while it serves [S2 S3 S82]")
        ok(r and r.get("Access-Control-Allow-Origin") and r.get("Retry-After"),
           "a 429 carries CORS fields and Retry-After [T9]")
        front.settings["RATE_LIMIT"] = "off"
        front.configure()
        r = wait_for(lambda: (lambda a: a if a.status == 401 else None)(front.request("POST", "/")))
        ok(r and 'resource_metadata="https://mcp.example.com/prm"' in r.get("WWW-Authenticate"),
           "RESOURCE_METADATA_URL is what the challenge says [S75]")
        with open(front.dir + "/htdocs/index.html", "w", encoding="ascii") as f:
            f.write("the site that was here before")
        is_(front.request("GET", "/index.html").body, b"the site that was here before",
            "the web server's other pages are as before [S4]")
        pid = front.responders()
        ok(len(pid) >= 2, "several processes serve, which share their state [S59]")
        front.stop_gracefully()
        ended = log(front).count("shutdown: clean")
        is_(ended, len(pid), "and each ends in good order and says so [T5 T6 T48]")
        front.stop()


def proxies(env):
    with greeting_front(env, RATE_LIMIT="2/minute", TRUSTED_PROXIES="127.0.0.0/8") as front:
        def ask(client):
            return front.request("POST", "/", [("X-Forwarded-For", client)]).status
        is_([ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.1"), ask("192.0.2.2")], [401, 401, 429, 401],
            "behind a trusted proxy each client has its own budget [S58]")
    with greeting_front(env, RATE_LIMIT="2/minute") as front:
        is_([front.request("POST", "/", [("X-Forwarded-For", "192.0.2.%d" % i)]).status for i in (1, 2, 3)],
            [401, 401, 429],
            "a header that no trusted proxy wrote is not believed")


def both_paths(env):
    for path in ("", "mcp"):
        front = Front("lighttpd", {"SK_ENV_URL": env.url, "JWKS_FILE": None}, mcp_path=path)
        with front:
            value = token(env, aud=[front.url])
            r = front.post(legacy_call("greet_user", {"name": "Saif"}, value))
            is_((r.status, text_of(r)), (200, GREETING), "the endpoint at /%s serves [T3 T4]" % path)
            is_(front.request("GET", "/health").status, 200, "and exact paths win over it, whatever the order [T7 T49]")


def no_secrets(front):
    logs = front.logs()
    found = [name for name, text in logs.items() for s in sent if s in text or s.split(".")[-1] in text
             or s.split(".")[1] in text]
    is_((len(sent) > 20, found), (True, []), "after all this no log has any of %d tokens, or a part of one [S55]"
        % len(sent))
    is_([name for name, text in logs.items() if SECRET in text or base64.b64encode(SECRET.encode()).decode() in text],
        [], "or the client secret [S55]")
    is_([name for name, text in logs.items() if "Saif" in text], [], "or a tool's argument [S55 S61]")


def main():
    lacking = missing("lighttpd")
    if lacking:
        skip_all("there is no " + lacking)
    with Scalekit() as env:
        front = greeting_front(env)
        subprocess.run([COMMAND, "org", "--state-dir", front.dir + "/state", "set", "org_1", "plan", "gold"],
                       check=True)
        with front:
            try:
                strangers(front)
                tokens(front, env)
                tools(front, env)
                documents(front, env)
                operators_view(front, env)
                no_secrets(front)
            except Exception as e:
                ok(False, "all claims were tried (%r)" % e)
                front.show_logs()
                raise
        broken_metadata(env)
        restarts(env)
        proxies(env)
        both_paths(env)
    done()


main()

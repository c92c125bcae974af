#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The web-search server of the second guide, with its names of settings, its paths and its statuses, before stand-ins
for Scalekit and Tavily. Ids in brackets are rows of docs/acceptance.md.
"""
import json
import os
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import Front, missing  # noqa: E402
from harness import done, is_, legacy_call, legacy_message, modern_call, ok, skip_all, steady, wait_for  # noqa: E402

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from scalekit import Scalekit  # noqa: E402
from tavily import Tavily  # noqa: E402

KEY = "tvly-good"
TITLE = "Web Search MCP Server"
tokens = set()


def search_front(env, tavily, **settings):
    front = Front("lighttpd", mcp_path="web-search/mcp")
    env.audience = front.url
    front.settings.update({"SK_ENV_URL": None, "EXPECTED_AUDIENCE": None, "SCALEKIT_ENVIRONMENT_URL": env.url,
                           "RESOURCE_IDENTIFIER": front.url,
                           "SCALEKIT_RESOURCE_ID": env.resource, "PORT": "10000", "TAVILY_API_KEY": KEY,
                           "TAVILY_API_URL": tavily.url,
                           "MCP_SERVER_TITLE": TITLE, "MCP_SERVER_NAME": "web-search", "TOOLS": "web_search",
                           "JWKS_FILE": None,
                           "WEB_SEARCH_SCOPES": "web-search:read web-search:write", "RATE_LIMIT": "off",
                           "RATE_LIMIT_PRINCIPAL": "off"})
    front.settings.update(settings)
    front.configure()
    return front


def token(env, scope="web-search:read web-search:write", **claims):
    value = env.token(scope=scope, **claims)
    tokens.add(value)
    return value


def search(front, value, query="cats"):
    return front.post(legacy_call("web_search", {"query": query}, value))


def result_of(answer):
    return (answer.json() or {}).get("result", {})


def searches(front, env, tavily):
    r = search(front, token(env), "who is Leo Messi?")
    ok(r.status == 200 and "Result 0" in result_of(r)["content"][0]["text"],
       "POST /web-search/mcp searches the web through Tavily [W1 W2 W27 W32]")
    is_(tavily.last("search").headers["authorization"], "Bearer " + KEY, "with the operator's key [W9 W16]")
    r = front.post(legacy_message("initialize", {"protocolVersion": "2025-11-25", "capabilities": {},
                                                 "clientInfo": {"name": "t", "version": "1"}}, token(env)))
    info = result_of(r)["serverInfo"]
    is_((info["name"], info["title"]), ("web-search", TITLE), "its name and title are the operator's [W18]")
    r = front.post(legacy_message("tools/list", {}, token(env)))
    is_([t["name"] for t in result_of(r)["tools"]], ["web_search"], "it has the one tool")
    for status, ids in ((401, "W44"), (432, "W45"), (433, "W45"), (403, "W7")):
        r = search(front, token(env), "status %d" % status)
        ok(r.status == 200 and result_of(r)["isError"] and not r.get("WWW-Authenticate"),
           "Tavily's %d is a tool's error and no status of ours: %s [%s]"
           % (status, result_of(r)["content"][0]["text"], ids))
    is_([KEY in json.dumps(result_of(r)), KEY in json.dumps(front.logs())], [False, False],
        "no answer and no log shows the key [W50]")


def documents(front, env):
    r = front.request("GET", "/.well-known/oauth-protected-resource")
    prm = r.json()
    is_((r.status, prm["resource"], prm["authorization_servers"], prm["bearer_methods_supported"]),
        (200, front.url, [env.issuer], ["header"]),
        "the resource metadata is made from the settings [W14 W19 W24 W48]")
    is_(prm["scopes_supported"], ["web-search:read", "web-search:write"], "with the scopes that the tool needs [W22]")
    is_(front.request("GET", "/.well-known/oauth-protected-resource/web-search/mcp").body, r.body,
        "also with the path behind it [X7]")
    r = front.request("GET", "/.well-known/oauth-authorization-server")
    is_((r.status, r.body), (200, json.dumps(env.metadata()).encode()),
        "the authorization server's metadata, byte for byte [W13 W25]")
    body = json.dumps({"client_name": "Inspector", "redirect_uris": ["http://localhost:6274/callback"]}).encode()
    r = front.request("POST", "/oauth/register", [("Content-Type", "application/json"), ("Cookie", "a=b"),
                                                  ("Authorization", "Bearer x")], body)
    is_((r.status, r.get("Content-Type"), r.json()["name"]), (201, "application/json", "Inspector"),
        "a registration is passed on, and its answer [W4 W26 W29]")
    sent = env.last("register")
    ok(sent.body == body and not {"cookie", "authorization"} & set(sent.headers),
       "the body as it is, without cookies or Authorization [W26]")
    r = front.request("POST", "/oauth/register", [("Content-Type", "application/json")], b"{}")
    is_((r.status, r.json().get("code")), (400, 3),
        "an error of the authorization server keeps status and body [W26 W37]")


def refusals(front, env, tavily):
    before = tavily.count()
    challenge = 'Bearer realm="OAuth", resource_metadata="%s/.well-known/oauth-protected-resource"' % front.origin
    rows = [("no token", None, 401, None), ("no token that anybody made", "nonsense", 401, "invalid_token"),
            ("an expired one", token(env, exp=1), 401, "invalid_token"),
            ("one for another resource", token(env, aud=["https://other.example"]), 401, "invalid_token"),
            ("one whose claim resource is another's", token(env, resource="https://other.example"), 401,
             "invalid_token"),
            ("one that lacks a scope", token(env, scope="web-search:read"), 403, "insufficient_scope")]
    for text, value, status, error in rows:
        r = search(front, value)
        www = r.get("WWW-Authenticate") or ""
        ids = {401: "W5 W33 W34 W49", 403: "W33 W35 W49"}[status] + (" W56" if "claim" in text else "")
        ok(r.status == status and www.startswith(challenge) and (error is None or 'error="%s"' % error in www)
           and ("error=" in www) == (error is not None),
           "%s: %d with its challenge [%s]" % (text, status, ids))
        if error:
            ok('error_description="' in www and not any(s in www for s in ("src/", "0x", "errno")),
               "with words for whoever looks into it, and no internals [W50]")
    ok('scope="web-search:read web-search:write"' in www, "403 names all scopes of the operation [W35]")
    value = token(env)
    headers, body = legacy_call("web_search", {"query": "x"})
    is_([front.request("POST", "/web-search/mcp?access_token=" + value, headers, body).status,
         front.request("POST", "/web-search/mcp", [("Content-Type", "application/x-www-form-urlencoded")],
                       b"access_token=" + value.encode()).status],
        [401, 401], "a token in the query or in the body is none [W31]")
    is_(tavily.count(), before, "none of these searched [W5]")
    log = front.logs()["responder.log"]
    ok(all(word in log for word in ("no_credentials", "not_jwt", "wrong_audience", "wrong_resource",
                                    "insufficient_scope")),
       "the log tells the reasons apart [W51]")
    is_([n for n, text in front.logs().items() if n != "access.log" for t in tokens if t in text], [],
        "without a token [S55]")


def outages(env, tavily):
    """A server that has never seen keys, while the environment cannot be reached."""
    env.behave("*", "status", 503)
    with search_front(env, tavily) as front:
        r = search(front, token(env))
        is_((r.status, r.get("WWW-Authenticate")), (503, None),
            "what cannot be decided is 503, so that clients keep their token [W36 W33]")
        ok((r.get("Retry-After") or "").isdigit(), "with Retry-After [W36]")
        r = front.request("GET", "/.well-known/oauth-authorization-server")
        is_((r.status, bool(r.get("Retry-After"))), (503, True), "metadata too [W25 W37 W39]")
        r = front.request("POST", "/oauth/register", [("Content-Type", "application/json")], b'{"client_name":"x"}')
        is_((r.status, bool(r.get("Retry-After"))), (503, True), "and registration [W26 W39]")
        ok("cannot be fetched" in front.logs()["responder.log"] and env.url in front.logs()["responder.log"],
           "the log names the URL that does not answer [W37 W39]")
        is_(front.request("GET", "/health").status, 200, "/health is as ever")
        env.behave("*")
        ok(wait_for(lambda: search(front, token(env)).status == 200, 60.0, 0.5), "when it answers again, so do we")
    env.registration = False
    with search_front(env, tavily) as front:
        r = front.request("POST", "/oauth/register", [("Content-Type", "application/json")], b'{"client_name":"x"}')
        ok(r.status == 404 and "registration is not available" in r.body.decode(),
           "registration that the dashboard does not allow: 404 that says so [W38]")
    env.registration = True
    with search_front(env, tavily, TAVILY_API_KEY=None, TOOLS="web_search greet_user") as front:
        r = front.post(legacy_message("tools/list", {}, token(env)))
        is_([t["name"] for t in result_of(r)["tools"]], ["greet_user"],
            "without a key the tool is not listed [W16 W43]")
        r = front.post(modern_call("web_search", {"query": "x"}, token(env)))
        is_((r.json() or {}).get("error", {}).get("code"), -32602, "and unknown")


def stopped_scene():
    """The processes are told to end while one of them waits for its second try."""
    with Scalekit() as env, Tavily(retry_after="5") as tavily, search_front(env, tavily, STOP_GRACE_S="3") as front:
        value, seen = token(env), []
        search(front, value)    # there are keys
        tavily.forget()
        waiting = threading.Thread(target=lambda: seen.append(search(front, value, "status 429 once")))
        waiting.start()
        wait_for(lambda: tavily.count("search") == 1)
        time.sleep(0.2)         # the refusal is on its way
        for pid in front.responders():
            os.kill(pid, signal.SIGTERM)
        waiting.join()
        return [((seen[0].status, result_of(seen[0]).get("isError")), (200, True),
                 "a search that waits to try again is answered before the process ends"),
                (tavily.count("search"), 1, "without a second try")]


def main():
    lacking = missing("lighttpd")
    if lacking:
        skip_all("there is no " + lacking)
    with Scalekit() as env, Tavily() as tavily:
        with search_front(env, tavily) as front:
            try:
                searches(front, env, tavily)
                documents(front, env)
                refusals(front, env, tavily)
            except Exception as e:
                ok(False, "all claims were tried (%r)" % e)
                front.show_logs()
                raise
        outages(env, tavily)
    steady(stopped_scene)
    done()


main()

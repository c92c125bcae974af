#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The same claims behind every web server, with the configurations as they are installed. LIVE_FRONTS chooses among them."""
import json
import os
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import CGI_FRONTS, FRONTS, Front, missing  # noqa: E402
from harness import (LEGACY, MODERN, diag, done, is_, legacy_call, legacy_message, modern_call, ok, skip, skip_all)  # noqa: E402

ORIGIN = ("Origin", "http://localhost:6274")
GREETING = "Hi Ada, welcome to Scalekit!"
secrets = set()  # every token that was sent


def token(front, **claims):
    value = front.token(**claims)
    secrets.add(value)
    return value


def text_of(answer):
    """The text of a tool's result, or None."""
    try:
        return answer.json()["result"]["content"][0]["text"]
    except (KeyError, IndexError, TypeError):
        return None


def error_of(answer):
    try:
        return answer.json()["error"]
    except (KeyError, TypeError):
        return {}


def public_documents(front, say):
    r = front.request("GET", "/health")
    is_((r.status, r.body), (200, b'{"status": "healthy"}'), say("/health is exactly the JSON of the customer [S49 S70]"))
    is_(r.get("Content-Type"), "application/json", say("/health is application/json"))
    r = front.request("HEAD", "/health")
    is_((r.status, r.body), (200, b""), say("HEAD /health is 200 without bytes [S63]"))
    root = front.request("GET", "/.well-known/oauth-protected-resource")
    path = front.request("GET", "/.well-known/oauth-protected-resource/" + front.mcp_path)
    is_(root.status, 200, say("resource metadata is public [S16 S41 W24]"))
    is_(path.body, root.body, say("resource metadata has the same bytes at both paths [X7]"))
    is_((root.json() or {}).get("resource"), front.url, say("its resource is the configured URL"))
    is_(root.get("Access-Control-Allow-Origin"), "*", say("any page may read it"))
    r = front.request("POST", "/health", body=b"x")
    is_((r.status, r.get("Allow")), (405, "GET, HEAD, OPTIONS"), say("another method on a public document is 405 with Allow"))
    for target in ("/x/.well-known/oauth-protected-resource", "/.well-known/x", "/healthx", "/mcpx"):
        r = front.request("GET", target)
        ok(r.status in (401, 404), say("%s is not public (%d) [S28]" % (target, r.status)))


def refusals(front, say):
    challenge = 'Bearer realm="OAuth", resource_metadata="%s/.well-known/oauth-protected-resource"' % front.origin
    headers, body = modern_call("greet_user", {"name": "Ada"})
    r = front.post((headers + [ORIGIN], body))
    is_((r.status, r.body), (401, b'{"error": "Missing Bearer token"}'), say("no token: 401 with its body, not the web server's [S29 S68]"))
    is_(r.get("WWW-Authenticate"), challenge + ', scope="usr:read"', say("and the challenge, byte for byte [S18 S30 S35]"))
    is_(r.get("Access-Control-Allow-Origin"), ORIGIN[1], say("and CORS fields [S72]"))
    ok("Origin" in (r.get("Vary") or ""), say("and Vary: Origin"))
    r = front.request("GET", "/" + front.mcp_path)
    is_(r.status, 401, say("GET without a token is 401 [S67]"))
    r = front.request("HEAD", "/" + front.mcp_path)
    is_((r.status, r.body), (401, b""), say("HEAD without a token is 401 without bytes"))
    r = front.post(modern_call("greet_user", {"name": "Ada"}, "invalid-token"))
    is_((r.status, r.body), (401, b'{"error": "Token validation failed"}'), say("an invalid token: 401 with its body [S33 S69 W34]"))
    ok((r.get("WWW-Authenticate") or "").startswith(challenge + ', error="invalid_token", error_description="'),
       say("and the challenge says invalid_token"))
    r = front.post(modern_call("greet_user", {"name": "Ada"}, token(front, exp=1)))
    is_(r.status, 401, say("an expired token is 401 [S52 S76]"))
    value = token(front)
    r = front.request("POST", "/%s?access_token=%s" % (front.mcp_path, value), headers, body)
    is_(r.status, 401, say("a token in the query is none [W31]"))
    secrets.discard(value)  # the front's access log may hold the query
    r = front.post((headers + [("Authorization", "Basic dTpw")], body))
    is_((r.status, r.body), (401, b'{"error": "Missing Bearer token"}'), say("another scheme counts as no token"))


def calls(front, say):
    r = front.post(modern_call("greet_user", {"name": "Ada"}, token(front)))
    is_((r.status, text_of(r)), (200, GREETING), say("a call of %s is answered: Authorization and Mcp-* arrive [S11 S13 S43 X6]" % MODERN))
    is_((r.json() or {}).get("result", {}).get("resultType"), "complete", say("as %s answers" % MODERN))
    r = front.post(legacy_message("initialize", {"protocolVersion": LEGACY, "capabilities": {},
                                                 "clientInfo": {"name": "live-test", "version": "1"}}, token(front)))
    is_((r.status, (r.json() or {}).get("result", {}).get("protocolVersion")), (200, LEGACY), say("initialize of %s" % LEGACY))
    r = front.post(legacy_message("notifications/initialized", None, token(front), request_id=None))
    is_((r.status, r.body), (202, b""), say("a notification is 202 without bytes"))
    r = front.post(legacy_call("greet_user", {"name": "Ada"}, token(front)))
    is_((r.status, text_of(r)), (200, GREETING), say("a call of %s is answered" % LEGACY))
    r = front.post(modern_call("admin_tool", {}, token(front)))
    is_(r.status, 200, say("admin_tool with the scope admin"))
    headers, body = modern_call("admin_tool", {}, token(front, scope="usr:read"), request_id=7)
    r = front.post((headers + [ORIGIN], body))
    is_((r.status, error_of(r).get("message"), (r.json() or {}).get("id")), (403, "Requires admin scope", 7),
        say("admin_tool without it is 403 with its body [S79 W35]"))
    challenge = r.get("WWW-Authenticate") or ""
    ok('error="insufficient_scope"' in challenge and challenge.endswith('scope="admin"'), say("and the challenge names the scope"))
    is_(r.get("Access-Control-Allow-Origin"), ORIGIN[1], say("and CORS fields"))
    headers, body = modern_call("greet_user", {"name": "Ada"}, token(front))
    wrong = [(k, "other" if k == "Mcp-Name" else v) for k, v in headers]
    r = front.post((wrong, body))
    is_((r.status, error_of(r).get("code")), (400, -32020), say("Mcp-Name that contradicts the body is refused: it arrives"))


def methods_types_bodies(front, say):
    limited_body = 100000 if front.name == "htaccess" else 4 * 1024 * 1024
    headers, body = modern_call("greet_user", {"name": "Ada"}, token(front))
    r = front.request("GET", "/" + front.mcp_path, headers)
    is_((r.status, r.get("Allow")), (405, "POST, DELETE, OPTIONS"),
        say("GET of the MCP path with a token and no session is 405 with Allow"))
    r = front.request("DELETE", "/" + front.mcp_path, headers)
    is_(r.status, 405, say("DELETE too"))
    other = [(k, "text/plain" if k == "Content-Type" else v) for k, v in headers]
    r = front.post((other, body))
    is_((r.status, r.json()), (415, {"error": "Content-Type must be application/json"}), say("another type is 415"))
    r = front.post((headers, body + b" " * (limited_body - len(body))))
    is_((r.status, text_of(r)), (200, GREETING), say("a body of %d bytes passes" % limited_body))
    if front.name == "htaccess":
        r = front.post((headers, body + b" " * (limited_body * 64 - len(body))))
        is_(r.status, 500, say("what is over mod_fcgid's own limit, which an .htaccess cannot lift, is mod_fcgid's to refuse"))
    else:
        r = front.post((headers, body + b" " * (limited_body + 1 - len(body))))
        is_((r.status, r.get("Content-Type")), (413, "application/json"), say("one byte more is 413, in JSON"))
    r = front.post((headers, b""), chunks=[body[:1], body[1:100], body[100:]])
    is_((r.status, text_of(r)), (200, GREETING), say("a chunked body arrives whole"))
    r = front.post((headers, b""))
    is_((r.status, error_of(r).get("code")), (400, -32700), say("an empty body is a parse error"))
    r = front.request("OPTIONS", "/" + front.mcp_path, [ORIGIN, ("Access-Control-Request-Method", "POST"),
                                                        ("Access-Control-Request-Headers", "authorization, mcp-method")])
    is_((r.status, r.get("Access-Control-Allow-Origin"), r.body), (204, ORIGIN[1], b""), say("a preflight is answered without a token [S72]"))
    allowed = (r.get("Access-Control-Allow-Headers") or "").lower()
    ok(all(h in allowed for h in ("authorization", "mcp-method", "mcp-name", "mcp-protocol-version")), say("and allows our fields [X14]"))
    r = front.post((headers + [("Origin", "https://evil.example")], body))
    is_((r.status, r.get("Access-Control-Allow-Origin")), (403, None), say("a foreign page is turned away"))
    r = front.post((headers, body), host="evil.example")
    is_(r.status, 403, say("and a rebound name"))


def long_and_double_headers(front, say):
    # The largest token that passes here: 16 KiB is ours; mod_proxy_fcgi drops a variable over 16384 bytes, name and all; a host with .htaccess
    # keeps Apache's own 8190 bytes a field.
    largest = {"apache-proxy": 16354, "htaccess": 7000, "htaccess-cgi": 7000}.get(front.name, 16384)
    value = token(front)
    for _ in range(20):
        if len(value) == largest:
            break
        pad = getattr(long_and_double_headers, "pad", 0) + (largest - len(value)) * 3 // 4
        long_and_double_headers.pad = pad
        value = token(front, pad="x" * pad, jti="t")
        if 0 <= largest - len(value) <= 2:
            break
    long_and_double_headers.pad = 0
    r = front.post(modern_call("greet_user", {"name": "Ada"}, value))
    is_((r.status, text_of(r)), (200, GREETING), say("a token of %d bytes passes" % len(value)))
    if largest == 16384:
        r = front.post(modern_call("greet_user", {"name": "Ada"}, value + "x" * 4096))
        is_((r.status, r.body), (401, b'{"error": "Token validation failed"}'), say("a longer one is refused by us, not by the web server"))
    headers, body = modern_call("greet_user", {"name": "Ada"}, token(front))
    r = front.post((headers + [("Mcp-Name", "greet_user")], body))
    is_(r.status, 400, say("Mcp-Name twice is 400"))
    r = front.post((headers + [("Authorization", "Bearer " + token(front))], body))
    is_(r.status, 400, say("Authorization twice is 400"))


def own_name(front, say):
    for target in ("/cgi-bin/mcp.fcgi", "/cgi-bin/mcp.fcgi/mcp", "/cgi-bin/mcp.fcgi/health"):
        is_(front.request("GET", target).status, 403, say("%s is not to be called" % target))


def graceful_stop(front, say):
    """The front's polite stop while clients call: whoever gets an answer gets the right one."""
    stop = threading.Event()
    wrong, right = [], [0]
    message = modern_call("greet_user", {"name": "Ada"}, token(front))

    def client():
        while not stop.is_set():
            try:
                r = front.post(message, timeout=10.0)
            except Exception:  # refused or reset: nobody answered
                if stop.wait(0.01):
                    return
                continue
            if (r.status, text_of(r)) == (200, GREETING):
                right[0] += 1
            else:
                wrong.append(repr(r))

    threads = [threading.Thread(target=client) for _ in range(4)]
    for t in threads:
        t.start()
    for _ in range(3000):
        if right[0] >= 20:
            break
        stop.wait(0.02)
    status = front.stop_gracefully()
    stop.set()
    for t in threads:
        t.join()
    is_(status, 0, say("stops politely"))
    ok(right[0] >= 20, say("%d calls were answered meanwhile" % right[0]))
    is_(wrong[:2], [], say("and none wrongly"))
    if os.path.isdir("/proc/1"):
        is_(front.responders(), [], say("no responder is left"))


def rate_limited(name, say):
    with Front(name, {"RATE_LIMIT": "2/minute"}) as front:
        headers, body = modern_call("greet_user", {"name": "Ada"}, token(front))
        for _ in range(2):
            front.post((headers, body))
        r = front.post((headers + [ORIGIN], body))
        is_((r.status, r.body), (429, b'{"error":"Rate limit exceeded: 2 per 1 minute"}'), say("over the limit: 429 with its body [S82]"))
        ok((r.get("Retry-After") or "").isdigit() and r.get("RateLimit") and r.get("RateLimit-Policy"), say("Retry-After and RateLimit fields"))
        is_(r.get("Access-Control-Allow-Origin"), ORIGIN[1], say("and CORS fields"))
        no_secret_in(front, say)


def no_secret_in(front, say):
    found = [name for name, text in front.logs().items() for s in secrets if s in text or s.split(".")[-1] in text]
    is_(found, [], say("no log has a token [S55]"))
    found = [name for name, text in front.logs().items() if "Ada" in text]
    is_(found, [], say("nor a tool's arguments"))


def wrong_path():
    """Where the web server routes a path that MCP_PATH does not name."""
    with Front("lighttpd", {"MCP_PATH": "/elsewhere"}) as front:
        value = token(front)
        r = front.post(modern_call("greet_user", {"name": "Ada"}, value))
        is_((r.status, r.json()), (404, {"error": "Not found", "mcp_endpoint": "/elsewhere"}), "another path is 404 and names the right one [T3 T22]")
        is_(front.post(modern_call("greet_user", {"name": "Ada"})).status, 401, "to strangers it is 401")
    with Front("nginx", mcp_path="web-search/mcp") as front:
        r = front.post(modern_call("greet_user", {"name": "Ada"}, token(front)))
        is_((r.status, text_of(r)), (200, GREETING), "MCP_PATH=/web-search/mcp with the configuration edited as its comment says [W27]")
        is_(front.request("GET", "/.well-known/oauth-protected-resource/web-search/mcp").status, 200, "and its metadata")


def main():
    names = os.environ.get("LIVE_FRONTS", "").split() or list(FRONTS)
    if names == ["none"]:
        skip_all("LIVE_FRONTS=none")
    for name in names:
        lacking = missing(name)
        if lacking:
            skip(name + ": all claims", "there is no " + lacking)
            continue

        def say(text, name=name):
            return name + ": " + text

        secrets.clear()
        front = Front(name, {"RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off"})
        try:
            front.start()
            for claims in (public_documents, refusals, calls, methods_types_bodies, long_and_double_headers, own_name):
                claims(front, say)
            graceful_stop(front, say)
            no_secret_in(front, say)
        except Exception as e:  # one front's failure is not the others'
            ok(False, say("all claims were tried (%r)" % e))
            front.show_logs()
        finally:
            front.stop()
        rate_limited(name, say)
    if not os.environ.get("LIVE_FRONTS"):
        wrong_path()
    done()


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The development issuer behind lighttpd: what an OAuth client does, and what it must not get away with."""
import base64
import hashlib
import html
import html.parser
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import (COMMAND, b64u, diag, done, free_port, is_, ok, private_directory, remove_directory,  # noqa: E402
                     request, skip_all, stop_process, wait_for, which)

RESOURCE = "http://127.0.0.1:3002/mcp"
REDIRECT = "http://127.0.0.1:5000/callback"
FORM = [("Content-Type", "application/x-www-form-urlencoded")]
CONFIG = """server.modules = ( "mod_fastcgi" )
server.document-root = "%(dir)s"
server.bind = "127.0.0.1"
server.port = %(port)d
server.upload-dirs = ( "%(dir)s" )
fastcgi.server = ( "" => (( "socket" => "%(socket)s", "check-local" => "disable" )) )
"""


class Issuer:
    """mcp-fcgi issuer on a socket, lighttpd on a port of its own in front of it, as quickstart starts them."""
    def __init__(self, *options):
        self.dir, self.port = private_directory(), free_port()
        self.url = "http://127.0.0.1:%d" % self.port
        self.issuer = self.url + "/resources/res_dev"
        self.socket = self.dir + "/issuer.sock"
        self.state = self.dir + "/state"
        os.mkdir(self.state, 0o700)
        self.children = []
        self.options = list(options)
        with open(self.dir + "/lighttpd.conf", "w", encoding="utf-8") as f:
            f.write(CONFIG % {"dir": self.dir, "port": self.port, "socket": self.socket})

    def __enter__(self):
        self.start_issuer()
        self.spawn(which("lighttpd"), "-D", "-f", self.dir + "/lighttpd.conf")
        if not wait_for(self.answers):
            self.__exit__()
            raise RuntimeError("the issuer did not come up")
        return self

    def start_issuer(self):
        self.responder = self.spawn(COMMAND, "issuer", "--listen", self.socket, "--state-dir", self.state, "--url",
                                    self.url, "--resource", RESOURCE, "--resource-id", "res_dev", "--scopes",
                                    "usr:read admin", *self.options)

    def spawn(self, *argv):
        with open(self.dir + "/log", "ab") as log:
            self.children.append(
                subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.dir))
        return self.children[-1]

    def answers(self):
        try:
            return self.get("/keys").status == 200
        except OSError:
            return False

    def __exit__(self, *_):
        for p in reversed(self.children):
            stop_process(p)
        if self.log().find("Sanitizer") >= 0 or self.log().find("runtime error") >= 0:
            ok(False, "no sanitizer had anything to say")
            diag(self.log())
        remove_directory(self.dir)

    def log(self):
        with open(self.dir + "/log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def get(self, path, headers=()):
        return request(self.port, "GET", path, headers)

    def post(self, path, fields, headers=()):
        return request(self.port, "POST", path, FORM + list(headers), urllib.parse.urlencode(fields).encode())

    def command(self, *argv):
        """Run the command with this state: (status, stdout, stderr)."""
        p = subprocess.run([COMMAND, argv[0], "--state-dir", self.state, *argv[1:]], capture_output=True, text=True,
                           check=False)
        return p.returncode, p.stdout, p.stderr


class Page(html.parser.HTMLParser):
    """The form of the consent page: action and fields; and every element that was seen."""
    def __init__(self, text):
        super().__init__()
        self.action, self.fields, self.elements = None, [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.add(tag)
        if tag == "form":
            self.action = attrs["action"]
        if tag == "input" and (attrs.get("type") != "checkbox" or "checked" in attrs):
            self.fields.append((attrs["name"], attrs["value"]))


def claims_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def header_of(token):
    part = token.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def signature_fits(token, jwks, directory):
    """Whether the key set verifies the token; the mathematics by Python, so independently of us."""
    keys = [k for k in jwks["keys"] if k["kid"] == header_of(token)["kid"]]
    if len(keys) != 1 or keys[0]["kty"] != "RSA":
        return False
    number = lambda t: int.from_bytes(base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)), "big")  # noqa: E731
    n, e = number(keys[0]["n"]), number(keys[0]["e"])
    text, _, signature = token.rpartition(".")
    size = (n.bit_length() + 7) // 8
    padded = pow(number(signature), e, n).to_bytes(size, "big")
    digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
    return padded == b"\x00\x01" + b"\xff" * (size - len(digest) - 3) + b"\x00" + digest


class Client:
    """A public client as a program on this computer is one."""
    def __init__(self, issuer, name="live test"):
        self.issuer = issuer
        self.metadata = issuer.get("/.well-known/oauth-authorization-server/resources/res_dev").json()
        self.verifier = b64u(os.urandom(32))
        self.challenge = b64u(hashlib.sha256(self.verifier.encode()).digest())
        self.cookie = None
        r = request(
            issuer.port, "POST", self.path("registration_endpoint"), [("Content-Type", "application/json")],
            json.dumps({
                "client_name": name, "redirect_uris": [REDIRECT], "token_endpoint_auth_method": "none",
                "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"]
            }).encode())
        self.registration, self.id = r, (r.json() or {}).get("client_id")

    def path(self, endpoint):
        return urllib.parse.urlsplit(self.metadata[endpoint]).path

    def authorize(self, **more):
        fields = {
            "response_type": "code", "client_id": self.id, "redirect_uri": REDIRECT, "state": "st/ate",
            "code_challenge": self.challenge, "code_challenge_method": "S256", "resource": RESOURCE,
            "scope": "usr:read admin"
        }
        fields.update(more)
        fields = {k: v for k, v in fields.items() if v is not None}
        headers = [("Cookie", self.cookie)] if self.cookie else []
        r = self.issuer.get(self.path("authorization_endpoint") + "?" + urllib.parse.urlencode(fields), headers)
        if r.get("Set-Cookie"):
            self.cookie = r.get("Set-Cookie").split(";")[0]
        return r

    def consent(self, page, decision="allow", without=()):
        fields = [f for f in Page(page.body.decode()).fields if f not in without] + [("decision", decision)]
        return self.issuer.post(
            urllib.parse.urlsplit(Page(page.body.decode()).action).path, fields, [("Cookie", self.cookie),
                                                                                  ("Origin", self.issuer.url)])

    def code(self, **more):
        r = self.authorize(**more)
        return location(r if r.status == 302 else self.consent(r)).get("code", [""])[0]

    def token(self, **fields):
        fields.setdefault("client_id", self.id)
        return self.issuer.post(self.path("token_endpoint"), {k: v for k, v in fields.items() if v is not None})

    def exchange(self, code, **more):
        fields = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT,
            "code_verifier": self.verifier, "resource": RESOURCE
        }
        fields.update(more)
        return self.token(**fields)

    def refresh(self, token, **more):
        return self.token(grant_type="refresh_token", refresh_token=token, **more)


def location(answer):
    """The parameters that the answer sends to the redirect URI."""
    where = answer.get("Location") or ""
    return urllib.parse.parse_qs(urllib.parse.urlsplit(where).query) if where.startswith(REDIRECT + "?") else {}


def refused(answer, status, error, text):
    is_((answer.status, (answer.json() or {}).get("error")), (status, error), text)


def the_dance(issuer):
    c = Client(issuer)
    is_(c.metadata["issuer"], issuer.issuer, "the metadata at the inserted form names its issuer")
    is_(
        issuer.get("/resources/res_dev/.well-known/oauth-authorization-server").json(), c.metadata,
        "the appended form is the same")
    is_(
        issuer.get("/.well-known/oauth-authorization-server").json()["issuer"], issuer.url,
        "the environment has metadata of its own")
    is_(c.registration.status, 201, "a client registers")
    page = c.authorize()
    is_(page.status, 200, "the person is asked")
    form = Page(page.body.decode())
    is_([v for k, v in form.fields if k == "scope"], ["usr:read", "admin"], "with a box for each scope")
    ok("script" not in form.elements and "iframe" not in form.elements, "without script or frame")
    answer = c.consent(page, without=[("scope", "admin")])
    got = location(answer)
    is_((answer.status, got.get("state"), got.get("iss")), (303, ["st/ate"], [issuer.issuer]),
        "consent sends back code, state and iss [W30]")
    r = c.exchange(got["code"][0])
    is_(r.status, 200, "the code is exchanged")
    is_((r.get("Cache-Control"), r.get("Content-Type")), ("no-store", "application/json"),
        "the answer is JSON and not stored")
    tokens = r.json()
    is_((tokens["token_type"], tokens["expires_in"], tokens["scope"]), ("Bearer", 3600, "usr:read"),
        "for what was ticked")
    keys = issuer.get("/keys").json()
    ok(signature_fits(tokens["access_token"], keys, issuer.dir), "the key set verifies the access token")
    claims = claims_of(tokens["access_token"])
    is_((claims["iss"], claims["aud"], claims["sub"], claims["oid"], claims["client_id"], claims["scope"]),
        (issuer.issuer, [RESOURCE, "res_dev"], "usr_dev", "org_dev", c.id, "usr:read"),
        "its claims are those of Scalekit's tokens")
    ok(abs(claims["iat"] - time.time()) < 60 and claims["exp"] == claims["iat"] + 3600, "its times are right")
    is_((header_of(tokens["access_token"])["typ"], header_of(tokens["access_token"])["alg"]), ("JWT", "RS256"),
        "its header too")
    again = c.refresh(tokens["refresh_token"]).json()
    ok(again and again.get("refresh_token") not in (None, tokens["refresh_token"]),
       "the refresh token is exchanged for another")
    refused(c.refresh(tokens["refresh_token"]), 400, "invalid_grant", "and works once")
    refused(c.refresh(again["refresh_token"]), 400, "invalid_grant", "its reuse ends the new one as well")
    return c


def refusals(issuer, c):
    r = c.authorize(redirect_uri="http://127.0.0.1:5000/elsewhere")
    is_((r.status, r.get("Location")), (400, None), "another redirect URI gets a page and no redirect")
    r = c.authorize(client_id="m2m_nobody")
    is_((r.status, r.get("Location")), (400, None), "an unknown client too")
    is_(
        c.authorize(redirect_uri="http://127.0.0.1:49152/callback").status, 200,
        "the port of a loopback redirect URI is free")
    for text, more, error in (("no PKCE", {"code_challenge": None}, "invalid_request"),
                              ("plain PKCE", {"code_challenge_method": "plain"}, "invalid_request"),
                              ("a wrong resource", {"resource": "https://other.example/mcp"},
                               "invalid_target"), ("a wrong scope", {"scope": "usr:read root"}, "invalid_scope"),
                              ("another flow", {"response_type": "token"}, "unsupported_response_type")):
        is_(location(c.authorize(**more)).get("error"), [error], text + " is told the client")
    is_(location(c.consent(c.authorize(), "deny")).get("error"), ["access_denied"], "the person may say no")
    page = c.authorize()
    stolen = Client(issuer)
    stolen.cookie = "mcp_fcgi_issuer=" + "A" * 43
    is_(stolen.consent(page).status, 403, "another browser cannot decide")
    ok(location(c.consent(page)).get("code"), "the right one can")
    is_(c.consent(page).status, 403, "once")
    refused(c.exchange(c.code(), code_verifier=b64u(os.urandom(32))), 400, "invalid_grant", "a wrong verifier")
    refused(c.exchange(c.code(), redirect_uri="http://127.0.0.1:5001/callback"), 400, "invalid_grant",
            "another redirect URI at the token endpoint")
    refused(c.exchange(c.code(), resource="https://other.example/mcp"), 400, "invalid_target",
            "another resource at the token endpoint")
    refused(
        Client(issuer).exchange(c.code(), code_verifier=c.verifier), 400, "invalid_grant", "another client's code")
    code = c.code()
    tokens = c.exchange(code).json()
    refused(c.exchange(code), 400, "invalid_grant", "a code a second time")
    refused(c.refresh(tokens["refresh_token"]), 400, "invalid_grant", "which ends what it gave")
    nasty = Client(issuer, "<script>alert(1)</script><img src=x onerror=alert(2)>")
    page = nasty.authorize()
    form = Page(page.body.decode())
    ok(page.status == 200 and not form.elements & {"script", "img"}, "HTML in a client's name stays text")
    ok(html.escape("<script>alert(1)</script>") in page.body.decode(), "and is shown as it is")
    policy = page.get("Content-Security-Policy") or ""
    ok("default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy,
       "the policy would forbid it anyway")
    r = request(issuer.port, "GET", "/keys", host="evil.example:%d" % issuer.port)
    is_(r.status, 403, "a foreign Host is refused (DNS rebinding)")
    r = request(issuer.port, "OPTIONS", "/oauth/token",
                [("Origin", "http://localhost:6274"), ("Access-Control-Request-Method", "POST"),
                 ("Access-Control-Request-Headers", "content-type, authorization, mcp-protocol-version")])
    is_((r.status, r.get("Access-Control-Allow-Origin")), (204, "*"),
        "clients in web pages may use the token endpoint")
    r = c.issuer.get(c.path("authorization_endpoint"), [("Origin", "http://localhost:6274")])
    is_(r.get("Access-Control-Allow-Origin"), None, "but not the consent page")


def afterwards(issuer, c):
    r = request(
        issuer.port, "POST", c.path("registration_endpoint"), [("Content-Type", "application/json")],
        json.dumps({"grant_types": ["client_credentials"],
                    "token_endpoint_auth_method": "client_secret_basic"}).encode()).json()
    basic = [("Authorization", "Basic " + base64.b64encode(
        ("%s:%s" % (r["client_id"], r["client_secret"])).encode()).decode())]
    machine = issuer.post("/oauth/token", {"grant_type": "client_credentials", "scope": "usr:read"}, basic)
    claims = claims_of(machine.json()["access_token"])
    is_((claims["sub"], claims["scopes"], claims["iss"], "scope" in claims),
        (r["client_id"], ["usr:read"], issuer.url, False), "a machine gets a token with a scopes array")
    tokens = c.exchange(c.code()).json()
    look = lambda t: issuer.post("/oauth/introspect", {"token": t}, basic).json()  # noqa: E731
    seen = look(tokens["access_token"])
    is_((seen["active"], seen["client_id"], seen["scope"], seen["aud"]),
        (True, c.id, "usr:read admin", [RESOURCE, "res_dev"]), "introspection tells about a token")
    is_(look("nonsense"), {"active": False}, "and nothing about what is none")
    refused(issuer.post("/oauth/introspect", {"token": tokens["access_token"], "client_id": c.id}), 401,
            "invalid_client", "a public client may not ask")
    is_(
        issuer.post("/oauth/revoke", {"token": tokens["refresh_token"], "client_id": c.id}).status, 200,
        "a grant is revoked")
    is_(look(tokens["access_token"]), {"active": False}, "its access token with it")
    return look


def the_command(issuer, c, look):
    status, out, err = issuer.command("token")
    token = out.strip()
    is_((status, err, out.count("\n")), (0, "", 1), "mcp-fcgi token prints one line")
    ok(signature_fits(token, issuer.get("/keys").json(), issuer.dir), "a token that the key set verifies")
    claims = claims_of(token)
    is_((claims["iss"], claims["aud"], claims["scope"], claims["oid"], claims["exp"] - claims["iat"]),
        (issuer.url, [RESOURCE, "res_dev"], "usr:read admin", "org_dev", 3600),
        "for the running issuer's resource, with all its scopes")
    ok(look(token).get("active"), "which the issuer knows")
    _, out, _ = issuer.command("token", "--scope", "a b", "--org", "", "--subject", "usr_x", "--client", "skc_x",
                               "--resource", "https://mcp.example.com/", "--ttl", "-60", "--claim",
                               "extra={\"a\":[1,null]}", "--claim", "jti=", "--claim", "nbf=12.5")
    claims = claims_of(out.strip())
    is_((claims["scope"], claims.get("oid"), claims["sub"], claims["client_id"], claims["aud"],
         claims["exp"] - claims["iat"], claims["extra"], "jti" in claims, claims["nbf"]),
        ("a b", None, "usr_x", "skc_x", ["https://mcp.example.com/", "res_dev"], -60, {"a": [1, None]}, False, 12.5),
        "every claim can be chosen")
    is_([
        issuer.command("token", *argv)[0]
        for argv in (("--claim", "x"), ("--claim", "x=y"), ("--ttl", "soon"), ("--nonsense", ), ("left over", ))
    ], [2] * 5, "a wrong command line ends with status 2")
    is_(
        subprocess.run([COMMAND, "token", "--state-dir", issuer.dir + "/other"], capture_output=True,
                       check=False).returncode, 1, "without an issuer's state there is no token")
    before = issuer.get("/keys").json()
    status, out, _ = issuer.command("issuer", "rotate")
    kid = out.split()[0]
    after = issuer.get("/keys").json()
    is_((status, [k["kid"] for k in after["keys"]]), (0, [kid] + [k["kid"] for k in before["keys"]]),
        "a rotation is seen at once by the running issuer")
    ok(signature_fits(token, after, issuer.dir), "old tokens can still be verified")
    fresh = c.exchange(c.code()).json()["access_token"]
    is_(header_of(fresh)["kid"], kid, "new tokens have the new key")
    _, out, _ = issuer.command("issuer", "rotate", "--alg", "ES256", "--forget")
    after = issuer.get("/keys").json()["keys"]
    is_([(k["kid"], k["kty"], k.get("crv")) for k in after], [(out.split()[0], "EC", "P-256")],
        "old keys can be forgotten, and the algorithm changed")
    is_(header_of(c.exchange(c.code()).json()["access_token"])["alg"], "ES256", "tokens follow")
    _, out, _ = issuer.command("issuer", "keys")
    is_(json.loads(out), {"keys": after}, "mcp-fcgi issuer keys prints the key set")
    modes = {
        name: os.stat(os.path.join(issuer.state, "issuer", name)).st_mode & 0o777
        for name in os.listdir(issuer.state + "/issuer")
    }
    ok(modes and all(m & 0o077 == 0 for m in modes.values()), "its files are their owner's alone")


def together(count, call):
    """The answers of "count" calls begun at the same moment."""
    gate, answers = threading.Barrier(count), []

    def run():
        gate.wait()
        answers.append(call())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def races(c):
    code = c.code()
    answers = together(12, lambda: c.exchange(code))
    good = [a.json() for a in answers if a.status == 200]
    is_((len(answers), len([a for a in answers if a.status == 400])), (12, 12 - len(good)),
        "twelve at once with one code: all are answered")
    ok(len(good) <= 1, "at most one gets a token")
    is_([c.refresh(g["refresh_token"]).status for g in good], [400] * len(good), "which the others have ended")
    token = c.exchange(c.code()).json()["refresh_token"]
    answers = together(12, lambda: c.refresh(token))
    good = [a.json() for a in answers if a.status == 200]
    ok(len(answers) == 12 and len(good) <= 1, "twelve at once with one refresh token: at most one gets another")
    is_([c.refresh(g["refresh_token"]).status for g in good], [400] * len(good), "which the others have ended too")
    page = c.authorize()
    answers = together(6, lambda: c.consent(page))
    is_(sorted(a.status for a in answers), [303] + [403] * 5, "six clicks on Allow give one code")


def restart(issuer, c):
    tokens = c.exchange(c.code()).json()
    is_(stop_process(issuer.responder), 0, "the issuer stops in good order")
    ok(not os.path.exists(issuer.socket), "and takes its socket away")
    issuer.start_issuer()
    ok(wait_for(issuer.answers), "it starts again")
    is_(c.refresh(tokens["refresh_token"]).status, 200, "and knows its clients and their grants")
    secrets = [tokens["refresh_token"], tokens["access_token"], c.verifier]
    found = b""
    for name in os.listdir(issuer.state + "/issuer"):
        with open(os.path.join(issuer.state, "issuer", name), "rb") as f:
            found += f.read()
    ok(len(found) > 4096 and not [s for s in secrets if s.encode() in found], "no token is in its files")
    ok(not [s for s in secrets if s in issuer.log()] and not re.search(r"eyJ|code=", issuer.log()), "nor in its log")


def refuses_to_start():
    d = private_directory()
    for url, why in (("http://0.0.0.0:3003", "all addresses"), ("http://example.com", "a public name"),
                     ("http://192.168.0.1:3003", "a private address")):
        p = subprocess.run(
            [COMMAND, "issuer", "--listen", d + "/s", "--state-dir", d, "--url", url, "--resource", RESOURCE],
            capture_output=True, text=True, check=False)
        ok(p.returncode == 2 and "loopback" in p.stderr, "it does not start on " + why)
    p = subprocess.run([
        COMMAND, "issuer", "--listen", "0.0.0.0:0", "--state-dir", d, "--url", "http://127.0.0.1:1", "--resource",
        RESOURCE
    ], capture_output=True, check=False)
    is_(p.returncode, 1, "nor listen for FastCGI beyond this computer")
    remove_directory(d)


def automatic():
    with Issuer("--auto-consent", "--token-ttl", "2") as issuer:
        c = Client(issuer)
        r = c.authorize()
        is_(r.status, 302, "with automatic consent there is no page")
        r = c.exchange(location(r)["code"][0]).json()
        is_((r["scope"], r["expires_in"]), ("usr:read admin", 2),
            "what was asked for is granted, for as long as was said")


def main():
    if not which("lighttpd"):
        skip_all("lighttpd is missing")
    refuses_to_start()
    with Issuer() as issuer:
        c = the_dance(issuer)
        refusals(issuer, c)
        look = afterwards(issuer, c)
        the_command(issuer, c, look)
        races(c)
        restart(issuer, c)
    automatic()
    done()


if __name__ == "__main__":
    main()

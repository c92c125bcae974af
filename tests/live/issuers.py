#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Several issuers behind a real web server: whose keys judge a token, where keys are learnt from, whose metadata is
believed, and that what happens to one issuer is nothing to the others (D15, F15, E14)."""

import json
import os
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))

from front import Front, missing     # noqa: E402
from harness import COMMAND, RESPONDER, diag, done, is_, modern_call, ok, skip_all, wait_for     # noqa: E402
import crypto       # noqa: E402
import peer         # noqa: E402
import scalekit     # noqa: E402

# What the metadata of each bad issuer says instead; {} is the fixture's own URL.
BAD = {
    "liar": {"issuer": "{}/realms/staff"},
    "slash": {"issuer": "{}/slash/"},
    "none": {"jwks_uri": None},
    "number": {"jwks_uri": 7},
    "private": {"jwks_uri": "https://10.0.0.1/keys"},
    "metadata-service": {"jwks_uri": "https://169.254.169.254/keys"},
    "other-loopback": {"jwks_uri": "http://127.0.0.2:{port}/stolen"},
    "plain": {"jwks_uri": "http://mcp.example.com/keys"},
    "userinfo": {"jwks_uri": "http://user@127.0.0.1:{port}/stolen"},
    "fragment": {"jwks_uri": "{}/stolen#x"},
    "file": {"jwks_uri": "file:///etc/passwd"},
    "huge": {"x": "y" * (300 * 1024)},
}


class Issuers(peer.Peer):
    """Authorization servers by their paths, e.g. /realms/staff, with one signing key each."""

    def __init__(self, **options):
        super().__init__(**options)
        self.keys = {}

    def key(self, name):
        return self.keys.setdefault(name, crypto.RSAKey("kid-" + name.replace("/", "-")))

    def place(self, path):
        """metadata:NAME where OpenID Connect has it, keys:NAME, other."""
        for end, where in (("/.well-known/openid-configuration", "metadata"), ("/certs", "keys")):
            if path.endswith(end):
                return where + ":" + path[1:-len(end)]
        return "stolen" if path.startswith("/stolen") else "other"

    def answer(self, request):
        where, _, name = self.place(request.path).partition(":")
        if where == "metadata":
            document = {"issuer": f"{self.url}/{name}", "jwks_uri": f"{self.url}/{name}/certs"}
            for member, value in BAD.get(name, {}).items():
                if isinstance(value, str):
                    value = value.replace("{port}", self.url.rsplit(":", 1)[1]).replace("{}", self.url)
                document[member] = value
            return 200, [], json.dumps({k: v for k, v in document.items() if v is not None}).encode()
        if where == "keys":
            return 200, [], json.dumps({"keys": [self.key(name).jwk()]}).encode()
        if where == "stolen":       # keys that would verify every bad issuer's tokens
            return 200, [], json.dumps({"keys": [self.key(n).jwk() for n in BAD]}).encode()
        return 404, [], b"{}"

    def token(self, name, audience, key=None, **changes):
        now = int(time.time())
        claims = {"iss": f"{self.url}/{name}", "aud": audience, "sub": "usr_1", "azp": "app", "typ": "Bearer",
                  "scope": "usr:read", "iat": now - 5, "exp": now + 600, "organization": {"acme": {}}}
        claims.update(changes)
        return (key or self.key(name)).jws({k: v for k, v in claims.items() if v is not None})


def outcome(front, token, tool="greet_user", arguments=None):
    return front.post(modern_call(tool, arguments or {"name": "Ada"}, token))


def last_word(front):
    """The reason at the end of the last request's line in the log."""
    lines = [s for s in front.logs()["responder.log"].splitlines() if " POST /mcp " in s]
    return lines[-1].rsplit(", ", 1)[-1] if lines else ""


def configuration(front, env, others):
    lines = [f"SK_ENV_URL={env.url}", f"MCP_SERVER_ID={env.resource}", f"EXPECTED_AUDIENCE={front.url}",
             "PROTECTED_RESOURCE_METADATA=auto", f"STATE_DIR={front.dir}/state",
             f"LOG_TO={front.dir}/log/responder.log", "RATE_LIMIT=off", "RATE_LIMIT_PRINCIPAL=off",
             "[issuer staff]", "PROFILE=keycloak", f"ISSUER={others.url}/realms/staff",
             "[issuer partner]", "PROFILE=keycloak", f"ISSUER={others.url}/realms/partner", "ORG_SHARED=on",
             "REQUIRED_SCOPES=usr:read"]
    for name in BAD:
        lines += [f"[issuer {name}]", f"ISSUER={others.url}/{name}"]
    return "\n".join(lines) + "\n"


def good(front, env, others):
    audience = front.url
    is_(outcome(front, env.token(aud=[audience])).status, 200, "a token of the default issuer is accepted")
    is_((env.count("keys"), others.count()), (1, 0), "and nobody else was asked for keys")
    is_(outcome(front, others.token("realms/staff", audience)).status, 200,
        "a token of a further issuer is accepted, with keys that its metadata names")
    is_((others.count("metadata:realms/staff"), others.count("keys:realms/staff"), env.count("keys")), (1, 1, 1),
        "one request for the metadata and one for the keys, by two processes")
    is_(others.count("metadata:realms/partner") + others.count("keys:realms/partner"), 0,
        "an issuer of whom no token came was not asked")
    is_(outcome(front, others.token("realms/partner", audience)).status, 200, "a token of the third one")
    for _ in range(8):
        outcome(front, others.token("realms/staff", audience))
        outcome(front, env.token(aud=[audience]))
    is_((env.count("keys"), others.count("keys:realms/staff")), (1, 1), "more tokens cause no more requests")


def begin_cooldown(front):
    """The cooldown of all keys begins now, however long the tests until here have taken. Returns when that was."""
    with sqlite3.connect(front.dir + "/state/state.db", timeout=30) as db:
        db.execute("UPDATE issuer_keys SET fetched_s = ?1, attempt_s = ?1, generation = generation + 1",
                   (int(time.time()),))
    return time.monotonic()


def crossed(front, env, others):
    """Tokens that say one issuer and are signed by another one's key."""
    audience = front.url
    before = (env.count(), others.count())
    staff, partner = others.key("realms/staff"), others.key("realms/partner")
    answer = outcome(front, others.token("realms/staff", audience, key=partner))
    is_((answer.status, last_word(front)), (401, "unknown_key"),
        "D15: issuer A's token with a key that only issuer B has is refused")
    is_(others.count("keys:realms/partner"), 1, "D15: and B is not asked")
    forged = crypto.RSAKey(staff.kid)
    answer = outcome(front, others.token("realms/partner", audience, key=forged))
    is_((answer.status, last_word(front)), (401, "unknown_key"), "D15: so is B's token with a kid of A")
    same = crypto.RSAKey(partner.kid)
    answer = outcome(front, others.token("realms/partner", audience, key=same))
    is_((answer.status, last_word(front)), (401, "bad_signature"), "a known kid and another key: a bad signature")
    answer = outcome(front, env.token(key=staff, aud=[audience]))
    is_((answer.status, last_word(front)), (401, "unknown_key"),
        "D15: the default issuer's token, signed by a further one")
    is_((env.count(), others.count()), before, "D15: within the cooldown none of them causes a request")
    for iss in ("https://evil.example", f"{others.url}/realms/Staff", f"{others.url}/realms/staff/",
                f"{others.url}/realms/other", f"{env.url}/"):
        answer = outcome(front, others.token("realms/staff", audience, iss=iss))
        is_((answer.status, last_word(front)), (401, "wrong_issuer"), f"E2: issuer {iss} is trusted by nobody")
    is_((env.count(), others.count()), before, "E2: and caused no request")


def organisations(front, others):
    """Each further issuer's organisations are its own, unless the operator says that they are shared."""
    data = front.dir + "/state"
    for organisation, value in (("acme", "of the default issuer"), ("staff:acme", "of staff")):
        command = [COMMAND, "org", "--state-dir", data, "set", organisation, "plan", value]
        is_(subprocess.run(command, capture_output=True, text=True, timeout=60).returncode, 0,
            f"data of organisation {organisation}")
    for name, want in (("realms/staff", "of staff"), ("realms/partner", "of the default issuer")):
        answer = outcome(front, others.token(name, front.url), "get_org_data", {"key": "plan"})
        ok(want in answer.body.decode(), f"E14: {name} reads the data {want}")


def refused_metadata(front, others):
    for name in BAD:
        answer = outcome(front, others.token(name, front.url, organization=None))
        is_((answer.status, last_word(front)), (503, "keys_unavailable"), f"F15: metadata with a bad member: {name}")
    is_(others.count("stolen"), 0, "F15: no URL that must not be used was asked for")
    log = front.logs()["responder.log"]
    for what in ("the metadata is of another issuer", "the metadata names no jwks_uri that may be used",
                 "the metadata names no jwks_uri"):
        ok(what in log, f"the log says: {what}")
    is_(outcome(front, others.token("realms/staff", front.url)).status, 200, "the other issuers go on")


def documents(front, env, others):
    answer = front.request("GET", "/.well-known/oauth-protected-resource")
    servers = answer.json()["authorization_servers"]
    is_(servers[:3], [env.issuer, f"{others.url}/realms/staff", f"{others.url}/realms/partner"],
        "the resource's metadata names all authorization servers, the default one first")
    answer = front.request("GET", "/.well-known/oauth-authorization-server")
    is_((answer.status, answer.json().get("issuer")), (200, env.issuer),
        "the metadata that is passed on is the default issuer's")


def required_scopes(front, others):
    answer = outcome(front, others.token("realms/partner", front.url, scope="openid"))
    challenge = answer.get("WWW-Authenticate") or ""
    ok(answer.status == 403 and 'error="insufficient_scope"' in challenge and "usr:read" in challenge,
       "a token without what its issuer's section requires is 403, and the challenge names it")


def rotation(front, env, others, begun):
    """All keys of one issuer change; the cooldown of 30 s has to pass."""
    old = others.token("realms/staff", front.url)
    time.sleep(max(0.0, 31 - (time.monotonic() - begun)))
    before = (env.count("keys"), others.count("keys:realms/partner"), others.count("keys:realms/staff"))
    others.keys["realms/staff"] = crypto.RSAKey("kid-new")
    is_(outcome(front, others.token("realms/staff", front.url)).status, 200,
        "F10: a new key of one issuer is accepted after the cooldown")
    is_(others.count("keys:realms/staff"), before[2] + 1, "F10: with one request to it")
    is_((env.count("keys"), others.count("keys:realms/partner")), before[:2], "and none to the others")
    ok(wait_for(lambda: outcome(front, old).status == 401, 10), "F10: the key that is gone is refused")
    is_(outcome(front, others.token("realms/partner", front.url)).status, 200, "the others' keys are as they were")
    with sqlite3.connect(front.dir + "/state/state.db") as db:
        rows = [t for t in db.iterdump() if "by its metadata" in t and "kid-new" in t]
    is_(len(rows), 1, "each issuer's keys are kept by themselves")


def faults(front):
    """What is wrong in a section, with its line."""
    start = "EXPECTED_AUDIENCE=https://mcp.example.com/mcp\nPROTECTED_RESOURCE_METADATA=auto\n" \
            f"STATE_DIR={front.dir}/state\n[issuer a]\n"
    for text, line, what in (
            ("PROFILE=okta\n", 4, "[issuer a] has no ISSUER"),
            ("ISSUER=https://a.example\nPROFILE=octa\n", 6, "PROFILE is none of its choices"),
            ("ISSUER=https://a.example\nALOWED_CLIENTS=x\n", 6, "ALOWED_CLIENTS is no setting"),
            ("ISSUER=https://a.example/{tid}\nJWKS_URI=https://a.example/keys\n", 4,
             "[issuer a] has {tid} in ISSUER and no TENANTS"),
            ("ISSUER=https://a.example\nTENANTS=t\n", 4, "[issuer a] has TENANTS and no {tid} in ISSUER"),
            ("ISSUER=https://a.example/{tid}\nTENANTS=t\n", 4, "[issuer a] needs JWKS_URI or JWKS_FILE"),
            ("ISSUER=http://a.example\n", 4, "[issuer a] needs JWKS_URI or JWKS_FILE"),
            ("ISSUER=*\nJWKS_FILE=/x\n", 4, "[issuer a] has ISSUER=*"),
            ("ISSUER=https://a.example\nAUDIENCE=*\n", 4, "[issuer a] has AUDIENCE=*"),
            ("ISSUER=https://a.example\nPROFILE=cognito\n", 4, "[issuer a] has no AUDIENCE"),
            ("ISSUER=https://a.example\nJWKS_FILE=/x\nJWKS_URI=https://a.example/k\n", 4,
             "[issuer a] has both JWKS_URI and JWKS_FILE"),
            ("ISSUER=https://a.example\nJWT_ALGORITHMS=HS256\n", 6, "JWT_ALGORITHMS names an algorithm"),
            ("ISSUER=https://a.example\n[issuer a]\nISSUER=https://b.example\n", 6,
             "[issuer a]: there is a section of this name already"),
            ("ISSUER=https://a.example\n[issuer b]\nISSUER=https://a.example\n", 6,
             "[issuer b] has an ISSUER that is trusted already"),
            ("ISSUER=https://a.example\n[issuer default]\n", 6, "[issuer default]: this is no name"),
            ("ISSUER=https://a.example\n[tool x]\n", 6,
             "[tool x]: there are only [issuer NAME] and [module NAME] sections")):
        path = front.write("faulty.conf", start + text, 0o600)
        p = subprocess.run([RESPONDER, "-n", "--config", path], env={"PATH": os.environ["PATH"], "HOME": front.dir},
                           capture_output=True, text=True, timeout=60, check=False)
        wanted = f"[FAIL] CONFIG {path}:{line}: {what}"
        if not ok(p.returncode == 1 and any(s.startswith(wanted) for s in p.stdout.splitlines()),
                  f"a fault with its line: {what}"):
            diag(p.stdout)
    path = front.write("faulty.conf", start + "PROFILE=auth0\nISSUER=https://t.auth0.com/\n", 0o600)
    p = subprocess.run([RESPONDER, "-n", "--config", path], env={"PATH": os.environ["PATH"], "HOME": front.dir},
                       capture_output=True, text=True, timeout=60, check=False)
    ok(p.returncode == 0 and '[OK] ISSUER a (profile auth0): https://t.auth0.com/, keys from its metadata, audience '
       '"https://mcp.example.com/mcp"' in p.stdout.splitlines(),
       "without SK_ENV_URL one section is enough, and a line says what it trusts")
    p = subprocess.run([COMMAND, "config", "show", "--config", path], capture_output=True, text=True, timeout=60,
                       env={"PATH": os.environ["PATH"], "HOME": front.dir}, check=False)
    shown = p.stdout.partition("[issuer a]\n")[2].splitlines()
    ok("ORG_CLAIMS=org_id  # profile auth0" in shown and f"ISSUER=https://t.auth0.com/  # ISSUER {path}:6" in shown and
       "JWT_LEEWAY_S=30  # default" in shown, "config show tells what of a section is written, the profile's, a default")


why = missing("lighttpd")
if why:
    skip_all(f"there is no {why}")
with scalekit.Scalekit() as env, Issuers() as others:
    front = Front("lighttpd")
    front.config_text = configuration(front, env, others)
    front.configure()
    try:
        front.start()
        good(front, env, others)
        begun = begin_cooldown(front)
        crossed(front, env, others)
        organisations(front, others)
        refused_metadata(front, others)
        documents(front, env, others)
        required_scopes(front, others)
        faults(front)
        rotation(front, env, others, begun)
    finally:
        front.stop()
done()

# SPDX-License-Identifier: MIT
"""What the attack tests share: making tokens that no library would make, and judging answers.

Whatever the attack, a refusal must keep the same rules (faults()); so each row of a table tests all of them.
"""
import json
import os
import re
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))

import crypto   # noqa: E402
import fastcgi   # noqa: E402
from front import env_quote   # noqa: E402
from harness import RESPONDER, is_, modern_call, wait_for   # noqa: E402

# %x20-21 / %x23-5B / %x5D-7E (RFC 6750 section 3).
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]*\Z")
PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Raw(str):
    """JSON text that stands in a token as it is."""


def json_text(members):
    """A JSON object of (name, value) pairs, in their order, twice if they are there twice; names are escaped unless
    they are Raw. No value but None is left out; Raw("null") is null."""
    parts = []
    for name, value in members:
        if value is not None:
            parts.append((name if isinstance(name, Raw) else json.dumps(name)) + ":" +
                         (value if isinstance(value, Raw) else json.dumps(value)))
    return "{" + ",".join(parts) + "}"


class Mint:
    """Tokens of one issuer for one audience; every claim and header member can be replaced or added."""

    def __init__(self, key, issuer, audience):
        self.key, self.issuer, self.audience = key, issuer, audience

    def claims(self, *more, **changes):
        """The payload's text. "more": pairs at the end. None takes a claim away."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": self.audience, "sub": "usr_1", "client_id": "skc_1", "iat": now - 5,
                  "nbf": now - 5, "exp": now + 3600, "scope": "usr:read", "jti": os.urandom(6).hex()}
        claims.update(changes)
        return json_text([*claims.items(), *more])

    def header(self, *more, **changes):
        header = {"alg": "RS256", "kid": self.key.kid, "typ": "JWT"}
        header.update(changes)
        return json_text([*header.items(), *more])

    def token(self, *more, header=None, sign=None, payload=None, **changes):
        """A token whose claims differ so from the good one's; by default well signed."""
        payload = self.claims(*more, **changes) if payload is None else payload
        header = self.header() if header is None else header
        return crypto.compact(*(x if isinstance(x, bytes) else x.encode("utf-8", "surrogatepass")
                                for x in (header, payload)), sign or self.key.sign)

    def with_header(self, *more, **changes):
        return self.token(header=self.header(*more, **changes))


def parameters(token=None, **more):
    """FastCGI parameters and body of a call of greet_user; a parameter given as None is left out."""
    headers, body = modern_call("greet_user", {"name": "x"}, token)
    params = {"HTTP_" + k.upper().replace("-", "_"): v for k, v in headers if k != "Content-Type"}
    params.update({"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/mcp", "REQUEST_URI": "/mcp", "REMOTE_ADDR": "127.0.0.1",
                   "HTTP_HOST": "127.0.0.1", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": len(body), **more})
    return {k: v for k, v in params.items() if v is not None}, body


class Alone(fastcgi.Responder):
    """A responder on a socket of its own, without web server; its settings and state are in a directory that goes with
    it. With "state" (a directory) they outlive it."""

    def __init__(self, settings, state=None, processes=1):
        super().__init__([], 0)
        self.config = os.path.join(self.dir, "conf")
        settings = {"STATE_DIR": state or self.dir + "/state", "RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off",
                    **settings}
        with open(self.config, "w", encoding="utf-8") as f:
            f.write("".join("%s=%s\n" % (k, env_quote(v)) for k, v in settings.items() if v is not None))
        os.chmod(self.config, 0o600)
        self.command = [RESPONDER, "--config", self.config]
        for _ in range(processes):
            self.start()

    def serving(self):
        """Wait until it serves."""
        wait_for(lambda: fastcgi.request(self.address, {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/health"}).status, 30)

    def call(self, token=None, **more):
        answer = fastcgi.request(self.address, *parameters(token, **more))
        if b"misconfigured" in answer.body:
            raise RuntimeError(self.logged())
        return answer


class Canary:
    """Counts connections that nobody should make."""

    def __enter__(self):
        self.socket, self.count = socket.create_server(("127.0.0.1", 0)), 0
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self._loop, daemon=True).start()
        return self

    def _loop(self):
        while True:
            try:
                self.socket.accept()[0].close()
            except OSError:
                return
            self.count += 1

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def challenge(answer):
    """The parameters of the challenge as a dict; {} without one."""
    values = answer.all("WWW-Authenticate")
    return dict(PARAMETER.findall(values[0])) if values else {}


def faults(answer, token=""):
    """Which rules of refusals an answer breaks: exactly one challenge for 400, 401 and 403 and none for 503, which has
    Retry-After; a fixed description of permitted bytes; no-store; JSON; nothing of the token."""
    found, values, parameters = [], answer.all("WWW-Authenticate"), challenge(answer)
    if len(values) != (0 if answer.status == 503 else 1):
        found.append("%d challenges" % len(values))
    if answer.status == 503 and not (answer.get("Retry-After") or "").isdigit():
        found.append("no Retry-After")
    if values and not re.match(r'Bearer realm="OAuth", resource_metadata="http[^"]*"', values[0]):
        found.append("the challenge begins " + values[0][:60])
    if not DESCRIPTION.match(parameters.get("error_description", "")):
        found.append("a description of forbidden bytes")
    if "no-store" not in (answer.get("Cache-Control") or ""):
        found.append("may be stored")
    if answer.json() is None:
        found.append("the body is no JSON")
    whole = repr(answer.headers) + answer.body.decode("latin-1")
    if any(part in whole for part in token.split(".") if len(part) > 8):
        found.append("echoes the token")
    return found


refusals = []   # the statuses of all that judge() has judged


def judge(answer, text, status, error=None, token=""):
    """Claim status and error code, and for refusals all rules."""
    if answer.status != 200:
        refusals.append(answer.status)
    got = (answer.status, challenge(answer).get("error"), faults(answer, token) if answer.status != 200 else [])
    return is_(got, (status, error, []), text)

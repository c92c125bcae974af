# SPDX-License-Identifier: MIT
"""What live tests share: TAP, tokens, an HTTP client that hides nothing, and waiting. front.py starts the web servers.

Only the standard library and the command openssl. A test program is a script that says ok(...), is_(...) and ends
with done().
"""
import base64
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

SRC = os.path.abspath(os.environ.get("top_srcdir", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.path.abspath(os.environ.get("top_builddir", SRC))
RESPONDER = os.path.join(BUILD, "cgi-bin", "mcp.fcgi")
COMMAND = os.path.join(BUILD, "mcp-fcgi")

MODERN = "2026-07-28"
LEGACY = "2025-11-25"


# Whoever ends a test early gets everything that it started stopped all the same.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


# ---- TAP ------------------------------------------------------------------------------------------------------------

class _Tap:
    count = failed = 0


def ok(condition, text):
    """One claim. Returns whether it held."""
    _Tap.count += 1
    if not condition:
        _Tap.failed += 1
    print(("ok" if condition else "not ok"), _Tap.count, "-", text, flush=True)
    return bool(condition)


def is_(got, want, text):
    """Equal; on failure both sides are shown."""
    if ok(got == want, text):
        return True
    diag("got  " + _short(got))
    diag("want " + _short(want))
    return False


def _short(value):
    text = repr(value)
    return text if len(text) < 600 else text[:600] + "... (%d)" % len(text)


def diag(text):
    for line in str(text).splitlines() or [""]:
        print("#", line, flush=True)


def skip(text, why):
    """A claim that cannot be tried here."""
    _Tap.count += 1
    print("ok", _Tap.count, "-", text, "# SKIP", why, flush=True)


def skip_all(why):
    print("1..0 # SKIP", why, flush=True)
    sys.exit(0)


def done():
    print("1..%d" % _Tap.count, flush=True)
    sys.exit(1 if _Tap.failed else 0)


def side_by_side(parts):
    """Run this program once for each of the words, all at the same time, and take their claims over, a part after
    another. For tests that mostly wait."""
    running = [(part, subprocess.Popen([sys.executable, sys.argv[0], part], stdout=subprocess.PIPE, text=True))
               for part in parts]
    try:
        for part, process in running:
            first, planned = _Tap.count, None
            for line in process.stdout:
                words = re.match(r"(ok|not ok) \d+ - (.*)|1\.\.(\d+)$|#", line)
                if not words:
                    diag("%s: %s" % (part, line))
                elif words[1]:
                    _Tap.count += 1
                    _Tap.failed += words[1] != "ok"
                    print(words[1], _Tap.count, "-", words[2], flush=True)
                elif words[3]:
                    planned = int(words[3])
                else:
                    print(line, end="", flush=True)
            if process.wait() > 1 or planned != _Tap.count - first:
                ok(False, "%s: ends in order" % part)
    finally:
        for _, process in running:
            stop_process(process)


# ---- waiting ---------------------------------------------------------------------------------------------------------

def wait_for(condition, seconds=30.0, step=0.02):
    """Poll until condition() is true; returns its value, or False when the time is over."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            return False
        time.sleep(step)


_reserved = []  # one socket a port of free_port(); they go with the process


def free_port():
    """A port of 127.0.0.1 that nobody listens on, and that nobody else who asks here is given while this process runs: an
    abstract socket stands for it. Lower than those that the system gives to connections, and than what shell scripts
    of the tests take."""
    while True:
        port, mark = random.randrange(10000, 21000), socket.socket(socket.AF_UNIX)
        try:
            mark.bind("\0mcp-fcgi-test-port-%d" % port)
            with socket.socket() as s:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
        except OSError:
            mark.close()
            continue
        _reserved.append(mark)
        return port


def prompt(measure, seconds, text, tries=5):
    """One claim: what measure() does takes less than so many seconds, which it returns. Whatever else a machine does makes
    anything late now and then, so what was late is measured again; what is late by itself is late each time. "text" has
    a %s for the time in milliseconds."""
    took = measure()
    while took >= seconds and tries > 1:
        diag("%.0f ms is too long: once more" % (took * 1000))
        took, tries = measure(), tries - 1
    return ok(took < seconds, text % ("%.0f ms" % (took * 1000)))


def steady(scene, tries=5):
    """The claims of scene(), a list of (got, want, text). A moment in which the machine stood still spoils one scene; what
    is wrong by itself is wrong each time."""
    claims = scene()
    while tries > 1 and any(got != want for got, want, _ in claims):
        diag("once more: %s" % [(text, _short(got)) for got, want, text in claims if got != want])
        claims, tries = scene(), tries - 1
    for got, want, text in claims:
        is_(got, want, text)


def stop_process(process, signal_number=15, seconds=30.0):
    """Stop a child by its id and wait. Returns its exit status; None when it had to be killed."""
    if process.poll() is None:
        process.send_signal(signal_number)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
    return process.returncode


# ---- tokens ----------------------------------------------------------------------------------------------------------

def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Signer:
    """An RSA key whose tokens look like the authorization server's. Signs with the command openssl, so independently
    of us."""

    def __init__(self, directory, kid="snk_live"):
        self.kid = kid
        self.pem = os.path.join(directory, "signer-%s.pem" % kid)
        subprocess.run(["openssl", "genrsa", "-out", self.pem, "2048"], check=True, stderr=subprocess.DEVNULL)
        out = subprocess.run(["openssl", "rsa", "-in", self.pem, "-noout", "-modulus"], check=True, capture_output=True)
        self.modulus = bytes.fromhex(out.stdout.decode().strip().split("=")[1])

    def jwks(self):
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": b64u(self.modulus),
            "e": "AQAB"}]}

    def sign(self, header, payload):
        text = b64u(json.dumps(header).encode()) + "." + b64u(json.dumps(payload).encode())
        done_ = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.pem], input=text.encode(), check=True,
            capture_output=True)
        return text + "." + b64u(done_.stdout)

    def token(self, issuer, audience, **claims):
        """An access token for one hour. A claim given as None is left out."""
        now = int(time.time())
        payload = {"iss": issuer, "aud": [audience], "sub": "usr_live", "client_id": "skc_live", "iat": now - 5,
            "nbf": now - 5,
                   "exp": now + 3600, "scope": "usr:read admin", "jti": "tkn_%s" % b64u(os.urandom(9))}
        payload.update(claims)
        payload = {k: v for k, v in payload.items() if v is not None}
        return self.sign({"alg": "RS256", "typ": "JWT", "kid": self.kid}, payload)


# ---- HTTP ------------------------------------------------------------------------------------------------------------

class Answer:
    """status, headers (a list of pairs, names as sent), body (bytes)."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def get(self, name):
        """The value of a field that must be there at most once; None if absent."""
        values = self.all(name)
        return values[0] if values else None

    def json(self):
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def __repr__(self):
        return "%s %r %s" % (self.status, self.headers, self.body[:300])


def request(port, method, target, headers=(), body=b"", host=None, timeout=60.0, chunks=None, raw_head=None,
    length=True):
    """One request on a connection of its own. "headers" are pairs and are sent as they stand, twice if they are
    there twice.

    "chunks" (a list of bytes) sends a chunked body instead of "body". "raw_head" replaces everything up to the empty
    line. Raises OSError or http.client.HTTPException when there is no answer.
    """
    host = host if host is not None else "127.0.0.1:%d" % port
    lines = ["%s %s HTTP/1.1" % (method, target)]
    if host:
        lines.append("Host: " + host)
    lines += ["%s: %s" % pair for pair in headers]
    if chunks is not None:
        lines.append("Transfer-Encoding: chunked")
    elif length and (body or method in ("POST", "PUT", "PATCH")):
        lines.append("Content-Length: %d" % len(body))
    lines.append("Connection: close")
    head = raw_head if raw_head is not None else "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as s:
        s.settimeout(timeout)
        try:
            s.sendall(head)
            if chunks is not None:
                for c in chunks:
                    s.sendall(b"%x\r\n%s\r\n" % (len(c), c))
                s.sendall(b"0\r\n\r\n")
            elif body:
                s.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # answered before everything was read
        response = http.client.HTTPResponse(s, method=method)
        try:
            response.begin()
            answer = Answer(response.status, response.getheaders(), response.read())
        finally:
            response.close()
    record(headers, b"".join(chunks) if chunks is not None else body, answer)
    return answer


def record(headers, body, answer):
    """With MCP_TEST_RECORD in the environment: append what came back to that file, one JSON object a line, for
    tests/conformance/responses.mjs. For whoever does not ask by request()."""
    path = os.environ.get("MCP_TEST_RECORD")
    if not path:
        return
    version = [v.strip() for k, v in headers if k.lower() == "mcp-protocol-version"]
    line = json.dumps({"test": os.path.basename(sys.argv[0]), "request": body.decode(errors="replace"),
                       "version": version[0] if version else None, "status": answer.status,
                       "type": answer.get("Content-Type") or "", "body": answer.body.decode(errors="replace")})
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(fd, line.encode() + b"\n")
    finally:
        os.close(fd)


# ---- MCP -------------------------------------------------------------------------------------------------------------

def modern_call(tool, arguments=None, token=None, request_id=1):
    """(headers, body) of a tools/call of the stateless revision."""
    message = {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": {
        "name": tool, "arguments": arguments or {},
        "_meta": {"io.modelcontextprotocol/protocolVersion": MODERN,
                  "io.modelcontextprotocol/clientInfo": {"name": "live-test", "version": "1"},
                  "io.modelcontextprotocol/clientCapabilities": {}}}}
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream"),
               ("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", tool)]
    return _authorized(headers, token), json.dumps(message).encode()


def legacy_message(method, params=None, token=None, request_id=1, version=LEGACY):
    """(headers, body) of a message of the 2025 revisions; request_id None makes a notification."""
    message = {"jsonrpc": "2.0", "method": method}
    if request_id is not None:
        message["id"] = request_id
    if params is not None:
        message["params"] = params
    headers = [("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")]
    if version and method != "initialize":
        headers.append(("MCP-Protocol-Version", version))
    return _authorized(headers, token), json.dumps(message).encode()


def legacy_call(tool, arguments=None, token=None, request_id=1):
    return legacy_message("tools/call", {"name": tool, "arguments": arguments or {}}, token, request_id)


def _authorized(headers, token):
    return headers + ([("Authorization", "Bearer " + token)] if token else [])


# ---- places ----------------------------------------------------------------------------------------------------------

def private_directory():
    """A new directory for one test; the caller removes it with remove_directory()."""
    d = tempfile.mkdtemp(prefix="mcp-fcgi-live.")
    os.chmod(d, 0o755)
    return d


def remove_directory(d):
    if os.environ.get("KEEP_LIVE"):
        diag("kept: " + d)
    else:
        shutil.rmtree(d, ignore_errors=True)


def which(*names):
    """The first of the programs that is there (sbin directories are looked at too), or None."""
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    return None


def processes_of(executable):
    """Ids of the processes that run this file. Needs /proc."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                target = os.readlink("/proc/%s/exe" % entry)
            except OSError:
                continue
            if target == executable:
                found.append(int(entry))
    return sorted(found)

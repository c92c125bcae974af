#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""./quickstart keeps its promises. Run by "./quickstart check", not by "make check": it builds into ./build."""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from harness import SRC, b64u, diag, done, free_port, is_, modern_call, ok, request, wait_for  # noqa: E402

QUICKSTART = os.path.join(SRC, "quickstart")
FRONTS = ("lighttpd", "apache-fcgid", "apache-proxy", "nginx", "cgi")


def environment(**more):
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TMPDIR": places}
    env.update(more)
    return env


def run(*args, **more):
    return subprocess.run([QUICKSTART, *args], env=environment(**more), stdin=subprocess.DEVNULL, capture_output=True,
        text=True,
                          timeout=300, check=False)


def left_behind():
    """Files in the private place and processes that have it in their command line."""
    found = os.listdir(places)
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            with open(path, "rb") as f:
                line = f.read()
        except OSError:
            continue
        if places.encode() in line:
            found.append(line.replace(b"\0", b" ").decode(errors="replace"))
    return found


def nothing_left(text):
    """What was told to end may take a moment to be gone."""
    wait_for(lambda: not left_behind())
    is_(left_behind(), [], text)


def listeners():
    """Sockets that listen on TCP, as (hexadecimal address, port)."""
    found = set()
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            with open(name, encoding="ascii") as f:
                rows = f.read().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A":
                address, port = fields[1].split(":")
                found.add((address, int(port, 16)))
    return found


def each_front():
    for front in FRONTS:
        r = run("--front", front, "--port", str(free_port()), "--once")
        if not ok(r.returncode == 0 and "Hi World, welcome to Scalekit!" in r.stdout,
            "--once --front %s: the call is answered, exit 0" % front):
            diag(r.stdout[-1500:] + r.stderr[-3000:])
        nothing_left("--once --front %s: nothing is left behind" % front)


def serving(front, signal_number):
    name = signal.Signals(signal_number).name
    before, port = listeners(), free_port()
    p = subprocess.Popen([QUICKSTART, "--front", front, "--port", str(port)], env=environment(),
        stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    token = ready = None
    for line in p.stdout:
        if line.startswith("token: "):
            token = line.split()[1]
        elif line.startswith("ready: "):
            ready = line.split()[1]
            break
    is_(ready, "http://127.0.0.1:%d/mcp" % port, "%s: ready: URL comes when it serves" % front)
    if ready and ok(bool(token), "%s: token: TOKEN came before" % front):
        headers, body = modern_call("admin_tool", {}, token)
        is_(request(port, "POST", "/mcp", headers, body).status, 200,
            "%s: the token opens every tool shown, admin_tool too" % front)
        is_((call_tool(port, "test_simple_text", token).json() or {}).get("error", {}).get("code"), -32602,
            "%s: there are no fixtures" % front)
        r = request(port, "GET", "/.well-known/oauth-authorization-server")
        is_((r.status, (r.json() or {}).get("code_challenge_methods_supported")), (200, ["S256"]),
            "%s: the issuer's metadata is passed on" % front)
        # Others use this machine too: only what has appeared and is not on loopback counts, and it must be ours.
        opened = [a for a, n in listeners() - before if n in (port, port + 1)]
        ok(opened and all(a == "0100007F" for a in opened), "%s: listens on 127.0.0.1 only" % front)
    p.send_signal(signal_number)
    try:
        status = p.wait(60)
    except subprocess.TimeoutExpired:
        p.kill()
        status = None
    errors = p.stderr.read()
    if not is_(status, 0, "%s: %s ends it in good order" % (front, name)):
        diag(errors[-2000:])
    nothing_left("%s: and nothing is left behind" % front)


def refusals():
    with subprocess.Popen([sys.executable, "-c",
        "import socket,time; s=socket.socket(); s.bind(('127.0.0.1', 0)); s.listen();"
                           "print(s.getsockname()[1], flush=True); time.sleep(600)"], stdout=subprocess.PIPE,
                           text=True) as holder:
        port = holder.stdout.readline().strip()
        r = run("--port", port, "--once")
        is_((r.returncode, r.stdout, len(r.stderr.splitlines())), (1, "", 1), "a port in use: one line, exit 1")
        ok(port in r.stderr, "which names the port")
        holder.kill()
    is_(run("--front", "iis").returncode, 1, "an unknown front: exit 1")
    is_(run("--config", "/nonexistent").returncode, 1, "no such file: exit 1")
    is_(run("--frobnicate").returncode, 2, "an unknown option: exit 2")


def call_tool(port, tool, token):
    headers, body = modern_call(tool, {}, token)
    return request(port, "POST", "/mcp", headers, body)


def fixtures():
    port = free_port()
    p = subprocess.Popen([QUICKSTART, "--fixtures", "--port", str(port)], env=environment(), stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    token = None
    for line in p.stdout:
        if line.startswith("token: "):
            token = line.split()[1]
        elif line.startswith("ready: "):
            break
    if ok(bool(token), "--fixtures: serves"):
        answers = [call_tool(port, "test_simple_text", token) for _ in range(130)]
        is_({a.status for a in answers}, {200}, "--fixtures: 130 calls of a tool of the conformance suite, none too many")
        is_(call_tool(port, "admin_tool", token).status, 200, "--fixtures: the other tools are there as well")
    p.send_signal(signal.SIGTERM)
    is_(p.wait(60), 0, "--fixtures: SIGTERM ends it in good order")
    r = run("--once", "--fixtures", "--port", str(free_port()), TOOL_MODULES="/nonexistent.so")
    ok(r.returncode == 1 and "TOOL_MODULES" in r.stderr, "--fixtures and modules of one's own: says so, exit 1")
    nothing_left("and nothing is left behind")


def own_settings():
    config = os.path.join(os.path.dirname(places), os.path.basename(places) + ".conf")
    with open(config, "w", encoding="utf-8") as f:
        f.write("MCP_PATH=/web-search/mcp\nMCP_SERVER_NAME=\"from the file\"\nRATE_LIMIT=2/minute\n")
    try:
        r = run("--port", str(free_port()), "--once", "--config", config, RATE_LIMIT="off", RATE_LIMIT_PRINCIPAL="off")
        if not ok(r.returncode == 0 and "/web-search/mcp" in r.stdout, "--config FILE: its MCP_PATH is served"):
            diag(r.stdout[-1500:] + r.stderr[-3000:])
        for front in ("lighttpd", "apache-fcgid", "cgi"):
            r = run("--port", str(free_port()), "--once", "--front", front, "--config", config, RATE_LIMIT="1/minute")
            ok("429" in r.stdout, "the environment wins over the file, also behind " + front)
    finally:
        os.unlink(config)
    r = run("--port", str(free_port()), "--once", JWT_LEEWAY_S="many")
    ok(r.returncode == 1 and "JWT_LEEWAY_S" in r.stderr, "a setting that cannot be: says so, exit 1")
    nothing_left("and nothing is left behind")


def foreign_issuer():
    port = free_port()
    r = run("--port", str(port), "--once", SK_ENV_URL="http://127.0.0.1:9")
    if not is_(r.returncode, 0, "a foreign SK_ENV_URL without a token: exit 0"):
        diag(r.stderr[-2000:])
    ok("left out" in r.stderr and "token:" not in r.stdout, "and it says that the call is left out")
    now = int(time.time())
    fake = ".".join(b64u(x) for x in (b'{"alg":"RS256"}', b'{"exp":%d}' % (now + 60), b"x"))
    r = run("--port", str(free_port()), "--once", SK_ENV_URL="http://127.0.0.1:9", MCP_TOKEN=fake)
    ok(r.returncode == 1 and re.search("HTTP (401|503)", r.stdout),
        "MCP_TOKEN is what is sent; a wrong answer is exit 1")
    nothing_left("and nothing is left behind")


places = tempfile.mkdtemp(prefix="mcp-fcgi-quickstart.")
os.chmod(places, 0o755)
try:
    refusals()
    each_front()
    serving("lighttpd", signal.SIGTERM)
    serving("apache-fcgid", signal.SIGINT)
    serving("nginx", signal.SIGTERM)
    fixtures()
    own_settings()
    foreign_issuer()
finally:
    os.rmdir(places)
done()

# SPDX-License-Identifier: MIT
"""mcp.fcgi beside servers that do the same in other ways, behind the same lighttpd: "make bench-compare", or
python3 bench/compare.py in a built tree. Needs wrk, and for each of the others what it is built with: python3 with venv,
npm with node 22, go, cargo. What they are made of is fetched into --work and kept there.

Every server has two processes (Go and Rust: one with two threads), gets its keys from the same loopback authorization
server, checks signature, issuer, audience, times and scope of each token, and answers the same request: tools/call
greet_user of revision 2026-07-28, in JSON. mcp.fcgi keeps its two rate limits besides, and a log line a request. It
remembers which tokens' signatures it has verified; the others verify each time. Rounds alternate, so that what else the
machine does hits all of them.
"""
import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys

import run as bench

sys.path.insert(0, os.path.join(bench.HERE, "..", "tests", "fixtures"))
import scalekit  # noqa: E402
from harness import free_port, modern_call, which  # noqa: E402


class Proxied(bench.fronts.Front):
    """lighttpd with mod_proxy before a server that speaks HTTP."""

    def __init__(self, argv, settings):
        super().__init__("lighttpd")
        self.argv, self.app_port, self.app_settings, self.app = argv, free_port(), settings, None

    def fill(self):
        return ('server.modules += ("mod_proxy")\nproxy.server = ("" => (("host" => "127.0.0.1", "port" => %d)))\n'
                % self.app_port)

    def environment(self):
        return dict(super().environment(), PYTHONDONTWRITEBYTECODE="1", GOMAXPROCS="2", PORT=str(self.app_port), EXPECTED_AUDIENCE=self.url,
                    METADATA_URL=self.origin + "/.well-known/oauth-protected-resource", **self.app_settings)

    def start(self, seconds=60.0):
        self.app = self.spawn("app", [a.replace("PORT", str(self.app_port)) for a in self.argv])
        return super().start(seconds)

    def responders(self):
        """The server and its workers, while it runs."""
        pids = [self.app.pid] if self.app and self.app.poll() is None else []
        for pid in pids:
            with open("/proc/%d/task/%d/children" % (pid, pid), encoding="ascii") as f:
                pids += [int(child) for child in f.read().split()]
        return pids


def pss_kib(pids):
    total = 0
    for pid in pids:
        with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
            total += int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1))
    return total


def fetch_python(work):
    if not os.path.exists(work + "/venv/bin/uvicorn"):
        subprocess.run([sys.executable, "-m", "venv", work + "/venv"], check=True)
        subprocess.run([work + "/venv/bin/pip", "install", "-q", "-r", "requirements.txt"], cwd=work, check=True)
    return [work + "/venv/bin/uvicorn", "--app-dir", work, "--host", "127.0.0.1", "--port", "PORT", "--workers", "2",
            "fastapi_server:app"]


def fetch_typescript(work):
    if not os.path.exists(work + "/node_modules/jose"):
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund"], cwd=work, check=True)
    return ["node", work + "/sdk_server.mjs"]


def fetch_go(work):
    subprocess.run(["go", "mod", "tidy"], cwd=work, check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["go", "build", "-o", "go_server", "."], cwd=work, check=True)
    return [work + "/go_server"]


def fetch_rust(work):
    subprocess.run(["cargo", "build", "-q", "--release"], cwd=work, check=True)
    return [work + "/target/release/others"]


OTHERS = [
    # name, what it is built with, its files, how
    ("FastAPI, FastMCP, Scalekit's SDK", "python3", ("requirements.txt", "fastapi_server.py"), fetch_python),
    ("TypeScript SDK, jose", "npm", ("package.json", "sdk_server.mjs"), fetch_typescript),
    ("Go SDK, golang-jwt", "go", ("go.mod", "sdk_server.go"), fetch_go),
    ("Rust SDK, jsonwebtoken", "cargo", ("Cargo.toml", "sdk_server.rs"), fetch_rust),
]


def fetch(work):
    """Build the others in folders below "work", those whose tools are here; returns [(name, argv)]."""
    found = []
    for name, tool, files, build in OTHERS:
        if not which(tool):
            print("%s is missing: without %s" % (tool, name), flush=True)
            continue
        place = os.path.join(os.path.abspath(work), tool)
        os.makedirs(place, exist_ok=True)
        for file in files:
            shutil.copy(os.path.join(bench.HERE, "others", file), place)
        found.append((name, build(place)))
    return found


def measure(front, env, args):
    """One server that runs: its rate, errors and memory."""
    tokens = [env.token(iss=env.url, aud=[front.url], scope="usr:read", sub="usr_%d" % i)
              for i in range(args.connections)]
    answer = front.post(modern_call("greet_user", {"name": "Ada"}, tokens[0]))
    if answer.status != 200 or b"Hi Ada, welcome" not in answer.body:
        front.show_logs()
        sys.exit("%s answers %d %r" % (front.name, answer.status, answer.body[:300]))
    token_file = front.write("tokens", "\n".join(tokens) + "\n")
    bench.load(front, token_file, 1, 2, args.connections)
    result = bench.load(front, token_file, 1, args.seconds, args.connections)
    result["memory_kib"] = pss_kib(front.responders())
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=5, help="of load a measurement")
    p.add_argument("--connections", type=int, default=16)
    p.add_argument("--work", default=os.path.join(bench.BUILD, "bench", "others"))
    args = p.parse_args()
    if not which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    others = fetch(args.work)
    rows = {}
    with scalekit.Scalekit() as env:
        for _ in range(args.rounds):
            settings = dict(bench.WIDE, SK_ENV_URL=env.url, JWKS_FILE=None)
            with bench.make_front("lighttpd", settings, bench.RESPONDER) as front:
                ours = measure(front, env, args)
            rows.setdefault("mcp.fcgi", []).append(dict(ours, ratio=1))
            for name, argv in others:
                client = {"SK_ENV_URL": env.url, "SK_CLIENT_ID": "skc_1", "SK_CLIENT_SECRET": env.secret}
                with Proxied(argv, client) as front:
                    result = measure(front, env, args)
                rows.setdefault(name, []).append(dict(result, ratio=ours["rate"] / result["rate"]))
    for name, results in rows.items():
        rate, p50, p99, kib, ratio = (statistics.median(r[k] for r in results)
                                      for k in ("rate", "p50_ms", "p99_ms", "memory_kib", "ratio"))
        print("%-34s %6.0f requests/s  p50 %.1f ms  p99 %.1f ms  %5.1f MiB in all  mcp.fcgi does %.1f times as many"
              "  (%d errors)" % (name, rate, p50, p99, kib / 1024, ratio, sum(r["errors"] for r in results)), flush=True)


if __name__ == "__main__":
    main()

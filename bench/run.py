# SPDX-License-Identifier: MIT
"""One run of everything the figures in README.md come from: "make bench", or python3 bench/run.py in a built tree.

Behind each front, in turn and several times over: the null responder (null.c), mcp.fcgi with the default limits and
10,000 client addresses (each request must write two budgets), and mcp.fcgi with limits so wide that budgets are reserved
in blocks, one address. Figures are ratios to the null responder of the same round; absolute ones only say what the
machine was.
"""
import argparse
import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "live"))
import fastcgi  # noqa: E402
import front as fronts  # noqa: E402
from harness import BUILD, RESPONDER, b64u, modern_call, request, which, wait_for  # noqa: E402

NULL = os.path.join(BUILD, "bench", "null")
WIDE = {"RATE_LIMIT": "100000000/minute", "RATE_LIMIT_PRINCIPAL": "100000000/minute"}


class KeptNginx(fronts.Front):
    """nginx that keeps its connections to the responder."""

    def fill(self):
        return re.sub(r"fastcgi_pass unix:\S+;", "fastcgi_pass kept;", super().fill()).replace(
            "fastcgi_keep_conn off", "fastcgi_keep_conn on")

    def write(self, name, text, mode=0o644):
        if name == "nginx.conf":
            kept = "    upstream kept { server unix:%s/run/mcp.sock; keepalive 32; }\n    server {" % self.dir
            text = text.replace("    server {", kept, 1)
        return super().write(name, text, mode)


def make_front(name, settings, executable):
    base = {"LOG_LEVEL": "info", "TRUSTED_PROXIES": "127.0.0.1", "WORKERS": "8"}
    base.update(settings)
    if name == "nginx-kept":
        return KeptNginx("nginx", base, executable=executable)
    return fronts.Front(name, base, executable=executable)


def tokens_of(front, n):
    """n tokens of n subjects. The key signs in this process: a command a token would take minutes."""
    out = subprocess.run(["openssl", "rsa", "-in", front.signer.pem, "-noout", "-text"], check=True, capture_output=True)
    digits = re.search(r"privateExponent:\s*([0-9a-f:\s]+)", out.stdout.decode()).group(1)
    d = int(re.sub(r"[:\s]", "", digits), 16)
    modulus = int.from_bytes(front.signer.modulus, "big")
    size = len(front.signer.modulus)
    head = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo of SHA-256, RFC 8017 section 9.2
    header = b64u(json.dumps({"alg": "RS256", "typ": "JWT", "kid": front.signer.kid}).encode())
    now = int(time.time())
    result = []
    for i in range(n):
        payload = {"iss": front.issuer, "aud": [front.url], "sub": "usr_%d" % i, "client_id": "skc_bench", "iat": now - 5,
                   "exp": now + 3600, "scope": "usr:read", "jti": "tkn_%d" % i, "oid": "org_1"}
        text = header + "." + b64u(json.dumps(payload).encode())
        digest = head + hashlib.sha256(text.encode()).digest()
        block = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
        result.append(text + "." + b64u(pow(int.from_bytes(block, "big"), d, modulus).to_bytes(size, "big")))
    return result


def load(front, token_file, addresses, seconds, connections):
    argv = [which("wrk"), "-t1", "-c%d" % connections, "-d%ds" % seconds, "-s", os.path.join(HERE, "load.lua"),
            "http://127.0.0.1:%d/" % front.port, "--", token_file, str(addresses), "/mcp"]
    out = subprocess.run(argv, check=True, capture_output=True).stdout.decode()
    n, us, errors, p50, p99 = map(int, re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", out).groups())
    return {"rate": n / (us / 1e6), "errors": errors, "p50_ms": p50 / 1000, "p99_ms": p99 / 1000}


def memory_kib(front):
    """Proportional set size of one responder process, the largest."""
    sizes = []
    for pid in front.responders():
        with open("/proc/%d/smaps_rollup" % pid, encoding="ascii") as f:
            sizes.append(int(re.search(r"^Pss:\s+(\d+)", f.read(), re.M).group(1)))
    return max(sizes) if sizes else 0


CASES = [("null", None, 1), ("default limits, 10,000 addresses", {}, 10000), ("wide limits, one address", WIDE, 1)]


def throughput(name, args):
    rows = {}
    for _ in range(args.rounds):
        for case, settings, addresses in CASES:
            with make_front(name, settings or {}, NULL if case == "null" else RESPONDER) as front:
                need = args.tokens if settings == {} else 1
                token_file = front.write("tokens", "\n".join(tokens_of(front, need)) + "\n")
                load(front, token_file, addresses, 1, args.connections)
                result = load(front, token_file, addresses, args.seconds, args.connections)
                result["memory_kib"] = memory_kib(front)
                if result["errors"]:
                    print("   %s, %s: %d answers were errors" % (name, case, result["errors"]), flush=True)
                rows.setdefault(case, []).append(result)
    base = statistics.median(r["rate"] for r in rows["null"])
    print("\n%s (null responder: %.0f requests/s)" % (name, base))
    for case, results in rows.items():
        ratios = [r["rate"] / n["rate"] for r, n in zip(results, rows["null"])]
        p50, p99, kib = (statistics.median(r[k] for r in results) for k in ("p50_ms", "p99_ms", "memory_kib"))
        print("   %-34s ratio %.2f (%.2f to %.2f)  p50 %.1f ms  p99 %.1f ms  memory %.1f MiB" % (
            case, statistics.median(ratios), min(ratios), max(ratios), p50, p99, kib / 1024), flush=True)


def cgi_params(headers, body):
    """The variables that a front would make of a POST to the MCP endpoint."""
    params = [("REQUEST_METHOD", "POST"), ("SCRIPT_NAME", "/mcp"), ("REQUEST_URI", "/mcp"),
              ("REMOTE_ADDR", "127.0.0.1"), ("CONTENT_LENGTH", str(len(body)))]
    for name, value in headers:
        name = name.upper().replace("-", "_")
        params.append((name if name == "CONTENT_TYPE" else "HTTP_" + name, value))
    return params


def start_time(args):
    """exec to the first authorized answer, keys on disk."""
    with make_front("lighttpd-socket", WIDE, RESPONDER) as front:
        token = tokens_of(front, 1)[0]
        headers, body = modern_call("greet_user", {"name": "Ada"}, token)
        path = front.dir + "/run/start.sock"
        times = []
        for _ in range(args.starts):
            began = time.perf_counter()
            p = subprocess.Popen([RESPONDER, "--listen", path], env=front.environment(), stdin=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
            while True:
                try:
                    answer = fastcgi.request(path, cgi_params(headers, body), body)
                    break
                except OSError:
                    time.sleep(0.0005)
            times.append(time.perf_counter() - began)
            assert b"Hi Ada" in answer.stdout, answer.stdout
            p.terminate()
            p.wait()
        print("\nexec to first authorized answer: median %.1f ms (%.1f to %.1f)" % (
            statistics.median(times) * 1000, min(times) * 1000, max(times) * 1000), flush=True)


def cgi_time(args):
    """Whole requests through plain CGI."""
    with make_front("cgi-lighttpd", WIDE, RESPONDER) as front:
        token = tokens_of(front, 1)[0]
        message = modern_call("greet_user", {"name": "Ada"}, token)
        times = []
        for _ in range(args.starts * 2):
            began = time.perf_counter()
            answer = front.post(message)
            times.append(time.perf_counter() - began)
            assert answer.status == 200, answer
        times.sort()
        print("plain CGI behind lighttpd, whole request: median %.1f ms (%.1f to %.1f)" % (
            statistics.median(times) * 1000, times[0] * 1000, times[-1] * 1000), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fronts", default="lighttpd apache-fcgid nginx-kept", help="which fronts, blank separated")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--seconds", type=int, default=5, help="of load a measurement")
    p.add_argument("--connections", type=int, default=16)
    p.add_argument("--tokens", type=int, default=2500, help="subjects of the many-addresses case, 120 requests a minute each")
    p.add_argument("--starts", type=int, default=20)
    args = p.parse_args()
    if not which("wrk"):
        sys.exit("wrk is missing: apt-get install wrk")
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as f:
        model = re.search(r"model name\s*:\s*(.*)", f.read())
    print("%d processors, %s; wrk on the same machine, %d connections" % (
        os.cpu_count(), model.group(1) if model else "?", args.connections))
    for name in args.fronts.split():
        throughput(name, args)
    start_time(args)
    cgi_time(args)


if __name__ == "__main__":
    main()

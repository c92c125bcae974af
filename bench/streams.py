# SPDX-License-Identifier: MIT
"""What idle streams cost: python3 bench/streams.py in a built tree. Opens streams of subscriptions/listen in one process
behind each front, and compares memory and the rate of calls with and without them, in turn and several times over."""
import argparse
import json
import os
import re
import socket
import statistics
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "tests", "live"))
import front as fronts  # noqa: E402
from harness import RESPONDER, modern_call  # noqa: E402
from run import WIDE, load, memory_kib, tokens_of  # noqa: E402


class WideFront(fronts.Front):
    """One process, and room for many connections in front of it. A stream takes two of nginx."""

    def write(self, name, text, mode=0o644):
        if name == "nginx.conf":
            text = re.sub(r"worker_connections \d+;", "worker_connections 8192;", text)
        return super().write(name, text, mode)


def open_stream(front, token, number):
    """A stream whose acknowledgment has come."""
    headers, body = modern_call("x", {}, token, number)
    message = json.loads(body)
    message.update(method="subscriptions/listen", params={"_meta": message["params"]["_meta"],
                                                          "notifications": {"toolsListChanged": True}})
    body = json.dumps(message).encode()
    lines = ["POST /mcp HTTP/1.1", "Host: 127.0.0.1:%d" % front.port, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % (k, "subscriptions/listen" if k == "Mcp-Method" else v) for k, v in headers if k != "Mcp-Name"]
    s = socket.create_connection(("127.0.0.1", front.port), 20)
    s.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    got = b""
    while b"acknowledged" not in got:
        piece = s.recv(65536)
        if not piece:
            sys.exit("no stream: %r" % got[:300])
        got += piece
    return s


def measure(name, args):
    rates, ratios, grown = [], [], []
    for _ in range(args.rounds):
        settings = dict(WIDE, LOG_LEVEL="info", WORKERS="8", MAX_STREAMS=str(args.streams + 10),
                        MAX_STREAMS_PRINCIPAL=str(args.streams + 10),
                        TRUSTED_PROXIES="127.0.0.1")
        with WideFront(name, settings, procs=1, executable=RESPONDER) as front:
            tokens = tokens_of(front, 1)
            token_file = front.write("tokens", tokens[0] + "\n")
            load(front, token_file, 1, 2, args.connections)
            without = load(front, token_file, 1, args.seconds, args.connections)
            before = memory_kib(front)
            began = time.monotonic()
            streams = [open_stream(front, tokens[0], i) for i in range(args.streams)]
            took = time.monotonic() - began
            held = memory_kib(front)
            with_them = load(front, token_file, 1, args.seconds, args.connections)
            after = memory_kib(front)
            for s in streams:
                s.close()
            again = load(front, token_file, 1, args.seconds, args.connections)
            base = (without["rate"] + again["rate"]) / 2
            rates.append(base)
            ratios.append(with_them["rate"] / base)
            grown.append((held - before) / args.streams)
            print("   %s: %.0f, with %d streams %.0f, again %.0f calls/s; %d errors; opened in %.2f s; PSS %d, %d, "
                  "after load %d KiB" % (name, without["rate"], args.streams, with_them["rate"], again["rate"],
                                         with_them["errors"], took, before, held, after), flush=True)
    print("%s: ratio %.2f (%.2f to %.2f), %.1f KiB a stream" % (
        name, statistics.median(ratios), min(ratios), max(ratios), statistics.median(grown)), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--fronts", default="lighttpd nginx", help="which fronts, blank separated")
    p.add_argument("--streams", type=int, default=500)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=4, help="of load a measurement")
    p.add_argument("--connections", type=int, default=16)
    args = p.parse_args()
    for name in args.fronts.split():
        measure(name, args)


if __name__ == "__main__":
    main()

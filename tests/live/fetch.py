#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Our HTTP client against peers that redirect, drip, lie of lengths, hang, reset, or cannot be trusted: F1 to F20."""

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))

from harness import BUILD, diag, done, free_port, is_, ok, prompt, skip, wait_for     # noqa: E402
import scalekit     # noqa: E402

PROGRAM = os.path.join(BUILD, "tests", "programs", "fetch-cli")


class Result(dict):
    @property
    def body(self):
        return bytes.fromhex(self["body"])


def start(url, *options, env=None):
    return subprocess.Popen([PROGRAM, url, *options], stdout=subprocess.PIPE, text=True,
                            env={**os.environ, **(env or {})})


def results(process):
    out = process.communicate(timeout=120)[0]
    if process.returncode:
        diag(f"fetch-cli ended with {process.returncode}")
    return [Result(field.split("=", 1) for field in line.split("\t")) for line in out.splitlines()]


def run(url, *options, env=None):
    return results(start(url, *options, env=env))


def one(url, *options, env=None):
    return run(url, *options, env=env)[0]


def claim(result, err, text):
    if not ok(result["err"] == err, text):
        diag(f"err={result['err']} status={result['status']} fault={result['fault']} ms={result['ms']}")


def test_plain(p):
    r = one(p.url + "/keys")
    is_((r["err"], r["status"], r["type"]), ("OK", "200", "application/json"), "a plain GET to loopback is answered")
    sent = p.last("keys").headers
    is_(sorted(sent), ["accept", "host", "user-agent"], "it sends no Accept-Encoding, cookie or credentials")
    ok(sent["user-agent"].startswith("mcp-fcgi/"), "and says who asks")
    r = one(p.url + "/keys", "method=POST", "body={}", "header=Content-Type: application/json",
            "header=Authorization: Bearer x")
    sent = p.last("keys")
    is_((sent.method, sent.body, sent.headers["content-type"], sent.headers["authorization"]),
        ("POST", b"{}", "application/json", "Bearer x"),
        "a POST carries its body and headers")
    ok("expect" not in sent.headers, "and does not wait for 100 (Continue)")
    for status in (204, 400, 401, 404, 429, 432, 500, 503):
        p.behave("keys", "status", status)
        is_(one(p.url + "/keys")["status"], str(status), f"status {status} is handed on")
    p.behave("keys", "headers", [["Set-Cookie", "a=b; Path=/"], ["Retry-After", "7"], ["Cache-Control", "max-age=60"]])
    r = run(p.url + "/keys", "repeat=2")
    ok("cookie" not in p.last("keys").headers, "a cookie is not kept")
    is_((r[0]["retry_after"], r[0]["max_age"]), ("7", "60"), "Retry-After and Cache-Control are told")
    ok(abs(int(r[0]["date"]) - time.time()) < 60, "so is Date")
    p.behave("keys", "headers", [["Cache-Control", "max-age=600"], ["Cache-Control", "no-store"]])
    is_(one(p.url + "/keys")["max_age"], "0", "F9: of two Cache-Control fields both count")
    p.behave("keys", "headers", [["Cache-Control", "max-age=garbage"]])
    is_(one(p.url + "/keys")["max_age"], "-1", "F9: a garbage max-age counts as none")


def test_environment(p):
    with tempfile.TemporaryDirectory() as home:
        with open(os.path.join(home, ".netrc"), "w", encoding="ascii") as f:
            f.write("machine 127.0.0.1 login u password p\n")
        dead = f"http://127.0.0.1:{free_port()}"
        env = {"HOME": home, "http_proxy": dead, "https_proxy": dead, "HTTP_PROXY": dead, "ALL_PROXY": dead,
               "all_proxy": dead}
        claim(one(p.url + "/keys", env=env), "OK", "proxy variables of the environment are ignored")
        ok("authorization" not in p.last("keys").headers, "so is .netrc")


def test_redirects(p):
    other = f"http://127.0.0.1:{p.port}/other"
    for status in (301, 302, 303, 307, 308):
        for target in ("/other", other, "http://example.com/", "file:///etc/passwd", "/keys"):
            p.forget()
            p.behave("keys", "redirect", status, target)
            r = one(p.url + "/keys")
            ok((r["err"], r["status"]) == ("OK", str(status)) and p.count() == 1,
               f"F4: a {status} to {target} is not followed")


def test_sizes(p):
    for how, words in (("oversize", "Content-Length over the cap"),
                       ("oversize-chunked", "a chunked answer over the cap")):
        p.behave("keys", how)
        r = one(p.url + "/keys")
        claim(r, "ELIMIT", f"F6: {words} ends the transfer")
        ok(int(r["len"]) <= 262144, "F6: and no more than the cap was taken")
    p.behave("keys", "gzip-bomb")
    r = one(p.url + "/keys", "total_ms=30000")
    ok(r["err"] == "OK" and int(r["len"]) < 100000 and r.body[:2] == b"\x1f\x8b",
       "F6: an answer that comes compressed is not unpacked")
    p.behave("keys", "endless-headers")
    claim(one(p.url + "/keys", "total_ms=60000"), "ELIMIT", "F7: header fields without end end the transfer")
    p.behave("keys", "body", "x" * 1000)
    claim(one(p.url + "/keys", "max=1000"), "OK", "an answer of exactly the cap is taken")
    claim(one(p.url + "/keys", "max=999"), "ELIMIT", "one byte more is not")
    p.behave("keys", "body", "")
    r = one(p.url + "/keys")
    is_((r["err"], r["len"]), ("OK", "0"), "an empty answer is an answer")


def test_deadlines(p):
    for how, words in (("hang", "never answers"), ("drip", "sends a byte a second")):
        p.forget()
        p.behave("keys", how)
        r = one(p.url + "/keys", "total_ms=1500")
        claim(r, "ETIMEOUT", f"F7: a peer that {words} runs into the total deadline")
        ok(1400 <= int(r["ms"]) < 30000, f"F7: after 1.5 s ({r['ms']} ms)")
        is_(p.count("keys"), 1, "F7: and is not asked again")
    p.behave("keys", "hang")
    r = one(p.url + "/keys", "total_ms=20000", "cancel_ms=300")
    claim(r, "ECLOSED", "F20: a cancelled request ends")
    prompt(lambda: int(one(p.url + "/keys", "total_ms=20000", "cancel_ms=300")["ms"]) / 1000, 0.9,
           "F20: soon after (%s)")
    with socket.socket() as s:      # a full backlog: connections are neither taken nor refused
        s.bind(("127.0.0.1", 0))
        s.listen(0)
        fill = [socket.socket() for _ in range(4)]
        for f in fill:
            f.setblocking(False)
            f.connect_ex(s.getsockname())
        r = one(f"http://127.0.0.1:{s.getsockname()[1]}/", "connect_ms=400", "total_ms=60000")
        for f in fill:
            f.close()
        ok(r["err"] == "ETIMEOUT" and int(r["ms"]) < 30000,
           "F7: a connection that is not taken has a deadline of its own")
    before = p.count("keys")
    process = start(p.url + "/keys", "total_ms=60000")
    wait_for(lambda: p.count("keys") > before)
    began = time.monotonic()
    process.terminate()
    process.communicate(timeout=120)
    ok(time.monotonic() - began < 30, "F20: a process in the middle of a request ends when told to")


def test_breaks(p):
    for how in ("short", "reset", "reset-middle", "close"):
        p.forget()
        p.behave("keys", how)
        claim(one(p.url + "/keys"), "EREMOTE", f"F8: an answer cut off ({how}) is no answer")
        is_(p.count("keys"), 2, f"F8: it was asked for once more ({how})")
        p.forget()
        p.behave("keys", how, times=1)
        r = one(p.url + "/keys")
        ok(r["err"] == "OK" and r.body == p.answer(p.last("keys"))[2],
           f"F8: the second try mends it, without bytes of the first ({how})")
        p.forget()
        p.behave("keys", how)
        claim(one(p.url + "/keys", "method=POST", "body={}"), "EREMOTE",
              f"a POST whose answer is cut off fails ({how})")
        is_(p.count("keys"), 1, f"and is not sent again ({how})")
    p.forget()
    p.behave("keys", "close-kept")
    r = run(p.url + "/keys", "repeat=3")
    is_([x["err"] for x in r], ["OK"] * 3,
        "F8: a kept connection that the server closed does not fail the next request")
    for how in ("not-http", "http09"):
        p.behave("keys", how)
        claim(one(p.url + "/keys"), "EREMOTE", f"what is no HTTP answer is refused ({how})")


def test_connections(p):
    p.forget()
    before = p.connections
    r = run(p.url + "/keys", "repeat=10")
    ok(all(x["err"] == "OK" for x in r) and p.connections - before == 1, "ten requests in a row use one connection")
    before = p.connections
    r = run(p.url + "/keys", "threads=16", "repeat=20")
    ok(len(r) == 320 and all(x["err"] == "OK" for x in r), "sixteen threads ask at once and all are answered")
    ok(p.connections - before < 320, f"over {p.connections - before} connections")
    before = p.connections
    r = run(p.url + "/keys", "fork=1")
    ok(len(r) == 3 and all(x["err"] == "OK" for x in r), "F18: parent and child of a fork are both answered")
    is_(p.connections - before, 2, "F18: the child does not use the parent's connection")


def test_tls():
    with scalekit.Scalekit(tls="good") as p:
        url = p.url + "/keys"
        claim(one(url, "ca=" + p.ca_file), "OK", "TLS with a certificate of CA_FILE's authority is fine")
        claim(one(url.replace("127.0.0.1", "localhost"), "ca=" + p.ca_file), "OK", "by name too")
        r = one(url)
        claim(r, "ENET", "F1: a certificate of an unknown authority is refused")
        ok("certificate" in r["fault"], f"F1: and the reason is told: {r['fault']}")
        before = p.connections
        r = run(url, "ca=" + p.ca_file, "repeat=5")
        ok(all(x["err"] == "OK" for x in r) and p.connections - before == 1, "TLS connections are kept")
        r = one(url, "ca=/nonexistent/ca.pem")
        claim(r, "ENET", "F19: a missing CA file fails the request")
        ok("/nonexistent/ca.pem" in r["fault"], f"F19: and the file is named: {r['fault']}")
        claim(one(p.url.replace("https", "http") + "/keys"), "EREMOTE", "plain http to a TLS port is no answer")
        claim(one(url, "ca=" + p.ca_file, "learnt=1"), "EPERM", "F16: a learnt URL to loopback is refused with TLS too")
    for kind in ("wrong-host", "expired", "self-signed"):
        with scalekit.Scalekit(tls=kind) as p:
            r = one(p.url + "/keys", "ca=" + p.ca_file)
            claim(r, "ENET", f"F1: a certificate that is {kind} is refused")
            is_(p.count(), 0, f"F1: and nothing was sent ({kind})")
            diag(r["fault"])
    with scalekit.Scalekit(tls="good") as p:
        context = p.tls.context
        try:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        except (ValueError, ssl.SSLError) as e:
            skip("TLS 1.1 is refused", str(e))
        else:
            claim(one(p.url + "/keys", "ca=" + p.ca_file), "ENET", "TLS 1.1 is refused")
    with scalekit.Scalekit() as p:
        claim(one(p.url.replace("http", "https") + "/keys"), "ENET", "F1: TLS to a plain port fails")


def local_name():
    """A name other than localhost that leads to a loopback or private address, from the hosts file."""
    with open("/etc/hosts", encoding="utf-8", errors="replace") as f:
        for line in f:
            words = line.split("#")[0].split()
            for name in words[1:]:
                if name != "localhost" and (words[0].startswith(("127.", "10.", "192.168.",
                    "172.")) or words[0] == "::1"):
                    return name
    return None


def test_addresses(p):
    claim(one(f"http://127.0.0.1:{free_port()}/"), "ENET", "F1: a refused connection")
    # A resolver may take longer than that to say so.
    ok(one("https://nowhere.invalid/", "total_ms=4000")["err"] in ("ENET", "ETIMEOUT"), "F1: a name that does not exist")
    claim(one(p.url + "/keys", "learnt=1"), "EPERM", "F16: a learnt URL may not lead to loopback")
    claim(one(p.url + "/keys", "learnt=1", "origin=127.0.0.1"), "OK", "F16: but to the host it was learnt from")
    claim(one(p.url + "/keys", "learnt=1", "allow=127.0.0.1"), "OK", "F16: or to one of FETCH_ALLOW")
    name = local_name()
    if not name:
        skip("F16: a name that leads to a private address is refused", "no such name in /etc/hosts")
        return
    claim(one(f"http://{name}:{p.port}/keys"), "EPERM", "plain http to a name that is not localhost is refused")
    with Recorder() as recorder:
        claim(one(f"https://{name}:{recorder.port}/", "learnt=1"), "EPERM",
              f"F16: a learnt name with a private address ({name}) is refused")
        is_(recorder.seen, [], "F16: and no connection was made")
        one(f"https://{name}:{recorder.port}/", "total_ms=20000")
        ok(local_family(name) != socket.AF_INET or wait_for(lambda: recorder.seen), "the operator's own URL may lead there")
    with scalekit.Scalekit(tls="good", host=address_of(name), names=(name,)) as s:
        r = run(f"https://{name}:{s.port}/keys", "then_learnt=1", "ca=" + s.ca_file)
        is_((r[0]["err"], r[1]["err"], s.count()), ("OK", "EPERM", 1),
            "F16: what an earlier request of the operator's left does not help a learnt one")


def address_of(name):
    return socket.getaddrinfo(name, None,
                              socket.AF_INET)[0][4][0] if local_family(name) == socket.AF_INET else "127.0.0.1"


def local_family(name):
    try:
        socket.getaddrinfo(name, None, socket.AF_INET)
        return socket.AF_INET
    except OSError:
        return socket.AF_INET6


class Recorder:
    """Takes connections, notes the first line that comes, and refuses as a proxy would."""

    def __enter__(self):
        self.seen = []
        self.socket = socket.create_server(("0.0.0.0", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.loop, daemon=True).start()
        return self

    def loop(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            with c:
                c.settimeout(2)
                try:
                    self.seen.append(c.recv(4096).split(b"\r\n")[0])
                    c.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                except OSError:
                    self.seen.append(b"")

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def test_proxy(p):
    with Recorder() as proxy:
        option = f"proxy=http://127.0.0.1:{proxy.port}"
        r = one("https://keys.example/keys", option)
        is_(proxy.seen, [b"CONNECT keys.example:443 HTTP/1.1"], "FETCH_PROXY is asked for a tunnel")
        claim(r, "ENET", "and its refusal fails the request")
        claim(one(p.url + "/keys", option), "OK", "loopback is not asked for through it")
        is_(len(proxy.seen), 1, "so the proxy saw one request")
        claim(one("https://169.254.169.254/latest", option, "learnt=1"), "EPERM",
              "F16: a learnt private address is refused with a proxy too")
        is_(len(proxy.seen), 1, "F16: before the proxy hears of it")


def main():
    with scalekit.Scalekit() as p:
        for test in (test_plain, test_environment, test_redirects, test_sizes, test_deadlines, test_breaks,
                     test_connections, test_addresses,
                     test_proxy):
            p.forget()
            test(p)
    test_tls()
    done()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Forged and malformed tokens through a real web server: the compact form, the header, the signature, key confusion;
and every kind of key set that an authorization server might publish, each read by a responder of its own. The ids are
those of docs/attacks.md; a row is (id and what is tried, token, status)."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from attack import Alone, Mint, Raw, judge  # noqa: E402
from front import Front, missing  # noqa: E402
from harness import b64u, done, is_, modern_call, ok, skip_all, steady  # noqa: E402
import crypto  # noqa: E402
from scalekit import Scalekit  # noqa: E402


def send(front, token):
    headers, body = modern_call("greet_user", {"name": "x"})
    return front.request("POST", "/mcp", headers + [("Authorization", "Bearer " + token)], body)


def table(front, rows):
    """Status 200, or 401 and 400 with their error codes."""
    codes = {200: None, 400: "invalid_request", 401: "invalid_token"}
    for text, token, status in rows:
        judge(send(front, token), text, status, codes[status], token if len(token) > 40 else "")


# ---- B: the compact form ----

def form(m):
    good = m.token()
    head, payload, signature = good.split(".")
    for text in (".", "..", "...", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "a.b.c.d.e.f", "e30.e30.", ".e30.e30",
                 "e30..e30",
                 good + ".", "." + good, good + "." + signature, head + "." + payload, payload + "." + signature,
                 head + ".." + signature, head + "." + payload + ".", signature + "." + payload + "." + head):
        yield "B1: segments as in %s" % (text if len(text) < 30 else "..." + text[-20:]), text, 401
    yield ("B2: a JWE", "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo.48V1_ALb6US04U3b.5eym8.XFBoMYUZodetZ",
           401)
    yield "B2: a nested token", m.with_header(cty="JWT"), 401
    yield "B2: a compressed one", m.with_header(zip="DEF"), 401
    yield "B2: an encrypted one in three segments", m.with_header(enc="A256GCM"), 401
    yield "B3: the JSON serialization", json.dumps({"payload": payload, "signatures": []}).replace(" ", ""), 400
    for what, extra, want in (("=", "=", 401), ("==", "==", 401), ("a plus", "+", 401), ("a slash", "/", 401),
                                ("a tilde", "~", 401), ("%3D", "%3D", 400), ("a blank", " ", 400), ("a tab", "\t", 400),
                                ("a digit too many", "A", 401), ("a colon", ":", 400)):
        parts = [head, payload, signature]
        for i in range(3):
            changed = parts[:i] + [parts[i] + extra] + parts[i + 1:]
            status = 400 if extra[0] == "=" and i < 2 else want    # b64token has = at its end only
            if i < 2 or not extra.isspace():    # blanks at the end are not part of the token
                yield "B4 B5 B6 B7: %s after segment %d" % (what, i + 1), ".".join(changed), status
            signed = ".".join(changed[:2])
            if i < 2:
                yield ("B4 B5 B7: %s in segment %d, well signed" % (what, i + 1),
                       signed + "." + b64u(m.key.sign(signed.encode())), status)
    for i, segment in enumerate((head, payload, signature)):
        other = "-_" if any(c in segment for c in "-_") else None
        if other:
            parts = [head, payload, signature]
            parts[i] = segment.replace("-", "+").replace("_", "/")
            yield "B5: the other alphabet in segment %d" % (i + 1), ".".join(parts), 401
    # 256 octets end in a digit of which the last four bits are zero.
    yield "B7: stray bits at the end", good[:-1] + {"A": "B", "Q": "R", "g": "h", "w": "x"}[good[-1]], 401
    texts = ("x", "[]", '"x"', "1", "null", "true", "{}{}", "{}x", "\ufeff{}", "/**/{}", "{'a':1}", "{a:1}", '{"a":1,}',
             '{"a":NaN}', '{"a":01}', '{"a":"\1"}', '{"a":"\\u0000"}', '{"a":"\\ud800"}', '{"a":1e999}', "{", "}", " ")
    for text in texts:
        yield "B10 B11: the payload %r" % text, m.token(payload=text), 401
        yield "B10 B11: the header %r" % text, m.token(header=text), 401
    yield "B9: a NUL after the header", m.token(header=m.header() + "\0"), 401
    yield "B9: a NUL in the header", m.token(header=m.header(kid=m.key.kid + "\0")), 401
    yield "B9: a NUL after the payload", m.token(payload=m.claims() + "\0"), 401
    yield ("B11: blanks around header and payload", m.token(header=" %s\n" % m.header(), payload="\t%s " % m.claims()),
           200)
    for n, status in ((30, 200), (33, 401), (2000, 401)):
        yield "B12: %d brackets" % n, m.token(x=Raw("[" * n + "]" * n)), status
    yield "B12: 2000 brackets without end", m.token(x=Raw("[" * 2000)), 401
    yield "B12: 5000 values", m.token(x=Raw("[" + "0," * 2500 + "0]"), y=Raw("[" + "0," * 2500 + "0]")), 401
    yield "B13: b64 false", m.with_header(b64=False, crit=["b64"]), 401
    yield "B13: b64 without crit", m.with_header(b64=False), 401


# ---- C: the header ----

def algorithms(m):
    for alg in ("none", "None", "NONE", "nOnE", "", "rs256", "RS256 ", " RS256", "RSA", "RS1", "HS256", "Ed448",
                "ES256K",
                "RSA-OAEP", "dir", "SHA256", "RS256\n", "\uff32S256", "rsa-sha256",
                "http://www.w3.org/2001/04/xmldsig"):
        yield "C1 C6: alg %r" % alg, m.with_header(alg=alg), 401
    for value in ("null", "256", '["RS256"]', "{}", "true", '"RS\\u0000256"'):
        yield "C1: alg %s" % value, m.with_header(alg=Raw(value)), 401
    yield "C1: no alg", m.with_header(alg=None), 401
    for alg in ("none", "NONE", "nonE"):
        yield "C1: %s and no signature" % alg, m.token(header=m.header(alg=alg), sign=lambda _: b""), 401
        yield "C1: %s and any signature" % alg, m.token(header=m.header(alg=alg), sign=lambda _: b"x"), 401
    for alg, sign in (("RS512", lambda d: m.key.sign(d, "sha512")), ("PS256", m.key.sign_pss), ("ES256", m.key.sign),
                      ("RS256", m.key.sign_pss), ("RS256", lambda d: m.key.sign(d, "sha512"))):
        yield "C4: %s by a key pinned to RS256" % alg, m.token(header=m.header(alg=alg), sign=sign), 401
    pem = subprocess.run(["openssl", "rsa", "-pubout"], input=m.key.pem.encode(), capture_output=True,
                         check=True).stdout
    ca = crypto.certificate("x", m.key, "x", m.key).encode()
    secrets = {"the PEM": pem, "the PEM without its line end": pem[:-1], "a certificate": ca, "the DER": b"".join(
        base64.b64decode(b"".join(pem.splitlines()[1:-1])) for _ in "1"), "PKCS #1": subprocess.run(
            ["openssl", "rsa", "-RSAPublicKey_out"], input=m.key.pem.encode(), capture_output=True, check=True).stdout,
        "the JWK": json.dumps(m.key.jwk()).encode(), "n": m.key.jwk()["n"].encode(),
        "the modulus": m.key.n.to_bytes(m.key.size, "big"), "an empty key (C3)": b"", "a zero octet": b"\0",
        "the kid": m.key.kid.encode()}
    for what, secret in secrets.items():
        for alg, digest in (("HS256", "sha256"), ("HS384", "sha384"), ("HS512", "sha512")):
            yield ("C2: %s with %s" % (alg, what),
                   m.token(header=m.header(alg=alg), sign=lambda d: hmac.new(secret, d, digest).digest()), 401)
        yield ("C2: an HMAC with %s under the name RS256" % what,
               m.token(sign=lambda d: hmac.new(secret, d, hashlib.sha256).digest()), 401)


def header(m):
    for name, value in (("alg", "RS256"), ("kid", m.key.kid), ("typ", "JWT"), ("x", 1)):
        yield "C7: %s twice" % name, m.token(header=m.header((name, value), x=1)), 401
        escaped = Raw('"\\u00%02x%s"' % (ord(name[0]), name[1:]))
        yield "C7: %s twice, behind an escape" % name, m.token(header=m.header((escaped, value), x=1)), 401
    yield "C7: alg none, then RS256", m.token(header=m.header(("alg", "RS256"), alg="none")), 401
    for value in (["exp"], ["foo"], [], "foo", ["b64"], Raw("null"), {}, ["alg"], ["kid", "kid"], [1], True):
        yield "C8: crit %s" % json.dumps(value), m.with_header(crit=value, foo=1), 401
    yield "C8: CRIT is another member", m.with_header(CRIT=["foo"]), 200
    for kid in ("../../../dev/null", "/etc/passwd", "' OR 1=1--", "|ls", "%00", "%s%n", m.key.kid + " ", m.key.kid[:-1],
                m.key.kid.upper(), m.key.kid + "\n", "\x1b[31m", "*", "", "k" * 257, "k" * 6000, "\0", "\u0455nk",
                "https://evil.example/k", "file:///etc/passwd", "${jndi:ldap://x}", "-1", "\u202e"):
        yield "C10: kid %r" % kid[:40], m.with_header(kid=kid), 401
    for value in ("null", "1", "{}", "[]", '["%s"]' % m.key.kid, "true"):
        yield "C10: kid %s" % value, m.with_header(kid=Raw(value)), 401
    yield "C13: no kid and one key", m.with_header(kid=None), 200
    for typ, status in (("JWT", 200), ("jwt", 200), ("at+jwt", 200), ("AT+JWT", 200), ("application/at+jwt", 200),
                        ("application/JWT", 200), (None, 200), ("dpop+jwt", 401), ("logout+jwt", 401),
                        ("secevent+jwt", 401), ("oauth-id-jag+jwt", 401), ("token-introspection+jwt", 401),
                        ("id+jwt", 401), ("", 401), ("JWT ", 401), ("x/JWT", 401), ("application/x/JWT", 401),
                        ("JOSE", 401), ("JWT\n", 401), ("client-authentication+jwt", 401), ("kb+jwt", 401),
                        ("entity-statement+jwt", 401), ("vc+sd-jwt", 401)):
        yield "C14 C15: typ %r" % typ, m.with_header(typ=typ), status
    for value in ("1", "null", '["JWT"]', "{}"):
        yield "C15: typ %s" % value, m.with_header(typ=Raw(value)), 401
    yield "C17: a nonce, as Graph's tokens have", m.with_header(nonce="x"), 200
    yield "C17: with a signature that does not fit", m.token(header=m.header(nonce="x"), sign=lambda d: m.key.sign(
        d + b"x")), 401
    yield "C18: x5t beside kid", m.with_header(x5t="abc"), 200
    yield "C19: 100 members more", m.token(header=m.header(*(("m%d" % i, 0) for i in range(100)))), 200
    yield "C19: 300 members more", m.token(header=m.header(*(("m%d" % i, 0) for i in range(300)))), 401
    yield "C19: 10 KiB", m.with_header(x="x" * 10240), 401


# ---- signatures ----

def signatures(m, ec):
    """The RSA ones of "m"; those of the P-256 key "ec", whose numbers are chosen."""
    n, size = m.key.n, m.key.size
    good = m.token().split(".")
    value = int.from_bytes(base64.urlsafe_b64decode(good[2] + "=="), "big")

    def with_signature(raw):
        return ".".join(good[:2] + [b64u(raw)])
    yield "G3: the signature of another payload", ".".join([good[0], m.token(sub="admin").split(".")[1], good[2]]), 401
    yield "M6: a zero octet before an RSA signature", with_signature(b"\0" + value.to_bytes(size, "big")), 401
    yield "M6: a zero octet after it", with_signature(value.to_bytes(size, "big") + b"\0"), 401
    yield "M6: without its last octet", with_signature(value.to_bytes(size, "big")[:-1]), 401
    yield "M6: the signature plus the modulus", with_signature((value + n).to_bytes(size + 1, "big")), 401
    for what, number in (("0", 0), ("1", 1), ("n - 1", n - 1), ("n", n), ("n - s", n - value)):
        yield "M6: %s as RSA signature" % what, with_signature(number.to_bytes(size, "big")), 401
    for digest in ("sha256", "sha512"):
        yield ("D13: PSS by %s's mask under RS256" % digest,
               m.token(sign=lambda d: m.key.sign_pss(d, 32, digest)), 401)
    order, e = ec.n, Mint(ec, m.issuer, m.audience)

    def token(pick):
        def sign(data):
            r, s = pick(*ec.pair(data))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return e.token(header=e.header(alg="ES256"), sign=sign)
    yield "M5: ES256 by P-256", token(lambda r, s: (r, s)), 200
    yield "M7: ES256 with n - s, as good as s", token(lambda r, s: (r, order - s)), 200
    top = (1 << 256) - 1
    for what, pick in (("r = 0", lambda r, s: (0, s)), ("s = 0", lambda r, s: (r, 0)), ("both 0", lambda r, s: (0, 0)),
                       ("r = n", lambda r, s: (order, s)), ("s = n", lambda r, s: (r, order)),
                       ("r + n, or the most", lambda r, s: (min(r + order, top), s)), ("s and r", lambda r, s: (s, r)),
                       ("the most", lambda r, s: (top, top)), ("r = s = 1", lambda r, s: (1, 1)),
                       ("n - r", lambda r, s: (order - r, s)), ("r = p mod n", lambda r, s: (ec.p % order, s))):
        yield "M5: ES256 with %s" % what, token(pick), 401

    def encoded(data):
        return crypto.der(0x30, *(crypto.der_int(i) for i in ec.pair(data)))
    for what, sign in (("in DER", encoded), ("with 65 octets", lambda d: b"\0" + ec.sign(d)),
                       ("with 63", lambda d: ec.sign(d)[:-1]), ("twice", lambda d: ec.sign(d) * 2),
                       ("of r alone", lambda d: ec.sign(d)[:32]), ("of no octet", lambda d: b"")):
        yield "M5: ES256 %s" % what, e.token(header=e.header(alg="ES256"), sign=sign), 401
    for alg in ("ES384", "ES512", "ES256K", "EdDSA", "RS256", "P-256", "secp256r1", "prime256v1", "SHA256withECDSA"):
        yield "C4 C5 M8: a P-256 signature under the name %s" % alg, e.token(header=e.header(alg=alg)), 401


def at_its_end(front, m):
    """A scene: a token that is good for 5 s more."""
    end = int(time.time()) - 25
    short = m.token(exp=end, iat=None)
    first = send(front, short).status
    while time.time() < end + 30:
        time.sleep(0.05)
    return [(first, 200, "G1: a token at the end of its life"),
            (send(front, short).status, 401, "G1: is over when its time is, though its signature is remembered")]


def remembered(front, m):
    """What is remembered of verified signatures vouches for nothing else."""
    good = m.token()
    is_([send(front, good).status for _ in range(4)], [200] * 4, "G3: a token is good, also when it is remembered")
    head, payload, signature = good.split(".")
    others = [good + ".", good + "A", good[:-1], head + "." + payload + "." + signature[:-2] + "AA",
              head + "." + m.token(sub="admin").split(".")[1] + "." + signature, "e30." + payload + "." + signature,
              good + "=" * 4]
    for _ in range(2):
        is_([send(front, t).status for t in others], [401] * len(others),
            "G3 G4: its neighbours are not, also when they were refused before")
    steady(lambda: at_its_end(front, m))
    reader = m.token(scope="usr:read")
    is_([send(front, reader).status, send(front, m.token(scope="x")).status, send(front, reader).status],
        [200, 403, 200], "G5: scopes are judged at each use")


# ---- D: what a key set may hold ----

def ask(key_set, token, env, audience):
    """A fresh responder that fetches "key_set" (a value, or text) from the fixture, and what it answers."""
    path = "/sets/" + os.urandom(8).hex()
    env.behave(path, "body", key_set if isinstance(key_set, str) else json.dumps(key_set))
    with Alone({"SK_ENV_URL": env.url, "JWKS_URI": env.url + path, "EXPECTED_AUDIENCE": audience, "WORKERS": "1",
                "JWT_ALGORITHMS": "RS256 PS256 ES256 ES384 EdDSA Ed25519"}) as r:
        return r.call(token).status


class SetPeer(Scalekit):
    """The fixture with a place for each key set."""

    def place(self, path):
        return path if path.startswith("/sets/") else super().place(path)


def key_sets(m, ec):
    """(id and what, key set, token, status). With a set that has no usable key it is 503."""
    good, jwk = m.token(), m.key.jwk()
    e = Mint(ec, m.issuer, m.audience)
    ecdsa, point = e.token(header=e.header(alg="ES256")), ec.jwk()
    weak = {bits: crypto.RSAKey("weak", bits) for bits in (1024, 2040)}
    numbers = [int.from_bytes(os.urandom(256), "big") | 1 << 2047 | 1 for _ in range(65)]
    many = [{"kty": "RSA", "kid": "k%d" % i, "n": b64u(n.to_bytes(256, "big")), "e": "AQAB"} for i, n in
            enumerate(numbers)]
    huge = b64u((1 << 16383 | 1).to_bytes(2048, "big"))
    for what, text in (("{}", "{}"), ("keys a string", '{"keys":"x"}'), ("keys an object", '{"keys":{}}'),
                       ("keys null", '{"keys":null}'), ("no keys", '{"keys":[]}'), ("an array", json.dumps([jwk])),
                       ("a key alone", json.dumps(jwk)), ("null", "null"), ("keys twice", '{"keys":[],"keys":[%s]}' %
                                                                           json.dumps(jwk))):
        yield "D1: " + what, text, good, 503
    bad = [{"kty": "AKP"}, {}, [], None, 7, "x", {"kty": "RSA"}, {**jwk, "n": 1}, {**jwk, "n": jwk["n"] + "="},
           {**jwk, "e": "AQ+B"}, {"kty": "EC", "crv": "P-256"}, {**point, "crv": "P-1"},
           {"kty": "OKP", "crv": "X25519"}]
    yield "D2: bad keys among good ones", {"keys": [*bad, jwk]}, good, 200
    yield "D2: bad ones after it", {"keys": [jwk, *bad]}, good, 200
    hs = {"kty": "oct", "k": b64u(b"secret" * 8), "kid": jwk["kid"], "alg": "HS256"}
    forged = m.token(header=m.header(alg="HS256"), sign=lambda d: hmac.new(b"secret" * 8, d, "sha256").digest())
    yield "D3: a secret in the set, and a token by it", {"keys": [hs, point]}, forged, 401
    yield "D3: beside the good key of that kid", {"keys": [hs, jwk]}, good, 200
    for what, members, status in (
            ("use enc", {"use": "enc"}, 503), ("key_ops sign", {"key_ops": ["sign"]}, 503),
            ("key_ops encrypt", {"key_ops": ["encrypt"]}, 503), ("key_ops verify", {"key_ops": ["verify"]}, 200),
            ("use sig and key_ops encrypt", {"key_ops": ["encrypt"]}, 503), ("use missing", {"use": None}, 503)):
        yield "D4: " + what, {"keys": [{**jwk, **members}]}, good, status
    yield "D5: a key for RS512", {"keys": [{**jwk, "alg": "RS512"}]}, good, 401
    yield "D5: a key for RSA-OAEP", {"keys": [{**jwk, "alg": "RSA-OAEP"}]}, good, 503
    free = {k: v for k, v in jwk.items() if k != "alg"}
    yield "D5: a key without alg", {"keys": [free]}, good, 200
    yield "D5: PS256 by it", {"keys": [free]}, m.token(header=m.header(alg="PS256"), sign=m.key.sign_pss), 200
    for what, salt, mask in (("20", 20, "sha256"), ("0", 0, "sha256"), ("222", 222, "sha256"), ("32, MGF1 of SHA-1", 32,
                                                                                             "sha1")):
        yield ("D13: PSS with a salt of %s" % what, {"keys": [free]}, m.token(
            header=m.header(alg="PS256"), sign=lambda d, s=salt, k=mask: m.key.sign_pss(d, s, k)), 401)
    for bits, key in weak.items():
        w = Mint(key, m.issuer, m.audience)
        yield "D6: RSA of %d bits" % bits, {"keys": [key.jwk()]}, w.token(), 503
    for what, members in (("16384 bits", {"n": huge}), ("e = 0", {"e": "AA"}), ("e = 1", {"e": "AQ"}), ("e = 2", {
            "e": "Ag"}), ("an even e", {"e": "AQAA"}), ("a huge e", {"e": jwk["n"]}), ("a leading zero octet in n", {
                "n": b64u(b"\0" + m.key.n.to_bytes(256, "big"))}), ("n even", {"n": b64u((m.key.n - 1).to_bytes(256,
                    "big"))}), ("n = 0", {"n": b64u(bytes(256))}), ("n empty", {"n": ""}), ("e with a zero octet", {
                        "e": "AAEAAQ"})):
        yield "D6: " + what, {"keys": [{**jwk, **members}]}, good, 503
    trivial = m.token(sign=lambda d: b"\0\1" + b"\xff" * (256 - 54) + b"\0" + crypto.DIGEST_PREFIX["sha256"] +
                      hashlib.sha256(d).digest())
    yield "D6: e = 1 and the signature that fits it", {"keys": [{**jwk, "e": "AQ"}]}, trivial, 503
    x, y = ec.x.to_bytes(32, "big"), ec.y.to_bytes(32, "big")
    for what, members in (("off the curve", {"y": b64u(x)}), ("at infinity",
        {"x": b64u(bytes(32)), "y": b64u(bytes(32))}),
                          ("x of 33 octets", {"x": b64u(b"\0" + x)}), ("y of 31 octets", {"y": b64u(y[1:])}),
                          ("of another curve", {"crv": "P-384"}), ("crv in another case", {"crv": "p-256"}),
                          ("crv secp256k1", {"crv": "secp256k1"}), ("crv prime256v1", {"crv": "prime256v1"}),
                          ("x beyond the field", {"x": b64u((ec.p + 1).to_bytes(32, "big"))})):
        yield "D7 C5: a point " + what, {"keys": [{**point, **members}]}, ecdsa, 503
    yield "D7: the point itself", {"keys": [point]}, ecdsa, 200
    for what, members in (("d", {"d": b64u(b"x" * 32)}), ("p and q", {"p": "AQ", "q": "AQ"}), ("oth", {"oth": []})):
        yield "D8: private members: " + what, {"keys": [{**jwk, **members}]}, good, 503
    certificate = "".join(crypto.certificate("x", crypto.RSAKey("x"), "x", m.key).splitlines()[1:-1])
    yield "D10: a certificate that says otherwise", {"keys": [{**jwk, "x5c": [certificate], "x5t": "x"}]}, good, 200
    yield "D11: the 64th key", {"keys": many[:63] + [jwk]}, good, 200
    yield "D11: the 65th is too many", {"keys": many[:64] + [jwk]}, good, 401
    yield "D11: 10 000 keys", {"keys": [{"kty": "AKP"}] * 10000 + [jwk]}, good, 503
    ed = {"kty": "OKP", "crv": "Ed25519", "kid": jwk["kid"]}
    for what, raw in (("of 31 octets", bytes(31)), ("of 33", bytes(33)), ("of small order, 0", bytes(32)),
                      ("of small order, 1", b"\1" + bytes(31)), ("of order 8", bytes.fromhex(
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))):
        zero = m.token(header=m.header(alg="EdDSA"), sign=lambda _: b"\1" + bytes(63))
        yield "D14: an Ed25519 point " + what, {"keys": [{**ed, "x": b64u(raw)}]}, zero, 503
    yield "D14: Ed448", {"keys": [{**ed, "crv": "Ed448", "x": b64u(b"x" * 57)}]}, good, 503
    other = Scalekit().keys[0]
    yield "D15: a kid of another issuer's set", {"keys": [other.jwk(kid="other")]}, good, 401
    yield "D15: the same kid, another key", {"keys": [other.jwk(kid=jwk["kid"])]}, good, 401
    yield ("C11: a kid with = + /", {"keys": [{**jwk, "kid": "1234example=+/"}]}, m.with_header(kid="1234example=+/"),
           200)
    yield "C13: no kid and two keys", {"keys": [jwk, other.jwk(kid="o")]}, m.with_header(kid=None), 401
    yield "C13: no kid, two keys, one of that type", {"keys": [jwk, point]}, m.with_header(kid=None), 200
    yield ("C18: x5t alone", {"keys": [{**jwk, "x5t": "abc"}, other.jwk(kid="o")]}, m.with_header(kid=None, x5t="abc"),
           401)
    yield "M9: two keys of one kid, the first of the type", {"keys": [point | {"kid": jwk["kid"]}, jwk]}, good, 200


def main():
    lacking = missing("lighttpd")
    if lacking:
        skip_all("there is no " + lacking)
    ec = crypto.ECKey("p256")
    with SetPeer() as env:
        front = Front("lighttpd")
        front.settings.update({"SK_ENV_URL": env.url, "JWKS_FILE": None, "EXPECTED_AUDIENCE": front.url,
                               "RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off"})
        front.configure()
        env.keys.append(ec)
        m = Mint(env.keys[0], env.url, front.url)
        began = time.monotonic()
        with front:
            for rows in (form(m), algorithms(m), header(m), signatures(m, ec)):
                table(front, rows)
            remembered(front, m)
            judge(send(front, m.token()), "after all this a good token is good", 200)
            ok(env.count("keys") <= 2 + (time.monotonic() - began) // 30,
               "and the keys were asked for once, and once more every 30 s for unknown kids")
        rows = list(key_sets(m, ec))
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda row: ask(row[1], row[2], env, m.audience), rows))
        for (text, _, _, status), seen in zip(rows, got):
            is_(seen, status, text)
    done()


main()

# SPDX-License-Identifier: MIT
"""Tokens for the differential test: good ones of every algorithm, and good ones with up to three mutations. Every
mutation is a function with a name, so that a disagreement can be explained by what was done to the token.

Random numbers come from one seeded generator; the keys and what ECDSA and PSS draw do not, and matter to nobody.
"""
import base64
import hashlib
import hmac
import json
import random
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

ISSUER, AUDIENCE = "https://as.example", "https://mcp.example/mcp"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
ORDERS = {"P-256": 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551}
HASHES = {"256": hashes.SHA256, "384": hashes.SHA384, "512": hashes.SHA512}


def b64u(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n, size=None):
    return b64u(n.to_bytes(size or (n.bit_length() + 7) // 8, "big"))


class Raw(str):
    """JSON text that is written as it is."""


class Key:
    def __init__(self, kid, private, algorithms, **members):
        self.kid, self.private, self.algorithms, self.members = kid, private, algorithms, members

    def jwk(self):
        public = self.private.public_key()
        if isinstance(self.private, rsa.RSAPrivateKey):
            n = public.public_numbers()
            numbers = {"kty": "RSA", "n": number(n.n), "e": number(n.e)}
        elif isinstance(self.private, ec.EllipticCurvePrivateKey):
            n, size = public.public_numbers(), (self.private.curve.key_size + 7) // 8
            name = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}[self.private.curve.name]
            numbers = {"kty": "EC", "crv": name, "x": number(n.x, size), "y": number(n.y, size)}
        else:
            raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            numbers = {"kty": "OKP", "crv": "Ed25519", "x": b64u(raw)}
        return {**numbers, "kid": self.kid, **self.members}

    def pair(self, alg, data):
        """r and s, and how many octets each has."""
        der = self.private.sign(data, ec.ECDSA(HASHES[alg[2:]]()))
        return (*utils.decode_dss_signature(der), (self.private.curve.key_size + 7) // 8)

    def sign(self, alg, data, salt=None):
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            r, s, size = self.pair(alg if alg[:2] == "ES" else "ES256", data)
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        digest = HASHES.get(alg[2:], hashes.SHA256)()
        if alg[:2] == "PS":
            salt = digest.digest_size if salt is None else salt
            return self.private.sign(data, padding.PSS(padding.MGF1(digest), salt), digest)
        return self.private.sign(data, padding.PKCS1v15(), digest)


class Keys:
    """The set that all verifiers get, and a stranger's keys under the same ids."""

    def __init__(self):
        self.all = self.make()
        self.strangers = {k.kid: k for k in self.make()}
        self.pems = [self.all[0].private.public_key().public_bytes(serialization.Encoding.PEM, f) for f in (
            serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1)]

    @staticmethod
    def make():
        rsa_ = [rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2)]
        curves = [ec.generate_private_key(c()) for c in (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)]
        return [Key("rsa", rsa_[0], ("RS256",), alg="RS256", use="sig"),
                Key("any", rsa_[1], ALGORITHMS[:6]), Key("p256", curves[0], ("ES256",), alg="ES256"),
                Key("p384", curves[1], ("ES384",)), Key("p521", curves[2], ("ES512",)),
                Key("ed", ed25519.Ed25519PrivateKey.generate(), ("EdDSA",))]

    def jwks(self):
        return {"keys": [k.jwk() for k in self.all]}


class Token:
    """What becomes a token, and what was done to it. Mutations change header and claims (lists of pairs), texts that
    replace them, how it is signed, and what is done to the segments and to the whole."""

    def __init__(self, rng, keys, now):
        self.rng, self.keys, self.now = rng, keys, now
        self.key = rng.choices(keys.all, (4, 2, 6, 1, 1, 4))[0]
        self.alg = rng.choice(self.key.algorithms)
        self.header = [["alg", self.alg], ["kid", self.key.kid]]
        if rng.random() < 0.7:
            self.header.append(["typ", rng.choice(("JWT", "at+jwt", "jwt", "application/at+jwt"))])
        self.claims = [["iss", ISSUER], ["aud", rng.choice((AUDIENCE, [AUDIENCE], ["x", AUDIENCE]))],
                       ["sub", "usr_%d" % rng.randrange(1000)], ["exp", now + 7200], ["iat", now - 60]]
        for name, value in (("nbf", now - 60), ("jti", "j%d" % rng.randrange(10**9)), ("client_id", "c"),
                            ("scope", "usr:read admin"), ("oid", "org_1"),
                            ("x", {"y": [1, 2.5, None, "\u00e4\U0001f600"]})):
            if rng.random() < 0.5:
                self.claims.append([name, value])
        rng.shuffle(self.claims)
        self.header_text = self.payload_text = None     # functions of the text
        self.signer = lambda data: self.key.sign(self.alg, data)
        self.segments = self.whole = None               # functions of the segments, of the token
        self.done = []

    def set(self, members, name, value):
        """Replace, add, or (None) take away."""
        kept = [m for m in members if m[0] != name]
        members[:] = kept if value is None else kept + [[name, value]]

    def text(self, members):
        return "{" + ",".join((n if isinstance(n, Raw) else json.dumps(n)) + ":" +
                              (v if isinstance(v, Raw) else json.dumps(v)) for n, v in members) + "}"

    def build(self):
        parts = []
        for members, change in ((self.header, self.header_text), (self.claims, self.payload_text)):
            data = self.text(members).encode()
            parts.append(b64u(change(data) if change else data))
        parts.append(b64u(self.signer(".".join(parts).encode())))
        if self.segments:
            parts = self.segments(parts)
        token = ".".join(parts)
        return self.whole(token) if self.whole else token


MUTATIONS = {}


def mutation(*names, **choices):
    """Register a function of (token, choice) under NAME:CHOICE for each key of "choices" or each of "names"."""
    def register(f):
        for name in names:
            MUTATIONS[name] = f
        return f
    return register


def choices(prefix, /, **values):
    """One mutation a value: PREFIX-KEY calls f(token, value)."""
    def register(f):
        for key, value in values.items():
            MUTATIONS["%s-%s" % (prefix, key.strip("_").replace("_", "-"))] = lambda t, v=value: f(t, v)
        return f
    return register


# ---- header ----

@choices("typ", none_=None, dpop="dpop+jwt", logout="logout+jwt", id_="id+jwt", empty="", upper="AT+JWT", number=1,
         null=Raw("null"), blank="JWT ", other="x/JWT", jose="JOSE")
def typ(t, v):
    t.set(t.header, "typ", v)


@choices("crit", exp=["exp"], foo=["foo"], empty=[], string="foo", b64=["b64"], null=Raw("null"), alg=["alg"])
def crit(t, v):
    t.set(t.header, "crit", v)
    if v in (["exp"], ["foo"]):
        t.header.append([v[0], 1])


@choices("member", cty=("cty", "JWT"), zip=("zip", "DEF"), enc=("enc", "A256GCM"), b64_true=("b64", True),
         b64_false=("b64", False), jku=("jku", "https://evil.example/"), x5u=("x5u", "file:///etc/passwd"),
         x5c=("x5c", ["MIIB"]), jwk=("jwk", {"kty": "oct", "k": "AAAA"}), nonce=("nonce", "n"), x5t=("x5t", "AAAA"),
         unknown=("x", {"y": 1}), exp=("exp", 1), large=("x", "y" * 4000), prototype=("__proto__", {"alg": "none"}))
def member(t, v):
    t.header.append(list(v))


@choices("kid", none_=None, empty="", number=7, null=Raw("null"), array=["rsa"], unknown="nobody",
         path="../../dev/null",
         nul="rsa\0", upper="RSA", blank="rsa ", long_="k" * 300, prototype="__proto__")
def kid(t, v):
    t.set(t.header, "kid", v)


@mutation("kid-other")
def kid_other(t):
    t.set(t.header, "kid", t.rng.choice([k.kid for k in t.keys.all if k is not t.key]))


@choices("alg", none_="none", none_upper="NONE", lower=str.lower, blank=lambda a: a + " ", empty="", missing=None,
         number=256, null=Raw("null"), array=lambda a: [a], es256k="ES256K", ed25519="Ed25519", ed448="Ed448",
         secp="secp256r1", unknown="XX256", rsa_oaep="RSA-OAEP")
def alg(t, v):
    t.set(t.header, "alg", v(t.alg) if callable(v) and not isinstance(v, str) else v)


@mutation("alg-other")
def alg_other(t):
    t.set(t.header, "alg", t.rng.choice([a for a in ALGORITHMS if a != t.alg]))


@mutation("alg-other-signed")
def alg_other_signed(t):
    """The algorithm belongs to the key's kind and the signature is made by it, but the key is for another."""
    family = [a for a in ALGORITHMS[:6] if a not in t.key.algorithms] if t.key.kid == "rsa" else []
    if family:
        t.alg = t.rng.choice(family)
        t.set(t.header, "alg", t.alg)


@mutation("alg-none-unsigned")
def alg_none(t):
    t.set(t.header, "alg", t.rng.choice(("none", "None", "NONE")))
    t.signer = lambda _: b""


@mutation("alg-hmac-public-key")
def alg_hmac(t):
    bits = t.rng.choice(("256", "384", "512"))
    secret = t.rng.choice([*t.keys.pems, t.keys.pems[0].rstrip(), json.dumps(t.keys.all[0].jwk()).encode(), b"",
                           t.key.kid.encode()])
    t.set(t.header, "alg", "HS" + bits)
    t.signer = lambda data: hmac.new(secret, data, "sha" + bits).digest()


# ---- claims ----

@choices("iss", missing=None, other="https://evil.example", slash=ISSUER + "/", upper="https://AS.example",
         http="http://as.example", port=ISSUER + ":443", array=[ISSUER], number=1, null=Raw("null"), empty="",
         nul=ISSUER + "\0", userinfo=ISSUER + "@evil.example", prefix=ISSUER[:-1], suffix=ISSUER + "x",
         blank=ISSUER + " ")
def iss(t, v):
    t.set(t.claims, "iss", v)


@choices("aud", missing=None, other="https://other.example", slash=AUDIENCE + "/", upper=AUDIENCE.upper(), empty="",
         empty_array=[], nested=[[AUDIENCE]], with_number=[1, AUDIENCE], with_null=[None, AUDIENCE], number=1,
         null=Raw("null"), object=Raw('{"%s":1}' % AUDIENCE), suffix=AUDIENCE + ".evil", prefix=AUDIENCE[:-1],
         two=AUDIENCE + " x", many=["a"] * 200 + [AUDIENCE], twice=[AUDIENCE, AUDIENCE], true=True)
def aud(t, v):
    t.set(t.claims, "aud", v)


DATES = dict(string=str, zero=0, negative=-1, true=True, null=Raw("null"), array=lambda n: [n], huge=Raw("1e300"),
             infinite=Raw("1E400"), nan=Raw("NaN"), infinity=Raw("Infinity"), beyond_int64=1 << 63,
             below_int64=-(1 << 65),
             milliseconds=lambda n: n * 1000, fraction=lambda n: n + 0.5, exponent=lambda n: Raw("%de0" % n),
             zeros=lambda n: Raw("0%d" % n), plus=lambda n: Raw("+%d" % n), hex=lambda n: Raw(hex(n)), object={},
             future=lambda n: n + 86400, past=lambda n: n - 86400, missing=None,
             digits=lambda n: Raw("%d.%s" % (n, "3" * 300)))


@choices("exp", **DATES)
def exp(t, v):
    t.set(t.claims, "exp", v(t.now + 7200) if callable(v) and not isinstance(v, str) else v)


@choices("nbf", **DATES)
def nbf(t, v):
    t.set(t.claims, "nbf", v(t.now - 60) if callable(v) and not isinstance(v, str) else v)


@choices("iat", **DATES)
def iat(t, v):
    t.set(t.claims, "iat", v(t.now - 60) if callable(v) and not isinstance(v, str) else v)


@choices("sub", missing=None, empty="", number=7, null=Raw("null"), array=["usr_1"], nul="usr\0")
def sub(t, v):
    t.set(t.claims, "sub", v)


@choices("claim", cnf=("cnf", {"jkt": "x"}), typ_id=("typ", "ID"), typ_refresh=("typ", "Refresh"),
         typ_bearer=("typ", "Bearer"),
         token_use_id=("token_use", "id"), events=("events", {"x": {}}), at_hash=("at_hash", "x"), nonce=("nonce", "x"),
         scope_number=("scope", 7), scope_array=("scope", ["a", "b"]), jti_number=("jti", 7),
         client_array=("client_id", ["x"]),
         unknown=("y", None), prototype=("__proto__", {"iss": "x"}), large=("z", "w" * 3000),
         deep=("z", Raw("[" * 40 + "]" * 40)),
         shallow=("z", Raw("[" * 20 + "]" * 20)), big_number=("z", Raw("1" + "0" * 400)), empty_name=("", 1),
         many_scopes=("scope", " ".join("s%d" % i for i in range(600))), resource=("resource", "https://other.example"))
def claim(t, v):
    t.set(t.claims, *v)


# ---- JSON ----

def either(t, change):
    """In the header or in the payload."""
    if t.rng.random() < 0.4:
        t.header_text = change
    else:
        t.payload_text = change


@choices("json", bom=lambda b: b"\xef\xbb\xbf" + b, nul_behind=lambda b: b + b"\0", garbage=lambda b: b + b"x",
         twice=lambda b: b + b,
         comment=lambda b: b"/**/" + b, comma=lambda b: b[:-1] + b",}", single=lambda b: b.replace(b'"', b"'"),
         utf16=lambda b: b.decode().encode("utf-16-le"), array=lambda b: b"[" + b + b"]", string=lambda b: json.dumps(
             b.decode()).encode(), null=lambda _: b"null", number=lambda _: b"1", empty=lambda _: b"",
             truncated=lambda b: b[:-3],
         xff=lambda b: b[:-1] + b',"u":"\xff"}', overlong=lambda b: b[:-1] + b',"u":"\xc0\xaf"}',
         control=lambda b: b[:-1] +
         b',"u":"\1"}', surrogate=lambda b: b[:-1] + b',"u":"\\ud800"}',
         surrogate_utf8=lambda b: b[:-1] + b',"u":"\xed\xa0\x80"}',
         nul_escape=lambda b: b[:-1] + b',"u":"\\u0000"}', bad_escape=lambda b: b[:-1] + b',"u":"\\x41"}',
         nan=lambda b: b[:-1] +
         b',"u":NaN}', blanks=lambda b: b" \n" + b + b"\t\r", vertical=lambda b: b"\x0b" + b,
         nbsp=lambda b: b"\xc2\xa0" + b,
         duplicate=lambda b: b[:-1] + b',"u":1,"u":2}', true_upper=lambda b: b[:-1] + b',"u":True}',
         members=lambda b: b[:-1] +
         b"".join(b',"m%d":0' % i for i in range(400)) + b"}")
def json_text(t, v):
    either(t, v)


@mutation("json-duplicate-claim")
def duplicate_claim(t):
    name = t.rng.choice(("iss", "aud", "exp", "sub", "iat"))
    value = dict((n, v) for n, v in t.claims if not isinstance(n, Raw)).get(name, 1)
    other = t.rng.choice((value, "evil", 9999999999, [AUDIENCE]))
    t.claims.insert(t.rng.randrange(len(t.claims) + 1), [name, other])


@mutation("json-duplicate-escaped")
def duplicate_escaped(t):
    members = t.rng.choice((t.header, t.claims))
    name = t.rng.choice([n for n, _ in members if n and not isinstance(n, Raw)] or ["x"])
    members.append([Raw('"\\u%04x%s"' % (ord(name[0]), name[1:])), t.rng.choice(("evil", 1, ISSUER))])


@mutation("json-duplicate-header")
def duplicate_header(t):
    name = t.rng.choice(("alg", "kid", "typ"))
    t.header.insert(t.rng.randrange(len(t.header) + 1), [name, t.rng.choice(("none", "RS256", "ES256", "rsa", "p256",
        "JWT"))])


@mutation("json-escaped-names")
def escaped_names(t):
    for m in t.header + t.claims:
        if isinstance(m[0], str) and not isinstance(m[0], Raw) and m[0]:
            m[0] = Raw('"' + "".join("\\u%04x" % ord(c) for c in m[0]) + '"')


# ---- base64url, segments, the whole ----

def in_segment(t, change):
    def segments(parts):
        i = t.rng.randrange(3)
        return parts[:i] + [change(t.rng, parts[i])] + parts[i + 1:]
    t.segments = segments


@choices("base64", pad1=lambda r, s: s + "=", pad=lambda r, s: s + "=" * (-len(s) % 4 or 4), plus=lambda r,
         s: s.replace("-", "+").replace("_", "/"),
         blank=lambda r, s: s[:5] + " " + s[5:], newline=lambda r, s: s[:5] + "\n" + s[5:], tab=lambda r, s: s + "\t",
         digit=lambda r, s: s + "A", digits=lambda r, s: s + "AAAA", stray=lambda r,
         s: s[:-1] + chr(ord(s[-1]) + 1) if s else s,
         percent=lambda r, s: s + "%3D", high=lambda r, s: s[:3] + "\x80" + s[3:], nul=lambda r, s: s + "\0",
         star=lambda r, s: "*" + s,
         comma=lambda r, s: s + ",", short=lambda r, s: s[:-1], tilde=lambda r, s: s + "~")
def base64_(t, v):
    in_segment(t, v)


@choices("segments", two=lambda p: p[:2], one=lambda p: p[:1], four=lambda p: p + p[2:], five=lambda p: p + p[1:],
         empty_last=lambda p: p[:2] + [""],
         empty_middle=lambda p: [p[0], "", p[2]], empty_first=lambda p: ["", *p[1:]],
         swapped=lambda p: [p[1], p[0], p[2]], dot=lambda p: p + [""],
         dot_first=lambda p: ["", *p])
def segments(t, v):
    t.segments = v


@choices("whole", replace=0, delete=1, insert=2, swap=3, blank_end=4, blank_front=5, upper=6, quoted=7, truncated=8,
         json=9, doubled=10)
def whole(t, how):
    def change(s):
        i, c = t.rng.randrange(len(s)), t.rng.choice("ABCxyz019-_.=+/ ")
        return [s[:i] + c + s[i + 1:], s[:i] + s[i + 1:], s[:i] + c + s[i:], s[:i] + s[i:i + 2][::-1] + s[i + 2:],
                s + " ", " " + s, s.upper(),
                '"%s"' % s, s[:i], json.dumps(dict(zip(("protected", "payload", "signature"), s.split(".")))),
                s + s][how]
    t.whole = change


# ---- signature ----

@mutation("signature-stranger")
def stranger(t):
    other = t.keys.strangers[t.key.kid]
    t.signer = lambda data: other.sign(t.alg, data)


@mutation("signature-other-key")
def other_key(t):
    other = t.rng.choice([k for k in t.keys.all if k is not t.key])
    t.signer = lambda data: other.sign(t.alg if t.alg in other.algorithms else other.algorithms[0], data)


def signed(t, change):
    make = t.signer
    t.signer = lambda data: change(t, make(data))


def flip(t, s):
    if not s:
        return s
    i = t.rng.randrange(len(s))
    return s[:i] + bytes([s[i] ^ 1 << t.rng.randrange(8)]) + s[i + 1:]


@choices("signature", flip=flip, short=lambda t, s: s[:-1], long_=lambda t, s: s + b"\0", zero_first=lambda t,
         s: b"\0" + s,
         zeros=lambda t, s: bytes(len(s)), ones=lambda t, s: b"\xff" * len(s), random=lambda t,
         s: t.rng.randbytes(len(s)), halves=lambda t, s: s[
             len(s) // 2:] + s[:len(s) // 2], half_zero=lambda t, s: bytes(len(s) // 2) + s[len(s) // 2:],
             none_=lambda t, s: b"", reversed=lambda t, s: s[
                 ::-1], twice=lambda t, s: s + s, huge=lambda t, s: s * 40)
def signature(t, v):
    signed(t, v)


@mutation("signature-other-data")
def other_data(t):
    make = t.signer
    t.signer = lambda data: make(data + b" ")


@mutation("signature-other-hash")
def other_hash(t):
    if t.alg[:2] in ("RS", "PS"):
        t.signer = lambda data, a=t.alg[:2] + {"256": "384", "384": "512", "512": "256"}[t.alg[2:]]: t.key.sign(a, data)


@mutation("signature-pss-salt")
def pss_salt(t):
    if t.alg[:2] == "PS":
        t.signer = lambda data, n=t.rng.choice((0, 20, 31, 33, 100)): t.key.sign(t.alg, data, n)


@choices("ecdsa", der=None, malleable=lambda r, s, n: (r, n - s), r_zero=lambda r, s, n: (0, s), s_zero=lambda r, s,
         n: (r, 0), r_order=lambda r, s, n: (
    n, s), s_order=lambda r, s, n: (r, n), r_negated=lambda r, s, n: (n - r, s), swapped=lambda r, s, n: (s, r))
def ecdsa(t, change):
    if t.alg != "ES256":
        return

    def sign(data):
        r, s, size = t.key.pair(t.alg, data)
        if change is None:
            return utils.encode_dss_signature(r, s)
        r, s = change(r, s, ORDERS["P-256"])
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")
    t.signer = sign


def tokens(seed, count, keys):
    """"count" pairs (token, names of its mutations). A fifth is good; of the others two of three have one mutation."""
    rng, now = random.Random(seed), int(time.time())
    names = sorted(MUTATIONS)
    for i in range(count):
        t = Token(rng, keys, now)
        how_many = 0 if i % 5 == 0 else rng.choice((1, 1, 1, 1, 2, 3))
        t.done = rng.sample(names, how_many)
        if how_many == 1:
            t.done = [names[(i - i // 5) % len(names)]]     # each in its turn
        for name in t.done:
            MUTATIONS[name](t)
        yield t.build(), t.done


def digest(rows):
    """What identifies a run's mutations, whatever its keys."""
    return hashlib.sha256(json.dumps([names for _, names in rows]).encode()).hexdigest()[:12]

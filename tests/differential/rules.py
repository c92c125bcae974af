# SPDX-License-Identifier: MIT
"""In what this server is stricter than other verifiers, and why: each rule is a property of the token itself, judged
here by lenient means of its own, so that it explains nothing that is not there. docs/attacks.md has the table.

A token that breaks a rule is one that we refuse though others may accept it. It works the other way too: what we
accept breaks no rule.
"""
import base64
import json
import math
import time

import generate

TYPES = ("jwt", "at+jwt")
KINDS = ("access", "access_token", "access-token", "at+jwt", "bearer", "dpop", "jwt",
         "urn:ietf:params:oauth:token-type:access_token")
LEEWAY, YEAR_9999, DEPTH = 30, 253402300799, 32


def decoded(segment):
    """The octets of a segment, whatever its form."""
    text = segment.replace("+", "-").replace("/", "_")
    text = "".join(c for c in text if c.isascii() and (c.isalnum() or c in "-_"))
    return base64.urlsafe_b64decode(text[:len(text) - (len(text) % 4 == 1)] + "=" * (-len(text) % 4))


class View:
    """A token as a lenient reader sees it. "strict" tells whether header and payload are JSON without anything that
    readers differ about."""

    def __init__(self, token, keys):
        self.token, self.keys, self.strict = token, keys, True
        self.segments = token.strip(" \t").split(".")
        self.header, self.claims = (self.read(s, limit) for s, limit in zip((self.segments + ["", ""])[:2],
            (256, 4096)))

    def read(self, segment, values_max):
        try:
            data = decoded(segment)
            text = data.decode(json.detect_encoding(data), "surrogatepass")
            value = json.loads(text, strict=False, object_pairs_hook=self.pairs)
        except (ValueError, RecursionError):
            self.strict = False
            return {}
        values, depth = self.measure(value)
        self.strict = self.strict and data == text.encode("utf-8", "surrogatepass") and values <= values_max and \
            depth <= DEPTH
        return value if isinstance(value, dict) else {}

    def pairs(self, members):
        """The last of two members of a name counts, as most readers have it."""
        out = dict(members)
        self.strict = self.strict and len(out) == len(members)
        return out

    def measure(self, value):
        """(number of values, depth)."""
        if isinstance(value, str):
            self.strict = self.strict and "\0" not in value and not any("\ud800" <= c <= "\udfff" for c in value)
        elif isinstance(value, float) or isinstance(value, int) and not isinstance(value, bool):
            try:
                self.strict = self.strict and math.isfinite(float(value))
            except OverflowError:
                self.strict = False
        elif isinstance(value, (list, dict)):
            if isinstance(value, dict):
                self.measure_names(value)
            inside = [self.measure(v) for v in (value.values() if isinstance(value, dict) else value)]
            return 1 + sum(n for n, _ in inside), 1 + max((d for _, d in inside), default=0)
        return 1, 0

    def measure_names(self, value):
        for name in value:
            self.measure(name)

    def date_is_bad(self, name):
        value = self.claims.get(name, 0)
        return isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= YEAR_9999


def is_canonical(v):
    for segment in v.segments:
        try:
            if generate.b64u(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))) != segment:
                return False
        except ValueError:
            return False
    return True


def type_is_allowed(v):
    typ = v.header.get("typ", "JWT")
    if not isinstance(typ, str):
        return False
    typ = typ.lower()
    return (typ[len("application/"):] if typ.startswith("application/") else typ) in TYPES


def key_is_bound(v):
    alg = {k["kid"]: k.get("alg") for k in v.keys if "alg" in k}.get(str(v.header.get("kid")))
    return alg is None or alg == v.header.get("alg")


def audience_is_strings(v):
    aud = v.claims.get("aud")
    return not isinstance(aud, list) or all(isinstance(a, str) for a in aud)


def is_access_token(v):
    kinds = [v.claims[n] for n in ("typ", "token_use", "token_type") if n in v.claims]
    return not any(n in v.claims for n in ("events", "at_hash", "c_hash")) and all(
        isinstance(k, str) and k.lower() in KINDS for k in kinds)


def times_are_sane(v):
    """Judged when it has been seen already that they are dates."""
    if any(v.date_is_bad(n) for n in ("exp", "nbf", "iat")):
        return True
    iat = v.claims.get("iat", 0)
    return iat <= time.time() + LEEWAY and v.claims.get("exp", math.inf) >= iat


def scopes_are_few(v):
    scope = v.claims.get("scope", "")
    return not isinstance(scope, str) or len(set(scope.split(" "))) <= 512


# (name, reason, whether a token keeps the rule)
STRICTER = (
    ("canonical base64url",
     "padding, the other alphabet, blanks, stray bits or digits: one token would have many forms, and "
     "caches and revocation lists know one (RFC 7515 section 2, RFC 4648 sections 3.3 and 3.5)", is_canonical),
    ("strict JSON",
     "duplicate names, byte order marks, other encodings than UTF-8, NUL, half surrogate pairs, NaN, numbers "
     "beyond a double, nesting over 32 and very many values: readers differ about what it says (RFC 7515 section 4, "
     "RFC 7519 section 4, RFC 8259 sections 4, 6, 8 and 9)", lambda v: v.strict),
    ("critical members",
     "crit and b64 change what must be understood, cty, zip and enc what the payload is; we implement "
     "none (RFC 7515 section 4.1.11, RFC 7797 section 6, RFC 7519 section 5.2)", lambda v: not any(
         n in v.header for n in ("crit", "b64", "cty", "zip", "enc"))),
    ("typ",
     "tokens of another kind, dpop+jwt or logout+jwt, are signed by the same keys (RFC 8725 sections 3.11 and 3.12, "
     "RFC 9068 section 4)", type_is_allowed),
    ("the key's alg", "a key with alg is used with that algorithm alone (RFC 7517 section 4.4, RFC 8725 section 3.1)",
     key_is_bound),
    ("aud of strings", "an array with anything else in it is malformed (RFC 7519 section 4.1.3)", audience_is_strings),
    ("access tokens only",
     "ID, refresh and logout tokens tell by typ, token_use, token_type, events or at_hash that they are "
     "none (RFC 8725 section 3.12, RFC 8417 section 2.2)", is_access_token),
    ("bound tokens",
     "cnf: to be shown with a proof, not as a plain Bearer token (RFC 9449 section 7.2, RFC 8705 section 3)",
     lambda v: "cnf" not in v.claims),
    ("resource", "a resource claim must name this server (MCP basic/authorization, audience binding)",
     lambda v: v.claims.get("resource", generate.AUDIENCE) == generate.AUDIENCE),
    ("dates",
     "exp, nbf and iat are numbers from 0 to the end of the year 9999; more counts milliseconds (RFC 7519 section 2)",
     lambda v: not any(v.date_is_bad(n) for n in ("exp", "nbf", "iat"))),
    ("iat", "not in the future, not after exp: the issuer's clock is wrong or ours (RFC 7519 section 4.1.6)",
     times_are_sane),
    ("sub", "a string with something in it; limits and logs go by it (RFC 9068 section 2.2)",
     lambda v: isinstance(v.claims.get("sub"), str) and v.claims["sub"] != ""),
    ("jti", "a string where it is there; PyJWT before 2.10 and jose do not look (RFC 7519 section 4.1.7)",
     lambda v: isinstance(v.claims.get("jti", ""), str)),
    ("512 scopes", "more have no use and cost at every call", scopes_are_few),
)

# In what others are stricter, which is no fault of ours.
OTHERS_STRICTER = (
    ("blanks around the token",
     "are not part of a field's value (RFC 9110 section 5.5); a verifier that gets the value with "
     "them sees another string", lambda v: v.token == v.token.strip(" \t")),
)


def broken(table, token, keys):
    """The names of the rules of "table" that the token breaks."""
    view = View(token, keys)
    return [name for name, _, keeps in table if not keeps(view)]

# SPDX-License-Identifier: MIT
"""usage: verify_pyjwt.py KEYS TOKENS ISSUER AUDIENCE ALGORITHM...

What PyJWT makes of each token of the file TOKENS (a JSON string a line): "ok" or the name of its exception, a line
each."""
import json
import sys

import jwt

# What kind of key an algorithm takes (RFC 7518 section 3.1, RFC 8037 section 3.1).
CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}


def key_for(keys, token):
    """The key of the token's kid; without kid the only one that can do its algorithm. PyJWT leaves that to its user."""
    header = jwt.get_unverified_header(token)
    if "kid" in header:
        return next(k for k in keys if k["kid"] == header["kid"])
    alg = header["alg"]
    [only] = [k for k in keys if k.get("crv") == CURVES.get(alg) and k.get("alg", alg) == alg]
    return only


def main():
    keys_file, tokens, issuer, audience, *algorithms = sys.argv[1:]
    with open(keys_file, encoding="utf-8") as f:
        keys = json.load(f)["keys"]
    parsed = {k["kid"]: jwt.PyJWK(k, algorithm=k.get("alg") or {"P-384": "ES384",
        "P-521": "ES512"}.get(k.get("crv"))).key
              for k in keys}
    options = {"require": ["exp", "iss", "aud", "sub"]}
    with open(tokens, encoding="utf-8") as f:
        for line in f:
            token, verdict = json.loads(line), "ok"
            try:
                jwt.decode(token, parsed[key_for(keys, token)["kid"]], algorithms=algorithms, issuer=issuer,
                           audience=audience, leeway=30, options=options)
            except Exception as e:      # whatever it raises, it does not accept
                verdict = type(e).__name__
            print(verdict)


main()

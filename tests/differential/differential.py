# SPDX-License-Identifier: MIT
"""usage: differential.py NODE DIRECTORY COUNT SEED

Generated tokens, good and mutated, through this server (the responder on a FastCGI socket), jose and PyJWT. Where they
disagree, either we are stricter for a reason that STRICTER gives, or we accept what a verifier of OTHERS_STRICTER
cannot take; anything else is a defect of somebody and fails the test. DIRECTORY has jose in node_modules. Prints TAP.
"""
import collections
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "live")]
import fastcgi  # noqa: E402
from attack import Alone, parameters  # noqa: E402
from harness import diag, done, is_, ok, private_directory, remove_directory  # noqa: E402
import generate  # noqa: E402
from rules import OTHERS_STRICTER, STRICTER, broken  # noqa: E402

CONNECTIONS = 3


def ours(path, keys_file):
    """Whether the responder lets each token in: 200, or 401 and 400. Anything else is told."""
    with open(path, encoding="utf-8") as f:
        tokens = [json.loads(line) for line in f]

    def share(r, n):
        verdicts = []
        with fastcgi.Connection(r.address) as c:
            for token in tokens[n::CONNECTIONS]:
                params, body = parameters()
                c.send(fastcgi.whole({**params, "HTTP_AUTHORIZATION": b"Bearer " + token.encode("latin-1")}, body,
                                     keep=True))
                verdicts.append({200: "ok", 400: "bad_header", 401: "refused"}.get(status := c.read_answer().status,
                    status))
        return verdicts
    with Alone({"SK_ENV_URL": generate.ISSUER, "JWKS_FILE": keys_file, "EXPECTED_AUDIENCE": generate.AUDIENCE,
                "GREET_USER_SCOPES": "", "JWT_ALGORITHMS": " ".join(generate.ALGORITHMS), "LOG_LEVEL": "error",
                "PUBLIC_URL": generate.AUDIENCE}) as r, ThreadPoolExecutor(CONNECTIONS) as pool:
        out = [None] * len(tokens)
        for n, verdicts in enumerate(pool.map(lambda n: share(r, n), range(CONNECTIONS))):
            out[n::CONNECTIONS] = verdicts
        return out


def others(command, keys_file, path):
    out = subprocess.run([*command, keys_file, path, generate.ISSUER, generate.AUDIENCE, *generate.ALGORITHMS],
                         check=True,
                         stdout=subprocess.PIPE, text=True)
    return out.stdout.split("\n")[:-1]


def compare(name, rows, verdicts, mine, keys):
    """Claims about one verifier."""
    counts, unexplained, agreed = (collections.Counter(), collections.Counter()), [], 0
    for (token, mutations), its, my in zip(rows, verdicts, mine):
        if (its == "ok") == (my == "ok"):
            agreed += 1
            continue
        why = broken(STRICTER if its == "ok" else OTHERS_STRICTER, token, keys)
        if why:
            counts[its == "ok"][why[0]] += 1
        else:
            unexplained.append((mutations, its, my, token))
    refused, accepted = sum(counts[True].values()), sum(counts[False].values())
    diag("%s: agrees about %d of %d; we are stricter about %d, it is about %d" % (name, agreed, len(rows), refused,
        accepted))
    for rule, n in [*counts[True].most_common(), *counts[False].most_common()]:
        diag("    %5d %s" % (n, rule))
    for mutations, its, my, token in unexplained[:10]:
        diag("unexplained: %s: %s says %s, we say %s" % (" ".join(mutations) or "a good token", name, its, my))
        diag("    " + repr(token[:400]))
    is_(len(unexplained), 0, "%s: every disagreement is explained by a rule" % name)


def main():
    node, directory = sys.argv[1:3]
    count, seed = (int(a) for a in sys.argv[3:5])
    began = time.monotonic()
    keys = generate.Keys()
    rows = list(generate.tokens(seed, count, keys))
    diag("seed %d: %d tokens, %d mutations (%s), made in %.1f s" % (seed, count, len(generate.MUTATIONS),
                                                                  generate.digest(rows), time.monotonic() - began))
    place = private_directory()
    try:
        files = [os.path.join(place, n) for n in ("jwks.json", "tokens")]
        with open(files[0], "w", encoding="utf-8") as f:
            json.dump(keys.jwks(), f)
        with open(files[1], "w", encoding="utf-8") as f:
            f.writelines(json.dumps(token) + "\n" for token, _ in rows)
        # jose is looked for beside the program, so its copy in DIRECTORY runs
        commands = {"jose": [node, os.path.join(directory, "verify.mjs")],
                    "PyJWT": [sys.executable, os.path.join(HERE, "verify_pyjwt.py")]}
        with ThreadPoolExecutor(2) as pool:
            running = {name: pool.submit(others, command, *files) for name, command in commands.items()}
            verdicts = {name: r.result() for name, r in running.items()}
        mine = ours(files[1], files[0])
    finally:
        remove_directory(place)
    judged(rows, mine, verdicts, keys.jwks()["keys"])
    diag("in %.1f s" % (time.monotonic() - began))
    done()


def judged(rows, mine, verdicts, keys):
    is_([len(v) for v in verdicts.values()], [len(rows)] * len(verdicts), "each verifier has judged each token")
    is_(sorted(set(mine)), ["bad_header", "ok", "refused"], "and so have we")
    good = [i for i, (_, mutations) in enumerate(rows) if not mutations]
    is_([sum(v[i] == "ok" for i in good) for v in (mine, *verdicts.values())], [len(good)] * (1 + len(verdicts)),
        "all %d unchanged tokens are accepted by all" % len(good))
    bad = sum(m != "ok" and all(v[i] != "ok" for v in verdicts.values()) for i, m in enumerate(mine))
    ok(bad > len(rows) / 4, "and %d tokens are refused by all" % bad)
    never = set(generate.MUTATIONS) - {m for _, mutations in rows for m in mutations}
    is_(sorted(never) if len(rows) >= 2000 else [], [], "each mutation was used")
    holes = [(m, broken(STRICTER, t, keys)) for (t, m), my in zip(rows, mine) if my == "ok" and broken(STRICTER, t,
        keys)]
    is_(holes[:5], [], "no token that we accept breaks a rule")
    with open(os.path.join(HERE, "..", "..", "docs", "attacks.md"), encoding="utf-8") as f:
        table = f.read()
    is_([n for n, _, _ in STRICTER + OTHERS_STRICTER if "| %s |" % n not in table], [], "docs/attacks.md has each rule")
    for name, its in verdicts.items():
        compare(name, rows, its, mine, keys)


main()

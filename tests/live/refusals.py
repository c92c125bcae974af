#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Refusals as clients and operators get them, on every front: one challenge each, one round of step-up, figures and
log lines that all processes share. Ids in brackets are rows of docs/acceptance.md.
"""
import http.client
import os
import re
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from front import CGI_FRONTS, FRONTS, Front, missing  # noqa: E402
from harness import Answer, diag, done, is_, legacy_call, modern_call, ok, skip, wait_for  # noqa: E402

SETTINGS = {"RATE_LIMIT": "off", "RATE_LIMIT_PRINCIPAL": "off", "LOG_LEVEL": "info",
            "GREET_USER_SCOPES": "usr:read usr:write", "SCOPE_IMPLIES": "root: usr:read usr:write",
            "GET_ORG_DATA_ORGANISATIONS": "org_1 org_2"}
ADA = {"name": "Ada"}


def challenge_of(r):
    """The parameters of the one challenge, {} when there is none; two are a failure of their own."""
    fields = r.all("WWW-Authenticate")
    if len(fields) > 1:
        diag("challenges: %r" % fields)
        return {"": "more than one"}
    return dict(re.findall(r'([a-z_]+)="([^"]*)"', fields[0])) if fields else {}


def result_of(r):
    return (r.json() or {}).get("result") or {}


def one_challenge(front, say):
    """Status, whether stored, and names of parameters, of each kind of refusal [J1 J4 I3]."""
    calls = {
        "nobody": modern_call("greet_user", ADA),
        "no token": modern_call("greet_user", ADA, "guess"),
        "two tokens": modern_call("greet_user", ADA, "one two"),
        "expired": legacy_call("greet_user", ADA, expired(front)),
        "scope": modern_call("greet_user", ADA, front.token(scope="usr:read")),
        "scope, legacy": legacy_call("greet_user", ADA, front.token(scope="usr:read")),
        "organisation": modern_call("get_org_data", {}, front.token(oid="org_3")),
        "organisation, legacy": legacy_call("get_org_data", {}, front.token(oid="org_3"))}
    with_error = ["error", "error_description", "realm", "resource_metadata", "scope"]
    want = {"nobody": (401, ["realm", "resource_metadata", "scope"]), "no token": (401, with_error),
            "two tokens": (400, with_error), "expired": (401, with_error), "scope": (403, with_error),
            "scope, legacy": (403, with_error), "organisation": (403, ["realm", "resource_metadata"]),
            "organisation, legacy": (403, ["realm", "resource_metadata"])}
    answers = {k: front.post(v) for k, v in calls.items()}
    is_({k: (r.status, sorted(challenge_of(r))) for k, r in answers.items()}, want,
        say("each refusal has one challenge, with the parameters of its kind [W49 W35]"))
    is_({k: r.get("Cache-Control") for k, r in answers.items()}, dict.fromkeys(calls, "no-store"),
        say("and is not to be stored"))
    is_({k for k, r in answers.items() if r.json() is None}, set(), say("and has JSON for a body"))


def step_up(front, say):
    """A client that asks for exactly what a challenge says, nothing else."""
    for era, call in (("modern", modern_call), ("legacy", legacy_call)):
        granted, rounds = "openid", 0
        r = front.post(call("greet_user", ADA, front.token(scope=granted)))
        while r.status == 403 and rounds < 3:
            granted = challenge_of(r).get("scope", "")
            rounds += 1
            r = front.post(call("greet_user", ADA, front.token(scope=granted)))
        is_((r.status, rounds, granted), (200, 1, "usr:read usr:write"),
            say("%s: one round of step-up is enough [W35]" % era))
        r = front.post(call("greet_user", ADA, front.token(scope="root")))
        is_(r.status, 200, say("%s: a scope that stands for both is too" % era))
        r = front.post(call("get_org_data", {}, front.token(oid="org_3")))
        ok(r.status == 403 and "scope" not in challenge_of(r) and "error" not in challenge_of(r),
           say("%s: a wrong organisation leads no client into another round" % era))


def by_result(front, say):
    for era, call in (("modern", modern_call), ("legacy", legacy_call)):
        r = front.post(call("greet_user", ADA, front.token(scope="usr:read")))
        result = result_of(r)
        hint = ((result.get("_meta") or {}).get("mcp/www_authenticate") or [""])[0]
        is_((r.status, r.all("WWW-Authenticate"), result.get("isError")), (200, [], True),
            say("%s: STEP_UP=result refuses by a result [X13]" % era))
        ok('error="insufficient_scope"' in hint and hint.endswith('scope="usr:read usr:write"'),
           say("%s: which has the challenge inside" % era))
        ok("usr:write" in ((result.get("content") or [{}])[0]).get("text", ""), say("%s: and says it in words" % era))


def at_once(front, messages):
    """Each message by a client of its own, all at the same moment, so that several processes have work. The answers,
    in the order of the messages."""
    gate, answers = threading.Barrier(len(messages)), [None] * len(messages)

    def client(i):
        gate.wait()
        try:
            answers[i] = front.post(messages[i], timeout=200.0)
        except http.client.RemoteDisconnected:
            # By a process of Apache that ended: nobody has read it.
            answers[i] = Answer(503, [], b"")

    threads = [threading.Thread(target=client, args=(i,)) for i in range(len(messages))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return answers


def expired(front):
    return front.token(iat=1000, nbf=1000, exp=2000)


def flood(front):
    """Refusals of several kinds from several clients at once; {word: how many}."""
    header = modern_call("greet_user", ADA)[0]
    good = front.token(scope="usr:read")
    head, payload, signature = good.split(".")
    forged = "%s.%s.%s%s" % (head, payload, "B" if signature[0] == "A" else "A", signature[1:])
    kinds = {"no_credentials": (modern_call("greet_user", ADA), 12),
             "other_scheme": ((header + [("Authorization", "Basic dTpw")], b"{}"), 7),
             "bad_signature": (modern_call("greet_user", ADA, forged), 20),
             "wrong_audience": (modern_call("greet_user", ADA, front.token(aud=["https://one.example"])), 30),
             "expired": (modern_call("greet_user", ADA, expired(front)), 9),
             "insufficient_scope": (modern_call("greet_user", ADA, good), 11),
             "wrong_organisation": (modern_call("get_org_data", {}, front.token(oid="org_3")), 5)}
    messages = [message for message, n in kinds.values() for _ in range(n)]
    for _ in range(20):
        answers = at_once(front, messages)
        # mod_fcgid answers by itself when it has no process soon enough, e.g. on a busy machine.
        messages = [m for m, r in zip(messages, answers) if r.status == 503]
        if not messages:
            break
    return {word: n for word, (_, n) in kinds.items()}


def figures(front, n):
    """{pid: refusals by reason} as the processes show them that answer n calls of admin_tool."""
    message = modern_call("admin_tool", {}, front.token(scope="admin"))
    states = [result_of(r).get("structuredContent") for r in at_once(front, [message] * n) if r.status == 200]
    return {s["server"]["pid"]: s["refusals"]["byReason"] for s in states if s}


def shared_figures(front, say):
    shown, want = {}, {}
    for by_reason in figures(front, 1).values():
        want.update(by_reason)
    for word, n in flood(front).items():
        want[word] = want.get(word, 0) + n
    wait_for(lambda: shown.update(figures(front, 20)) or len(shown) > 1, 20.0, 0)
    ok(len(shown) > 1, say("several processes answer (%d) [S59]" % len(shown)))
    is_([v for v in shown.values() if v != want], [], say("and each shows the refusals of all, by reason [S62]"))
    text = front.logs()["responder.log"]
    lines = re.findall(r"INFO: ([0-9a-f]{8})[0-9a-f]{8} POST \S+ \d+ .*, wrong_audience$", text, re.M)
    warnings = re.findall(r"WARNING: \S+ token refused: wrong_audience, seen (\S+), expected \"([^\"]*)\"", text)
    ok(len(lines) == 30 and (front.name in CGI_FRONTS or len(set(lines)) > 1),
       say("which several of them gave (%d)" % len(set(lines))))
    ok(set(warnings) == {('["https://one.example"]', front.url)} and len(warnings) == len(set(lines)),
       say("each has told once which audience it saw and expected (%d of 30) [S71]" % len(warnings)))
    front.post(modern_call("greet_user", ADA, front.token(aud=["https://two.example"])))
    ok(wait_for(lambda: "https://two.example" in front.logs()["responder.log"]),
       say("and tells another one although the first came all the time"))


def keys_unavailable(front, say):
    r = front.post(modern_call("greet_user", ADA, front.token()))
    is_((r.status, r.all("WWW-Authenticate"), r.get("Cache-Control")), (503, [], "no-store"),
        say("without keys it is 503 without a challenge"))
    ok(re.fullmatch("[1-9][0-9]*", r.get("Retry-After") or ""), say("and says when to come back"))


def try_front(name):
    def say(text):
        return "%s: %s" % (name, text)

    with Front(name, SETTINGS) as front:
        one_challenge(front, say)
        step_up(front, say)
        if name in ("lighttpd", "apache-fcgid", "cgi-lighttpd"):
            shared_figures(front, say)
    with Front(name, dict(SETTINGS, STEP_UP="result")) as front:
        by_result(front, say)
    with Front(name, dict(SETTINGS, JWKS_FILE="/nonexistent/jwks.json")) as front:
        keys_unavailable(front, say)


for front_name in sys.argv[1:] or FRONTS:
    lacking = missing(front_name)
    if lacking:
        skip(front_name + ": refusals", "there is no " + lacking)
    else:
        try_front(front_name)
done()

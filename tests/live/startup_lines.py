#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The lines that "mcp.fcgi -n" prints and that the log has at the start: what is right, what is wrong, what to do. Ids
in brackets are rows of docs/acceptance.md.
"""
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from harness import (RESPONDER, diag, done, free_port, is_, ok, private_directory, remove_directory,  # noqa: E402
                     wait_for)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import crypto  # noqa: E402

GOOD = {"SK_ENV_URL": "https://acme.scalekit.com", "EXPECTED_AUDIENCE": "http://localhost:3002/",
        "PROTECTED_RESOURCE_METADATA": "auto"}
SECRET = "tvly-secret-of-this-test"
work = private_directory()
os.mkdir(work + "/state", 0o700)


def environment(settings):
    return {"PATH": os.environ["PATH"], "HOME": work, "STATE_DIR": work + "/state", "MCP_FCGI_CONF": work + "/empty",
            **{k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")},
            **{k: v for k, v in settings.items() if v is not None}}


def check(settings):
    """(exit status, lines) of mcp.fcgi -n."""
    p = subprocess.run([RESPONDER, "-n"], env=environment(settings), capture_output=True, text=True, timeout=60,
                       check=False)
    return p.returncode, p.stdout.splitlines()


def expect(changes, status, line, text):
    got, lines = check({**GOOD, **changes})
    if not ok(got == status and any(s.startswith(line) for s in lines), text):
        diag("status %d" % got)
        diag("\n".join(lines))
    return lines


def fix_of(lines, line):
    i = next((i for i, s in enumerate(lines) if s.startswith(line)), len(lines))
    return lines[i + 1].strip() if i + 1 < len(lines) else ""


def faults():
    lines = expect({"SK_ENV_URL": None}, 1, "[FAIL] ENV-SK_ENV_URL not set", "no SK_ENV_URL: FAIL and exit 1 [S19]")
    ok(any("SCALEKIT_ENVIRONMENT_URL environment variable not set" in s for s in lines),
       "in the words of the web-search server too [W13]")
    lines = expect({"EXPECTED_AUDIENCE": None}, 1, "[FAIL] ENV-EXPECTED_AUDIENCE not set",
                   "no EXPECTED_AUDIENCE: FAIL and exit 1 [S21]")
    ok(any("RESOURCE_IDENTIFIER environment variable not set" in s for s in lines), "in its words too [W14]")
    ok(fix_of(lines, "[FAIL] ENV-EXPECTED_AUDIENCE").startswith("fix: "), "with a line that says what to do")
    expect({"EXPECTED_AUDIENCE": ""}, 1, "[FAIL] ENV-EXPECTED_AUDIENCE not set", "an empty one never means any [S21]")
    expect({"SK_ENV_URL": "*"}, 1, "[FAIL] ISS-OFF", "the issuer check cannot be switched off [S50]")
    expect({"EXPECTED_AUDIENCE": "*"}, 1, "[FAIL] AUD-OFF", "nor that of the audience [S51]")
    expect({"SK_ENV_URL": "acme.scalekit.com"}, 1, '[FAIL] SK_ENV_URL "acme.scalekit.com" has no https://',
           "a URL without protocol [T35]")
    expect({"SK_ENV_URL": "http://acme.scalekit.com"}, 1, '[FAIL] SK_ENV_URL "http://acme.scalekit.com"',
           "plain http beyond loopback [T35]")
    expect({"SK_ENV_URL": "https://acme.scalekit.com/"}, 0, '[WARN] SK_ENV_URL "https://acme.scalekit.com/"',
           "a slash at its end is left out and told [T35]")
    expect({"TOOLS": "nothing"}, 1, "[FAIL] TOOLS none enabled", "no tool [T1]")
    lines = expect({"PROTECTED_RESOURCE_METADATA": None}, 0,
                   "[FAIL] PRM-MISSING PROTECTED_RESOURCE_METADATA is not set", "no metadata [S22 T19]")
    ok(fix_of(lines, "[FAIL] PRM-MISSING").startswith("fix: dashboard > MCP server > Metadata JSON"),
       "and where it is to be had [T19]")
    # What shells and .env files do to it.
    for value, at, near, text in (("{resource:x}", 1, "resource:x}", "quotes eaten by a shell"),
                                  ("'{\"a\":1}'", 0, "'{\"a\":1}'", "single quotes kept"),
                                  ('{"a":1,}', 7, "}", "a comma at the end"),
                                  ('{"a":"b\nc"}', 7, " c\"}", "a line break in a text")):
        lines = expect({"PROTECTED_RESOURCE_METADATA": value}, 0, "[FAIL] PRM-JSON invalid at byte %d: " % at,
                       "no JSON: %s [T20 T39]" % text)
        ok(any(s.startswith("[FAIL] PRM-JSON") and s.endswith('near "%s"' % near[:12]) for s in lines),
           "and the line shows the place [T20]")
    ok("single quotes" in fix_of(lines, "[FAIL] PRM-JSON"), "and says what to write [T20 T39]")
    lines = expect({"MCP_URL": "http://localhost:3002/mcp"}, 1,
                   "[FAIL] CONFIG environment: MCP_URL and EXPECTED_AUDIENCE are names of one setting and differ",
                   "two families of names that contradict each other [T41]")
    expect({"MCP_URL": GOOD["EXPECTED_AUDIENCE"]}, 0, "[OK] MODE", "but not when they agree [T41]")
    expect({"PROTECTED_RESOURCE_METADATA": json.dumps({"resource": "http://localhost:3002"})}, 0, "[WARN] AUD-RESOURCE",
           "an audience that is not the metadata's resource [S27]")
    expect({"ALLOWED_ORIGINS": "*"}, 0, "[WARN] CORS-STAR any origin allowed", "any origin [S56]")
    expect({"PORT": "http"}, 1, "[FAIL] CONFIG environment: PORT", "a PORT that is none [W15]")


def introspection():
    """VALIDATION before the sections and in one."""
    path = work + "/sections"

    def section(text):
        with open(path, "w", encoding="utf-8") as f:
            f.write("[issuer two]\nISSUER=https://two.example.com\n" + text)
        os.chmod(path, 0o600)
        return {"MCP_FCGI_CONF": path}

    asks = "VALIDATION=opaque asks the authorization server, and "
    expect({"VALIDATION": "opaque"}, 1, "[FAIL] " + asks + "SK_CLIENT_ID is not set",
           "introspection without a client id: FAIL and exit 1")
    expect(section("VALIDATION=opaque\nSK_CLIENT_ID=me\n"), 1, "[FAIL] [issuer two] " + asks + "SK_CLIENT_SECRET",
           "in a section it needs a credential of its own")
    expect({**section("VALIDATION=opaque\n"), "SK_CLIENT_ID": "me", "SK_CLIENT_SECRET": SECRET}, 1,
           "[FAIL] [issuer two] " + asks + "SK_CLIENT_ID", "that of another issuer is never sent there")
    secret = section("VALIDATION=opaque\nSK_CLIENT_ID=me\nSK_CLIENT_SECRET=" + SECRET + "\n")
    lines = expect(secret, 0, "[OK] [issuer two] INTROSPECTION of opaque tokens by what the metadata names",
                   "with one it is told how")
    ok(not any(SECRET in line for line in lines), "without the secret")
    expect({**secret, "VALIDATION": "opaque", "SK_CLIENT_ID": "me", "SK_CLIENT_SECRET": SECRET}, 0,
           "[WARN] [issuer two] opaque tokens are shown to default and to no other issuer",
           "of two issuers only one is asked about tokens that do not say whose they are")
    expect(section("INTROSPECTION_ENDPOINT=https://two.example.com/i\n"), 0,
           "[WARN] [issuer two] INTROSPECTION_ENDPOINT is not used", "an endpoint alone does nothing: WARN")


def good():
    lines = expect({}, 0, "[OK] MODE protected by https://acme.scalekit.com", "a good configuration: exit 0 [S1]")
    is_([s for s in lines if "FAIL" in s], [], "and no FAIL")
    ok("[OK] TOOLS 3: greet_user, admin_tool, get_org_data" in lines, "the tools by name [T1]")
    ok(any("TAVILY_API_KEY environment variable not set" in s for s in lines),
       "and why web_search is not among them [W16 W43]")
    ok("[OK] PUBLIC_URL listening on http://localhost:3002/" in lines, "where clients connect [W23]")
    ok("[OK] startup: db ok, jwks none yet, tavily off" in lines, "and what was tried [T5]")
    with open(work + "/jwks.json", "w", encoding="ascii") as f:
        json.dump({"keys": [crypto.RSAKey("snk_1").jwk()]}, f)
    lines = expect({"TAVILY_API_KEY": SECRET, "JWKS_FILE": work + "/jwks.json"}, 0,
                   "[OK] startup: db ok, jwks ok, tavily ok", "with keys and a key for Tavily [T5]")
    ok("[OK] TOOLS 4: greet_user, admin_tool, get_org_data, web_search" in lines, "web_search is there [T1 W16]")
    ok(SECRET not in "\n".join(lines), "no line shows a secret")
    expect({"JWKS_FILE": work + "/none.json"}, 0, "[WARN] startup: db ok, jwks unusable",
           "a JWKS_FILE that is not there is told")
    old = work + "/other-state"
    os.mkdir(old, 0o700)
    os.mkdir(old + "/limits.db")
    expect({"STATE_DIR": old}, 0, "[WARN] startup: db unusable",
           "limits.db cannot be used: it serves, and says so [T5]")
    names = {"SK_ENV_URL": None, "EXPECTED_AUDIENCE": None, "SCALEKIT_ENVIRONMENT_URL": "https://acme.scalekit.com",
             "RESOURCE_IDENTIFIER": "https://your-mcp-server.com"}
    expect(names, 0, "[OK] MODE protected by https://acme.scalekit.com",
           "the web-search server's names are understood [W13 W14]")


def log_lines():
    """The same lines are in the log of a responder that serves."""
    where = "127.0.0.1:%d" % free_port()
    path = work + "/log"
    with open(path, "wb") as log:
        p = subprocess.Popen([RESPONDER, "--listen", where],
                             env=environment({**GOOD, "PROTECTED_RESOURCE_METADATA": None}), stdin=subprocess.DEVNULL,
                             stdout=log, stderr=log)

    def text():
        with open(path, encoding="utf-8") as f:
            return f.read()
    try:
        ok(wait_for(lambda: "serves" in text()), "a responder starts")
        for line, row in (("ERROR: [FAIL] PRM-MISSING PROTECTED_RESOURCE_METADATA is not set; fix: dashboard", "T19"),
                          ("INFO: [OK] TOOLS 3: ", "T1"),
                          ("INFO: [OK] PUBLIC_URL listening on http://localhost:3002/", "W23"),
                          ("INFO: [OK] startup: db ok, ", "T5")):
            ok(line in text(), "its log has: %s [%s]" % (line, row))
        second = subprocess.run([RESPONDER, "--listen", where], env=environment(GOOD), capture_output=True, text=True,
                                timeout=60, check=False)
        ok(second.returncode == 3 and "[FAIL] PORT %s already in use by pid %d (mcp.fcgi)"
           % (where.split(":")[1], p.pid) in second.stderr,
           "a port in use: its own exit status, and who has it [T24 T40]")
        ok("fix: choose another port or stop that process" in second.stderr and len(second.stderr.splitlines()) == 2,
           "what to do, and no trace [T24]")
        ok(p.poll() is None, "the owner is left alone [T24]")
    finally:
        p.terminate()
        status = p.wait(20)
    ok(status == 0 and text().splitlines()[-1].endswith("INFO: shutdown: clean"),
       "the last line says that the end was clean [T5]")


try:
    open(work + "/empty", "wb").close()
    faults()
    introspection()
    good()
    log_lines()
finally:
    remove_directory(work)
done()

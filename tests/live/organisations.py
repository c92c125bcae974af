#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""mcp-fcgi org: what it prints and keeps, for whom, and as whom. S81: one organisation's data is its own."""

import os
import sqlite3
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from harness import COMMAND, done, is_, ok, private_directory, remove_directory, skip     # noqa: E402

TOP = private_directory()
os.chmod(TOP, 0o755)
STATE = os.path.join(TOP, "state")


def org(*arguments, state=STATE, user=None, env=None):
    """Run the command; status, stdout, stderr."""
    return run("org", *arguments, state=state, user=user, env=env)


def run(name, *arguments, state=STATE, user=None, env=None):
    """The same for any subcommand."""
    command = [COMMAND, name] + (["--state-dir", state] if state else []) + list(arguments)
    if user is not None:
        command = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"] + command
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("STATE_DIR", "MCP_FCGI", "SK_"))}
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, env={**clean, **(env or {})})
    return result.returncode, result.stdout, result.stderr


def usage():
    status, out, err = org()
    ok(status == 2 and out == "" and "usage: mcp-fcgi org" in err, "without an action: usage on stderr, status 2")
    is_(org("frob")[0], 2, "an unknown action is a usage error")
    is_(org("set", "org_1", "plan")[0], 2, "so are too few arguments")
    is_(org("list", "a", "b")[0], 2, "and too many")
    is_(org("--nonsense")[0], 2, "and an unknown option")
    status, out, err = org("--help")
    ok(status == 0 and "get ORG KEY" in out and err == "", "--help explains on stdout, status 0")


def values():
    is_(org("set", "org_1", "plan", "gold"), (0, "", ""), "a value is set, and nothing is said")
    is_(org("set", "org_1", "plan", "silver")[0], 0, "and replaced")
    is_(org("get", "org_1", "plan"), (0, "silver\n", ""), "and read back")
    is_(org("set", "org_1", "note", "two\nlines\t\x1b[31m")[0], 0, "a value may hold anything")
    is_(org("get", "org_1", "note")[1], "two\nlines\t\x1b[31m\n",
        "and is printed as it is when it is asked for by name")
    is_(org("get", "org_1")[1], "note=two\\x0alines\\x09\\x1b[31m\nplan=silver\n",
        "in a list, control bytes are escaped")
    is_(org("set", "org_2", "name", "Zürich -- \"x\"")[0], 0, "another organisation")
    is_(org("set", "org_2", "n", "-5")[0], 0, "a value may begin with a dash")
    is_(org("get", "org_2")[1], "n=-5\nname=Zürich -- \"x\"\n", "S81: has its own data and no other")
    is_(org("list")[1], "org_1\t2\norg_2\t2\n", "the organisations are listed with the number of their keys")
    is_(org("list", "org_1")[1], "note\nplan\n", "and the keys of one")
    status, out, err = org("get", "org_3")
    ok(status == 1 and out == "" and "no such organisation" in err,
       "what is not there is status 1 and a word on stderr")
    is_(org("delete", "org_1", "note")[0], 0, "a key is deleted")
    is_(org("delete", "org_1", "note")[0], 1, "once")
    is_(org("delete", "org_2")[0], 0, "an organisation is deleted")
    is_(org("list")[1], "org_1\t1\n", "the other one stays")
    is_(org("set", "org_1", "k" * 257, "x")[0], 1, "a key that is too long is refused")
    is_(org("set", "", "k", "x")[0], 1, "an empty organisation is refused")
    is_(org("set", "org_1", "big", "v" * 65537)[0], 1, "a value over 64 KiB is refused")
    is_(org("set", "org_1", "big", "v" * 65536)[0], 0, "one of 64 KiB is not")
    is_(org("get", "org_1", "plan", state="relative")[0], 1, "a relative directory is refused")


def configuration():
    config = os.path.join(TOP, "mcp-fcgi.conf")
    with open(config, "w") as f:
        f.write("STATE_DIR=%s\nSK_ENV_URL=nonsense\n" % STATE)
    is_(org("--config", config, "get", "org_1", "plan", state=None)[1], "silver\n",
        "STATE_DIR is taken from the configuration, whose other faults do not matter")
    is_(org("get", "org_1", "plan", state=None, env={"STATE_DIR": STATE})[1], "silver\n", "or from the environment")
    with open(config, "a") as f:
        f.write("this is no line\n")
    status, out, err = org("--config", config, "list", state=None)
    ok(status == 1 and out == "" and config + ":3" in err, "a configuration that cannot be read is told with its line")
    status, out, err = org("--config", config + ".missing", "list", state=None)
    ok(status == 1 and out == "" and ".missing" in err, "so is one that is not there")


def forget():
    database = sqlite3.connect(os.path.join(STATE, "state.db"))
    database.execute("INSERT INTO sealing_key (key, made_s) VALUES (x'00', 1)")
    database.commit()
    is_(run("forget"), (0, "", ""), "sealing keys are forgotten, and nothing is said")
    is_(database.execute("SELECT count(*) FROM sealing_key").fetchone()[0], 0, "none is left")
    database.close()
    is_(org("get", "org_1", "plan")[1], "silver\n", "what else is kept stays")
    is_(run("forget", "something")[0], 2, "there is nothing to be named")


def identity():
    if os.geteuid() != 0:
        skip("root works as the directory's owner", "not root")
        return
    theirs = os.path.join(TOP, "theirs")
    os.mkdir(theirs, 0o700)
    os.chown(theirs, 65534, 65534)
    is_(org("set", "org_1", "plan", "theirs", state=theirs)[0], 0, "root may use another user's directory")
    files = os.listdir(theirs)
    ok(files and all(os.lstat(os.path.join(theirs, f)).st_uid == 65534 for f in files),
       "and every file there is its owner's")
    ok(all(stat.S_IMODE(os.lstat(os.path.join(theirs, f)).st_mode) == 0o600 for f in files),
       "with mode 0600")
    ok(org("get", "org_1", "plan", state=theirs, user=65534)[1] == "theirs\n", "the owner reads what root wrote")
    ok(org("get", "org_1", "plan", state=theirs, user=65533)[0] == 1, "a third user does not")
    ok(org("get", "org_1", "plan", user=65534)[0] == 1, "nor does anybody use root's")
    status, _, err = org("list", state=os.path.join(TOP, "none"))
    ok(status == 1 and "server's user" in err and not os.path.exists(os.path.join(TOP, "none")),
       "root does not make a directory that the server could not use")
    link = os.path.join(TOP, "link")
    os.symlink(theirs, link)
    is_(org("list", state=link)[0], 1, "a symbolic link is no state directory")
    os.chmod(theirs, 0o777)
    is_(org("list", state=theirs)[0], 1, "nor is one that anybody may write to")


try:
    os.mkdir(STATE, 0o700)
    usage()
    values()
    configuration()
    forget()
    identity()
finally:
    remove_directory(TOP)
done()

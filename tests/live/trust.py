#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What mcp.fcgi trusts, and refuses to trust: who may connect to its socket, and who may write the files that it reads
(G8). docs/security.md says what follows from each."""
import json
import os
import re
import shutil
import socket
import stat
import subprocess

from fastcgi import request, whole, Connection
from harness import (RESPONDER, SRC, Signer, diag, done, free_port, is_, modern_call, ok, private_directory,
    remove_directory, skip, stop_process, wait_for)

EXIT_OK, EXIT_FAULT, _, EXIT_SOCKET = range(4)
NOBODY = 65534
ROOT = os.geteuid() == 0
HEALTH = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/health", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1",
          "HTTP_HOST": "127.0.0.1:10"}
HEALTHY = (200, b'{"status": "healthy"}')
MISCONFIGURED = (503, b'{"error": "server misconfigured"}')

work = private_directory()
state = work + "/state"
config = work + "/mcp.conf"
ENV = {"PATH": os.environ["PATH"], "HOME": work}


def write_config(*lines, mode=0o600):
    with open(config, "w", encoding="ascii") as f:
        f.write("\n".join(("SK_ENV_URL=http://127.0.0.1:9", "EXPECTED_AUDIENCE=http://127.0.0.1:10/mcp",
            "STATE_DIR=" + state, "PROTECTED_RESOURCE_METADATA=auto", "WORKERS=2") + lines) + "\n")
    os.chmod(config, mode)


def check():
    """(exit status, output) of mcp.fcgi -n."""
    p = subprocess.run([RESPONDER, "-n", "-c", config], env=ENV, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, check=False)
    return p.returncode, p.stdout + p.stderr


class Running:
    """A responder with a log; its exit status in the end is "status"."""

    def __init__(self, *args, env=None, stdin=subprocess.DEVNULL, **more):
        self.log = work + "/log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([RESPONDER, "-c", config, *args], env=dict(ENV, **(env or {})),
                stdin=stdin, stdout=log, stderr=log, **more)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.status = stop_process(self.process)

    def logged(self):
        with open(self.log, encoding="utf-8") as f:
            return f.read()


def health(address):
    try:
        answer = request(address, HEALTH)
        return answer.status, answer.body
    except OSError:
        return None


def serves(address, want=HEALTHY):
    return wait_for(lambda: health(address) == want, 30)


def refused(*args):
    """What is said by a responder that does not start."""
    p = subprocess.run([RESPONDER, "-c", config, *args], env=ENV, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=60, check=False)
    return p.stderr if p.returncode == EXIT_SOCKET else "status %d" % p.returncode


def as_nobody(path):
    """Whether the user nobody can connect to the socket file."""
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        try:
            socket.socket(socket.AF_UNIX).connect(path)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


def made_sockets():
    write_config()
    path = work + "/mcp.sock"
    with Running("--listen", path, preexec_fn=lambda: os.umask(0)) as r:
        ok(serves(path), "--listen PATH serves")
        is_(oct(stat.S_IMODE(os.stat(path).st_mode)), "0o660", "its file is for owner and group, whatever the umask")
        if ROOT:
            ok(not as_nobody(path), "another local user cannot connect")
            os.chmod(path, 0o666)
            ok(as_nobody(path), "(who could if it were for everybody)")
        else:
            skip("another local user cannot connect", "needs root")
    is_(r.status, 0, "and it stops in order")

    shared = work + "/shared"
    os.mkdir(shared)
    os.chmod(shared, 0o777)
    text = refused("--listen", shared + "/mcp.sock")
    ok("[FAIL] SOCKET" in text and "anybody can replace it" in text, "a directory that everybody may write is refused")
    ok(not os.path.exists(shared + "/mcp.sock"), "and no socket made there")
    os.chmod(shared, 0o1777)
    with Running("--listen", shared + "/mcp.sock") as r:
        ok(serves(shared + "/mcp.sock") and "[WARN] SOCKET" in r.logged(), "one like /tmp is told")


def given_sockets():
    port = free_port()
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("0.0.0.0", port))
    listener.listen(64)
    address = ("127.0.0.1", port)
    with Running(stdin=listener) as r:
        ok(serves(address, MISCONFIGURED), "a given TCP socket that is not loopback: 503, /health included")
        ok("is not loopback" in r.logged() and r.process.poll() is None,
            "the log says why, and it does not end by itself")
        os.utime(config)
        write_config("LOG_LEVEL=debug")
        ok(not wait_for(lambda: health(address) != MISCONFIGURED, 2.5), "a new configuration changes nothing of that")
    is_(r.status, 0, "until it is told to")
    write_config()
    with Running("--any-address", stdin=listener) as r:
        ok(serves(address), "--any-address says that it is meant")
        ok("is not loopback" in r.logged(), "and it is told all the same")
    with Running("--any-address", stdin=listener, env={"FCGI_WEB_SERVER_ADDRS": "192.0.2.1,127.0.0.1"}) as r:
        ok(serves(address), "FCGI_WEB_SERVER_ADDRS: a web server that it names is served")
    with Running("--any-address", stdin=listener, env={"FCGI_WEB_SERVER_ADDRS": "192.0.2.1"}) as r:
        wait_for(lambda: "serves" in r.logged())
        with Connection(address) as c:
            c.try_send(whole(HEALTH))
            is_(c.read_answer().status, 0, "FCGI_WEB_SERVER_ADDRS: the connection of another host is closed")
        ok(wait_for(lambda: "not in FCGI_WEB_SERVER_ADDRS" in r.logged()), "and told")
    for text in ("localhost", ",".join(["127.0.0.1"] * 33)):
        p = subprocess.run([RESPONDER, "-c", config], stdin=listener, env=dict(ENV, FCGI_WEB_SERVER_ADDRS=text),
            capture_output=True, text=True, timeout=60, check=False)
        is_((p.returncode, "no list of" in p.stderr), (EXIT_SOCKET, True),
            "FCGI_WEB_SERVER_ADDRS of %d bytes that is no such list: status 3" % len(text))
    listener.close()

    path = work + "/given.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    os.chmod(path, 0o666)
    with Running(stdin=listener) as r:
        ok(serves(path) and "can be written by everybody" in r.logged(), "a given socket for everybody is told")
    with Running(stdin=listener, env={"FCGI_WEB_SERVER_ADDRS": "127.0.0.1"}) as r:
        wait_for(lambda: "serves" in r.logged())
        with Connection(path) as c:
            c.try_send(whole(HEALTH))
            is_(c.read_answer().status, 0, "FCGI_WEB_SERVER_ADDRS: and so is one that does not come by TCP")
    listener.close()


def shipped():
    def text(name):
        with open(os.path.join(SRC, name), encoding="utf-8") as f:
            return f.read()
    unit = text("systemd/mcp-fcgi.socket.in")
    ok("\nSocketMode=0660\n" in unit and "\nSocketGroup=www-data\n" in unit and "\nListenStream=@socket@\n" in unit,
        "the systemd socket is a file of mode 0660 for the web server's group")
    ok("StateDirectoryMode=0700" in text("systemd/mcp-fcgi.service.in"), "the service's state directory has mode 0700")
    for name in ("README.md", "man/mcp.fcgi.8"):
        shown = re.findall(r"spawn-fcgi\s+-[^`]*?--\s", text(name))
        ok(shown and all("-M 0660" in line for line in shown), name + ": spawn-fcgi is shown with -M 0660")


def fresh_state():
    shutil.rmtree(state, ignore_errors=True)
    if os.path.islink(state):
        os.unlink(state)
    os.mkdir(state, 0o700)


def state_files():
    """Each of these is refused with a line that says so, and nothing is served."""
    def directory_mode(mode):
        return lambda: os.chmod(state, mode)

    def linked():
        os.rename(state, work + "/real")
        os.symlink(work + "/real", state)

    def database(mode):
        def prepare():
            check()
            os.chmod(state + "/state.db", mode)
        return prepare

    def database_link():
        check()
        os.rename(state + "/state.db", work + "/elsewhere.db")
        os.symlink(work + "/elsewhere.db", state + "/state.db")

    def foreign(path):
        def prepare():
            check()
            os.chown(state + path, NOBODY, NOBODY)
        return prepare

    cases = [("its directory is everybody's to write", directory_mode(0o777)),
             ("its directory is the group's to write", directory_mode(0o770)),
             ("its directory is a symbolic link", linked),
             ("state.db is everybody's to write", database(0o666)),
             ("state.db is the group's to write", database(0o620)),
             ("state.db is a symbolic link", database_link)]
    if ROOT:
        cases += [("its directory is another user's", foreign("")),
                  ("state.db is another user's", foreign("/state.db"))]
    for words, prepare in cases:
        fresh_state()
        write_config()
        prepare()
        status, text = check()
        ok(status == EXIT_FAULT and "[FAIL] STATE_DIR" in text, "G8: %s: refused" % words)
        diag([line for line in text.split("\n") if "STATE_DIR" in line][0])
        with Running("--listen", work + "/mcp.sock"):
            ok(serves(work + "/mcp.sock", MISCONFIGURED), "G8: and nothing is served")
    fresh_state()
    ok(check()[0] == EXIT_OK and oct(stat.S_IMODE(os.stat(state + "/state.db").st_mode)) == "0o600",
        "G8: (a good one is not, and its files are made with mode 0600)")


def key_file():
    signer = Signer(work)
    keys = work + "/jwks.json"
    elsewhere = work + "/jwks-elsewhere.json"
    token = signer.token("http://127.0.0.1:9", "http://127.0.0.1:10/mcp")
    headers, body = modern_call("greet_user", {"name": "Ada"}, token)
    params = {"REQUEST_METHOD": "POST", "SCRIPT_NAME": "/mcp", "REQUEST_URI": "/mcp", "REMOTE_ADDR": "127.0.0.1",
              "HTTP_HOST": "127.0.0.1:10", "CONTENT_LENGTH": len(body)}
    params.update({("" if k == "Content-Type" else "HTTP_") + k.upper().replace("-", "_"): v for k, v in headers})
    write_config("JWKS_FILE=" + keys)

    def call(mode=0o600, owner=None, link=False):
        for path in (keys, elsewhere):
            if os.path.lexists(path):
                os.unlink(path)
        with open(elsewhere if link else keys, "w", encoding="ascii") as f:
            json.dump(signer.jwks(), f)
        os.chmod(f.name, mode)
        if owner is not None:
            os.chown(f.name, owner, owner)
        if link:
            os.symlink(elsewhere, keys)
        with Running("--listen", work + "/mcp.sock") as r:
            serves(work + "/mcp.sock")
            status = request(work + "/mcp.sock", params, body).status
        return status, "cannot be used" in r.logged()

    is_(call(), (200, False), "JWKS_FILE: keys in a file of ours are used")
    is_(call(mode=0o644), (200, False), "JWKS_FILE: others may read it")
    is_(call(mode=0o666), (503, True), "G8, JWKS_FILE: one that others may write is refused and told")
    is_(call(mode=0o620), (503, True), "G8, JWKS_FILE: and one that the group may write")
    is_(call(mode=0o666, link=True), (503, True), "G8, JWKS_FILE: by a symbolic link too")
    if ROOT:
        is_(call(owner=NOBODY), (503, True), "G8, JWKS_FILE: and another user's")
    else:
        skip("G8, JWKS_FILE: another user's", "needs root")


def configuration():
    def lines(text):
        return [line for line in text.split("\n") if "CONFIG" in line]
    write_config(mode=0o666)
    status, text = check()
    ok(status == EXIT_FAULT and "[FAIL] CONFIG %s: everybody may write to it" % config in text,
        "G8: a configuration that everybody may write is refused")
    diag(lines(text))
    write_config(mode=0o664)
    status, text = check()
    ok(status == EXIT_OK and "[WARN] CONFIG %s: its group may write to it" % config in text, "G8: the group: told")
    if ROOT:
        write_config()
        os.chown(config, NOBODY, NOBODY)
        status, text = check()
        ok(status == EXIT_OK and "[WARN] CONFIG %s: it belongs to another user" % config in text, "G8: its owner: told")
        os.chown(config, 0, 0)
    write_config("SK_CLIENT_SECRET=topsecret", mode=0o644)
    status, text = check()
    ok(status == EXIT_OK and "others may read" in text and "topsecret" not in text,
        "a secret in a configuration that others may read is told, and not shown")
    secret = work + "/secret"
    for mode, told in ((0o600, False), (0o400, False), (0o644, True), (0o622, True)):
        with open(secret, "w", encoding="ascii") as f:
            f.write("topsecret\n")
        os.chmod(secret, mode)
        write_config("SK_CLIENT_SECRET_FILE=" + secret)
        is_("others may read or change" in check()[1], told, "a secret's file of mode %03o: told: %s" % (mode, told))
        os.unlink(secret)
    write_config()
    with Running("--listen", work + "/mcp.sock") as r:
        serves(work + "/mcp.sock")
        write_config("MCP_PATH=/other", mode=0o666)
        ok(wait_for(lambda: health(work + "/mcp.sock") == HEALTHY and "last good configuration" in r.logged()),
            "G8: a running process does not take such a configuration")


fresh_state()
made_sockets()
given_sockets()
shipped()
state_files()
key_file()
configuration()
remove_directory(work)
done()

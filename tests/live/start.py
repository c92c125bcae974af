#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Starting mcp.fcgi: its options and exit statuses, every way to get a socket, sockets that are in use, and being a
plain CGI program."""
import os
import signal
import socket
import stat
import subprocess
import time

from fastcgi import ECHO, Connection, request, whole
from harness import (RESPONDER, diag, done, free_port, is_, ok, private_directory, remove_directory, skip, skip_all,
    stop_process,
                     wait_for)

EXIT_OK, EXIT_FAULT, EXIT_USAGE, EXIT_SOCKET = range(4)

for program in (RESPONDER, ECHO):
    if not os.path.exists(program):
        skip_all("%s is not built" % program)

work = private_directory()
os.mkdir(work + "/state")
config = os.path.join(work, "mcp.conf")
with open(config, "w", encoding="ascii") as f:
    f.write("SK_ENV_URL=http://127.0.0.1:9\nEXPECTED_AUDIENCE=http://127.0.0.1:10/mcp\n"
            "STATE_DIR=%s/state\nPROTECTED_RESOURCE_METADATA=auto\nWORKERS=2\n" % work)
os.chmod(config, 0o600)
ENV = {"PATH": os.environ["PATH"], "HOME": work}
HEALTH = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/health", "REQUEST_URI": "/health", "REMOTE_ADDR": "127.0.0.1",
    "HTTP_HOST": "127.0.0.1:10"}


def run(*args, env=None, stdin=subprocess.DEVNULL, timeout=60, **more):
    return subprocess.run([RESPONDER, *args], env=dict(ENV, **(env or {})), stdin=stdin, capture_output=True, text=True,
        timeout=timeout,
                          check=False, **more)


class Running:
    """A responder that is left running; its log is its stderr."""

    def __init__(self, *args, env=None, stdin=subprocess.DEVNULL, **more):
        self.log = os.path.join(work, "log-%d" % time.monotonic_ns())
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([RESPONDER, *args], env=dict(ENV, **(env or {})), stdin=stdin, stdout=log,
                stderr=log, **more)

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


HEALTHY = (200, b'{"status": "healthy"}')


def options():
    done_ = run("--version")
    ok(done_.returncode == EXIT_OK and done_.stdout.startswith("mcp-fcgi "), "--version")
    done_ = run("--help")
    ok(done_.returncode == EXIT_OK and "--listen" in done_.stdout and max(map(len, done_.stdout.split("\n"))) <= 120,
        "--help")
    for args in (["--bogus"], ["--listen"], ["file"], ["-x"]):
        done_ = run(*args)
        ok(done_.returncode == EXIT_USAGE and "usage:" in done_.stderr and done_.stdout == "",
            "%s: usage, status 2" % " ".join(args))
    done_ = run()
    ok(done_.returncode == EXIT_USAGE and "neither by a web server nor with a socket" in done_.stderr,
        "started by hand: usage, status 2")
    done_ = run("-n", "--config", config)
    ok(done_.returncode == EXIT_OK and "[OK]" in done_.stdout and "[FAIL]" not in done_.stdout,
        "-n: a good configuration, status 0")
    diag(done_.stdout)
    done_ = run("-n")
    ok(done_.returncode == EXIT_FAULT and "[FAIL] ENV-SK_ENV_URL not set" in done_.stdout,
        "-n: nothing configured, status 1")
    done_ = run("-n", "--config", work + "/none")
    ok(done_.returncode == EXIT_FAULT and "[FAIL]" in done_.stdout, "-n: a configuration that is not there, status 1")
    done_ = run("-n", "--config", config, env={"WORKERS": "0"})
    ok(done_.returncode == EXIT_FAULT and "WORKERS" in done_.stdout, "-n: a value out of range, status 1")


def path_sockets():
    path = os.path.join(work, "socket")
    with Running("--config", config, "--listen", path) as r:
        wait_for(lambda: health(path) == HEALTHY)
        is_(health(path), HEALTHY, "--listen PATH serves")
        is_(oct(stat.S_IMODE(os.stat(path).st_mode)), "0o660", "the socket file is for owner and group only")
        done_ = run("--config", config, "--listen", path)
        is_(done_.returncode, EXIT_SOCKET, "a live socket: status 3")
        ok("[FAIL] SOCKET %s exists and is live: pid %d (mcp.fcgi)" % (path, r.process.pid) in done_.stderr,
            "T24: says live, and whose")
        diag(done_.stderr)
        is_(health(path), HEALTHY, "whoever has it keeps it")
    ok(r.status == 0 and "shutdown: clean" in r.logged(), "T5: a stop is told")
    ok(not os.path.exists(path), "the socket file is gone after a stop")

    with Running("--config", config, "--listen", path) as r:
        wait_for(lambda: health(path) == HEALTHY)
        r.process.kill()
        r.process.wait()
    ok(os.path.exists(path), "(kill -9 leaves the socket file)")
    with Running("--config", config, "--listen", path) as r:
        wait_for(lambda: health(path) == HEALTHY)
        is_(health(path), HEALTHY, "a stale socket is replaced")
        ok("SOCKET %s was stale" % path in r.logged(), "T24: and told")
        os.unlink(path)
        with Running("--config", config, "--listen", path) as second:
            wait_for(lambda: health(path) == HEALTHY)
            stop_process(r.process)
            is_(health(path), HEALTHY, "a process that stops leaves another one's socket file alone")
        ok(second.status == 0, "which its owner removes")

    with open(path, "w", encoding="ascii") as f:
        f.write("precious")
    done_ = run("--config", config, "--listen", path)
    ok(done_.returncode == EXIT_SOCKET and "is no socket" in done_.stderr, "a file that is no socket: status 3")
    is_(open(path, encoding="ascii").read(), "precious", "and it is left alone")
    os.unlink(path)
    done_ = run("--config", config, "--listen", work + "/" + "x" * 200)
    ok(done_.returncode == EXIT_SOCKET and "longer than" in done_.stderr, "a path too long for a socket: status 3")
    done_ = run("--config", config, "--listen", work + "/none/socket")
    ok(done_.returncode == EXIT_SOCKET and "No such file" in done_.stderr, "a folder that is not there: status 3")
    if os.geteuid() == 0:
        s = socket.socket(socket.AF_UNIX)
        s.bind(path)
        s.close()
        os.chown(path, 65534, 65534)
        done_ = run("--config", config, "--listen", path)
        ok(done_.returncode == EXIT_SOCKET and "wrong owner: nobody (uid 65534)" in done_.stderr,
            "T24: somebody else's stale socket: wrong owner")
        ok(os.path.exists(path), "and it is left alone")
        os.unlink(path)
    else:
        skip("T24: wrong owner", "needs root")


def port_sockets():
    port = free_port()
    where = "127.0.0.1:%d" % port
    with Running("--config", config, "--listen", where) as r:
        wait_for(lambda: health(("127.0.0.1", port)) == HEALTHY)
        is_(health(("127.0.0.1", port)), HEALTHY, "--listen 127.0.0.1:PORT serves")
        done_ = run("--config", config, "--listen", where)
        ok(done_.returncode == EXIT_SOCKET
            and "[FAIL] PORT %d already in use by pid %d (mcp.fcgi)" % (port, r.process.pid) in done_.stderr,
           "T24, T40: a port in use: status 3, and whose it is")
        ok(len(done_.stderr.strip().split("\n")) == 2 and "fix: choose another port" in done_.stderr,
            "T24: one line and its fix, no trace")
        diag(done_.stderr)
    for where in ("0.0.0.0:%d" % port, "[::]:%d" % port):
        done_ = run("--config", config, "--listen", where)
        ok(done_.returncode == EXIT_SOCKET and "is not loopback" in done_.stderr,
            "--listen %s is refused" % where.split(":%d" % port)[0])
    with Running("--config", config, "--any-address", "--listen", "0.0.0.0:%d" % port) as r:
        wait_for(lambda: health(("127.0.0.1", port)) == HEALTHY)
        is_(health(("127.0.0.1", port)), HEALTHY, "--any-address allows it")
        ok("not loopback" in r.logged(), "with a warning")
    for where in ("localhost:%d" % port, "127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:x", ":80",
        "[127.0.0.1:80"):
        done_ = run("--config", config, "--listen", where)
        ok(done_.returncode == EXIT_SOCKET and "neither a path" in done_.stderr, "--listen %s is no address" % where)


def given_sockets():
    path = os.path.join(work, "given")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    with Running("--config", config, stdin=listener) as r:
        wait_for(lambda: health(path) == HEALTHY)
        is_(health(path), HEALTHY, "a listening socket as descriptor 0 (lighttpd, mod_fcgid, spawn-fcgi) serves")
    ok(os.path.exists(path), "its file is left to whoever made it")
    os.chmod(path, 0o777)
    with Running("--config", config, stdin=listener) as r:
        wait_for(lambda: health(path) == HEALTHY)
        ok("can be written by everybody" in r.logged(), "a socket file that everybody may write is warned of")

    def systemd(pid_offset=0):
        def prepare():
            os.dup2(listener.fileno(), 3)
            os.set_inheritable(3, True)
        # LISTEN_PID is the process's own: a shell that becomes it.
        command = "LISTEN_FDS=1 LISTEN_PID=$(($$ + %d)) exec '%s' --config '%s'" % (pid_offset, RESPONDER, config)
        log = os.path.join(work, "systemd-log")
        with open(log, "wb") as out:
            return subprocess.Popen(["sh", "-c", command], env=ENV, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                preexec_fn=prepare,
                                    close_fds=False), log

    process, _ = systemd()
    wait_for(lambda: health(path) == HEALTHY)
    is_(health(path), HEALTHY, "LISTEN_FDS of systemd serves")
    is_(stop_process(process), 0, "and stops in good order")
    process, _ = systemd(pid_offset=1)
    is_(process.wait(30), EXIT_USAGE, "LISTEN_FDS meant for another process is not used")
    listener.close()


def misconfigured():
    path = os.path.join(work, "bad")
    with Running("--listen", path) as r:
        wait_for(lambda: health(path) is not None)
        status, body = health(path)
        ok(status == 503 and b"server misconfigured" in body,
            "a misconfigured responder starts, stays and refuses everything, /health too")
        ok("[FAIL] ENV-SK_ENV_URL" in r.logged() or "ENV-SK_ENV_URL" in r.logged(), "and says why in the log")
        time.sleep(0.2)
        ok(r.process.poll() is None, "it does not end by itself")
    is_(r.status, 0, "until it is told to")


def descriptors():
    path = os.path.join(work, "closed")
    process = subprocess.Popen(["sh", "-c",
        "exec '%s' --config '%s' --listen '%s' 0<&- 1>&- 2>&-" % (RESPONDER, config, path)], env=ENV)
    wait_for(lambda: health(path) == HEALTHY)
    is_(health(path), HEALTHY, "descriptors 0 to 2 closed: it serves")
    fds = {os.readlink("/proc/%d/fd/%d" % (process.pid, fd)) for fd in (0, 1, 2)}
    is_(fds, {"/dev/null"}, "and no socket has become stdin, stdout or stderr")
    is_(stop_process(process), 0, "and it stops")


def cgi(env, body=b"", program=RESPONDER, timeout=60):
    environment = dict(ENV, GATEWAY_INTERFACE="CGI/1.1", REMOTE_ADDR="127.0.0.1", MCP_FCGI_CONF=config, **env)
    return subprocess.run([program], env=environment, input=body, capture_output=True, timeout=timeout, check=False)


def cgi_requests():
    done_ = cgi({"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/cgi-bin/mcp.fcgi", "PATH_INFO": "/health"})
    ok(done_.returncode == 0 and done_.stdout.startswith(b"Status: 200 OK\r\n")
        and done_.stdout.endswith(b'\r\n\r\n{"status": "healthy"}'),
       "CGI: GET /health")
    done_ = cgi({"REQUEST_METHOD": "POST", "PATH_INFO": "/mcp", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "2"}, b"{}")
    ok(done_.stdout.startswith(b"Status: 401 ") and b"WWW-Authenticate: Bearer" in done_.stdout,
        "CGI: a POST without a token is 401")

    def facts(**env):
        body = env.pop("body", b"")
        out = cgi(dict(env, REQUEST_METHOD=env.get("REQUEST_METHOD", "POST")), body, ECHO).stdout.decode()
        return dict(line.split(" ", 1) for line in out.partition("\r\n\r\n")[2].split("\n") if " " in line)

    is_(facts(CONTENT_LENGTH="200000", body=b"x" * 200000)["body"], "200000", "CGI: a body larger than a pipe holds")
    is_(facts(CONTENT_LENGTH="3", body=b"abcdef")["body"], "3",
        "CGI: no byte beyond CONTENT_LENGTH is read (RFC 3875 section 4.2)")
    is_(facts(CONTENT_LENGTH="6", body=b"abc")["body"], "3", "CGI: a body cut off is as short as it came")
    is_(facts(HTTP_TRANSFER_ENCODING="chunked", body=b"x" * 100000)["body"], "100000",
        "CGI: a chunked body without a length is read to its end")
    is_(facts(body=b"abc")["body"], "0", "CGI: neither length nor chunks is no body")
    is_(facts(CONTENT_LENGTH="+3", body=b"abc")["fault"], "4", "CGI: a length that is no number is a fault")
    done_ = cgi({"REQUEST_METHOD": "HEAD"}, program=ECHO)
    ok(done_.stdout.endswith(b"\r\n\r\n") and b"Content-Length: " in done_.stdout,
        "CGI: HEAD tells the length and sends no body")

    # A front that writes a large body before it reads: Apache makes an empty answer of a write that fails.
    process = subprocess.Popen([ECHO],
        env=dict(ENV, REQUEST_METHOD="POST", QUERY_STRING="unread", CONTENT_LENGTH="1000000"),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        wrote = process.stdin.write(b"x" * 1000000)
        process.stdin.flush()
    except BrokenPipeError:
        wrote = 0
    is_(wrote, 1000000, "CGI: a body that nobody wanted is read to its end")
    ok(process.stdout.read().startswith(b"Status: 200") and process.wait(20) == 0, "CGI: and then it is answered")
    process.stdout.close()

    # stdin may stay open: the answer does not wait for its end when there is no body.
    read, write = os.pipe()
    began = time.monotonic()
    process = subprocess.Popen([ECHO], env=dict(ENV, REQUEST_METHOD="GET"), stdin=read, stdout=subprocess.PIPE)
    out = process.communicate(timeout=60)[0]
    ok(out.startswith(b"Status: 200") and time.monotonic() - began < 8,
        "CGI: a GET whose stdin stays open is answered at once")
    os.close(write)
    os.close(read)

    process = subprocess.Popen([ECHO], env=dict(ENV, REQUEST_METHOD="GET", QUERY_STRING="sleep=10000"),
        stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    is_(process.wait(8), -signal.SIGTERM, "CGI: SIGTERM ends it at once")
    process.stdout.close()

    # A connected socket as stdin (some servers) is CGI too; only a listening one is FastCGI.
    ours, theirs = socket.socketpair()
    process = subprocess.Popen([ECHO], env=dict(ENV, REQUEST_METHOD="POST", CONTENT_LENGTH="3"), stdin=theirs,
        stdout=subprocess.PIPE)
    ours.sendall(b"abc")
    ok(b"body 3\n" in process.communicate(timeout=60)[0], "CGI: a connected socket as stdin is no FastCGI")
    ours.close()
    theirs.close()


def http_statuses():
    """What the front's side finds wrong with a request comes out as a clear JSON error."""
    path = os.path.join(work, "statuses")
    with Running("--config", config, "--listen", path) as r:
        wait_for(lambda: health(path) == HEALTHY)
        rows = [
            ("a variable twice", list(HEALTH.items()) + [("HTTP_HOST", "127.0.0.1:11")]),
            ("600 parameters", list(HEALTH.items()) + [("N%d" % i, "v") for i in range(600)]),
            ("a NUL in a value", dict(HEALTH, HTTP_ORIGIN=b"a\0b")),
            ("a length that is no number", dict(HEALTH, CONTENT_LENGTH="1e3")),
            ("no method", {"REMOTE_ADDR": "127.0.0.1"}),
        ]
        for text, params in rows:
            answer = request(path, params)
            ok(answer.status == 400 and answer.header("Content-Type") == "application/json"
                and answer.body.startswith(b"{"), "400: " + text)
        call = dict(HEALTH, REQUEST_METHOD="POST", SCRIPT_NAME="/mcp", REQUEST_URI="/mcp", CONTENT_TYPE="application/json")
        for size in (1, 8 << 10, 16 << 10, (16 << 10) + 1, 64 << 10, 180 << 10, 1 << 20, 9 << 20):
            answer = request(path, dict(call, HTTP_AUTHORIZATION="Bearer " + "t" * size), b"{}")
            ok(answer.status == 401 and 'error="invalid_token"' in answer.header("WWW-Authenticate"),
               "A7: a token of %d bytes on the responder's own socket: 401 invalid_token" % size)
        with Connection(path) as c:
            for _ in range(3):
                c.send(whole(HEALTH, keep=True))
                is_(c.read_answer().status, 200, "a kept connection serves on")
        for _ in range(3):
            is_(health(path), HEALTHY, "and so do new ones")
        r.process.send_signal(signal.SIGHUP)
        time.sleep(0.1)
        is_(health(path), HEALTHY, "SIGHUP ends nothing")


try:
    options()
    path_sockets()
    port_sockets()
    given_sockets()
    misconfigured()
    descriptors()
    cgi_requests()
    http_statuses()
finally:
    remove_directory(work)
done()

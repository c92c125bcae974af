# SPDX-License-Identifier: MIT
"""The real web servers with the configurations that are installed, each in a private directory on a free port.

    with Front("nginx", {"RATE_LIMIT": "10/minute"}) as front:
        request(front.port, "GET", "/health")

A shipped FILE.in is filled in as the Makefile does it: the same names in @...@, other values. What a site has around
it (ports, user, logs, modules that Debian loads by itself) is written here. With root, Apache and its responders run
as www-data, the others as root.
"""
import glob
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import time

from harness import (BUILD, RESPONDER, SRC, Signer, diag, free_port, private_directory, processes_of, remove_directory,
    request,
                     stop_process, wait_for, which)

APACHE_MODULES = "/usr/lib/apache2/modules"

# name: (server, kind, how mcp.fcgi is started, shipped files)
FRONTS = {
    "lighttpd": ("lighttpd", "spawned", "lighttpd/mcp-fcgi.conf.in"),
    "lighttpd-socket": ("lighttpd", "socket", "lighttpd/mcp-fcgi-socket.conf.in"),
    "apache-fcgid": ("apache", "fcgid", "apache/mcp-fcgi-fcgid.conf.in"),
    "apache-proxy": ("apache", "socket", "apache/mcp-fcgi-proxy.conf.in"),
    "nginx": ("nginx", "socket", "nginx/mcp-fcgi.conf.in"),
    "cgi-lighttpd": ("lighttpd", "cgi", "lighttpd/mcp-fcgi-cgi.conf.in"),
    "cgi-apache": ("apache", "cgi", "apache/mcp-fcgi-cgi.conf.in"),
    "htaccess": ("apache", "htaccess-fcgid", "apache/htaccess"),
    "htaccess-cgi": ("apache", "htaccess-cgi", "apache/htaccess"),
}
CGI_FRONTS = ("cgi-lighttpd", "cgi-apache", "htaccess-cgi")


def missing(name):
    """What this machine lacks for the front, or None."""
    server, kind, _ = FRONTS[name]
    program = {"lighttpd": "lighttpd", "apache": "apache2", "nginx": "nginx"}[server]
    if not which(program):
        return program
    if "fcgid" in kind and not os.path.exists(APACHE_MODULES + "/mod_fcgid.so"):
        return "libapache2-mod-fcgid"
    if kind == "socket":
        for helper in ("spawn-fcgi", "multiwatch"):
            if not which(helper):
                return helper
    if not which("openssl"):
        return "openssl"
    return None


def env_quote(value):
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"


class Front:
    """One running front. Settings are those of mcp-fcgi.conf; a value of None takes a default of this class away."""

    listen_options = ""  # of nginx

    def __init__(self, name, settings=None, mcp_path="mcp", procs=2, config_text=None, executable=None,
        expect_health=200):
        self.name, self.procs = name, procs
        self.server, self.kind, self.shipped = FRONTS[name]
        self.mcp_path = mcp_path
        self.executable_source = executable or RESPONDER
        self.expect_health = expect_health
        self.port = free_port()
        self.url = "http://127.0.0.1:%d/%s" % (self.port, mcp_path)
        self.origin = "http://127.0.0.1:%d" % self.port
        self.issuer = "http://127.0.0.1:9"  # nobody: keys come from JWKS_FILE
        self.dir = private_directory()
        self.children = []  # (name, Popen), in the order of starting
        self.main = None
        self.owner = None
        if os.geteuid() == 0 and self.server == "apache":
            self.owner = pwd.getpwnam("www-data")
        self._lay_out()
        self.signer = Signer(self.dir)
        self.settings = {
            "SK_ENV_URL": self.issuer, "EXPECTED_AUDIENCE": self.url, "PROTECTED_RESOURCE_METADATA": "auto",
            "JWKS_FILE": self.dir + "/jwks.json", "STATE_DIR": self.dir + "/state",
            "LOG_TO": self.dir + "/log/responder.log",
            "LOG_LEVEL": "debug", "MCP_PATH": "/" + mcp_path}
        self.settings.update(settings or {})
        self.config_text = config_text
        self.configure()

    # -- files

    def _lay_out(self):
        for sub in ("cgi-bin", "htdocs/cgi-bin", "log", "run", "state", "home"):
            os.makedirs(os.path.join(self.dir, sub))
        os.chmod(self.dir + "/state", 0o700)
        where = "htdocs/cgi-bin" if self.kind.startswith("htaccess") else "cgi-bin"
        self.cgibindir = os.path.join(self.dir, where)
        self.executable = os.path.join(self.cgibindir, "mcp.fcgi")
        shutil.copy(self.executable_source, self.executable)
        os.chmod(self.executable, 0o755)
        if self.owner:
            for sub in ("log", "run", "state", "home"):
                os.chown(os.path.join(self.dir, sub), self.owner.pw_uid, self.owner.pw_gid)

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def configure(self):
        """Write settings and keys; call it again after self.settings was changed (mcp.fcgi re-reads its file)."""
        self.write("jwks.json", json.dumps(self.signer.jwks()))
        lines = ["%s=%s" % (k, env_quote(v)) for k, v in self.settings.items() if v is not None]
        text = self.config_text if self.config_text is not None else "\n".join(lines) + "\n"
        path = self.write("mcp-fcgi.conf", text, 0o600)
        if self.owner:
            os.chown(path, self.owner.pw_uid, self.owner.pw_gid)

    def fill(self):
        """The shipped configuration with this front's places."""
        with open(os.path.join(SRC, self.shipped), encoding="utf-8") as f:
            text = f.read()
        places = {"cgibindir": self.cgibindir, "socket": self.dir + "/run/mcp.sock",
            "spawn_socket": self.dir + "/run/spawned.sock",
                  "mcp_path": self.mcp_path, "pkgdatadir": "/usr/share/mcp-fcgi", "sysconfdir": "/etc"}
        text = re.sub(r"@(\w+)@", lambda m: places[m.group(1)], text)
        return text

    # -- life

    def environment(self):
        env = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.dir + "/home", "LC_ALL": "C.UTF-8",
               "MCP_FCGI_CONF": self.dir + "/mcp-fcgi.conf"}
        env.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
        return env

    def spawn(self, name, argv):
        with open(os.path.join(self.dir, "log", name + ".out"), "ab") as out:
            p = subprocess.Popen(argv, env=self.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                cwd=self.dir)
        self.children.append((name, p))
        return p

    def start(self, seconds=60.0):
        try:
            if self.kind == "socket":
                self._start_responders()
            getattr(self, "_start_" + self.server)()
            up = wait_for(lambda: self.main.poll() is not None or self._answers(), seconds)
            if not up or self.main.poll() is not None:
                raise RuntimeError("%s did not come up" % self.name)
        except Exception:
            self.show_logs()
            self.stop()
            raise
        return self

    def _answers(self):
        try:
            return request(self.port, "GET", "/health", timeout=5.0).status == self.expect_health
        except OSError:
            return False
        except Exception:  # half an answer while the server comes up
            return False

    def _start_responders(self):
        argv = [which("spawn-fcgi"), "-n", "-s", self.dir + "/run/mcp.sock", "-M", "0660"]
        if self.owner:
            argv += ["-u", "www-data", "-g", "www-data"]
        # multiwatch starts again what died; by itself it gives up after three deaths within ten seconds.
        argv += ["--", which("multiwatch"), "-f", str(self.procs), "-t", "100", "-s", "TERM", "--", self.executable]
        self.spawn("responders", argv)

    def _start_lighttpd(self):
        conf = """server.modules = ( "mod_setenv", "mod_accesslog" )
server.document-root = "%(dir)s/htdocs"
server.port = %(port)d
server.bind = "127.0.0.1"
server.errorlog = "%(dir)s/log/error.log"
server.breakagelog = "%(dir)s/log/breakage.log"
accesslog.filename = "%(dir)s/log/access.log"
server.upload-dirs = ( "%(dir)s/run" )
server.errorfile-prefix = "%(dir)s/htdocs/replaced-"
server.max-connections = 1024
setenv.add-environment = ( "MCP_FCGI_CONF" => "%(dir)s/mcp-fcgi.conf", "HOME" => "%(dir)s/home" )
include "shipped.conf"
""" % {"dir": self.dir, "port": self.port}
        for status in (400, 401, 403, 404, 405, 413, 415, 429, 500, 503):
            self.write("htdocs/replaced-%d.html" % status, "replaced by the web server\n")
        self.write("shipped.conf", self.fill().replace('"max-procs" => 2', '"max-procs" => %d' % self.procs))
        self.main = self.spawn("lighttpd", [which("lighttpd"), "-D", "-f", self.write("lighttpd.conf", conf)])

    def _start_nginx(self):
        conf = """daemon off;
worker_processes 2;
%(user)s
pid %(dir)s/run/nginx.pid;
error_log %(dir)s/log/error.log error;
events { worker_connections 1024; }
http {
    access_log %(dir)s/log/access.log;
    client_body_temp_path %(dir)s/run/body;
    fastcgi_temp_path %(dir)s/run/fastcgi;
    proxy_temp_path %(dir)s/run/proxy;
    uwsgi_temp_path %(dir)s/run/uwsgi;
    scgi_temp_path %(dir)s/run/scgi;
    server {
        listen 127.0.0.1:%(port)d%(listen)s;
        root %(dir)s/htdocs;
        error_page 400 401 403 404 405 413 415 429 500 503 /replaced.html;
        include %(dir)s/shipped.conf;
    }
}
""" % {"dir": self.dir, "port": self.port, "listen": self.listen_options,
            "user": "user root;" if os.geteuid() == 0 else ""}
        self.write("htdocs/replaced.html", "replaced by the web server\n")
        self.write("shipped.conf", self.fill())
        self.main = self.spawn("nginx", [which("nginx"), "-p", self.dir, "-e", self.dir + "/log/error.log", "-c",
                                         self.write("nginx.conf", conf)])

    def _start_apache(self):
        modules = ["mpm_event", "authz_core", "alias", "env", "setenvif", "mime", "dir"]
        site = ""
        if self.kind == "fcgid":
            modules.append("fcgid")
        elif self.kind == "socket":
            modules += ["proxy", "proxy_fcgi"]
        elif self.kind == "cgi":
            modules.append("cgid")
        else:
            modules += ["rewrite", "fcgid" if self.kind == "htaccess-fcgid" else "cgid"]
            site = "<Directory \"%s/htdocs\">\n\tAllowOverride FileInfo\n</Directory>\n" \
                   "<Directory \"%s\">\n\tOptions +ExecCGI\n</Directory>\n" % (self.dir, self.cgibindir)
        if "fcgid" in modules:
            site += 'FcgidIPCDir "%s/run"\nFcgidProcessTableFile "%s/run/fcgid_shm"\n' % (self.dir, self.dir)
            # Tests end responders more often than mod_fcgid puts up with: it would start none for half a minute.
            site += "FcgidSpawnScoreUpLimit 1000\nFcgidZombieScanInterval 1\nFcgidErrorScanInterval 1\n"
            for k, v in self.environment().items():
                if k != "PATH":
                    site += 'FcgidInitialEnv %s "%s"\n' % (k, v)
        if "cgid" in modules:
            site += 'ScriptSock "%s/run/cgid.sock"\nSetEnv MCP_FCGI_CONF "%s/mcp-fcgi.conf"\n' % (self.dir, self.dir)
            for k in self.environment():
                if k.endswith("SAN_OPTIONS"):
                    site += "PassEnv %s\n" % k
        if self.owner:
            site += "User www-data\nGroup www-data\n"
        for status in (400, 401, 403, 404, 405, 413, 415, 500, 503):
            site += "ErrorDocument %d \"replaced by the web server\"\n" % status
        conf = """ServerRoot "%(dir)s"
DefaultRuntimeDir "%(dir)s/run"
Mutex file:%(dir)s/run default
PidFile "%(dir)s/run/apache.pid"
ServerName 127.0.0.1
Listen 127.0.0.1:%(port)d
%(load)s
StartServers 2
ServerLimit 8
ThreadsPerChild 64
MinSpareThreads 64
MaxSpareThreads 512
MaxRequestWorkers 512
TypesConfig /dev/null
ErrorLog "%(dir)s/log/error.log"
LogLevel info
LogFormat "%%h %%t \\"%%r\\" %%>s %%b" common
DocumentRoot "%(dir)s/htdocs"
<Directory "/">
	AllowOverride None
	Require all denied
</Directory>
<Directory "%(dir)s/htdocs">
	Require all granted
</Directory>
%(site)s
""" % {"dir": self.dir, "port": self.port, "site": site,
            "load": "\n".join("LoadModule %s_module %s/mod_%s.so" % (m, APACHE_MODULES, m) for m in modules)}
        if self.kind.startswith("htaccess"):
            shutil.copy(os.path.join(SRC, self.shipped), self.dir + "/htdocs/.htaccess")
            os.chmod(self.dir + "/htdocs/.htaccess", 0o644)
        else:
            conf += 'Include "%s"\n' % self.write("shipped.conf", self.fill())
        self.main = self.spawn("apache", [which("apache2"), "-DFOREGROUND", "-d", self.dir, "-f",
            self.write("apache.conf", conf)])

    # -- while it runs

    def token(self, **claims):
        return self.signer.token(self.issuer, self.url, **claims)

    def request(self, method, target, headers=(), body=b"", **more):
        return request(self.port, method, target, headers, body, **more)

    def post(self, message, **more):
        """POST a (headers, body) pair to the MCP path."""
        headers, body = message
        return request(self.port, "POST", "/" + self.mcp_path, headers, body, **more)

    def responders(self):
        """Ids of the running mcp.fcgi."""
        return processes_of(self.executable)

    def logs(self):
        """{file: text} of everything that anyone wrote."""
        found = {}
        for path in sorted(glob.glob(self.dir + "/log/*")):
            with open(path, encoding="utf-8", errors="replace") as f:
                found[os.path.basename(path)] = f.read()
        return found

    def show_logs(self, lines=30):
        for name, text in self.logs().items():
            rows = text.splitlines()
            if len(rows) > lines:
                rows = rows[:lines // 2] + ["..."] + rows[-(lines // 2):]
            for row in rows:
                diag("%s: %s" % (name, row[:300]))

    # -- the end

    def stop_gracefully(self):
        """The front's own polite stop, then the responders'. Returns the exit status of the front; None if it had to
        be killed."""
        polite = {"lighttpd": signal.SIGINT, "apache": signal.SIGWINCH, "nginx": signal.SIGQUIT}[self.server]
        status = stop_process(self.main, polite, 40.0)
        self.stop(keep=True)
        return status

    def stop(self, keep=False):
        """Stop everything that start() started, by id, last first."""
        for _, p in reversed(self.children):
            stop_process(p, signal.SIGTERM, 10.0)
        self.children = []
        # The front has told its responders to stop, or their supervisor has; what is left after a while is killed.
        if os.path.isdir("/proc/1"):
            if not wait_for(lambda: not self.responders(), 10.0):
                for pid in self.responders():
                    diag("mcp.fcgi %d did not stop" % pid)
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
        if not keep:
            remove_directory(self.dir)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

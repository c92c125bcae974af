# SPDX-License-Identifier: MIT
# The configurations as they are installed are filled in, the units are what systemd understands, and the scripts are
# clean.
: "${top_srcdir:=.}" "${top_builddir:=.}"
n=0
status=0

claim() { # STATUS TEXT
	n=$((n + 1))
	[ "$1" -eq 0 ] || status=1
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

for f in "$top_builddir"/lighttpd/*.conf "$top_builddir"/apache/*.conf "$top_builddir"/nginx/*.conf \
	"$top_builddir"/systemd/mcp-fcgi.socket "$top_builddir"/systemd/mcp-fcgi.service \
	"$top_builddir"/systemd/sysusers.d/*.conf; do
	[ -s "$f" ] && ! grep -En '@[a-z_]+@|\$\{|//cgi-bin' "$f"
	claim $? "${f#"$top_builddir"/} has all its places filled in"
done

# What is routed is the same everywhere, and nothing else.
routes='health|oauth/register|\.well-known/oauth-authorization-server'
routes="$routes|"'\.well-known/oauth-protected-resource(?:/@mcp_path@)?'
for f in "$top_srcdir"/lighttpd/*.conf.in "$top_srcdir"/apache/*.conf.in "$top_srcdir"/nginx/*.conf.in; do
	grep -qF '"^/(?:@mcp_path@|'"$routes"')$"' "$f"
	claim $? "${f#"$top_srcdir"/} routes the six paths by the one pattern"
done

if command -v systemd-analyze >/dev/null; then
	d=$(mktemp -d) || exit 99
	trap 'rm -rf "$d"' EXIT
	for unit in service socket; do
		# Only the program is another one: ours is not installed here.
		sed -e 's|^ExecStart=.*|ExecStart=/bin/true|' -e '/^Documentation=/d' \
			"$top_builddir/systemd/mcp-fcgi.$unit" >"$d/mcp-fcgi.$unit"
	done
	for unit in service socket; do
		said=$(systemd-analyze verify --man=no "$d/mcp-fcgi.$unit" 2>&1 | grep "mcp-fcgi\.$unit")
		[ -z "$said" ]
		claim $? "systemd understands mcp-fcgi.$unit"
		[ -z "$said" ] || printf '# %s\n' "$said"
	done
else
	n=$((n + 1))
	echo "ok $n - systemd understands the units # SKIP there is no systemd-analyze"
fi

if command -v shellcheck >/dev/null; then
	for f in quickstart tests/clients/run tests/configurations.sh tests/conformance/install tests/conformance/run \
		tests/conformance/responses; do
		shellcheck -s bash "$top_srcdir/$f"
		claim $? "shellcheck has nothing to say about $f"
	done
else
	n=$((n + 1))
	echo "ok $n - the scripts are clean # SKIP there is no shellcheck"
fi
echo "1..$n"
exit $status

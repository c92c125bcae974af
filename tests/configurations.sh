# SPDX-License-Identifier: MIT
# The configurations as they are installed are filled in, the units are what systemd understands, and the scripts are
# clean.
# shellcheck source=tests/tap.sh
. "${top_srcdir:=.}/tests/tap.sh"

for f in "$top_builddir"/lighttpd/*.conf "$top_builddir"/apache/*.conf "$top_builddir"/nginx/*.conf \
	"$top_builddir"/systemd/mcp-fcgi.socket "$top_builddir"/systemd/mcp-fcgi.service \
	"$top_builddir"/systemd/sysusers.d/*.conf; do
	[ -s "$f" ] && ! grep -En '@[a-z_]+@|\$\{|//cgi-bin' "$f"
	ok $? "${f#"$top_builddir"/} has all its places filled in"
done

# What is routed is the same everywhere, and nothing else.
routes='health|oauth/register|\.well-known/oauth-authorization-server'
routes="$routes|"'\.well-known/oauth-protected-resource(?:/@mcp_path@)?'
for f in "$top_srcdir"/lighttpd/*.conf.in "$top_srcdir"/apache/*.conf.in "$top_srcdir"/nginx/*.conf.in; do
	grep -qF '"^/(?:@mcp_path@|'"$routes"')$"' "$f"
	ok $? "${f#"$top_srcdir"/} routes the six paths by the one pattern"
done

if command -v systemd-analyze >/dev/null; then
	for unit in service socket; do
		# Only the program is another one: ours is not installed here.
		sed -e 's|^ExecStart=.*|ExecStart=/bin/true|' -e '/^Documentation=/d' \
			"$top_builddir/systemd/mcp-fcgi.$unit" >"$work/mcp-fcgi.$unit"
	done
	for unit in service socket; do
		said=$(systemd-analyze verify --man=no "$work/mcp-fcgi.$unit" 2>&1 | grep "mcp-fcgi\.$unit")
		[ -z "$said" ]
		ok $? "systemd understands mcp-fcgi.$unit"
		[ -z "$said" ] || printf '# %s\n' "$said"
	done
else
	skip "systemd understands the units" "there is no systemd-analyze"
fi

if command -v shellcheck >/dev/null; then
	for f in quickstart tests/clients/run tests/configurations.sh tests/conformance/install tests/conformance/run \
		tests/conformance/responses; do
		shellcheck -s bash -x -P "$top_srcdir" "$top_srcdir/$f"
		ok $? "shellcheck has nothing to say about $f"
	done
else
	skip "the scripts are clean" "there is no shellcheck"
fi
finish

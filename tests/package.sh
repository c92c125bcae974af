#!/bin/sh
# SPDX-License-Identifier: MIT
# What a stranger gets: what README.md says is there and true, the examples load, everything is installed, and nothing
# is in the tree that does not belong there. Ids in brackets are rows of docs/acceptance.md.
. "${top_srcdir:=.}/tests/tap.sh"
readme=$top_srcdir/README.md
: >"$work/none"
mkdir -m 0700 "$work/state"
clean="env -i PATH=$PATH HOME=$work MCP_FCGI_CONF=$work/none STATE_DIR=$work/state"

# says TEXT WORD...: README.md has each of these words, line ends and runs of blanks counting as one blank.
tr -s '\n ' ' ' <"$readme" >"$work/readme"
says() {
	text=$1
	shift
	for word; do
		grep -qF -e "$word" "$work/readme" || echo "$word"
	done >"$work/unsaid"
	none "$work/unsaid" "$text"
}

# ---- README.md

says 'README: what it is, for whom, and when it is not the right thing [S8 S88]' '## Try it' '## Install' \
	'## Deploy' '## Settings' \
	'## Security' '## Limits' 'For people on shared hosting' 'Do not use it when' "FastMCP's own provider"
says 'README: one command to try it, five to install it [S87 W11]' ' ./quickstart ' \
	'autoreconf -i ./configure --sysconfdir=/etc' \
	' make make check make install '
says 'README: what is needed at Scalekit and Tavily, and what to fill in there [W8 W9 W17 W20 W21 W22]' \
	'account at Scalekit' 'key of Tavily' \
	'Add MCP server' 'dynamic client registration' '300 to 3600 seconds' 'web-search:read'
says 'README: TLS in front, and proxies [S58 X16]' 'Use TLS in front' 'TRUSTED_PROXIES' 'port 443'
says 'README: pin versions, try upgrades in staging, watch advisories, keep secrets in files [S84 S85 S25]' \
	'Pin exact versions' 'in staging' \
	'security advisories' 'TAVILY_API_KEY_FILE' 'LoadCredential'
says 'README: the Inspector, and what some clients make of a 403 [S64 X13 X15]' \
	'npx @modelcontextprotocol/inspector' 'Some clients show a 403 as "token expired"'
says 'README: why no SDK validates tokens [S36]' 'Signatures are verified by OpenSSL' 'no SDK of Scalekit for C'

# Every file, setting and option that it names exists.
grep -oE '`(lighttpd|apache|nginx|docs|src|examples)/[A-Za-z./-]+`' "$readme" | tr -d '`' | sort -u | while \
	read -r file; do
	[ -e "$top_srcdir/$file" ] || [ -e "$top_srcdir/$file.in" ] || echo "$file"
done >"$work/gone"
none "$work/gone" 'every file that README names is there'
$clean "$top_builddir/mcp-fcgi" config show | sed -n 's/^\([A-Z][A-Z0-9_]*\)=.*/\1/p' >"$work/settings"
no_settings='MCP_FCGI_CONF|LIBDIR|SYSCONFDIR|FCGI_LIBS|JSON_C_LIBS'
grep -oE '[A-Z][A-Z]+(_[A-Z]+)+' "$readme" | grep -vE "^($no_settings)\$" | sed 's/_FILE$//' \
	| sort -u | grep -vxF -f "$work/settings" >"$work/unknown"
none "$work/unknown" 'every setting that README names exists'
for tool in greet_user admin_tool get_org_data web_search; do
	grep -q "^| \`$tool\` |" "$readme" || echo "$tool"
done >"$work/tools"
none "$work/tools" 'README has every tool [S88]'
# A row of a table is one line, however many tests it names.
awk 'length > 120 && !/^\|/ { print FILENAME ": " FNR }' "$readme" "$top_srcdir"/docs/*.md "$top_srcdir/src/README.md" \
	"$top_srcdir/SECURITY.md" "$top_srcdir/NEWS" \
	"$top_srcdir/.env.example" "$top_srcdir/examples/mcp-fcgi.conf" >"$work/wide"
none "$work/wide" 'no line is wider than 120 columns'

# ---- libraries

for need in 'fcgi >= 2.4.2' 'json-c >= 0.16' 'libcrypto >= 3.0' 'sqlite3 >= 3.' 'libcurl >= 7.' \
    'libpcre2-8 >= 10.' 'libidn2 >= 2.' 'libjwt >= 1.10'; do
	grep -qF "[$need" "$top_srcdir/configure.ac" || echo "$need"
done >"$work/minimum"
none "$work/minimum" 'configure asks for each library in a least version [S83 W10]'
for package in libfcgi-dev libjson-c-dev libssl-dev libsqlite3-dev libcurl4-openssl-dev libpcre2-dev \
    libidn2-dev libjwt-dev; do
	grep -q "$package" "$readme" || echo "README: $package"
	grep -q "^$package|" "$top_srcdir/quickstart" || echo "quickstart: $package"
done >"$work/packages"
none "$work/packages" 'README and quickstart name the packages that have them [T25]'
if command -v readelf >/dev/null; then
	readelf -d "$top_builddir/cgi-bin/mcp.fcgi" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' >"$work/needed"
	for library in libfcgi libjson-c libcrypto libsqlite3 libcurl libpcre2-8 libidn2; do
		grep -q "^$library\." "$work/needed" || echo "$library is not linked"
	done >"$work/links"
	grep libjwt "$work/needed" >>"$work/links"
	none "$work/links" \
		'the responder needs the libraries, so the loader names what is missing; libjwt is not there [T25 S36]'
else
	skip 'the responder needs the libraries' 'there is no readelf'
fi
# No cryptography of our own: what computes is OpenSSL's.
grep -rniE '0x6a09e667|0x67452301|0x5a827999|BN_mod_exp|RSA_public_decrypt|EC_POINT_mul' "$top_srcdir/src" \
	--include='*.c' >"$work/crypto"
none "$work/crypto" 'no hash and no signature is computed by hand [S36]'

# ---- examples

for file in .env.example examples/mcp-fcgi.conf; do
	cp "$top_srcdir/$file" "$work/copy" && chmod 600 "$work/copy"
	$clean "$top_builddir/cgi-bin/mcp.fcgi" -n --config "$work/copy" >"$work/found"
	ok $? "$file can be served as it is [W12]"
	grep -E 'FAIL|WARN' "$work/found" >"$work/complaints"
	none "$work/complaints" "and nothing is wrong with it"
	# What is commented out must be right too once it is not.
	sed 's/^#\([A-Z][A-Z0-9_]*=\)/\1/' "$top_srcdir/$file" >"$work/copy"
	$clean "$top_builddir/mcp-fcgi" config check --config "$work/copy" | grep -E 'FAIL|WARN' >"$work/complaints"
	none "$work/complaints" "nor with what is commented out in it"
done
grep -q '^PORT=10000' "$top_srcdir/.env.example" && [ \
	"$($clean "$top_builddir/mcp-fcgi" config show | grep '^PORT=')" = 'PORT=3002  # default' ]
ok $? 'PORT is optional; the web-search example has 10000 [W15 S23]'

# ---- what does not belong here

grep -qxF .env "$top_srcdir/.gitignore"
ok $? 'version control leaves .env out [S24]'
# In a checkout what git tracks, in an unpacked distribution what lies there.
{ git -C "$top_srcdir" ls-files 2>/dev/null || (cd "$top_srcdir" && find . -name build -prune -o -type f -print); } |
	grep -E '(^|/)\.env$|\.pem$|\.key$' >"$work/tracked"
none "$work/tracked" 'and holds neither one nor a private key [S24 S57]'
secret="BEGIN [A-Z ]*PRIVATE KEY|tvly-[A-Za-z0-9]{16,}|eyJ[A-Za-z0-9_-]{20,}\.eyJ"
secret="$secret|(secret|SECRET|password|api_key|API_KEY)[\"']? *[=:] *[\"'][A-Za-z0-9+/_-]{12,}[\"']"
(cd "$top_srcdir" && grep -rnE \
	"$secret" \
	src cgi-bin lighttpd apache nginx systemd examples quickstart .env.example README.md) >"$work/secrets"
none "$work/secrets" 'no secret stands in the sources, the configurations or the examples [S57]'

# ---- what is installed

if MAKEFLAGS='' ${MAKE:-make} -s -C "$top_builddir" install DESTDIR="$work/root" >"$work/install.log" 2>&1; then
	ok 0 'make install [W11]'
else
	ok 1 'make install [W11]'
	sed 's/^/# /' "$work/install.log"
fi
(cd "$work/root" && find . -type f) >"$work/installed"
for file in /cgi-bin/mcp.fcgi /bin/mcp-fcgi /man1/mcp-fcgi.1 /man5/mcp-fcgi.conf.5 /man8/mcp.fcgi.8 \
	/examples/mcp-fcgi.conf /lighttpd/mcp-fcgi.conf \
	/lighttpd/mcp-fcgi-socket.conf /lighttpd/mcp-fcgi-cgi.conf /apache/mcp-fcgi-fcgid.conf \
		/apache/mcp-fcgi-proxy.conf /apache/mcp-fcgi-cgi.conf \
	/apache/htaccess /nginx/mcp-fcgi.conf /system/mcp-fcgi.socket /system/mcp-fcgi.service \
		/sysusers.d/mcp-fcgi.conf /README.md; do
	grep -q "$file\$" "$work/installed" || echo "$file"
done >"$work/lacking"
none "$work/lacking" 'installs programs, manuals, configurations, units and the example [W11]'
for file in $(grep -E '/(lighttpd|apache|nginx|system)/' "$work/installed"); do
	grep -Hn '@[a-z_]*@' "$work/root/$file"
done >"$work/places"
none "$work/places" 'with every place filled in'
grep -q 'LoadCredential' "$top_srcdir/systemd/mcp-fcgi.service.in"
ok $? 'the unit shows how to give it secrets that only root can read [S25]'

# ---- modules

for file in server/settings.c base/config.c oauth/bearer.c oauth/token.c oauth/metadata.c server/chain.c \
	server/fcgi.c base/log.c http/admission.c \
	server/endpoints.c tools/greet_user.c tools/web_search.c; do
	[ -s "$top_srcdir/src/$file" ] || echo "$file"
done >"$work/modules"
none "$work/modules" \
	'configuration, validation, chain, transport, log, CORS, health and tools are modules [S86 W47]'

finish

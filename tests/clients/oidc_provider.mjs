// SPDX-License-Identifier: MIT
// The official clients and an authorization server that is not ours (authorization_server.mjs), with mcp.fcgi between them behind real web
// servers: from the first 401 to the tools, expiry and refresh, step-up, tokens that are meant for somebody else, outage, rotation of keys.
// usage: node oidc_provider.mjs QUICKSTART FRONT...     prints TAP; the fronts are tried at the same time
import { createHash, randomBytes } from 'node:crypto';
import { Application, Browser, finish as conclude, kinds, ok } from './application.mjs';
import { AuthorizationServer, asker, keyAsker } from './authorization_server.mjs';
import { Server } from './quick_server.mjs';

const [quickstart, ...fronts] = process.argv.slice(2);
const first = 'usr:read web-search:read';   // what the first challenge asks for
const more = 'admin audit:read';            // what admin_tool needs
const sleep = seconds => new Promise(resolve => setTimeout(resolve, seconds * 1000));
const part = (token, n) => JSON.parse(Buffer.from(token.split('.')[n], 'base64url'));
const words = text => (text ?? '').split(' ').sort().join(' ');

const kept = 2;                             // seconds for which an answer about an opaque token counts

// All that is said of the authorization server is its name. Behind one front it is asked with a secret, behind the others with a key.
const settings = (as, front) => `TAVILY_API_KEY=unused
CHALLENGE_SCOPES=${first}
ADMIN_TOOL_SCOPES=${more}
SCOPE_IMPLIES=admin: usr:read
RATE_LIMIT=off
RATE_LIMIT_PRINCIPAL=off
[issuer oidc-provider]
ISSUER=${as.issuer}
JWT_LEEWAY_S=0
VALIDATION=opaque
INTROSPECTION_CACHE_S=${kept}
${front === 'lighttpd' ? `SK_CLIENT_ID=${asker.client_id}
SK_CLIENT_SECRET='${asker.client_secret}'` : `SK_CLIENT_ID=${keyAsker.client_id}
SK_CLIENT_KEY='${keyAsker.key}'
SK_CLIENT_KEY_ID=${keyAsker.kid}`}
`;

// ---- the official clients ----

// One official client, its application and the person before it, from a stranger to an administrator.
async function flow(name, { Client, Transport, Unauthorized, options, finish, version }, server, as, tokens) {
  const application = new Application(), browser = new Browser();
  // Every request of the client, as "METHOD path status", newest last.
  let trace = [];
  const watched = async (url, init) => {
    const answer = await fetch(url, init);
    const to = new URL(url);
    trace.push(`${init?.method ?? 'GET'} ${to.origin === as.issuer ? 'as:' : ''}${to.pathname} ${answer.status}`);
    return answer;
  };
  const since = () => trace.splice(0).filter(line => line !== 'GET /mcp 405').join(', ');
  const open = () => new Transport(server.url, { authProvider: application, fetch: watched });
  const connect = async transport => {
    const client = new Client({ name: 'mcp-fcgi-test', version: '1.0.0' }, options);
    await client.connect(transport);
    return client;
  };
  const greet = async client => (await client.callTool({ name: 'greet_user', arguments: { name: 'Grace' } })).content?.[0]?.text;
  const keep = () => tokens.add(application.kept.access_token).add(application.kept.refresh_token);
  // What the person does when the application opens the browser, and the application afterwards.
  const allow = async transport => {
    const back = await browser.authorize(application.page, application.redirectUrl);
    await finish(transport, back);
    keep();
    since();
    return back;
  };

  // From a stranger to a caller.
  const door = open();
  const refused = await connect(door).catch(e => e);
  ok(refused instanceof Unauthorized, `${name}: a stranger is sent to the authorization server`, refused?.stack);
  const steps = since();
  ok(/^POST \/mcp 401, GET \/\.well-known\/oauth-protected-resource 200, GET as:\/\.well-known\/[^ ]+ 200, POST as:\/reg 201$/.test(steps),
    `${name}: 401, resource metadata, authorization server metadata, registration`, steps);
  const asked = application.page.searchParams;
  ok(asked.get('code_challenge_method') === 'S256' && asked.get('resource') === String(server.url) &&
    words(asked.get('scope').replace('offline_access', '').trim()) === first, `${name}: PKCE, this resource, the scopes of the challenge`, String(asked));
  const back = await allow(door);
  ok(back.get('iss') === as.issuer, `${name}: the person signs in and consents there`, String(back));
  const token = application.kept.access_token, claims = await as.describe(token);
  ok(claims.iss === as.issuer && claims.aud === String(server.url) && words(claims.scope) === first &&
    (as.format === 'jwt' ? part(token, 0).typ === 'at+jwt' : !token.includes('.')),
    `${name}: the token is ${as.format === 'jwt' ? 'an RFC 9068' : 'an opaque'} one for this resource with these scopes`, claims);
  const transport = open();
  const client = await connect(transport);
  if (version) ok(client.getNegotiatedProtocolVersion() === version, `${name}: both speak ${version}`, client.getNegotiatedProtocolVersion());
  const { tools } = await client.listTools();
  ok(['greet_user', 'admin_tool'].every(tool => tools.some(t => t.name === tool)), `${name}: tools/list`, tools);
  ok(await greet(client) === 'Hi Grace, welcome to Scalekit!', `${name}: tools/call [W57]`);

  // Expiry: one token that is bad, then one that has expired; both times the client gets another by itself.
  as.lifetime = 8;   // enough for the calls until then, on a busy machine too
  application.kept = { ...application.kept, access_token: 'gone.bad.token' };
  since();
  await greet(client);
  keep();
  const short = application.kept.access_token;
  as.lifetime = 600;
  ok(since() === 'POST /mcp 401, POST as:/token 200, POST /mcp 200', `${name}: a refused token is refreshed by itself`, trace);
  await sleep((await as.describe(short)).exp + 0.2 - Date.now() / 1000);
  ok(await greet(client) === 'Hi Grace, welcome to Scalekit!', `${name}: and so is one that has expired`);
  keep();
  const again = since();
  ok(again === 'POST /mcp 401, POST as:/token 200, POST /mcp 200' && application.kept.access_token !== short,
    `${name}: the expired one was refused, the new one accepted`, again);

  // Step-up.
  const denied = await client.callTool({ name: 'admin_tool', arguments: {} }).catch(e => e);
  const climb = since();
  if (Transport === kinds['sdk 1.x'].Transport) {
    ok(climb === 'POST /mcp 403, POST as:/token 200, POST /mcp 403' && !(denied instanceof Unauthorized) && denied.code === 403,
      `${name}: insufficient_scope makes it refresh, which cannot widen a token, and give up`, `${climb}: ${denied}`);
    // What its application has to do: forget the refresh token. (And ask for what it had besides, or the new token lacks that.)
    application.kept = { access_token: application.kept.access_token, token_type: 'Bearer' };
    await greet(client);
    since();
    const sent = await client.callTool({ name: 'admin_tool', arguments: {} }).catch(e => e);
    ok(sent instanceof Unauthorized && application.page.searchParams.get('scope') === more && since() === 'POST /mcp 403',
      `${name}: without a refresh token it asks for the scopes of the challenge, and for no others`, String(application.page));
  } else {
    ok(denied instanceof Unauthorized && climb === 'POST /mcp 403' &&
      words(application.page.searchParams.get('scope').replace(' offline_access', '')) === words(`${first} ${more}`),
      `${name}: insufficient_scope makes it ask, by itself, for what it had and what the challenge names`, `${climb}: ${application.page}`);
  }
  await allow(transport);
  const granted = (await as.describe(application.kept.access_token)).scope.split(' ');
  ok(more.split(' ').every(scope => granted.includes(scope)),
    `${name}: the person consents once to all that is missing`, application.kept);
  const admin = await client.callTool({ name: 'admin_tool', arguments: {} }).catch(e => e);
  ok(admin.structuredContent?.keys?.some(k => k.issuer === as.issuer && k.usable), `${name}: and admin_tool answers`, admin);
  ok(await greet(client) === 'Hi Grace, welcome to Scalekit!', `${name}: what it could do before it still can, if only because admin implies it`);
  await client.close();
}

// ---- tokens ----

// Which of the robot's tokens are accepted.
async function robots(front, server, as, tokens) {
  const here = String(server.url);
  const call = async token => {
    tokens.add(token);
    return server.call(token);
  };
  for (const alg of ['PS256', 'ES256', 'EdDSA', 'RS256']) {
    as.jwt = { sign: { alg } };
    const token = await as.token(here, 'usr:read');
    const { status, text } = await call(token);
    ok(part(token, 0).alg === alg && status === 200, `${front}: a token signed with ${alg} is accepted`, `${status} ${text}`);
  }
  const bound = await as.boundToken(here, 'usr:read');
  ok(part(bound, 1).cnf?.jkt && (await call(bound)).status === 401, `${front}: one that is bound to a key is refused without proof of it (E21)`);
  as.jwt = { sign: { alg: 'HS256', key: randomBytes(32) } };
  ok((await call(await as.token(here, 'usr:read'))).status === 401, `${front}: one with a shared secret instead of a signature is refused`);
  as.jwt = { sign: { alg: 'RS256' }, encrypt: { alg: 'dir', enc: 'A256GCM', key: randomBytes(32) } };
  ok((await call(await as.token(here, 'usr:read'))).status === 401, `${front}: one that is encrypted is refused`);
  as.jwt = { sign: { alg: 'RS256' } };
  const elsewhere = await as.token('https://elsewhere.example/mcp', 'usr:read admin');
  const other = await call(elsewhere);
  ok(other.status === 401 && other.challenge.includes('error="invalid_token"'), `${front}: a token for another resource is refused [S54]`, other);
  const line = server.written().split('\n').find(l => l.includes('https://elsewhere.example/mcp'));
  ok(line?.includes(here), `${front}: the log has the audience seen and the one expected`, line);
  const needy = await server.call(await as.token(here, 'usr:read'), 'admin_tool', {});
  ok(needy.status === 403 && needy.challenge.includes('error="insufficient_scope"') && needy.challenge.includes(`scope="${more}"`),
    `${front}: one for us without the scopes is 403 insufficient_scope, which names all of them`, needy);
}

// The authorization server's documents for clients that ask us for them.
async function documents(front, server, as) {
  const metadata = await (await fetch(new URL('/.well-known/oauth-authorization-server', server.url))).text();
  const original = await (await fetch(as.issuer + '/.well-known/oauth-authorization-server')).text();
  ok(metadata === original, `${front}: the authorization server's metadata is passed on as it is`, metadata);
  const registration = await fetch(new URL('/oauth/register', server.url), { method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ redirect_uris: ['http://127.0.0.1:33418/callback'], application_type: 'native', token_endpoint_auth_method: 'none' }) });
  const client = await registration.json();
  ok(registration.status === 201 && client.client_id, `${front}: so is a registration`, client);
  return client;
}

// What else the same authorization server signs or hands out for the same person and resource is no access token.
async function others(front, server, as, tokens, client) {
  const redirect_uri = client.redirect_uris[0], code_verifier = randomBytes(32).toString('base64url');
  const page = new URL('/auth', as.issuer);
  page.search = new URLSearchParams({ client_id: client.client_id, redirect_uri, response_type: 'code', scope: 'openid offline_access usr:read',
    prompt: 'consent', resource: server.url, code_challenge_method: 'S256',
    code_challenge: createHash('sha256').update(code_verifier).digest('base64url') });
  const code = (await new Browser().authorize(page, redirect_uri)).get('code');
  const body = new URLSearchParams({ grant_type: 'authorization_code', client_id: client.client_id, redirect_uri, code, code_verifier });
  const got = await (await fetch(as.issuer + '/token', { method: 'POST', body })).json();
  const narrow = await as.token(undefined, undefined);
  for (const token of [got.access_token, got.id_token, got.refresh_token, narrow]) tokens.add(token);
  ok((await server.call(got.access_token)).status === 200, `${front}: of one answer of the token endpoint the access token is accepted`, got);
  ok((await server.call(got.id_token)).status === 401, `${front}: the ID token is refused`);
  ok((await server.call(got.refresh_token)).status === 401, `${front}: the refresh token is refused`);
  ok((await server.call(narrow)).status === 401, `${front}: so is an access token for no resource`);
}

// Tokens that say nothing: the authorization server is asked, and hears of the end of one.
async function opaque(front, server, as, tokens) {
  as.format = 'opaque';
  const token = await as.token(String(server.url), 'usr:read'), other = await as.token('https://elsewhere.example/mcp', 'usr:read');
  const bound = await as.boundToken(String(server.url), 'usr:read');
  for (const t of [token, other, bound]) tokens.add(t);
  ok((await server.call(token)).status === 200, `${front}: an opaque token is accepted`);
  ok((await server.call(other)).status === 401, `${front}: an opaque token for another resource is refused`);
  ok((await server.call(bound)).status === 401, `${front}: an opaque token that is bound to a key is refused without proof of it`);
  const needy = await server.call(token, 'admin_tool', {});
  ok(needy.status === 403 && needy.challenge.includes(`scope="${more}"`), `${front}: the scopes of an opaque token are respected`, needy);
  ok((await as.revoke(token)).status === 200, `${front}: it is revoked`);
  const begun = Date.now();
  let status;
  while ((status = (await server.call(token)).status) === 200 && Date.now() < begun + 20000) await sleep(0.1);
  const waited = (Date.now() - begun) / 1000;
  ok(status === 401 && waited < kept + 8, `${front}: and refused when its answer has been kept for ${kept} s (${waited.toFixed(1)} s)`, status);
  for (const kind of ['client 2.x, 2026-07-28', 'sdk 1.x']) await flow(`${front}: ${kind}, opaque tokens`, kinds[kind], server, as, tokens);
  as.format = 'jwt';
}

// The authorization server goes away and comes back with new keys, one of the old ones among them.
async function rotation(front, server, as, tokens) {
  const token = async alg => {
    as.jwt = { sign: { alg } };
    const made = await as.token(String(server.url), 'usr:read');
    tokens.add(made);
    return made;
  };
  const kept = await token('RS256'), withdrawn = await token('ES256');
  await as.down();
  ok((await server.call(kept)).status === 200, `${front}: an outage of the authorization server does not touch those who have tokens`);
  as.rotate(['RS256']);
  await as.up();
  const fresh = await token('ES256');
  const begun = Date.now(), seen = new Set();
  let status;
  while ((status = (await server.call(fresh)).status) !== 200 && Date.now() < begun + 50000) {
    seen.add(status);
    await sleep(0.5);
  }
  const waited = Math.round((Date.now() - begun) / 1000);
  ok(status === 200 && waited <= 48, `${front}: a token of a new key is accepted within the cooldown (after ${waited} s) [X10]`, `${status} ${[...seen]}`);
  // Another process learns of it with the first such token that it sees.
  const many = async token => Promise.all(Array.from({ length: 12 }, async () => (await server.call(token)).status));
  let left = [];
  for (let i = 0; i < 20; i++) {
    await many(fresh);
    left = await many(withdrawn);
    if (left.every(s => s === 401)) break;
  }
  ok(left.every(s => s === 401), `${front}: then a token of a key that was withdrawn is refused`, left);
  ok((await many(kept)).every(s => s === 200), `${front}: and one of a key that is still published is not`);
  const fetched = as.asked.filter(line => line === 'GET /jwks').length;
  ok(fetched === 2, `${front}: in all this the keys were fetched twice`, String(fetched));
}

async function scenario(name, server, as) {
  const tokens = new Set();
  try {
    await robots(name, server, as, tokens);
    const client = await documents(name, server, as);
    await others(name, server, as, tokens, client);
    for (const [kind, how] of Object.entries(kinds)) await flow(`${name}: ${kind}`, how, server, as, tokens);
    await opaque(name, server, as, tokens);
    await rotation(name, server, as, tokens);
    const log = server.written();
    ok(tokens.size > 20 && ![...tokens].some(token => log.includes(token)), `${name}: the log has none of ${tokens.size} tokens [S55]`);
  } catch (e) {
    ok(false, `${name}: everything comes to its end`, e?.stack ?? String(e));
  }
}

// Whoever ends this early gets everything stopped all the same.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    await Promise.all([...Server.all].map(server => server.stop()));
    process.exit(1);
  });
}

const running = [];
try {
  // One after the other, since quickstart builds; then all at the same time.
  for (const front of fronts) {
    const as = await AuthorizationServer.start(first.split(' '), more.split(' '));
    const server = await Server.start(quickstart, front, settings(as, front), url => as.token(url, 'usr:read'));
    running.push({ as, server, front });
  }
  await Promise.all(running.map(({ front, server, as }) => scenario(front, server, as)));
} catch (e) {
  ok(false, 'the servers start', e?.stack ?? String(e));
}
for (const { front, server, as } of running) {
  ok(await server.stop() === 0, `${front}: quickstart ends in good order`);
  await as.down();
}
process.exit(conclude());

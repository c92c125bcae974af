// SPDX-License-Identifier: MIT
// The official TypeScript clients do the whole dance against a running quickstart, as an application and its user would: a 401 leads them to
// the resource metadata, to the authorization server, to registration, to the consent page, to a token, and to the tools.
// usage: node clients.mjs URL     prints TAP
import { Client as Client2, StreamableHTTPClientTransport as Transport2, UnauthorizedError as Unauthorized2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js';

const url = new URL(process.argv[2]);
let count = 0, failed = 0;

function ok(condition, text, detail) {
  count++;
  if (!condition) failed++;
  console.log(`${condition ? 'ok' : 'not ok'} ${count} - ${text}`);
  if (!condition && detail !== undefined) console.log('# ' + String(typeof detail === 'string' ? detail : JSON.stringify(detail)).replace(/\n/g, '\n# '));
}

// What an application keeps, in memory.
class Provider {
  seen = [];
  get redirectUrl() { return 'http://127.0.0.1:33418/callback'; }
  get clientMetadata() {
    return { client_name: 'official client', redirect_uris: [this.redirectUrl], grant_types: ['authorization_code', 'refresh_token'],
             response_types: ['code'], token_endpoint_auth_method: 'none', scope: this.scope };
  }
  state() { return (this.sent = crypto.randomUUID()); }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; this.seen.push('registered'); }
  tokens() { return this.kept; }
  saveTokens(tokens) { this.kept = tokens; this.seen.push('token'); }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  codeVerifier() { return this.verifier; }
  redirectToAuthorization(to) { this.page = to; this.seen.push('consent'); }
  saveDiscoveryState(state) { this.discovery = state; }
  discoveryState() { return this.discovery; }
  invalidateCredentials() { this.kept = undefined; }
}

const unescape = s => s.replace(/&#39;/g, "'").replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');

// The person at the browser: opens the page, reads the form, presses Allow. Returns the parameters that the application's redirect URI gets.
async function consent(page) {
  const opened = await fetch(page, { redirect: 'manual' });
  const html = await opened.text();
  if (opened.status !== 200) throw new Error(`consent page: ${opened.status} ${html}`);
  const form = new URLSearchParams();
  for (const [tag] of html.matchAll(/<input [^>]*>/g)) {
    const value = name => { const m = tag.match(new RegExp(`${name}="([^"]*)"`)); return m && unescape(m[1]); };
    if (value('type') === 'hidden' || / checked/.test(tag)) form.append(value('name'), value('value'));
  }
  form.append('decision', 'allow');
  const action = new URL(unescape(html.match(/<form[^>]* action="([^"]*)"/)[1]), page);
  const cookie = opened.headers.getSetCookie().map(c => c.split(';')[0]).join('; ');
  const sent = await fetch(action, { method: 'POST', redirect: 'manual', body: form, headers: { cookie, origin: action.origin, referer: String(page) } });
  const to = sent.headers.get('location');
  if (!to) throw new Error(`after Allow: ${sent.status} ${await sent.text()}`);
  return new URL(to).searchParams;
}

async function dance(name, { Client, Transport, Unauthorized, options, finish, version }) {
  const provider = new Provider();
  const open = () => new Transport(url, { authProvider: provider });
  const fresh = () => new Client({ name: 'mcp-fcgi-test', version: '1.0.0' }, options);
  const first = open();
  let refused;
  try { await fresh().connect(first); } catch (e) { refused = e; }
  ok(refused instanceof Unauthorized, `${name}: without a token it is sent to the authorization server`, refused?.stack);
  ok(provider.seen.join() === 'registered,consent', `${name}: it has found the metadata and registered itself`, provider.seen);
  ok(provider.page?.searchParams.get('code_challenge_method') === 'S256', `${name}: it uses PKCE with S256 [W6 W55]`);
  ok(provider.page?.searchParams.get('resource') === String(url), `${name}: it names this resource`, provider.page?.href);
  const back = await consent(provider.page);
  ok(back.get('state') === provider.sent && back.get('iss'), `${name}: state comes back, iss says from whom`, String(back));
  await finish(first, back);
  ok(provider.kept?.access_token, `${name}: the code was good for a token [W30]`, provider.kept);

  const client = fresh();
  await client.connect(open());
  if (version) ok(client.getNegotiatedProtocolVersion?.() === version, `${name}: both speak ${version}`, client.getNegotiatedProtocolVersion?.());
  ok(client.getServerVersion()?.name === 'mcp-fcgi', `${name}: the server says who it is`, client.getServerVersion());
  const { tools } = await client.listTools();
  ok(tools.some(t => t.name === 'greet_user' && t.description === 'Greets the user with a personalized message.'), `${name}: tools/list has greet_user [S42]`, tools);
  const result = await client.callTool({ name: 'greet_user', arguments: { name: 'Grace' } });
  ok(result.content?.[0]?.text === 'Hi Grace, welcome to Scalekit!', `${name}: tools/call greets [S43 S46 S64 W57]`, result);
  const wrong = await client.callTool({ name: 'greet_user', arguments: { name: 7 } }).catch(e => e);
  ok(wrong.isError === true, `${name}: wrong arguments are an error that the model can read`, wrong);
  const unknown = await client.callTool({ name: 'no_such_tool', arguments: {} }).catch(e => e);
  ok(unknown instanceof Error && unknown.code === -32602, `${name}: an unknown tool is -32602`, String(unknown));

  if (provider.kept.refresh_token) {
    // An access token that has gone bad: the client refreshes it by itself.
    const before = provider.kept.access_token;
    provider.kept = { ...provider.kept, access_token: 'gone.bad.token' };
    const again = fresh();
    await again.connect(open());
    await again.listTools();
    ok(provider.kept.access_token !== before && provider.kept.access_token !== 'gone.bad.token', `${name}: a refused token is refreshed by itself`);
    await again.close();
  }
  await client.close();
}

const finish2 = (transport, back) => transport.finishAuth(back);
const finish1 = (transport, back) => transport.finishAuth(back.get('code'));
const runs = {
  'client 2.x, 2026-07-28': { Client: Client2, Transport: Transport2, Unauthorized: Unauthorized2, finish: finish2,
                              options: { versionNegotiation: { mode: { pin: '2026-07-28' } } }, version: '2026-07-28' },
  'client 2.x, negotiating': { Client: Client2, Transport: Transport2, Unauthorized: Unauthorized2, finish: finish2,
                               options: { versionNegotiation: { mode: 'auto' } }, version: '2026-07-28' },
  'client 2.x, legacy': { Client: Client2, Transport: Transport2, Unauthorized: Unauthorized2, finish: finish2,
                          options: { versionNegotiation: { mode: 'legacy' } }, version: '2025-11-25' },
  'sdk 1.x': { Client: Client1, Transport: Transport1, Unauthorized: Unauthorized1, finish: finish1, options: {} }
};

for (const [name, how] of Object.entries(runs)) {
  try {
    await dance(name, how);
  } catch (e) {
    ok(false, `${name}: the dance was danced to its end`, e?.stack ?? String(e));
  }
}
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);

// SPDX-License-Identifier: MIT
// The official TypeScript clients do the whole dance against a running quickstart, as an application and its user would: a 401 leads them to
// the resource metadata, to the authorization server, to registration, to the consent page, to a token, and to the tools.
// usage: node clients.mjs URL     prints TAP
import { Application, Browser, finish as conclude, kinds, ok } from './application.mjs';

const url = new URL(process.argv[2]);

async function dance(name, { Client, Transport, Unauthorized, options, finish, version }) {
  const provider = new Application();
  const open = () => new Transport(url, { authProvider: provider });
  const fresh = () => new Client({ name: 'mcp-fcgi-test', version: '1.0.0' }, options);
  const first = open();
  let refused;
  try { await fresh().connect(first); } catch (e) { refused = e; }
  ok(refused instanceof Unauthorized, `${name}: without a token it is sent to the authorization server`, refused?.stack);
  ok(provider.seen.join() === 'registered,consent', `${name}: it has found the metadata and registered itself`, provider.seen);
  ok(provider.page?.searchParams.get('code_challenge_method') === 'S256', `${name}: it uses PKCE with S256 [W6 W55]`);
  ok(provider.page?.searchParams.get('resource') === String(url), `${name}: it names this resource`, provider.page?.href);
  const back = await new Browser().authorize(provider.page, provider.redirectUrl);
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

for (const [name, how] of Object.entries(kinds)) {
  try {
    await dance(name, how);
  } catch (e) {
    ok(false, `${name}: the dance was danced to its end`, e?.stack ?? String(e));
  }
}
process.exit(conclude());

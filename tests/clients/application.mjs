// SPDX-License-Identifier: MIT
// What the tests of the official clients share: TAP, what an application keeps, the person at the browser, and the clients themselves.
import { Client as Client2, StreamableHTTPClientTransport as Transport2, UnauthorizedError as Unauthorized2 } from '@modelcontextprotocol/client';
import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Transport1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { UnauthorizedError as Unauthorized1 } from '@modelcontextprotocol/sdk/client/auth.js';

let count = 0, failed = 0;

export function ok(condition, text, detail) {
  count++;
  if (!condition) failed++;
  console.log(`${condition ? 'ok' : 'not ok'} ${count} - ${text}`);
  if (!condition && detail !== undefined) console.log('# ' + String(typeof detail === 'string' ? detail : JSON.stringify(detail)).replace(/\n/g, '\n# '));
  return Boolean(condition);
}

// Prints the plan; the exit status of the program.
export function finish() {
  console.log(`1..${count}`);
  return failed ? 1 : 0;
}

// What an application keeps, in memory: the authProvider of the official clients.
export class Application {
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
const attribute = (tag, name) => { const m = tag.match(new RegExp(`\\s${name}="([^"]*)"`)); return m && unescape(m[1]); };

// The person at the browser, who signs in and presses Allow, with a cookie jar for one authorization server.
export class Browser {
  cookies = new Map();

  async open(url, init = {}) {
    const headers = { ...init.headers, cookie: [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ') };
    const answer = await fetch(url, { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]+)=([^;]*)/);
      if (value === '' || /;\s*expires=[^;]* 1970 /i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  // Fills in the only form of a page: whatever is asked for, boxes as they are.
  async submit(page, html) {
    const form = html.match(/<form[^>]*>/)?.[0];
    if (!form) throw new Error(`a page without a form at ${page}: ${html}`);
    const body = new URLSearchParams();
    for (const [tag] of html.matchAll(/<input [^>]*>/g)) {
      const type = attribute(tag, 'type');
      if (type === 'hidden' || (type === 'checkbox' && / checked/.test(tag))) body.append(attribute(tag, 'name'), attribute(tag, 'value'));
      else if (type === 'text' || type === 'password') body.append(attribute(tag, 'name'), 'grace');
    }
    if (/name="decision"/.test(html)) body.append('decision', 'allow');
    const action = new URL(attribute(form, 'action'), page);
    return this.open(action, { method: 'POST', body, headers: { origin: action.origin, referer: String(page) } });
  }

  // From the authorization endpoint through sign-in and consent; the parameters that the application's redirect URI gets.
  async authorize(page, redirectUri) {
    let at = page, answer = await this.open(at);
    for (let steps = 0; steps < 12; steps++) {
      const to = answer.headers.get('location');
      if (to && to.startsWith(redirectUri)) return new URL(to).searchParams;
      if (to) answer = await this.open(at = new URL(to, at));
      else if (answer.status === 200) answer = await this.submit(at, await answer.text());
      else break;
    }
    throw new Error(`no way back to the application from ${at}: ${answer.status} ${await answer.text()}`);
  }
}

const finish2 = (transport, back) => transport.finishAuth(back);
const finish1 = (transport, back) => transport.finishAuth(back.get('code'));
export const kinds = {
  'client 2.x, 2026-07-28': { Client: Client2, Transport: Transport2, Unauthorized: Unauthorized2, finish: finish2,
                              options: { versionNegotiation: { mode: { pin: '2026-07-28' } } }, version: '2026-07-28' },
  'client 2.x, negotiating': { Client: Client2, Transport: Transport2, Unauthorized: Unauthorized2, finish: finish2,
                               options: { versionNegotiation: { mode: 'auto' } }, version: '2026-07-28' },
  'client 2.x, legacy': { Client: Client2, Transport: Transport2, Unauthorized: Unauthorized2, finish: finish2,
                          options: { versionNegotiation: { mode: 'legacy' } }, version: '2025-11-25' },
  'sdk 1.x': { Client: Client1, Transport: Transport1, Unauthorized: Unauthorized1, finish: finish1, options: {} }
};

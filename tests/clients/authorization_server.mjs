// SPDX-License-Identifier: MIT
// An authorization server that is not ours: the package oidc-provider, as a site would configure it for MCP, in this process and on loopback.
// RFC 9068 access tokens by resource indicators (RFC 8707), dynamic registration (RFC 7591), PKCE for everybody, refresh tokens, introspection
// (RFC 7662) and revocation (RFC 7009). Signing in is the package's own form, which takes any name.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { createServer } from 'node:http';
import { Provider } from 'oidc-provider';

// Who may ask what a token is worth, by a secret and by a key.
export const asker = { client_id: 'mcp-fcgi', client_secret: 'no secret: 100% of it + more/less is known' };
const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
export const keyAsker = { client_id: 'mcp-fcgi-by-key', key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), kid: randomUUID() };
// A program that signs in as itself.
export const robot = { client_id: 'robot', client_secret: 'nor-is-this-a-secret-and-long-enough-too' };

const key = (kind, alg, options) => ({ ...generateKeyPairSync(kind, options).privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() });

export class AuthorizationServer {
  // What may be changed while it runs; it counts for tokens issued from then on.
  lifetime = 600;       // of access tokens, in seconds
  format = 'jwt';       // or "opaque": only introspection can say what they are worth
  jwt = { sign: { alg: 'RS256' } };
  keys = [];            // newest first; all of them are published
  asked = [];           // "METHOD path" of every request

  // Listens on a free port of 127.0.0.1. "scopes" are those of its resources; "later" as well, but clients do not register them.
  static async start(scopes, later) {
    const it = new AuthorizationServer();
    it.scopes = scopes;
    it.later = later;
    it.port = 0;
    it.rotate();
    await it.up();
    return it;
  }

  get issuer() { return `http://127.0.0.1:${this.port}`; }

  // A new set of keys, which counts from the next up() on; old ones for the algorithms "keep" stay published.
  rotate(keep = []) {
    const fresh = [key('rsa', 'RS256', { modulusLength: 2048 }), key('rsa', 'PS256', { modulusLength: 2048 }),
                   key('ec', 'ES256', { namedCurve: 'P-256' }), key('ed25519', 'EdDSA')];
    this.keys = [...fresh, ...this.keys.filter(old => keep.includes(old.alg))];
  }

  async up() {
    this.server = createServer((request, response) => {
      this.asked.push(`${request.method} ${request.url.split('?')[0]}`);
      this.handle(request, response);
    });
    await new Promise((resolve, reject) => this.server.once('error', reject).listen(this.port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    this.handle = new Provider(this.issuer, this.configuration()).callback();
  }

  async down() {
    const closed = new Promise(resolve => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  configuration() {
    return {
      jwks: { keys: this.keys },
      cookies: { keys: [randomUUID()] },
      clients: [{ ...asker, grant_types: [], response_types: [], redirect_uris: [] },
                { client_id: keyAsker.client_id, grant_types: [], response_types: [], redirect_uris: [],
                  token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256',
                  jwks: { keys: [{ ...pair.publicKey.export({ format: 'jwk' }), kid: keyAsker.kid, alg: 'ES256', use: 'sig' }] } },
                { ...robot, grant_types: ['client_credentials'], response_types: [], redirect_uris: [] }],
      // What clients may register. A client that has registered scopes of these gets no others of these; the official clients register those of
      // the first challenge. So what is only asked for later must not stand here.
      scopes: ['openid', 'offline_access', ...this.scopes],
      pkce: { required: () => true },
      enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
      findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      ttl: { AccessToken: (ctx, token) => token.resourceServer?.accessTokenTTL ?? 600,
             ClientCredentials: (ctx, token) => token.resourceServer?.accessTokenTTL ?? 600,
             Grant: 86400, Interaction: 600, RefreshToken: 86400, Session: 3600 },
      issueRefreshToken: (ctx, client) => client.grantTypeAllowed('refresh_token'),
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: true },
        introspection: { enabled: true, allowedPolicy: (ctx, client) => [asker, keyAsker].some(one => one.client_id === client.clientId) },
        registration: { enabled: true },
        revocation: { enabled: true, allowedPolicy: (ctx, client, token) => token.clientId === client.clientId },
        resourceIndicators: {
          enabled: true,
          useGrantedResource: () => true,
          getResourceServerInfo: (ctx, resource) => ({
            audience: resource, scope: [...this.scopes, ...this.later].join(' '), accessTokenTTL: this.lifetime, accessTokenFormat: this.format,
            jwt: this.jwt
          })
        }
      }
    };
  }

  async post(path, form, { client_id, client_secret }, headers = {}) {
    const authorization = 'Basic ' + Buffer.from([client_id, client_secret].map(encodeURIComponent).join(':')).toString('base64');
    return fetch(this.issuer + path, { method: 'POST', headers: { authorization, ...headers }, body: new URLSearchParams(form) });
  }

  // A token of the robot for a resource; without one it is opaque and for nothing.
  async token(resource, scope, headers) {
    const answer = await this.post('/token', { grant_type: 'client_credentials', ...(resource && { resource, scope }) }, robot, headers);
    const { access_token } = await answer.json();
    if (!access_token) throw new Error(`no token for ${resource}: ${answer.status}`);
    return access_token;
  }

  // A token that is good only together with a proof of a key, which the robot would have to send with each request (RFC 9449).
  boundToken(resource, scope) {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');
    const text = encode({ typ: 'dpop+jwt', alg: 'ES256', jwk: publicKey.export({ format: 'jwk' }) }) + '.' +
      encode({ jti: randomUUID(), htm: 'POST', htu: this.issuer + '/token', iat: Math.floor(Date.now() / 1000) });
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url');
    return this.token(resource, scope, { dpop: `${text}.${signature}` });
  }

  // What it says of a token, as claims: those of a JWT, else by introspection.
  async describe(token) {
    if (token.includes('.')) return JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
    return (await this.post('/token/introspection', { token }, asker)).json();
  }

  revoke(token) { return this.post('/token/revocation', { token }, robot); }
}

// SPDX-License-Identifier: MIT
// mcp.fcgi behind a real web server, as quickstart starts it, with an authorization server of ours to choose.
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// None of those that the system gives to connections, since quickstart builds before it listens.
async function freePort() {
  for (;;) {
    const port = 21000 + Math.floor(Math.random() * 11000), server = createServer();
    const free = await new Promise(resolve => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) {
      await new Promise(resolve => server.close(resolve));
      return port;
    }
  }
}

// For a tools/call of the modern protocol without any client's cleverness.
const meta = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
               'io.modelcontextprotocol/clientCapabilities': {} };

export class Server {
  static all = new Set();

  // Returns when the server answers; "configuration" is the text of a settings file. The first call is made by quickstart itself, with what
  // "token" gives for the server's URL.
  static async start(quickstart, front, configuration, token) {
    const it = new Server();
    const port = await freePort();
    it.directory = mkdtempSync(join(tmpdir(), 'mcp-fcgi-clients-'));
    const config = join(it.directory, 'settings'), errors = join(it.directory, 'errors');
    writeFileSync(config, configuration, { mode: 0o600 });
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(SK_|SCALEKIT_|EXPECTED_|MCP_|JWKS_)/.test(name)));
    const to = openSync(errors, 'w');
    env.MCP_TOKEN = await token(`http://127.0.0.1:${port}/mcp`);
    it.process = spawn(quickstart, ['--front', front, '--port', String(port), '--config', config], { env, stdio: ['ignore', 'pipe', to] });
    closeSync(to);
    Server.all.add(it);
    it.ended = new Promise(resolve => it.process.once('exit', resolve));
    const lines = createInterface(it.process.stdout);
    await new Promise(resolve => {
      lines.on('line', line => {
        const [word, value] = line.split(/\s+/, 2);
        if (word === 'Logs') it.log = join(value, 'mcp-fcgi.log');
        if (word === 'ready:') resolve(it.url = new URL(value));
      });
      lines.on('close', resolve);
    });
    if (it.url) return it;
    const why = readFileSync(errors, 'utf8');
    await it.stop();
    throw new Error('quickstart does not serve: ' + why);
  }

  // Returns quickstart's exit status.
  async stop() {
    Server.all.delete(this);
    this.process.kill('SIGTERM');
    const status = await this.ended;
    rmSync(this.directory, { recursive: true, force: true });
    return status;
  }

  written() { return readFileSync(this.log, 'utf8'); }

  async call(token, name = 'greet_user', args = { name: 'Ada' }) {
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: args, _meta: meta } };
    const answer = await fetch(this.url, { method: 'POST', body: JSON.stringify(body), headers: {
      'content-type': 'application/json', accept: 'application/json, text/event-stream', authorization: `Bearer ${token}`,
      'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': name } });
    return { status: answer.status, challenge: answer.headers.get('www-authenticate') ?? '', text: await answer.text() };
  }
}

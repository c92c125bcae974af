// SPDX-License-Identifier: MIT
// Every message in the responses that tests have recorded follows the schema of its revision.
// usage: node responses.mjs FILE     prints TAP
//
// FILE has one JSON object a line: "test", who asked; "request", the body; "version", the field MCP-Protocol-Version or null; "status";
// "type", the media type of the response; "body". What is no MCP message, as the errors of OAuth, is not looked at.
import { readFileSync } from 'node:fs';
import { faults, known } from './wire.mjs';

const MODERN = '2026-07-28', UNTOLD = '2025-03-26';   // a client that tells no version
let count = 0, failed = 0;

function ok(condition, text, detail = []) {
  count++;
  if (!condition) failed++;
  console.log(`${condition ? 'ok' : 'not ok'} ${count} - ${text}`);
  if (!condition) for (const line of detail) console.log(`# ${line}`);
}

function parsed(text) {
  try { return JSON.parse(text); } catch { return undefined; }
}

// The messages of a response, one an event in a stream. An event that is cut off is none.
function messages(type, body) {
  if (/^text\/event-stream\b/.test(type))
    return body.split(/\r?\n\r?\n/).slice(0, -1).map(event => event.split(/\r?\n/).filter(line => line.startsWith('data:'))
      .map(line => line.slice(5).replace(/^ /, '')).join('\n')).filter(data => data).map(parsed);
  return /^application\/json\b/.test(type) && body ? [parsed(body)] : [];
}

// By which revision the server has to answer: what the request says in its _meta, in the header, or in what was negotiated.
function revision(record, request, answer) {
  const told = request?.params?._meta?.['io.modelcontextprotocol/protocolVersion'];
  if (told !== undefined) return known.includes(told) ? told : MODERN;
  if (request?.method === 'initialize') return known.includes(answer?.result?.protocolVersion) ? answer.result.protocolVersion : UNTOLD;
  if (record.version === null) return UNTOLD;
  return known.includes(record.version) ? record.version : MODERN;
}

// Older schemas want an id in every error, also where there is none to give back: there one is put in.
function completed(message, version, request) {
  // JSON.parse() reads more than the server does, NUL for one.
  const unread = request === undefined || message?.error?.code === -32700 || !['string', 'number'].includes(typeof request?.id);
  if (message?.error && !('id' in message) && unread && version < '2025-11-25') return { ...message, id: 0 };
  return message;
}

function* wrongs(record) {
  const request = parsed(record.request ?? '');
  // A request without a body is a GET. The only results that come by one are those that a test came back for, of calls.
  const method = record.request ? request?.method : 'tools/call';
  for (const message of messages(record.type, record.body)) {
    if (message === undefined) yield [UNTOLD, ['this is not JSON']];
    else if (message?.jsonrpc === undefined && (request?.jsonrpc === undefined || record.status !== 200)) continue;
    else {
      const version = revision(record, request, message);
      const found = faults(version, completed(message, version, request), method);
      if (message?.method === undefined && 'id' in message && request?.id !== undefined && message.id !== request.id)
        found.push(`the id is ${JSON.stringify(message.id)}`);
      yield [version, found];
    }
  }
}

// The validation sees what it is for.
const result = value => ({ jsonrpc: '2.0', id: 1, result: value });
const error = (value, id = 1) => ({ jsonrpc: '2.0', id, error: value });
for (const [text, version, message, method] of [
  ['a list of tools without ttlMs', MODERN, result({ resultType: 'complete', tools: [], cacheScope: 'public' }), 'tools/list'],
  ['a result without resultType', MODERN, result({ content: [] }), 'tools/call'],
  ['a null id', '2025-11-25', error({ code: -32600, message: 'x' }, null)],
  ['-32022 without the supported versions', MODERN, error({ code: -32022, message: 'x', data: { requested: 'y' } })],
  ['a block of an unknown kind', '2025-06-18', result({ content: [{ type: 'film' }] }), 'tools/call'],
  ['base64 with a stray byte', MODERN, result({ resultType: 'complete', content: [{ type: 'image', data: 'a-b=', mimeType: 'a/b' }] }), 'tools/call'],
  ['progress without a token', '2025-03-26', { jsonrpc: '2.0', method: 'notifications/progress', params: { progress: 1 } }],
  ['a result of a method that is gone', MODERN, result({ resultType: 'complete' }), 'ping'],
]) ok(faults(version, message, method).length > 0, `seen: ${text} (${version})`);

const groups = new Map();
for (const line of readFileSync(process.argv[2], 'utf8').split('\n')) {
  if (!line) continue;
  const record = JSON.parse(line);
  for (const [version, found] of wrongs(record)) {
    const name = `${record.test}: ${version}`;
    const group = groups.get(name) ?? { good: 0, bad: [] };
    groups.set(name, group);
    if (found.length) group.bad.push(`${found.join('; ')}: ${String(record.request).slice(0, 300)} => ${record.status} ${record.body.slice(0, 500)}`);
    else group.good++;
  }
}
let total = 0;
for (const [name, { good, bad }] of [...groups].sort()) {
  total += good;
  ok(bad.length === 0, `${name}: ${good + bad.length} messages follow the schema`, bad.slice(0, 20));
}
ok(total > 0, `${total} messages in all`);
console.log(`1..${count}`);
process.exit(failed ? 1 : 0);

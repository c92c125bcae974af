// SPDX-License-Identifier: MIT
// The specification's JSON schemas, one a revision. The conformance suite holds them as literals in its one file, so nothing else has to be
// fetched. Where the suite's copy differs from the specification's it is put right, and the hash of the specification's own schema.json
// (members sorted) shows that it then is the same.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { runInNewContext } from 'node:vm';

// In the order of the suite: the revision, the hash, what is put right.
const wanted = [
  ['2025-03-26', '35e76331022d571aa8953d1d57c2bb1440f5bdbe98096ea705a7232d6c65eed7', () => {}],
  ['2025-06-18', 'ebfe1f0186fe0528776c385357ce44cd37df8e00cde8cfa912315a0497f4ceb6', numbers],
  ['2025-11-25', '26d2b94116c7e84b74664ae8b6a5144e8f80c308630c84e73d117cbd16373ce6', numbers],
  ['2026-07-28', '96e9f3815e58709015a2faec87131467d72020316652c0e7ad10e185bd2eaf81', listen],
];

// Bounds of a number were integers once.
function numbers(schema) {
  const { properties } = (schema.$defs ?? schema.definitions).NumberSchema;
  for (const name of ['minimum', 'maximum', 'default']) if (properties[name]?.type === 'integer') properties[name].type = 'number';
}

// The suite has a draft from before the end of a subscription got its response.
function listen({ $defs }) {
  $defs.SubscriptionsListenResultMetaObject = $defs.SubscriptionsListenResultMeta;
  delete $defs.SubscriptionsListenResultMeta;
  $defs.SubscriptionsListenResult.properties._meta.$ref = '#/$defs/SubscriptionsListenResultMetaObject';
  $defs.SubscriptionsListenResultResponse = {
    description: 'A successful response from the server for a {@link SubscriptionsListenRequestsubscriptions/listen}\n'
      + 'request, sent when the server tears the subscription down gracefully.',
    properties: {
      id: { $ref: '#/$defs/RequestId' },
      jsonrpc: { const: '2.0', type: 'string' },
      result: { $ref: '#/$defs/SubscriptionsListenResult' },
    },
    required: ['id', 'jsonrpc', 'result'],
    type: 'object',
  };
}

const sorted = value => Array.isArray(value) ? value.map(sorted)
  : value && typeof value === 'object' ? Object.fromEntries(Object.keys(value).sort().map(name => [name, sorted(value[name])])) : value;
const hash = value => createHash('sha256').update(JSON.stringify(sorted(value))).digest('hex');

// The object literal that begins at "from". Braces in strings of any kind do not count.
function literal(text, from) {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    const c = text[i];
    if (c === '"' || c === "'" || c === '`') {
      for (i++; text[i] !== c; i++) if (text[i] === '\\') i++;
    } else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return text.slice(from, i + 1);
  }
  throw new Error('an object literal does not end');
}

/** The schemas by the name of the revision. */
export function schemas() {
  const home = dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json'));
  const text = readFileSync(join(home, 'dist', 'index.js'), 'utf8');
  const found = [...text.matchAll(/=(?=\{\$schema:`[^`]*`,(?:definitions|\$defs):\{Annotations:)/g)];
  return Object.fromEntries(wanted.map(([revision, digest, correct], i) => {
    const schema = JSON.parse(JSON.stringify(runInNewContext(`(${literal(text, found[i].index + 1)})`)));
    correct(schema);
    if (hash(schema) !== digest) throw new Error(`what the suite holds is not the schema of ${revision}: ${hash(schema)}`);
    return [revision, schema];
  }));
}

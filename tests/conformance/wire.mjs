// SPDX-License-Identifier: MIT
// Whether a JSON-RPC message of a server follows the specification's JSON schema of a revision, by the definition that fits it best: that of
// the notification or request, of the error code, of the result of the method that was asked for.
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { schemas } from './schemas.mjs';

const unions = /^(Client|Server)(Request|Notification|Result|Message)$/;

class Revision {
  methods = new Map();   // method: its definition
  results = new Map();   // method: the definition of its result
  errors = new Map();    // code: its definition

  constructor(schema) {
    const where = schema.$defs ? '$defs' : 'definitions';
    this.definitions = schema[where];
    // The schemas are generated and not written for strict mode. "byte" is base64, a format that ajv does not have.
    this.ajv = new (where === '$defs' ? Ajv2020 : Ajv)({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addFormat('byte', /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/);
    this.ajv.addSchema({ ...schema, $id: 'mcp:schema' });
    this.pointer = `mcp:schema#/${where}/`;
    for (const [name, definition] of Object.entries(this.definitions)) {
      if (unions.test(name)) continue;
      const method = definition.properties?.method?.const;
      if (method) {
        this.methods.set(method, name);
        const result = name.replace(/Request$/, 'Result');
        if (result !== name) this.results.set(method, result in this.definitions ? result : 'EmptyResult');
      }
      for (const part of definition.properties?.error?.allOf ?? [])
        if (typeof part.properties?.code?.const === 'number') this.errors.set(part.properties.code.const, name);
    }
  }

  faults(name, value) {
    const validate = this.ajv.getSchema(this.pointer + name);
    return validate(value) ? [] : validate.errors.map(e => `${name}${e.instancePath}: ${e.message}`);
  }

  either(...names) { return names.find(name => name in this.definitions); }

  check(message, method) {
    if (message.method !== undefined)
      return this.faults(this.methods.get(message.method) ?? ('id' in message ? 'JSONRPCRequest' : 'JSONRPCNotification'), message);
    if (message.error !== undefined)
      return this.faults(this.errors.get(message.error?.code) ?? this.either('JSONRPCErrorResponse', 'JSONRPCError'), message);
    const envelope = this.faults(this.either('JSONRPCResultResponse', 'JSONRPCResponse'), message);
    if (envelope.length) return envelope;
    if (message.result.resultType === 'input_required' && 'InputRequiredResult' in this.definitions)
      return this.faults('InputRequiredResult', message.result);
    if (!this.results.has(method)) return [`there is a result of ${method}, which this revision does not have`];
    return this.faults(this.results.get(method), message.result);
  }
}

const revisions = new Map(Object.entries(schemas()).map(([name, schema]) => [name, new Revision(schema)]));

/** The revisions there are schemas of. */
export const known = [...revisions.keys()];

/** What is wrong with a message that answers "method" (undefined: not known), or is sent on its way. */
export function faults(revision, message, method) {
  if (message === null || typeof message !== 'object' || Array.isArray(message)) return ['this is no object'];
  return revisions.get(revision).check(message, method);
}

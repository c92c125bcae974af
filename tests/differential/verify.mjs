// SPDX-License-Identifier: MIT
// usage: node verify.mjs KEYS TOKENS ISSUER AUDIENCE ALGORITHM...
// What jose makes of each token of the file TOKENS (a JSON string a line): "ok" or the code of its refusal, a line each.
import { createInterface } from 'node:readline'
import { createReadStream, readFileSync } from 'node:fs'
import { createLocalJWKSet, jwtVerify } from 'jose'

const [keys, tokens, issuer, audience, ...algorithms] = process.argv.slice(2)
const set = createLocalJWKSet(JSON.parse(readFileSync(keys, 'utf8')))
const options = { issuer, audience, algorithms, clockTolerance: 30, requiredClaims: ['exp', 'iss', 'aud', 'sub'] }

for await (const line of createInterface({ input: createReadStream(tokens) })) {
  let verdict = 'ok'
  try {
    await jwtVerify(JSON.parse(line), set, options)
  } catch (e) {
    verdict = e.code ?? e.name
  }
  console.log(verdict)
}

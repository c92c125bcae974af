// SPDX-License-Identifier: MIT
// Preloaded into the conformance suite, which has no option for a token: puts MCP_TEST_AUTHORIZATION into every request, whichever of its
// three clients sends it: fetch, undici, or node:http. "node --require authorize.cjs".
const { Agent, setGlobalDispatcher } = require('undici');
const http = require('node:http');

const value = process.env.MCP_TEST_AUTHORIZATION;
if (!value) throw new Error('MCP_TEST_AUTHORIZATION is not set');

// Names and values one after the other, pairs, or an object.
function authorized(headers) {
  const list = Array.isArray(headers) ? [...headers]
    : typeof headers?.[Symbol.iterator] === 'function' ? [...headers].flat()
      : Object.entries(headers ?? {}).flat();
  for (let i = list.length - 2; i >= 0; i -= 2) if (String(list[i]).toLowerCase() === 'authorization') list.splice(i, 2);
  return [...list, 'authorization', value];
}

// Node's own fetch asks the same dispatcher as the package does.
setGlobalDispatcher(new Agent().compose(dispatch => (options, handler) =>
  dispatch({ ...options, headers: authorized(options.headers) }, handler)));

const { request } = http;
http.request = (options, ...rest) => {
  if (typeof options !== 'object' || options instanceof URL) throw new Error('a request whose options cannot be changed');
  return request({ ...options, headers: { ...options.headers, Authorization: value } }, ...rest);
};

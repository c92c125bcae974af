-- SPDX-License-Identifier: MIT
-- wrk: authorized tools/call greet_user. Arguments: file of tokens, number of client addresses, path.
local tokens, addresses, path, n = {}, 1, "/mcp", 0
local body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet_user","arguments":{"name":"Ada"},"_meta":{' ..
   '"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}'

function init(args)
   for line in io.lines(args[1]) do tokens[#tokens + 1] = "Bearer " .. line end
   addresses, path = tonumber(args[2]), args[3]
end

function request()
   n = n + 1
   local a = n % addresses
   return wrk.format("POST", path, {
      ["Content-Type"] = "application/json", ["Accept"] = "application/json, text/event-stream",
      ["MCP-Protocol-Version"] = "2026-07-28", ["Mcp-Method"] = "tools/call", ["Mcp-Name"] = "greet_user",
      ["Authorization"] = tokens[n % #tokens + 1],
      ["X-Forwarded-For"] = string.format("10.%d.%d.1", math.floor(a / 250), a % 250)}, body)
end

function done(summary, latency)
   io.write(string.format("RESULT %d %d %d %d %d\n", summary.requests, summary.duration, summary.errors.status +
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout, latency:percentile(50), latency:percentile(99)))
end

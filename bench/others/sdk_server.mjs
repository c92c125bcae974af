// SPDX-License-Identifier: MIT
// The same server with the official TypeScript SDK and jose, two processes on one port. Settings: the environment.
import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as z from 'zod';

const { SK_ENV_URL, EXPECTED_AUDIENCE, METADATA_URL, PORT } = process.env;
const challenge = { 'WWW-Authenticate': `Bearer realm="OAuth", resource_metadata="${METADATA_URL}"` };

function serve() {
    const keys = createRemoteJWKSet(new URL(`${SK_ENV_URL}/keys`));
    const mcp = toNodeHandler(createMcpHandler(() => {
        const server = new McpServer({ name: 'Greeting MCP', version: '1.0.0' });
        server.registerTool('greet_user', { description: 'Greets the user with a personalized message.',
            inputSchema: z.object({ name: z.string() }) },
        ({ name }) => ({ content: [{ type: 'text', text: `Hi ${name}, welcome to Scalekit!` }] }));
        return server;
    }));
    const refuse = (res, text, status = 401) =>
        res.writeHead(status, { ...challenge, 'Content-Type': 'application/json' }).end(JSON.stringify({ error: text }));

    createServer(async (req, res) => {
        if (req.url === '/health')
            return res.writeHead(200, { 'Content-Type': 'application/json' }).end('{"status": "healthy"}');
        const [scheme, token] = (req.headers.authorization ?? '').split(' ');
        if (scheme !== 'Bearer')
            return refuse(res, 'Missing Bearer token');
        let claims;
        try {
            ({ payload: claims } = await jwtVerify(token, keys, { issuer: SK_ENV_URL, audience: EXPECTED_AUDIENCE }));
        } catch {
            return refuse(res, 'Token validation failed');
        }
        if (!(claims.scope ?? '').split(' ').includes('usr:read'))
            return refuse(res, 'Requires scope usr:read', 403);
        return mcp(req, res);
    }).listen(Number(PORT), '127.0.0.1');
}

if (cluster.isPrimary) {
    for (let i = 0; i < 2; i++)
        cluster.fork();
    process.on('SIGTERM', () => process.exit(0));
} else {
    serve();
}

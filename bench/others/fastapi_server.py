# SPDX-License-Identifier: MIT
"""The kind of server that mcp.fcgi replaces: FastAPI, FastMCP and Scalekit's SDK. Settings come from the environment.

The scope is looked up as mcp.fcgi does it, in the claims that the SDK has verified. Stateless and with JSON answers,
which is FastMCP at its fastest."""
import os

from fastapi import FastAPI, Request, Response
from fastmcp import FastMCP
from scalekit import ScalekitClient
from scalekit.common.scalekit import TokenValidationOptions

ENV_URL, AUDIENCE = os.environ["SK_ENV_URL"], os.environ["EXPECTED_AUDIENCE"]
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="OAuth", resource_metadata="%s"' % os.environ["METADATA_URL"]}

scalekit = ScalekitClient(ENV_URL, os.environ["SK_CLIENT_ID"], os.environ["SK_CLIENT_SECRET"])
mcp = FastMCP("Greeting MCP")


@mcp.tool(name="greet_user", description="Greets the user with a personalized message.")
async def greet_user(name: str) -> str:
    return f"Hi {name}, welcome to Scalekit!"


mcp_app = mcp.http_app(path="/mcp", stateless_http=True, json_response=True)
app = FastAPI(lifespan=mcp_app.lifespan)


def refused(text, status=401):
    return Response('{"error": "%s"}' % text, status_code=status, headers=CHALLENGE, media_type="application/json")


@app.middleware("http")
async def authenticate(request: Request, call_next):
    if request.url.path == "/health":
        return await call_next(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer":
        return refused("Missing Bearer token")
    try:
        claims = scalekit.validate_access_token_and_get_claims(
            token.strip(), options=TokenValidationOptions(issuer=ENV_URL, audience=[AUDIENCE]))
    except Exception:       # pylint: disable=broad-except # whatever the SDK says, the token is none
        return refused("Token validation failed")
    if "usr:read" not in claims.get("scope", "").split():
        return refused("Requires scope usr:read", 403)
    return await call_next(request)


@app.get("/health")
async def health():
    return {"status": "healthy"}


app.mount("/", mcp_app)

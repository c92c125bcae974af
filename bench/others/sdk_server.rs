// SPDX-License-Identifier: MIT

// The same server with the official Rust SDK, axum and jsonwebtoken. Settings: the environment.
use std::{collections::HashMap, env, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use rmcp::{
    ServerHandler,
    handler::server::wrapper::Parameters,
    schemars, tool, tool_handler, tool_router,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
    },
};
use serde::Deserialize;

struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
    challenge: String,
}

#[derive(Deserialize)]
struct Claims {
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct Keys {
    keys: Vec<Key>,
}

#[derive(Deserialize)]
struct Key {
    kid: String,
    n: String,
    e: String,
}

impl Verifier {
    fn claims(&self, request: &Request) -> Option<Claims> {
        let field = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
        let token = field.strip_prefix("Bearer ")?;
        let key = self.keys.get(&decode_header(token).ok()?.kid?)?;
        Some(decode::<Claims>(token, key, &self.validation).ok()?.claims)
    }

    fn refuse(&self, status: StatusCode, text: &str) -> Response {
        let fields = [
            (header::WWW_AUTHENTICATE, self.challenge.as_str()),
            (header::CONTENT_TYPE, "application/json"),
        ];
        (status, fields, format!("{{\"error\": \"{text}\"}}")).into_response()
    }
}

async fn authenticate(State(v): State<Arc<Verifier>>, request: Request, next: Next) -> Response {
    match v.claims(&request) {
        None => v.refuse(StatusCode::UNAUTHORIZED, "Token validation failed"),
        Some(c) if !c.scope.split(' ').any(|s| s == "usr:read") => {
            v.refuse(StatusCode::FORBIDDEN, "Requires scope usr:read")
        }
        Some(_) => next.run(request).await,
    }
}

#[derive(Deserialize, schemars::JsonSchema)]
struct Greeting {
    name: String,
}

#[derive(Clone)]
struct Greeter;

#[tool_router]
impl Greeter {
    #[tool(description = "Greets the user with a personalized message.")]
    fn greet_user(&self, Parameters(Greeting { name }): Parameters<Greeting>) -> String {
        format!("Hi {name}, welcome to Scalekit!")
    }
}

#[tool_handler]
impl ServerHandler for Greeter {}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let issuer = env::var("SK_ENV_URL").unwrap();
    let set: Keys = ureq::get(format!("{issuer}/keys")).call().unwrap().body_mut().read_json().unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[&issuer]);
    validation.set_audience(&[env::var("EXPECTED_AUDIENCE").unwrap()]);
    let verifier = Arc::new(Verifier {
        keys: set.keys.iter().map(|k| (k.kid.clone(), DecodingKey::from_rsa_components(&k.n, &k.e).unwrap())).collect(),
        validation,
        challenge: format!("Bearer realm=\"OAuth\", resource_metadata=\"{}\"", env::var("METADATA_URL").unwrap()),
    });
    let mut config = StreamableHttpServerConfig::default();
    config.legacy_session_mode = false;
    config.json_response = true;
    let mcp = StreamableHttpService::new(|| Ok(Greeter), Arc::new(NeverSessionManager::default()), config);
    let app = Router::new()
        .nest_service("/mcp", mcp)
        .layer(middleware::from_fn_with_state(verifier, authenticate))
        .route("/health", get(|| async { ([(header::CONTENT_TYPE, "application/json")], "{\"status\": \"healthy\"}") }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", env::var("PORT").unwrap().parse::<u16>().unwrap()));
    axum::serve(listener.await.unwrap(), app).await.unwrap();
}

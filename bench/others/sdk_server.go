// SPDX-License-Identifier: MIT

// The same server with the official Go SDK, in the one process that Go programs are. Settings: the environment.
package main

import (
	"context"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"math/big"
	"net/http"
	"os"
	"strings"

	"github.com/golang-jwt/jwt/v5"
	"github.com/modelcontextprotocol/go-sdk/auth"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

func number(text string) *big.Int {
	bytes, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		log.Fatal(err)
	}
	return new(big.Int).SetBytes(bytes)
}

// The RSA keys of the authorization server, by kid.
func fetchKeys(url string) map[string]*rsa.PublicKey {
	var set struct{ Keys []struct{ Kid, N, E string } }
	answer, err := http.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if err = json.NewDecoder(answer.Body).Decode(&set); err != nil {
		log.Fatal(err)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		keys[k.Kid] = &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
	}
	return keys
}

type claims struct {
	jwt.RegisteredClaims
	Scope string `json:"scope"`
}

type greeting struct {
	Name string `json:"name"`
}

func greet(_ context.Context, _ *mcp.CallToolRequest, in greeting) (*mcp.CallToolResult, any, error) {
	text := fmt.Sprintf("Hi %s, welcome to Scalekit!", in.Name)
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}}, nil, nil
}

func main() {
	issuer := os.Getenv("SK_ENV_URL")
	keys := fetchKeys(issuer + "/keys")
	parser := jwt.NewParser(jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer),
		jwt.WithAudience(os.Getenv("EXPECTED_AUDIENCE")), jwt.WithExpirationRequired())
	verify := func(_ context.Context, token string, _ *http.Request) (*auth.TokenInfo, error) {
		var c claims
		_, err := parser.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) {
			if key, ok := keys[fmt.Sprint(t.Header["kid"])]; ok {
				return key, nil
			}
			return nil, auth.ErrInvalidToken
		})
		if err != nil {
			return nil, auth.ErrInvalidToken
		}
		return &auth.TokenInfo{Scopes: strings.Fields(c.Scope), Expiration: c.ExpiresAt.Time, UserID: c.Subject}, nil
	}
	server := mcp.NewServer(&mcp.Implementation{Name: "Greeting MCP", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "greet_user", Description: "Greets the user with a personalized message."}, greet)
	handler := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server },
		&mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	http.Handle("/mcp", auth.RequireBearerToken(verify, &auth.RequireBearerTokenOptions{
		ResourceMetadataURL: os.Getenv("METADATA_URL"), Scopes: []string{"usr:read"}})(handler))
	http.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"status": "healthy"}`)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

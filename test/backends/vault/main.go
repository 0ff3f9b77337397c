// A Vault server for tests: the core of Vault 1.14.0 with the engines and auth methods that Assay's custody uses, in memory.
//
// usage: vaultd [-cert FILE -key FILE]
//
// It listens on a free port of 127.0.0.1, by TLS where it is given a certificate, unsealed with one key share, and prints one line of JSON:
// address, root token and the share that unseals it.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	authjwt "github.com/hashicorp/vault-plugin-auth-jwt"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/audit"
	auditfile "github.com/hashicorp/vault/builtin/audit/file"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/transit"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

var (
	secretEngines = map[string]logical.Factory{"kv": kv.Factory, "transit": transit.Factory}
	authMethods   = map[string]logical.Factory{"approle": approle.Factory, "jwt": authjwt.Factory}
)

// builtins is what the core asks for plugins that are compiled in.
type builtins struct{}

func (builtins) factories(kind consts.PluginType) map[string]logical.Factory {
	switch kind {
	case consts.PluginTypeSecrets:
		return secretEngines
	case consts.PluginTypeCredential:
		return authMethods
	}
	return nil
}

func (b builtins) Contains(name string, kind consts.PluginType) bool {
	_, there := b.factories(kind)[name]
	return there
}

func (b builtins) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory, there := b.factories(kind)[name]
	return func() (interface{}, error) { return factory, nil }, there
}

func (b builtins) Keys(kind consts.PluginType) []string {
	names := []string{}
	for name := range b.factories(kind) {
		names = append(names, name)
	}
	return names
}

func (builtins) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func main() {
	cert := flag.String("cert", "", "file of the TLS certificate chain")
	key := flag.String("key", "", "file of the certificate's private key")
	flag.Parse()
	if err := serve(*cert, *key); err != nil {
		fmt.Fprintln(os.Stderr, "vaultd:", err)
		os.Exit(1)
	}
}

func serve(cert, key string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	scheme := "http"
	if cert != "" {
		scheme = "https"
	}
	address := scheme + "://" + listener.Addr().String()
	core, share, root, err := start(address)
	if err != nil {
		return err
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core:           core,
		ListenerConfig: &configutil.Listener{Address: listener.Addr().String()},
	})
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{"address": address, "root": root, "share": share}); err != nil {
		return err
	}
	if cert == "" {
		return http.Serve(listener, handler)
	}
	return http.ServeTLS(listener, handler, cert, key)
}

// start makes a new Vault in memory and unseals it.
func start(address string) (core *vault.Core, share, root string, err error) {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn})
	storage, err := inmem.NewInmem(nil, logger)
	if err != nil {
		return nil, "", "", err
	}
	core, err = vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		DisableMlock:       true,
		Logger:             logger,
		BuiltinRegistry:    builtins{},
		LogicalBackends:    secretEngines,
		CredentialBackends: authMethods,
		AuditBackends:      map[string]audit.Factory{"file": auditfile.Factory},
		RedirectAddr:       address,
	})
	if err != nil {
		return nil, "", "", err
	}
	made, err := core.Initialize(context.Background(), &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return nil, "", "", err
	}
	share = hex.EncodeToString(made.SecretShares[0])
	if _, err = core.Unseal(made.SecretShares[0]); err != nil {
		return nil, "", "", err
	}
	return core, share, made.RootToken, nil
}

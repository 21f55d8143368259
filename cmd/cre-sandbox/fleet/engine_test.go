package fleet

import (
	"fmt"
	"testing"

	"github.com/hashicorp/go-hclog"
	logicalkv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/helper/testhelpers/teststorage"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/vault"
)

// engine is a Vault that runs in this process, with KV version 2 at "secret" and
// version 1 at "old".
type engine struct {
	*vault.TestCluster
}

// newEngine runs one until the test ends: of one node, in memory; of several, with
// raft as storage.
func newEngine(t *testing.T, nodes int) engine {
	t.Helper()
	conf := &vault.CoreConfig{
		DisableMlock:    true,
		LogicalBackends: map[string]logical.Factory{"kv": logicalkv.Factory},
	}
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Off})
	opts := &vault.TestClusterOptions{NumCores: nodes, HandlerFunc: vaulthttp.Handler, Logger: logger, KVVersion: "2"}
	setup := teststorage.InmemBackendSetup
	if nodes > 1 {
		setup = teststorage.RaftBackendSetup
		opts.PhysicalFactoryConfig = map[string]any{"performance_multiplier": "5"} // Vault's own
	}
	conf, opts = teststorage.ClusterSetup(conf, opts, setup)
	conf.Logger = logger
	cluster := vault.NewTestCluster(t, conf, opts)
	t.Cleanup(cluster.Cleanup)
	e := engine{cluster}
	root := e.Cores[0].Client
	for mount, version := range map[string]string{"secret": "2", "old": "1"} {
		_ = root.Sys().Unmount(mount)
		_, err := root.Logical().Write("sys/mounts/"+mount, map[string]any{"type": "kv", "options": map[string]string{"version": version}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return e
}

// address is a node's.
func (e engine) address(node int) string {
	return fmt.Sprintf("https://127.0.0.1:%d", e.Cores[node].Listeners[0].Address.Port)
}

package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	graphql "github.com/graph-gophers/graphql-go"
)

// maxReceipt is the largest answer that can be ordered, in bytes.
const maxReceipt = 256 << 20

var (
	errNoWorkflow  = errors.New("there is no such workflow")
	errNoCode      = errors.New("unknown or used code")
	errReceiptSize = fmt.Errorf("a receipt has 0 to %d bytes", maxReceipt)
)

type creOrganizationInfo struct {
	OrgID                 graphql.ID
	DerivedWorkflowOwners []string
}

type workflow struct{ Name, Status string }

type execution struct {
	ID     graphql.ID
	Status string
}

type link struct{ URL string }

type deployment struct {
	ID      graphql.ID
	Receipt string
}

type vaultToken struct{ AccessToken string }

func (q *query) GetCreOrganizationInfo() creOrganizationInfo {
	q.api.count("getCreOrganizationInfo")
	info := creOrganizationInfo{OrgID: graphql.ID(q.api.options.Organization), DerivedWorkflowOwners: []string{}}
	if !q.api.options.NoOwners {
		info.DerivedWorkflowOwners = []string{"0x15fC6ae953E024d975e77382eEeC56A9101f9F88"}
	}
	return info
}

func (q *query) Workflows() []workflow {
	q.api.count("workflows")
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	all := []workflow{}
	for _, name := range slices.Sorted(maps.Keys(q.api.workflows)) {
		all = append(all, workflow{name, q.api.workflows[name]})
	}
	return all
}

func (q *query) Executions() []execution {
	q.api.count("executions")
	return []execution{{ID: "execution-1", Status: "SUCCESS"}}
}

func (q *query) LinkedKeys() []string {
	q.api.count("linkedKeys")
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	return slices.Sorted(maps.Keys(q.api.keys))
}

// CreateArtifactURL answers where an artifact goes without a credential, as a
// presigned URL does.
func (q *query) CreateArtifactURL(args struct{ Name string }) link {
	q.api.count("createArtifactUrl")
	return link{q.api.options.BaseURL + "/artifacts/" + url.PathEscape(args.Name)}
}

func (q *query) DeployWorkflow(args struct {
	Name         string
	Artifact     *string
	ReceiptBytes *int32
}) (deployment, error) {
	q.api.count("deployWorkflow")
	size := 0
	if args.ReceiptBytes != nil {
		size = int(*args.ReceiptBytes)
	}
	if size < 0 || size > maxReceipt {
		return deployment{}, errReceiptSize
	}
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	q.api.workflows[args.Name] = "ACTIVE"
	return deployment{ID: graphql.ID("workflow-" + args.Name), Receipt: strings.Repeat("r", size)}, nil
}

func (q *query) ChangeWorkflow(args struct{ Name, Action string }) (workflow, error) {
	q.api.count("changeWorkflow")
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	if _, ok := q.api.workflows[args.Name]; !ok {
		return workflow{}, errNoWorkflow
	}
	switch args.Action {
	case "DELETE":
		delete(q.api.workflows, args.Name)
		return workflow{args.Name, "DELETED"}, nil
	case "PAUSE":
		q.api.workflows[args.Name] = "PAUSED"
	default:
		q.api.workflows[args.Name] = "ACTIVE"
	}
	return workflow{args.Name, q.api.workflows[args.Name]}, nil
}

func (q *query) ChangeSecret(struct{ Name, Action string }) bool {
	q.api.count("changeSecret")
	return true
}

func (q *query) LinkKey(args struct{ Address string }) bool {
	q.api.count("linkKey")
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	q.api.keys[args.Address] = struct{}{}
	return true
}

func (q *query) UnlinkKey(args struct{ Address string }) bool {
	q.api.count("unlinkKey")
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	_, linked := q.api.keys[args.Address]
	delete(q.api.keys, args.Address)
	return linked
}

func (q *query) RequestDeploymentAccess() bool {
	q.api.count("requestDeploymentAccess")
	return true
}

// CreateVaultAuthorizationURL starts the vault's browser flow. It refuses an API
// key, as it does account details.
func (q *query) CreateVaultAuthorizationURL(ctx context.Context, args struct{ State string }) (link, error) {
	q.api.count("createVaultAuthorizationUrl")
	if caller(ctx) == "" {
		return link{}, errNotForAPIKeys
	}
	code := rand.Text()
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	q.api.codes[code] = struct{}{}
	return link{q.api.options.BaseURL + "/vault/authorize?" + url.Values{"code": {code}, "state": {args.State}}.Encode()}, nil
}

func (q *query) ExchangeAuthCodeToToken(args struct{ Code string }) (vaultToken, error) {
	q.api.count("exchangeAuthCodeToToken")
	q.api.mu.Lock()
	defer q.api.mu.Unlock()
	if _, ok := q.api.codes[args.Code]; !ok {
		return vaultToken{}, errNoCode
	}
	delete(q.api.codes, args.Code)
	return vaultToken{"vault-" + rand.Text()}, nil
}

func (q *query) ReportUserEvent(struct {
	Command   string
	ExitCode  int32
	MachineID graphql.ID
}) bool {
	q.api.count("reportUserEvent")
	return true
}

package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// TestWorkflowsLiveAsLongAsTheSandbox goes through the operations in the order
// in which a person would.
func TestWorkflowsLiveAsLongAsTheSandbox(t *testing.T) {
	s := start(t, sandbox.Options{})
	for _, step := range []struct{ query, want string }{
		{`{ getCreOrganizationInfo { orgId derivedWorkflowOwners } }`, `"orgId":"org_mEMRknbVURM9DWsB","derivedWorkflowOwners":["0x`},
		{`{ workflows { name } }`, `"workflows":[]`},
		{`mutation { createArtifactUrl(name: "a b") { url } }`, s.URL + `/artifacts/a%20b`},
		{`mutation { deployWorkflow(name: "a", receiptBytes: 5) { id receipt } }`, `"id":"workflow-a","receipt":"rrrrr"`},
		{`mutation { deployWorkflow(name: "a", receiptBytes: -1) { id } }`, `"errors"`},
		{`mutation { changeWorkflow(name: "a", action: PAUSE) { status } }`, `"PAUSED"`},
		{`{ workflows { name status } }`, `[{"name":"a","status":"PAUSED"}]`},
		{`mutation { changeWorkflow(name: "a", action: ACTIVATE) { status } }`, `"ACTIVE"`},
		{`mutation { changeWorkflow(name: "b", action: PAUSE) { status } }`, `there is no such workflow`},
		{`mutation { changeWorkflow(name: "a", action: DELETE) { status } }`, `"DELETED"`},
		{`{ workflows { name status } }`, `"workflows":[]`},
		{`mutation { linkKey(address: "0x1") }`, `true`},
		{`{ linkedKeys }`, `["0x1"]`},
		{`mutation { unlinkKey(address: "0x1") }`, `true`},
		{`mutation { unlinkKey(address: "0x1") }`, `false`},
		{`{ executions { id } }`, `execution-1`},
		{`mutation { changeSecret(name: "s", action: CREATE) requestDeploymentAccess }`, `"requestDeploymentAccess":true`},
		{`mutation { reportUserEvent(command: "cre", exitCode: 0, machineId: "m") }`, `true`},
		{`mutation { createVaultAuthorizationUrl(state: "s") { url } }`, `"errors"`}, // not for a key
		{`mutation { exchangeAuthCodeToToken(code: "none") { accessToken } }`, `unknown or used code`},
	} {
		if status, body := ask(t, s, "Apikey sandbox-api-key", step.query); status != 200 || !strings.Contains(body, step.want) {
			t.Errorf("%s: %d %s", step.query, status, body)
		}
	}
	if got := s.Stats().GraphQL; got["reportUserEvent"] != 1 || got["deployWorkflow"] != 2 {
		t.Errorf("%v", got)
	}
}

func TestAnArtifactNeedsNoCredential(t *testing.T) {
	s := start(t, sandbox.Options{})
	for i, authorization := range []string{"", "Bearer too-much"} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+"/artifacts/a", strings.NewReader("12345"))
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := s.Stats(); resp.StatusCode != 200 || got.ArtifactBytes != int64(5*(i+1)) || got.ArtifactCredentials != i {
			t.Errorf("%d, %+v", resp.StatusCode, got.GraphQLStats)
		}
	}
}

func TestTheVaultsFlowEndsAtTheCallback(t *testing.T) {
	s := start(t, sandbox.Options{})
	bearer := "Bearer " + tokens(t, s).AccessToken
	_, body := ask(t, s, bearer, `mutation { createVaultAuthorizationUrl(state: "a-state") { url } }`)
	_, target, _ := strings.Cut(body, `"url":"`)
	target, _, _ = strings.Cut(strings.ReplaceAll(target, `\u0026`, "&"), `"`)
	resp, err := browser().Get(target)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back := callback(t, resp)
	if back.Get("state") != "a-state" {
		t.Errorf("%v", url.Values(back))
	}
	exchange := `mutation { exchangeAuthCodeToToken(code: "` + back.Get("code") + `") { accessToken } }`
	if _, body := ask(t, s, bearer, exchange); !strings.Contains(body, `"accessToken":"vault-`) {
		t.Errorf("%s", body)
	}
	if _, body := ask(t, s, bearer, exchange); !strings.Contains(body, "errors") {
		t.Errorf("the second time: %s", body)
	}
}

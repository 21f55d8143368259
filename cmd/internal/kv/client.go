package kv

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// patience is how long a server is asked again that gives no answer of use: longer
// than a cluster takes to find another leader. attemptTime is for one request.
const (
	patience    = 30 * time.Second
	attemptTime = 10 * time.Second
	awayTime    = 5 * time.Second // the same where it says that it is sealed, or a standby
)

// Client is the [Server] at an address. Address and Token must be set.
type Client struct {
	Address   string // such as https://vault.example:8200
	Token     helper.Secret
	TokenFrom string       // the variable or the file that it was found in; "": not known
	Namespace string       // "": none
	HTTP      *http.Client // nil: web.NewClient(0)
	Patience  time.Duration
}

var _ Server = (*Client)(nil)

// Read implements [Server]. https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2
func (c *Client) Read(ctx context.Context, path string) (Entry, error) {
	a, err := c.ask(ctx, http.MethodGet, path, nil, "read")
	if err != nil {
		return Entry{}, err
	}
	var body struct {
		Data *struct {
			Data     json.RawMessage `json:"data"`
			Metadata *struct {
				Version int `json:"version"`
			} `json:"metadata"`
		} `json:"data"`
		Errors   []string `json:"errors"`
		Warnings []string `json:"warnings"`
	}
	entry := Entry{}
	entry.Now, _ = http.ParseTime(a.header.Get("Date"))
	none := a.status == http.StatusNotFound
	switch err := json.Unmarshal(a.body, &body); {
	case err != nil && !web.IsPage(a.body) && a.status == http.StatusOK:
		return Entry{}, classify(web.Senseless(web.HostOf(c.Address)))
	case err != nil, none && (len(body.Errors) > 0 || len(body.Warnings) > 0), !none && a.status != http.StatusOK:
		return Entry{}, c.problem(a, path, "read")
	case none && body.Data == nil:
		return entry, nil
	case body.Data == nil || body.Data.Metadata == nil || body.Data.Metadata.Version < 1:
		return Entry{}, classify(fmt.Errorf("%w at %s on %s", ErrEngine, path, web.HostOf(c.Address)))
	}
	entry.Version = body.Data.Metadata.Version
	if string(body.Data.Data) != "null" {
		entry.Data = body.Data.Data
	}
	return entry, nil
}

// Write implements [Server].
func (c *Client) Write(ctx context.Context, path string, data json.RawMessage, cas int) (version int, err error) {
	type options struct {
		CAS int `json:"cas"`
	}
	a, err := c.ask(ctx, http.MethodPost, path, struct {
		Data    json.RawMessage `json:"data"`
		Options options         `json:"options"`
	}{data, options{cas}}, "update")
	if err != nil {
		return 0, err
	}
	var body struct {
		Data struct {
			Version int `json:"version"`
		} `json:"data"`
	}
	switch {
	case a.status/100 != 2:
		return 0, c.problem(a, path, "update")
	case json.Unmarshal(a.body, &body) != nil || body.Data.Version < 1:
		return 0, classify(fmt.Errorf("%w at %s on %s: what answered there took a write, and has no versions", ErrEngine, path, web.HostOf(c.Address)))
	}
	return body.Data.Version, nil
}

// KeepOne implements [Server].
func (c *Client) KeepOne(ctx context.Context, path string) error {
	return c.tell(ctx, sibling(path, "metadata"), map[string]int{"max_versions": 1})
}

// Destroy implements [Server].
func (c *Client) Destroy(ctx context.Context, path string, versions []int) error {
	return c.tell(ctx, sibling(path, "destroy"), map[string][]int{"versions": versions})
}

// sibling is the path of another endpoint of a record's engine.
func sibling(path, endpoint string) string {
	return strings.Replace(path, "/data/", "/"+endpoint+"/", 1)
}

// tell asks for something that has no answer.
func (c *Client) tell(ctx context.Context, path string, body any) error {
	a, err := c.ask(ctx, http.MethodPost, path, body, "update")
	if err == nil && a.status/100 != 2 {
		err = c.problem(a, path, "update")
	}
	return err
}

// Missing implements [Server]. A token that may not ask lacks nothing that is known.
func (c *Client) Missing(ctx context.Context, wanted []Capability) (missing []string, err error) {
	const path = "sys/capabilities-self"
	var paths []string
	for _, w := range wanted {
		if !slices.Contains(paths, w.Path) {
			paths = append(paths, w.Path)
		}
	}
	a, err := c.ask(ctx, http.MethodPost, path, map[string][]string{"paths": paths}, "update")
	if err != nil {
		return nil, err
	}
	var body struct {
		Data map[string]json.RawMessage `json:"data"`
	}
	switch err := c.problem(a, path, "update"); {
	case a.status == http.StatusForbidden && !isToken(err):
		return nil, nil
	case a.status != http.StatusOK:
		return nil, err
	case json.Unmarshal(a.body, &body) != nil:
		return nil, classify(web.Senseless(web.HostOf(c.Address)))
	}
	for _, w := range wanted {
		var has []string
		_ = json.Unmarshal(body.Data[w.Path], &has) // what isn't said isn't there
		if !slices.ContainsFunc(append(w.Any, "root"), func(one string) bool { return slices.Contains(has, one) }) {
			missing = append(missing, fmt.Sprintf("%q on %s", w.Any[0], w.Path))
		}
	}
	return missing, nil
}

// ask sends a request, again and again as long as the trouble may be over soon. To
// send it twice does no harm: a write names the version that it replaces.
func (c *Client) ask(ctx context.Context, method, path string, body any, needs string) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	patient, cancel := awake.WithTimeout(ctx, c.patience())
	defer cancel()
	began := time.Now()
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		a, err := c.once(patient, method, path, text)
		if err == nil && isPassing(a.status) {
			if err = c.problem(a, path, needs); !isTransient(err) {
				return a, nil
			}
		}
		away := (errors.Is(err, ErrSealed) || a.status/100 == 3) && time.Since(began) >= min(awayTime, c.patience())
		if !isTransient(err) || away || patient.Err() != nil {
			return a, classify(err)
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-patient.Done():
			return a, classify(err)
		}
	}
}

// isPassing tells the statuses after which it is worth while to ask again.
func isPassing(status int) bool {
	return status >= 500 || status/100 == 3 || status == http.StatusTooManyRequests || status == http.StatusPreconditionFailed
}

func (c *Client) patience() time.Duration {
	if c.Patience == 0 {
		return patience
	}
	return c.Patience
}

// once sends a request once.
func (c *Client) once(ctx context.Context, method, path string, body []byte) (answer, error) {
	attempt, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	if method == http.MethodGet {
		body = nil
	}
	request, err := http.NewRequestWithContext(attempt, method, c.Address+"/v1/"+escape(path), bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("X-Vault-Token", c.Token.Reveal())
	request.Header.Set("X-Vault-Request", "true")
	if c.Namespace != "" {
		request.Header.Set("X-Vault-Namespace", c.Namespace)
	}
	response, err := web.Do(c.HTTP, request)
	if err != nil {
		return answer{}, c.unanswered(ctx, err)
	}
	text, err := web.Read(response)
	if err != nil {
		return answer{}, c.unanswered(ctx, &url.Error{Op: method, URL: c.Address, Err: err})
	}
	return answer{response.StatusCode, response.Header, text}, nil
}

func escape(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

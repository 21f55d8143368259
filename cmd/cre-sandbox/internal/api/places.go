package api

import (
	"io"
	"net/http"
	"net/url"
)

// Register serves the places beside the GraphQL URL that its answers lead to.
func (a *API) Register(mux *http.ServeMux) {
	mux.HandleFunc("PUT /artifacts/{name}", a.takeArtifact)
	mux.HandleFunc("GET /vault/authorize", a.authorizeVault)
}

// takeArtifact throws an artifact away and counts it. Its URL is all that it
// takes; a credential would be one too many.
func (a *API) takeArtifact(w http.ResponseWriter, r *http.Request) {
	n, err := io.Copy(io.Discard, http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		http.Error(w, "the artifact did not arrive", http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stats.ArtifactBytes += n
	if r.Header.Get("Authorization") != "" {
		a.stats.ArtifactCredentials++
	}
}

// authorizeVault sends the browser back at once: the person is logged in.
func (a *API) authorizeVault(w http.ResponseWriter, r *http.Request) {
	answer := url.Values{"code": {r.FormValue("code")}, "state": {r.FormValue("state")}}
	http.Redirect(w, r, a.options.RedirectURI+"?"+answer.Encode(), http.StatusFound)
}

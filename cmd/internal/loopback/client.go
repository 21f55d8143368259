package loopback

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

var (
	// ErrEnded reports that nobody listens who has the key.
	ErrEnded = errors.New("the grant has ended: start another one where the session is")

	// ErrURL reports a URL that is none of a grant's.
	ErrURL = errors.New("it is not the URL of a grant, such as http://127.0.0.1:40000")
)

// Client asks at a URL. It follows no redirect and uses no proxy.
type Client struct {
	URL string
	Key Key
}

// Ask sends a question and returns its answer. Its errors are [ErrEnded], [ErrURL]
// and those of ctx.
func (c Client) Ask(ctx context.Context, question []byte) ([]byte, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Scheme != "http" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, ErrURL
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	_, text, err := c.post(ctx, base.JoinPath(pathNonce), nil, nil)
	if err != nil {
		return nil, err
	}
	server, ok := parseNonce(string(text))
	if !ok {
		return nil, fmt.Errorf("%w (something else listens at %s)", ErrEnded, base.Host)
	}
	client := newNonce()
	header, answer, err := c.post(ctx, base.JoinPath(pathAsk), question, http.Header{
		headerServerNonce: {server.String()}, headerClientNonce: {client.String()},
		headerMAC: {c.Key.mac(labelQuestion, server, client, question)},
	})
	if err != nil {
		return nil, err
	}
	if !c.Key.verifies(header.Get(headerMAC), labelAnswer, server, client, answer) {
		return nil, fmt.Errorf("%w (something else listens at %s)", ErrEnded, base.Host)
	}
	return answer, nil
}

func (c Client) post(ctx context.Context, to *url.URL, body []byte, header http.Header) (http.Header, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, nil, ErrURL
	}
	r.Host = host
	for name, values := range header {
		r.Header[name] = values
	}
	transport := &http.Transport{DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: 8 << 10}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip(r)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w (nobody answers at %s)", ErrEnded, to.Host)
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxLength))
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case answer.StatusCode == http.StatusForbidden:
		return nil, nil, fmt.Errorf("%w (what listens at %s doesn't take the capability)", ErrEnded, to.Host)
	case err != nil, answer.StatusCode != http.StatusOK:
		return nil, nil, fmt.Errorf("%w (no answer at %s)", ErrEnded, to.Host)
	}
	return answer.Header, text, nil
}

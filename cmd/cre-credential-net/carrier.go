package main

import (
	"context"
	"errors"
	"net/url"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/exchange"
	"cre-credential-helper/cmd/internal/loopback"
	"cre-credential-helper/cmd/internal/reading"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

// carrier does what a grant has done by HTTP.
type carrier struct{}

var _ errand.Carrier = carrier{}

// Ask implements [errand.Carrier].
func (carrier) Ask(ctx context.Context, way errand.GrantPath, question []byte) ([]byte, error) {
	key, err := loopback.ReadKey(way.KeyFile)
	if err != nil {
		return nil, err
	}
	return loopback.Client{URL: way.URL, Key: key}.Ask(ctx, question)
}

// Carry implements [errand.Carrier].
func (carrier) Carry(ctx context.Context, way errand.GrantPath) (string, error) {
	key, err := loopback.NewKey(way.KeyFile)
	if err != nil {
		return "", err
	}
	return loopback.Serve(ctx, key, func(_ context.Context, question []byte) ([]byte, error) {
		return askSocket(way.Socket, question)
	})
}

// Exchange implements [errand.Carrier].
func (carrier) Exchange(ctx context.Context, c helper.Credential, request []byte) ([]byte, error) {
	s, err := settings()
	if err == nil {
		err = reading.MayHave(s.Environment, c.Secret)
	}
	if err != nil {
		return nil, err
	}
	upstream, err := url.Parse(s.Environment.GraphQLURL)
	if err != nil {
		return nil, err
	}
	const connections = 1
	answer, err := exchange.Once(ctx, upstream, web.NewTransport(connections), c, request)
	if errors.Is(err, web.ErrOutage) {
		err = outage{err}
	}
	return answer, err
}

// outage is a [web.ErrOutage] as the helper's exit statuses know it.
type outage struct{ error }

func (outage) Is(target error) bool { return target == reading.ErrProvider }

package main

import (
	"context"

	"cre-credential-helper/cmd/internal/errand"
	"cre-credential-helper/cmd/internal/loopback"
)

// carrier brings questions to a grant by HTTP. It looks into none of them.
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

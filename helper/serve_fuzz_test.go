package helper_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
)

// FuzzServe holds, for any request in any form, that what is stored through it
// comes back through it and that no answer carries more lines than its form has.
func FuzzServe(f *testing.F) {
	for _, seed := range []string{
		"protocol=https\nhost=example.com\nusername=alice\npassword=secret\n\n",
		"capability[]=authtype\nprotocol=https\nhost=h:8080\npath=a/b\nauthtype=Bearer\ncredential=t\npassword_expiry_utc=1893456000\n\n",
		`{"ServerURL":"https://example.com/v1","Username":"david","Secret":"passw0rd"}`,
		"https://example.com/v1",
		`{"uri":"https://example.com/x?y=z"}`,
		"", "\n", "=", "{", "{}", "a=b",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		ctx := context.Background()
		s := helper.Server{Store: helpertest.NewMemory()}
		var out bytes.Buffer
		if err := s.Serve(ctx, "store", bytes.NewReader(in), &out); err != nil {
			return
		}
		if bytes.Contains(in, []byte("ephemeral=")) {
			return
		}
		out.Reset()
		if err := s.Serve(ctx, "get", bytes.NewReader(in), &out); err != nil || out.Len() == 0 {
			t.Fatalf("what was stored doesn't come back: %q, %v", out.Bytes(), err)
		}
		if strings.ContainsAny(out.String(), "\r\x00") {
			t.Fatalf("the answer holds a control character: %q", out.Bytes())
		}
		for line := range strings.Lines(out.String()) {
			if !strings.Contains(line, "=") && !strings.HasPrefix(line, "{") {
				t.Fatalf("the answer holds a line of no form: %q", line)
			}
		}
		if err := s.Serve(ctx, "erase", bytes.NewReader(in), io.Discard); err != nil {
			t.Fatalf("what was stored can't be erased: %v", err)
		}
		if err := s.Serve(ctx, "erase", bytes.NewReader(in), io.Discard); err != nil {
			t.Fatalf("a second erase fails: %v", err)
		}
	})
}

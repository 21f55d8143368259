package doctor

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:D1B2 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 100 0 0 10 0
   1: 0100007F:D1B2 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 0100007F:D1B2 0100007F:858D 06 00000000:00000000 03:00000083 00000000  1000        0 0 3 0
   3: 0100007F:D1B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 333 1 0 100 0 0 10 0
`

func TestListeningSockets(t *testing.T) {
	if got := socketsOn(tcpTable, 53682, 1000); !slices.Equal(got, []string{"111"}) {
		t.Errorf("%q", got)
	}
}

func FuzzListeningSockets(f *testing.F) {
	f.Add(tcpTable)
	f.Fuzz(func(t *testing.T, table string) {
		if got := socketsOn(table, 53682, 1000); len(got) > strings.Count(table, ":D1B2") {
			t.Errorf("%q", got)
		}
	})
}

// FuzzDockersConfiguration holds that no name of a registry comes out that isn't
// in the file.
func FuzzDockersConfiguration(f *testing.F) {
	f.Add(`{"credHelpers":{"r.example.com":"cre","x":"other"},"credsStore":"cre","auths":{"y":{"auth":"c2VjcmV0"}}}`)
	f.Add(`[]`)
	f.Add(`{"credHelpers":7}`)
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "config.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		config, err := readDockerConfig(path)
		if err == nil && len(config.registries()) > 1+len(config.CredHelpers) {
			t.Errorf("%q", config.registries())
		}
	})
}

func TestGitsLinesSayNoUsername(t *testing.T) {
	for key, want := range map[string]string{
		"credential.helper":                                   "every host",
		"credential.https://git.example.com.helper":           "https://git.example.com",
		"credential.https://me:secret@git.example.com.helper": "https://git.example.com",
		"credential.https://%zz@git.helper":                   "a host",
	} {
		if got := (gitLine{key: key}).host(); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

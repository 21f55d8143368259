package e2e

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"cre-credential-helper/cmd/cre-sandbox/internal/official"
	"cre-credential-helper/cmd/cre-sandbox/internal/provider"
	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// pieceSize is how many bytes in a row are taken for a part of a token.
const pieceSize = 16

// pieces are all byte sequences of that length of which a token consists, and
// which token.
type pieces struct {
	tokens map[string]string
	begins []bool // by the hash of the first four bytes
}

// piecesOf takes tokens apart. The header of a JWT is the same in many, and isn't
// one's own; of a JWT's signature the bytes that it stands for count, too.
// What the stand-in also says, which has some claims in common, is no secret.
func piecesOf(s provider.Session, standIn string) *pieces {
	p := &pieces{map[string]string{}, make([]bool, 1<<18)}
	p.add("refresh token", []byte(s.Refresh), standIn)
	for name, token := range map[string]string{"access token": s.Access, "ID token": s.ID} {
		parts := strings.Split(token, ".")
		for _, part := range parts[1:] {
			p.add(name, []byte(part), standIn)
		}
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err == nil {
			p.add(name, signature, standIn)
		}
	}
	return p
}

func (p *pieces) add(name string, secret []byte, standIn string) {
	for at := range len(secret) - pieceSize + 1 {
		piece := secret[at : at+pieceSize]
		if !strings.Contains(standIn, string(piece)) {
			p.tokens[string(piece)] = name
			p.begins[hash(piece)] = true
		}
	}
}

func hash(b []byte) uint32 {
	word := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
	return word * 0x9E3779B1 >> 14
}

// in returns the names of the tokens of which a part is in data, sorted.
func (p *pieces) in(data []byte) (names []string) {
	for at := 0; at+pieceSize <= len(data); at++ {
		if !p.begins[hash(data[at:])] {
			continue
		}
		if name, ok := p.tokens[string(data[at:at+pieceSize])]; ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// inspect looks for parts of tokens in all that a process has: its memory,
// environment, command line and open files, and in folders. It returns where
// which are.
func (p *pieces) inspect(t *testing.T, pid int, folders ...string) (found map[string][]string) {
	t.Helper()
	found = map[string][]string{}
	look := func(where string, data []byte) {
		if names := p.in(data); len(names) > 0 {
			all := append(found[where], names...)
			slices.Sort(all)
			found[where] = slices.Compact(all)
		}
	}
	for _, name := range []string{"environ", "cmdline"} {
		look(name, []byte(readFile(t, fmt.Sprintf("/proc/%d/%s", pid, name))))
	}
	size := eachPieceOfMemory(t, pid, func(data []byte) { look("memory", data) })
	if size < 1<<20 {
		t.Errorf("only %d bytes of memory could be read", size)
	}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	if err != nil || len(fds) < 3 {
		t.Fatalf("open files %q, %v", fds, err)
	}
	for _, fd := range fds {
		target, _ := os.Readlink(fd)
		look("fd", []byte(target))
		if info, err := os.Stat(fd); err == nil && info.Mode().IsRegular() && strings.HasPrefix(target, "/") {
			look("fd", []byte(readFile(t, fd)))
		}
	}
	for _, folder := range folders {
		eachFile(t, folder, func(path string, data []byte) { look(filepath.Base(path), append(data, path...)) })
	}
	return found
}

// eachPieceOfMemory hands a process's memory to look, in overlapping pieces, and
// returns how much it was.
func eachPieceOfMemory(t *testing.T, pid int, look func([]byte)) (size int64) {
	t.Helper()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	buffer := make([]byte, 1<<20)
	for line := range strings.Lines(readFile(t, fmt.Sprintf("/proc/%d/maps", pid))) {
		fields := strings.Fields(line)
		from, to, _ := strings.Cut(fields[0], "-")
		at, err1 := strconv.ParseInt(from, 16, 64)
		end, err2 := strconv.ParseInt(to, 16, 64)
		if err1 != nil || err2 != nil || !strings.HasPrefix(fields[1], "r") || strings.Contains(line, "[v") { // the kernel's own pages
			continue
		}
		for at < end {
			n, err := memory.ReadAt(buffer[:min(int64(len(buffer)), end-at)], at)
			if err != nil && !errors.Is(err, io.EOF) {
				t.Errorf("reading %s: %v", strings.TrimSpace(line), err)
				break
			}
			look(buffer[:n])
			size += int64(n)
			at += int64(n)
			if at < end {
				at -= pieceSize
			}
		}
	}
	return size
}

func eachFile(t *testing.T, folder string, look func(path string, data []byte)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		look(path, data)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// inspected are the commands that are looked at, each with what the upstream does
// to its answers.
var inspected = []struct {
	name string
	odd  []sandbox.Oddity
	args []string
}{
	{"a deploy", nil, []string{"-v", "workflow", "deploy"}},
	{"echo", []sandbox.Oddity{sandbox.Echo}, []string{"-v", "workflow", "list"}},
	{"echo, one by one", []sandbox.Oddity{sandbox.Echo}, []string{"sandbox", "request"}},
	{"echo, gzip, drip", []sandbox.Oddity{sandbox.Echo, sandbox.Gzip, sandbox.Drip}, []string{"sandbox", "request"}},
	{"echo of a rejection", []sandbox.Oddity{sandbox.Echo, sandbox.Reject}, []string{"sandbox", "request"}},
}

// TestTheOfficialCLIHasNoByteOfAToken looks into the official CLI while it waits
// with all that it got: its memory, environment, command line and open files, all
// that it and we wrote, and what it said. No 16 bytes in a row of the access token,
// the ID token or the refresh token are there, also when the platform quotes the
// request's headers in an answer's headers, body and trailers, and before it.
func TestTheOfficialCLIHasNoByteOfAToken(t *testing.T) {
	t.Parallel()
	m := withOfficial(t, withAccess)
	s := m.logIn()
	secrets := piecesOf(s, m.standIn())
	if names := fmt.Sprint(secrets.in([]byte(s.Access + s.ID + s.Refresh))); names != "[ID token access token refresh token]" {
		t.Fatalf("only %s would be noticed", names)
	}
	for _, c := range inspected {
		m.Run(c.name, func(t *testing.T) {
			m := m.in(t)
			var odd []sandbox.Odd
			for _, o := range c.odd {
				odd = append(odd, sandbox.Odd{Oddity: o})
			}
			m.platform.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: odd}})
			before := m.platform.Requests(sandbox.GraphQL)
			p := m.pause(c.args...)
			if found := secrets.inspect(t, p.pid, m.home); len(found) > 0 {
				t.Errorf("found %v", found)
			}
			if url := p.address(t); !strings.HasPrefix(url, "http://127.0.0.1:") || strings.HasPrefix(url, m.platform.URL) {
				t.Errorf("it talks to %s", url)
			}
			p.release()
			o := p.wait()
			if found := secrets.in([]byte(o.stdout + o.stderr)); o.status != 0 || len(found) > 0 {
				t.Errorf("found %q in what it said: %v", found, o)
			}
			if m.platform.Requests(sandbox.GraphQL) == before {
				t.Error("it asked nothing")
			}
			if c.args[0] == "sandbox" && strings.Count(o.stdout, m.standIn()) < 2 { // in a header and in the body
				t.Errorf("nothing was quoted: %v", o)
			}
			if c.args[0] == "-v" && !strings.Contains(o.stderr, "JWT claims") {
				t.Errorf("it said little: %v", o)
			}
			if strings.Contains(o.stdout, "1xx") || strings.Contains(o.stdout, "trailer ") {
				t.Errorf("what came before or after the answer got through: %v", o)
			}
		})
	}
	if m.mustGet() != s.Access {
		t.Error("the session was renewed: what was looked for wasn't what was sent")
	}
	m.platform.SetFaults(sandbox.Faults{})
}

// TestTheInspectionFindsTokens looks in the same way into the official CLI that
// runs on its own, with the tokens in cre.yaml.
func TestTheInspectionFindsTokens(t *testing.T) {
	t.Parallel()
	m := newMachine(t, fileMode, withAccess)
	s := m.newSession()
	if err := m.makeFolder(); err != nil {
		t.Fatal(err)
	}
	m.officialLogin(s)
	link := m.officialCLI()
	m.bin = filepath.Dir(link)
	file := filepath.Join(t.TempDir(), "pause")
	cmd := m.command(t.Context(), filepath.Base(link), "workflow", "list")
	cmd.Env = append(cmd.Env, official.VarPause+"="+file)
	wait := m.start(cmd, "")
	m.until("it waits", func() bool { _, err := os.Stat(file); return err == nil })
	all := "[ID token access token refresh token]"
	found := piecesOf(s, "").inspect(t, cmd.Process.Pid, m.home)
	if fmt.Sprint(found["memory"]) != all || fmt.Sprint(found["cre.yaml"]) != all {
		t.Errorf("found %v", found)
	}
	_ = os.Remove(file)
	if o := wait(); o.status != 0 {
		t.Error(o)
	}
}

// TestAPieceOfATokenIsFoundAnywhere: at the edge of what is read at a time, too.
func TestAPieceOfATokenIsFoundAnywhere(t *testing.T) {
	s := provider.Session{Access: "h.cGF5bG9hZC1vZi1hY2Nlc3M.c2lnbmF0dXJlLW9mLWFjY2Vzcw", ID: "h.x.y", Refresh: strings.Repeat("0123456789", 3)}
	p := piecesOf(s, "")
	for text, want := range map[string]string{
		s.Refresh[7:23]: "[refresh token]", s.Refresh[7:22]: "[]", "signature-of-access": "[access token]",
		s.Access[5:21]: "[access token]", s.Access[:4]: "[]",
	} {
		for _, data := range [][]byte{[]byte(text), []byte(text + "x"), append(bytes.Repeat([]byte{0}, 99), text...)} {
			if got := fmt.Sprint(p.in(data)); got != want {
				t.Errorf("in %q: %s, want %s", data, got, want)
			}
		}
	}
	if got := piecesOf(s, s.Refresh[:20]).in([]byte(s.Refresh[:20])); len(got) > 0 {
		t.Errorf("what the stand-in says, too: %q", got)
	}
}

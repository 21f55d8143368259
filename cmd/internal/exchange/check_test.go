package exchange

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/helper"
)

// raw sends text as it is, and returns the answer's status and body.
func (w *world) raw(t *testing.T, text string) (int, string) {
	t.Helper()
	conn, err := net.Dial("tcp", w.door.authority)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body) // who sends too much is hung up on
	for name := range res.Header {
		if strings.HasPrefix(name, "Access-Control-") {
			t.Errorf("%s in %v", name, res.Header)
		}
	}
	return res.StatusCode, string(body)
}

func TestAllButTheOfficialCLIsRequestsIsRefused(t *testing.T) {
	b := &bank{}
	w := begin(t, b, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("upstream was sent %s %v", r.Method, r.Header) })
	path, host, auth := w.door.path, "Host: "+w.door.authority, "Authorization: Bearer "+standIn
	port := w.door.authority[strings.LastIndex(w.door.authority, ":"):]
	lines := func(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }
	for name, test := range map[string]struct {
		request string
		status  int
	}{
		"GET":                      {lines("GET "+path+" HTTP/1.1", host, auth), 405},
		"OPTIONS":                  {lines("OPTIONS "+path+" HTTP/1.1", host, auth, "Access-Control-Request-Method: POST"), 405},
		"OPTIONS *":                {lines("OPTIONS * HTTP/1.1", host, auth), 404},
		"TRACE":                    {lines("TRACE "+path+" HTTP/1.1", host, auth), 405},
		"post in small letters":    {lines("post "+path+" HTTP/1.1", host, auth), 405},
		"CONNECT":                  {lines("CONNECT "+w.door.authority+" HTTP/1.1", host, auth), 405},
		"CONNECT elsewhere":        {lines("CONNECT api.example:443 HTTP/1.1", host, auth), 403},
		"another path":             {lines("POST / HTTP/1.1", host, auth), 404},
		"a longer path":            {lines("POST "+path+"/ HTTP/1.1", host, auth), 404},
		"a path with dots":         {lines("POST /x/.."+path+" HTTP/1.1", host, auth), 404},
		"an encoded path":          {lines("POST /%73"+path[2:]+" HTTP/1.1", host, auth), 404},
		"a query":                  {lines("POST "+path+"?x=1 HTTP/1.1", host, auth), 404},
		"the path without the end": {lines("POST "+path[:len(path)-1]+" HTTP/1.1", host, auth), 404},
		"an absolute target":       {lines("POST http://"+w.door.authority+path+" HTTP/1.1", host, auth), 404},
		"another host":             {lines("POST "+path+" HTTP/1.1", "Host: attacker.example"+port, auth), 403},
		"localhost":                {lines("POST "+path+" HTTP/1.1", "Host: localhost"+port, auth), 403},
		"no port":                  {lines("POST "+path+" HTTP/1.1", "Host: 127.0.0.1", auth), 403},
		"no host":                  {lines("POST "+path+" HTTP/1.0", auth), 403},
		"two hosts":                {lines("POST "+path+" HTTP/1.1", host, "Host: x", auth), 400},
		"a page's request":         {lines("POST "+path+" HTTP/1.1", host, auth, "Origin: https://attacker.example"), 403},
		"a page without an origin": {lines("POST "+path+" HTTP/1.1", host, auth, "Origin: null"), 403},
		"its own origin":           {lines("POST "+path+" HTTP/1.1", host, auth, "Origin: http://"+w.door.authority), 403},
		"an empty origin":          {lines("POST "+path+" HTTP/1.1", host, auth, "Origin:"), 403},
		"an upgrade":               {lines("POST "+path+" HTTP/1.1", host, auth, "Connection: Upgrade", "Upgrade: websocket"), 403},
		"HTTP/2 in the clear":      {lines("POST "+path+" HTTP/1.1", host, auth, "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAAP__"), 403},
		"no authorization":         {lines("POST "+path+" HTTP/1.1", host), 403},
		"an empty one":             {lines("POST "+path+" HTTP/1.1", host, "Authorization: "), 403},
		"an empty token":           {lines("POST "+path+" HTTP/1.1", host, "Authorization: Bearer "), 403},
		"another scheme":           {lines("POST "+path+" HTTP/1.1", host, "Authorization: Apikey "+standIn), 403},
		"another token":            {lines("POST "+path+" HTTP/1.1", host, "Authorization: Bearer x"), 403},
		"a longer token":           {lines("POST "+path+" HTTP/1.1", host, auth+"x"), 403},
		"two of them":              {lines("POST "+path+" HTTP/1.1", host, auth, auth), 403},
		"the real token":           {lines("POST "+path+" HTTP/1.1", host, "Authorization: Bearer "+b.token(0).Reveal()), 403},
		"another environment's":    {lines("POST "+path+" HTTP/1.1", host, "Authorization: Bearer "+foreign), 200},
		"headers without measure":  {lines("POST "+path+" HTTP/1.1", host, "X: "+strings.Repeat("x", maxHeader+8<<10)), 431},
		"a space before the colon": {lines("POST "+path+" HTTP/1.1", host, auth, "Origin : x"), 400},
		"not HTTP":                 {lines("\x16\x03\x01\x02\x00"), 400},
	} {
		t.Run(name, func(t *testing.T) {
			status, body := w.raw(t, test.request)
			if status != test.status {
				t.Errorf("status %d, want %d: %s", status, test.status, body)
			}
			if strings.Contains(body, standIn) || status < 400 && !strings.Contains(body, `"errors"`) {
				t.Errorf("body %s", body)
			}
		})
	}
}

func TestAnotherEnvironmentsStandInIsToldToRunAgain(t *testing.T) {
	w := begin(t, &bank{}, func(http.ResponseWriter, *http.Request) { t.Error("it went on") })
	r := w.request(t, nil)
	r.Header.Set("Authorization", "Bearer "+foreign)
	const want = `{"errors":[{"message":"another environment's command started at the same moment: run it again"}]}`
	if _, all := w.do(t, r); !strings.HasSuffix(all, "\n"+want) {
		t.Errorf("got %s", all)
	}
}

func TestTheStandInMayFollowARenewal(t *testing.T) {
	w := begin(t, &bank{}, says(200, `{"data":{}}`))
	with := func(token string) int {
		r := w.request(t, nil)
		r.Header.Set("Authorization", "Bearer "+token)
		status, _ := w.do(t, r)
		return status
	}
	for _, step := range []struct {
		inFile, sent string
		status       int
	}{
		{standIn, "later", 403},
		{"later", "later", 200},
		{"later", standIn, 200}, // of a request that was under way
		{"latest", "latest", 200},
		{"latest", "later", 403},
		{"latest", "latest", 200},
		{"", "latest", 200},
		{"", "later", 403},
		{"", standIn, 200},
	} {
		w.setFile(step.inFile)
		if status := with(step.sent); status != step.status {
			t.Errorf("%q in the file, %q sent: status %d", step.inFile, step.sent, status)
		}
	}
}

func TestAFileThatCannotBeReadAgainIsSaid(t *testing.T) {
	broken := errors.New("cre.yaml is damaged")
	s := standIns{read: func() (helper.Secret, error) { return helper.Secret{}, broken }, first: helper.NewSecret("a"), latest: helper.NewSecret("a")}
	if good, err := s.accept(helper.NewSecret("b")); good || !errors.Is(err, broken) {
		t.Errorf("got %v, %v", good, err)
	}
	if good, err := s.accept(helper.NewSecret("a")); !good || err != nil {
		t.Errorf("got %v, %v", good, err)
	}
}

func TestSlowHeadersAreHungUpOn(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for limits of many seconds")
	}
	t.Parallel() // it waits
	w := begin(t, &bank{}, says(200, ""))
	begun := time.Now()
	conn, err := net.Dial("tcp", w.door.authority)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST "+w.door.path+" HTTP/1.1\r\nHost: "); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, conn)
	if took := time.Since(begun); took > headerTimeout+30*time.Second || took < headerTimeout {
		t.Errorf("it took %v", took)
	}
}

// FuzzRequest sends requests of any kind to the check. What it lets pass must
// hold everything that it has to, by a look at the bytes themselves.
func FuzzRequest(f *testing.F) {
	d := door{authority: "127.0.0.1:4711", path: "/session-from-the-keychain/0123456789abcdef0123456789abcdef", authType: helper.AuthBearer}
	good := "POST " + d.path + " HTTP/1.1\r\nHost: " + d.authority + "\r\nAuthorization: Bearer " + standIn + "\r\nContent-Length: 2\r\n\r\n{}"
	f.Add(good)
	for _, change := range [][2]string{
		{"POST", "GET"}, {"POST", "CONNECT"}, {d.path, "http://" + d.authority + d.path}, {d.path, d.path + "?"}, {d.path, "/" + d.path}, {d.path, d.path + "#"},
		{"Host: ", "Host: x"}, {"Host: ", "Host: x\r\nHost: "}, {"\r\n\r\n", "\r\nOrigin: null\r\n\r\n"}, {"\r\n\r\n", "\r\noRIGIN :x\r\n\r\n"},
		{"Bearer", "bearer"}, {"Bearer ", "Bearer  "}, {"Bearer ", ""}, {"\r\nAuth", "\r\n Auth"}, {"\r\n\r\n", "\r\nUpgrade: h2c\r\n\r\n"}, {"\r\n", "\n"}, {"1.1", "1.0"}, {"1.1", "0.0"},
	} {
		f.Add(strings.Replace(good, change[0], change[1], 1))
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return
		}
		if r.ProtoMajor != 1 {
			return // the server itself refuses it, as it does what follows
		}
		for name := range r.Header {
			if strings.ContainsAny(name, " \t") {
				return
			}
		}
		bearer, refused := d.check(r)
		if refused != 0 {
			if bearer.IsSet() || refused < 400 || refused > 405 {
				t.Errorf("refused with %d, and a token: %v", refused, bearer.IsSet())
			}
			return
		}
		head, _, _ := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n")
		first, rest, _ := strings.Cut(strings.TrimLeft(head, "\n"), "\n")
		if !strings.HasPrefix(first, "POST "+d.path+" HTTP/1.") || bearer.Reveal() == "" {
			t.Errorf("passed: %q", first)
		}
		count := map[string]int{}
		for line := range strings.SplitSeq(rest, "\n") {
			name, _, _ := strings.Cut(line, ":")
			count[strings.ToLower(strings.TrimSpace(name))]++
		}
		if count["host"] != 1 || count["authorization"] != 1 || count["origin"] != 0 || count["upgrade"] != 0 || !strings.Contains(rest, d.authority) {
			t.Errorf("passed: %s", fmt.Sprintf("%q", head))
		}
	})
}

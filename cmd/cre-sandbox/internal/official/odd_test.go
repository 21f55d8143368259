package official_test

import (
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/cre-sandbox/internal/sandbox"
)

// request runs cre sandbox request.
func (d *desk) request(args ...string) outcome {
	d.Helper()
	return d.run(append([]string{"sandbox", "request"}, args...)...)
}

func TestARequestShowsAllThatCame(t *testing.T) {
	d := newDesk(t, sandbox.Options{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: {{Oddity: sandbox.Echo}}}})
	s := d.logIn()
	o := d.request("--header", "X-Mine: yes")
	for _, want := range []string{
		"1xx 103\n", "1xx X-Early-Authorization: Bearer " + s.Access, "\n200\n", "X-Echo-Authorization: Bearer " + s.Access,
		`"workflows":[]`, `"X-Mine":["yes"]`, "trailer X-Late-Authorization: Bearer " + s.Access,
	} {
		if !o.has(want) {
			t.Errorf("no %q in %s", want, o.stdout)
		}
	}
	if d.asked("getCreOrganizationInfo") != 0 || d.asked("reportUserEvent") != 0 {
		t.Errorf("more was asked: %+v", d.platform.Stats().GraphQL)
	}
}

func TestRequestsThatNobodyExpects(t *testing.T) {
	d := newDesk(t, sandbox.Options{})
	d.logIn()
	for line, want := range map[string]string{
		"--token none":                         "401\n",
		"--token other":                        "401\n",
		"--method GET":                         "404\n",
		"--path /stats --method GET":           "200\n",
		"--url " + d.platform.URL + "/nowhere": "404\n",
		"--upload 3MB":                         "200\n",
		"--upload 3MB --chunked":               "200\n",
		"--header nothing":                     "is not NAME: VALUE",
		"--times 30 --parallel 5":              "200: 30\n",
	} {
		if o := d.request(strings.Fields(line)...); !o.has(want) {
			t.Errorf("%s: %+v", line, o)
		}
	}
	d.self = []string{d.installed()}
	if o := d.request("--descendant"); o.status != 0 || !o.has("200\n") {
		t.Errorf("as a descendant: %+v", o)
	}
	defer d.platform.Hold(sandbox.GraphQL)()
	began := time.Now()
	if o := d.request("--break-off", "50ms"); o.status != 1 || !o.has("broken off") || time.Since(began) > 10*time.Second {
		t.Errorf("broken off after %v: %+v", time.Since(began), o)
	}
}

func TestWhatIsShownOfAnswersThatNobodyExpects(t *testing.T) {
	for odd, want := range map[sandbox.Oddity]string{
		sandbox.Gzip:     "",
		sandbox.Drip:     "",
		sandbox.Echo:     "",
		sandbox.HTML:     "decoding response",
		sandbox.Switch:   "status code: 101",
		sandbox.Redirect: "this is elsewhere",
		sandbox.Reject:   "cre api error: unauthorized",
	} {
		d := newDesk(t, sandbox.Options{})
		d.logIn()
		d.platform.SetFaults(sandbox.Faults{Odd: map[sandbox.Endpoint][]sandbox.Odd{sandbox.GraphQL: {{Oddity: odd, Times: 1}}}})
		if o := d.run("workflow", "list"); (o.status == 0) != (want == "") || !o.has(want) {
			t.Errorf("%s: %+v", odd, o)
		}
		if o := d.run("workflow", "list"); o.status != 0 && odd != sandbox.Reject {
			t.Errorf("after %s: %+v", odd, o)
		}
	}
	d := newDesk(t, sandbox.Options{Failures: map[sandbox.Endpoint]sandbox.Failure{sandbox.GraphQL: {Status: 502}}})
	d.logIn()
	if o := d.run("workflow", "list"); !o.has("cre api error: ordered failure") {
		t.Errorf("%+v", o)
	}
}

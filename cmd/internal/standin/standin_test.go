package standin

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/claims"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/fallback/plain"
	"cre-credential-helper/helper"
)

const status = "https://api.cre.chain.link/organization_status"

var production, staging = platform.Known()[0], platform.Known()[1]

// token is an access token with the claims of payload.
func token(payload string) helper.Secret {
	encode := base64.RawURLEncoding.EncodeToString
	return helper.NewSecret(encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + "." + encode([]byte("signature")))
}

// usual is what a provider issues, with much that is personal.
func usual() helper.Secret {
	return token(`{"aud":["https://api.cre.chain.link/"],"iss":"https://login.chain.link/","sub":"auth0|1","email":"email@domain.com",
		"exp":1800000000,"org_id":"org_1","` + status + `":"FULL_ACCESS"}`)
}

func part(t *testing.T, standIn helper.Secret, n int) string {
	t.Helper()
	parts := strings.Split(standIn.Reveal(), ".")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	return parts[n]
}

func TestAStandInSaysWhatTheOfficialCLIAsksAndNothingElse(t *testing.T) {
	standIn := New(production, usual())
	header, err := base64.RawURLEncoding.DecodeString(part(t, standIn, 0))
	if want := `{"alg":"none","typ":"cre-credential-helper stand-in"}`; err != nil || string(header) != want {
		t.Errorf("header %s, %v, want %s", header, err, want)
	}
	text, err := base64.RawURLEncoding.DecodeString(part(t, standIn, 1))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"environment":"PRODUCTION","exp":4102444800,"` + status + `":"FULL_ACCESS","iss":"cre-credential-helper","org_id":"org_1","origin":"https://api.cre.chain.link"}`
	if string(text) != want {
		t.Errorf("payload\n%s\nwant\n%s", text, want)
	}
	if random, err := base64.RawURLEncoding.DecodeString(part(t, standIn, 2)); err != nil || len(random) != 32 {
		t.Errorf("%d random bytes, %v", len(random), err)
	}
	if other := New(production, usual()); other.Equal(standIn) || part(t, other, 1) != part(t, standIn, 1) {
		t.Error("two stand-ins differ in something else than their random parts")
	}
}

// TestAStandInIsNoEnvironmentsToken holds that what reads a token's own claims
// finds neither an audience nor an issuer that anything is sent to.
func TestAStandInIsNoEnvironmentsToken(t *testing.T) {
	said, err := claims.Parse(New(production, usual()))
	if err != nil || !said.DeployAccess || said.OrgID != "org_1" || said.Expiry.Before(time.Now().AddDate(10, 0, 0)) {
		t.Errorf("%+v, %v", said, err)
	}
	for _, env := range platform.Known() {
		if _, ok := platform.ForToken(said.Audience, said.Issuer, env); ok {
			t.Errorf("it is a token of %s", env.Name)
		}
	}
}

func TestRead(t *testing.T) {
	for name, access := range map[string]helper.Secret{"usual": usual(), "opaque": helper.NewSecret("opaque"), "none": {}} {
		got, ok := Read(New(staging, access))
		if !ok || !got.IsFor(staging) || got.IsFor(production) || !maps.Equal(got.Organization, claims.Organization(access)) {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
	encode := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	good := `{"iss":"cre-credential-helper","environment":"E","origin":"https://a.example"}`
	random := encode(strings.Repeat("r", 32))
	if _, ok := Read(helper.NewSecret(plain.StandInPrefix + encode(good) + "." + random)); !ok {
		t.Fatal("not even a good one is read")
	}
	for name, text := range map[string]string{
		"nothing":         "",
		"a token":         usual().Reveal(),
		"a prefix":        plain.StandInPrefix,
		"two parts":       plain.StandInPrefix + encode(good),
		"four parts":      plain.StandInPrefix + encode(good) + "." + random + "." + random,
		"no random part":  plain.StandInPrefix + encode(good) + ".",
		"few random bits": plain.StandInPrefix + encode(good) + "." + encode("random"),
		"another issuer":  plain.StandInPrefix + encode(`{"iss":"x","environment":"E","origin":"https://a.example"}`) + "." + random,
		"no environment":  plain.StandInPrefix + encode(`{"iss":"cre-credential-helper","origin":"https://a.example"}`) + "." + random,
		"no origin":       plain.StandInPrefix + encode(`{"iss":"cre-credential-helper","environment":"E"}`) + "." + random,
		"no JSON":         plain.StandInPrefix + encode(good+"}") + "." + random,
		"no base64":       plain.StandInPrefix + "!." + random,
	} {
		if got, ok := Read(helper.NewSecret(text)); ok {
			t.Errorf("%s is read as %+v", name, got)
		}
	}
}

func TestFollow(t *testing.T) {
	old := New(production, usual())
	renewed := token(`{"exp":1900000000,"jti":"other","org_id":"org_1","` + status + `":"FULL_ACCESS"}`)
	if got := Follow(old, production, renewed); !got.Equal(old) {
		t.Error("a renewal that changes no claim changes the stand-in")
	}
	got := Follow(old, production, token(`{"org_id":"org_1","`+status+`":"GATED"}`))
	if said, _ := Read(got); said.Organization[status] != "GATED" || part(t, got, 2) != part(t, old, 2) {
		t.Errorf("it says %+v, and its random part is the same: %v", said, part(t, got, 2) == part(t, old, 2))
	}
	if said, _ := Read(Follow(old, production, helper.NewSecret("opaque"))); len(said.Organization) > 0 {
		t.Errorf("beside an opaque token it says %+v", said)
	}
	elsewhere := production
	elsewhere.GraphQLURL = "https://other.example/graphql"
	for name, env := range map[string]platform.Environment{"another environment": staging, "the same name at another origin": elsewhere} {
		got := Follow(old, env, usual())
		if said, ok := Read(got); !ok || !said.IsFor(env) || part(t, got, 2) == part(t, old, 2) {
			t.Errorf("%s: it says %+v, %v", name, said, ok)
		}
	}
	for name, text := range map[string]string{
		"none": "", "damaged": old.Reveal() + "x", "without its random part": strings.TrimSuffix(old.Reveal(), part(t, old, 2)), "a token": usual().Reveal(),
	} {
		if got := Follow(helper.NewSecret(text), production, usual()); part(t, got, 1) != part(t, old, 1) || len(part(t, got, 2)) != 43 {
			t.Errorf("%s: %s", name, got.Reveal())
		}
	}
}

// TestAStandInIsFitForAHeader has a provider put much into its claims.
func TestAStandInIsFitForAHeader(t *testing.T) {
	long := strings.Repeat("<", 2000)
	payload, err := json.Marshal(map[string]string{"org_id": long, long + status: "x", "x" + status: "a\xff\n\u2028"})
	if err != nil {
		t.Fatal(err)
	}
	standIn := New(production, token(string(payload)))
	said, ok := Read(standIn)
	if len(standIn.Reveal()) > 1000 || !ok || len(said.Organization) != 1 || strings.ContainsAny(standIn.Reveal(), "\n= ") {
		t.Errorf("%d bytes, %v, %q", len(standIn.Reveal()), ok, said.Organization)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(New(production, usual()).Reveal(), "")
	f.Add(New(staging, helper.Secret{}).Reveal(), usual().Reveal())
	f.Add(plain.StandInPrefix+"e30.e30", "x.eyJvcmdfaWQiOiI8In0.x")
	f.Fuzz(func(t *testing.T, old, access string) {
		said, ok := Read(helper.NewSecret(old))
		if ok && (!plain.IsStandIn(helper.NewSecret(old)) || said.Origin.Host == "") {
			t.Fatalf("read as %+v", said)
		}
		fresh := Follow(helper.NewSecret(old), production, helper.NewSecret(access))
		if said, ok := Read(fresh); !ok || !said.IsFor(production) {
			t.Fatalf("followed as %+v, %v", said, ok)
		}
		if again := Follow(fresh, production, helper.NewSecret(access)); !again.Equal(fresh) {
			t.Fatal("it doesn't come to rest")
		}
	})
}

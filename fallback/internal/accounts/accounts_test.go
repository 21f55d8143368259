package accounts

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann,,,:/home/ann:/bin/sh\nbob:x:1001:1001::/home/bob:/bin/sh\n"
	group  = "root:x:0:\nann:x:1000:\nbob:x:1001:\nstaff:x:50:ann,bob\n"
)

func files(t *testing.T, passwd, group string) Files {
	t.Helper()
	f := Files{filepath.Join(t.TempDir(), "passwd"), filepath.Join(t.TempDir(), "group")}
	for path, text := range map[string]string{f.Passwd: passwd, f.Group: group} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

// TestAPrivateGroup is about whom a group's rights are for. What can't be told
// is no.
func TestAPrivateGroup(t *testing.T) {
	swap := func(in, old, with string) string {
		t.Helper()
		if !strings.Contains(in, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(in, old, with, 1)
	}
	for name, c := range map[string]struct {
		passwd, group string
		want          bool
	}{
		"the user's own":                     {passwd, group, true},
		"the user is listed":                 {passwd, swap(group, "ann:x:1000:", "ann:x:1000:ann"), true},
		"a comment and an empty line":        {"# users\n\n" + passwd, group, true},
		"another name of the same user":      {passwd + "anna:x:1000:50::/home/ann:/bin/sh\n", group, true},
		"it has a member":                    {passwd, swap(group, "ann:x:1000:", "ann:x:1000:bob"), false},
		"it has a member besides":            {passwd, swap(group, "ann:x:1000:", "ann:x:1000:ann,bob"), false},
		"it is another's primary one":        {swap(passwd, "1001:1001", "1001:1000"), group, false},
		"it is not the primary one":          {swap(passwd, "1000:1000", "1000:50"), group, false},
		"it has another name":                {passwd, swap(group, "ann:x:1000:", "users:x:1000:"), false},
		"it has a second name and a member":  {passwd, group + "friends:x:1000:bob\n", false},
		"its name is another group's, too":   {passwd, group + "ann:x:1002:bob\n", false},
		"it has a password":                  {passwd, swap(group, "ann:x:1000:", "ann:$6$a$b:1000:"), false},
		"it has an empty password":           {passwd, swap(group, "ann:x:1000:", "ann::1000:"), false},
		"the user is not listed":             {swap(passwd, "ann:x:1000", "ann:x:1002"), group, false},
		"it is not listed":                   {passwd, swap(group, "ann:x:1000:", "ann:x:1003:"), false},
		"users of a directory service":       {passwd + "+::::::\n", group, false},
		"groups of a directory service":      {passwd, group + "+:::\n", false},
		"users that can't be read as such":   {passwd + "eve:x:one:1000::/:/bin/sh\n", group, false},
		"groups that can't be read as such":  {passwd, group + "eve\n", false},
		"a group's number out of its bounds": {passwd, group + "eve:x:4294968296:bob\n", false},
		"nothing":                            {"", "", false},
		"no end":                             {passwd + strings.Repeat("#\n", maxSize), group, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := files(t, c.passwd, c.group).IsPrivate(1000, 1000); got != c.want {
				t.Errorf("%t", got)
			}
		})
	}
	if (Files{"/nowhere/passwd", "/nowhere/group"}).IsPrivate(1000, 1000) {
		t.Error("true without any list")
	}
}

func TestHome(t *testing.T) {
	f := files(t, passwd+"eve:x:1002:1002::relative:/bin/sh\n+::::::\n", group)
	if home, err := f.Home(1001); home != "/home/bob" || err != nil {
		t.Errorf("%q, %v", home, err)
	}
	for _, uid := range []uint32{1002, 1003} {
		if home, err := f.Home(uid); home != "" || err == nil {
			t.Errorf("%d: %q, %v", uid, home, err)
		}
	}
}

package browser

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

func with(goos string, variables ...string) Surroundings {
	return Surroundings{OS: goos, Getenv: func(name string) string {
		for _, v := range variables {
			if value, ok := strings.CutPrefix(v, name+"="); ok {
				return value
			}
		}
		return ""
	}}
}

func TestWhereABrowserCanBeOpened(t *testing.T) {
	const ssh, tty = "SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22", "SSH_TTY=/dev/pts/0"
	for _, tt := range []struct {
		name   string
		s      Surroundings
		canBe  bool
		remote bool
	}{
		{"a desktop", with("linux", "DISPLAY=:0"), true, false},
		{"a desktop with Wayland", with("freebsd", "WAYLAND_DISPLAY=wayland-0"), true, false},
		{"no display", with("linux"), false, false},
		{"Windows", with("windows"), true, false},
		{"macOS", with("darwin"), true, false},
		{"over SSH", with("linux", ssh), false, true},
		{"over SSH, with the display forwarded", with("linux", ssh, "DISPLAY=localhost:10.0"), false, true},
		{"over SSH, after su", with("linux", tty, "DISPLAY=:0"), false, true},
		{"over SSH on macOS", with("darwin", ssh), false, true},
		{"over SSH on Windows", with("windows", ssh), false, true},
		{"over SSH in an editor", with("linux", ssh, "BROWSER=/opt/editor/browser.sh"), true, true},
		{"no display, and a browser", with("linux", "BROWSER=w3m"), true, false},
		{"an empty name", with("linux", "BROWSER= "), false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.s.CanOpen(); got != tt.canBe {
				t.Errorf("CanOpen: %v", got)
			}
			if got := tt.s.IsRemote(); got != tt.remote {
				t.Errorf("IsRemote: %v", got)
			}
		})
	}
}

const target = "http://localhost/?a='b'&c=%20"

func TestWhatBROWSERMeans(t *testing.T) {
	program := filepath.Join(t.TempDir(), "a browser: mine.exe")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		goos, value string
		want        [][]string
	}{
		{"linux", program, [][]string{{program, target}}},
		{"linux", "no-such-browser", [][]string{{"no-such-browser", target}}},
		{"linux", "no-such-browser --new-window", [][]string{{"no-such-browser", "--new-window", target}}},
		{"linux", "no-such-browser --url=%s --quiet", [][]string{{"no-such-browser", "--url=" + target, "--quiet"}}},
		{"linux", `"/no/such dir/x" 'one word' two\ words`, [][]string{{"/no/such dir/x", "one word", "two words", target}}},
		{"linux", "first-of-them -x:second-of-them %s::", [][]string{{"first-of-them", "-x", target}, {"second-of-them", target}}},
		{"linux", "it's %s", [][]string{{"it's", target}}},
		{"windows", `C:\Tools\no-such.exe -new; D:\x.exe`, [][]string{{`C:\Tools\no-such.exe`, "-new", target}, {`D:\x.exe`, target}}},
		{"windows", `"C:\no such\x.exe" %s`, [][]string{{`C:\no such\x.exe`, target}}},
	} {
		if got := with(tt.goos).commands(tt.value, target); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.value, got, tt.want)
		}
	}
}

func TestTheFirstBrowserThatWorksIsOpened(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	folder := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	seen := filepath.Join(folder, "seen")
	fails, works, unused := script("fails", "exit 3"), script("works", `echo "$@" >>`+seen), script("unused", "echo unused >>"+seen)
	s := with("linux", "BROWSER=/no/such:"+fails+":"+works+" --to %s:"+unused)
	if err := s.Open(target); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(seen); string(got) != "--to "+target+"\n" {
		t.Errorf("opened %q", got)
	}
	err := with("linux", "BROWSER=/no/such:"+fails).Open(target)
	if err == nil || !strings.Contains(err.Error(), "/no/such") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("error %v", err)
	}
}

func FuzzBROWSER(f *testing.F) {
	f.Add("firefox %s:\"a b\" 'c")
	f.Fuzz(func(t *testing.T, value string) {
		before := time.Now()
		for _, command := range with("linux").commands(value, target) {
			if len(command) < 2 || !strings.Contains(strings.Join(command[1:], " "), target) {
				t.Errorf("%q: %q", value, command)
			}
		}
		if time.Since(before) > 5*time.Second {
			t.Errorf("%q takes long", value)
		}
	})
}

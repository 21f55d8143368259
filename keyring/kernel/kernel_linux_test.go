package kernel_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"cre-credential-helper/helper"
	"cre-credential-helper/helper/helpertest"
	"cre-credential-helper/keyring"
	"cre-credential-helper/keyring/kernel"
	"cre-credential-helper/keyring/keyringtest"
	"cre-credential-helper/keyring/lookup"
)

const service = "cre-kernel-test"

type locked struct {
	kernel.Keys
	keyring.Locker
}

// roleVariable has this test's program do something in another process, as another
// user or in another namespace: what stands there, and say what came of it.
const roleVariable = "CRE_TEST_KERNEL_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	var err error
	switch op, rest, _ := strings.Cut(role, " "); op {
	case "get":
		var value string
		if value, err = (kernel.Keys{}).Get(service, rest); err == nil {
			os.Stdout.WriteString(value)
		}
	case "forbidden":
		number, _ := strconv.Atoi(rest)
		if err = forbid(unix.Errno(number)); err == nil {
			_, err = (kernel.Keys{}).Get(service, "a")
		}
	case "set":
		name, size, _ := strings.Cut(rest, " ")
		err = kernel.Keys{}.Set(service, name, strings.Repeat("x", map[string]int{"fits": 9000, "big": 25000}[size]))
	}
	if err != nil {
		os.Stdout.WriteString("error: " + err.Error())
	}
}

// elsewhere runs role in a process with other attributes.
func elsewhere(t *testing.T, role string, attr *syscall.SysProcAttr) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if attr != nil && attr.Credential != nil { // who may not look into our folders
		dir, err := os.MkdirTemp("", "cre-kernel-test")
		if err == nil {
			err = os.Chmod(dir, 0o711) //nolint:gosec // another user runs what is in it
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
		copied := filepath.Join(dir, "test")
		data, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied, data, 0o755); err != nil { //nolint:gosec // it is run by another user
			t.Fatal(err)
		}
		self = copied
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env, cmd.SysProcAttr, cmd.Dir = []string{roleVariable + "=" + role}, attr, "/"
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// forbid has the system refuse all calls that have to do with keys, as the filters of
// containers do (seccomp(2)).
func forbid(with unix.Errno) error {
	const nr = 0 // where the call's number is in seccomp_data
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: nr},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: unix.SYS_KEYCTL},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(with)},
	}
	runtime.LockOSThread() // and stays so: the filter is this thread's
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

// TestAContainerThatForbidsItIsNamed: its filter answers EPERM, or ENOSYS.
func TestAContainerThatForbidsItIsNamed(t *testing.T) {
	for _, with := range []unix.Errno{unix.EPERM, unix.ENOSYS} {
		got := elsewhere(t, "forbidden "+strconv.Itoa(int(with)), nil)
		if !strings.Contains(got, with.Error()) || !strings.Contains(got, "container") || !strings.Contains(got, "another store") {
			t.Errorf("%q", got)
		}
	}
}

// TestAUserKeyringDoes where the kernel has no persistent ones.
func TestAUserKeyringDoes(t *testing.T) {
	keyringtest.NeedKernel(t)
	if err := kernel.InUserKeyring(service, "user", "value"); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, accounts ...string) {
	t.Cleanup(func() {
		for _, a := range accounts {
			_ = kernel.Keys{}.Delete(service, a)
		}
	})
}

func TestContract(t *testing.T) {
	keyringtest.NeedKernel(t)
	for name, limit := range map[string]int{"whole": kernel.Limit, "in pieces": 200} {
		t.Run(name, func(t *testing.T) {
			helpertest.TestStore(t, func(t *testing.T) helper.Store {
				s := keyring.New(keyring.Options{
					Service: service + "-" + strings.ToLower(rand.Text()), Limit: limit,
					Backend: &locked{Locker: keyring.FileLock("cre-kernel-test.lock", "the test's keys")},
				})
				t.Cleanup(func() { empty(t, s) })
				return s
			}, helpertest.Options{})
		})
	}
}

func empty(t *testing.T, s *keyring.Store) {
	list, err := s.List(context.Background())
	if err != nil {
		t.Log(err)
	}
	for _, c := range list {
		_ = s.Erase(context.Background(), helper.Query{Origin: c.Origin, Room: c.Room()})
	}
}

func TestAValueIsKeptForOtherProcessesOfTheUser(t *testing.T) {
	keyringtest.NeedKernel(t)
	remove(t, "a")
	k := kernel.Keys{}
	for _, want := range []string{"one", strings.Repeat("two", 9000), "3"} {
		if err := k.Set(service, "a", want); err != nil {
			t.Fatal(err)
		}
		if got := elsewhere(t, "get a", nil); got != want {
			t.Errorf("%.60q", got)
		}
	}
	if err := k.Delete(service, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Get(service, "a"); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if err := k.Delete(service, "a"); !errors.Is(err, helper.ErrNotFound) {
		t.Errorf("delete: %v", err)
	}
}

// TestEveryThreadFindsIt: what one thread has linked, another one hasn't.
func TestEveryThreadFindsIt(t *testing.T) {
	keyringtest.NeedKernel(t)
	remove(t, "threads")
	k := kernel.Keys{}
	if err := k.Set(service, "threads", "value"); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			for range 20 {
				if v, err := k.Get(service, "threads"); err != nil || v != "value" {
					t.Errorf("%q, %v", v, err)
				}
			}
		})
	}
	all.Wait()
}

// TestNobodyElseReadsIt: another user's process, although it has our session keyring;
// one of ours in another user namespace.
func TestNobodyElseReadsIt(t *testing.T) {
	keyringtest.NeedKernel(t)
	remove(t, "secret")
	if err := (kernel.Keys{}).Set(service, "secret", "value"); err != nil {
		t.Fatal(err)
	}
	as := map[string]*syscall.SysProcAttr{
		"another user namespace": {
			Cloneflags:  syscall.CLONE_NEWUSER,
			UidMappings: []syscall.SysProcIDMap{{ContainerID: os.Getuid(), HostID: os.Getuid(), Size: 1}},
		},
	}
	if os.Getuid() == 0 {
		as["another user"] = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4711, Gid: 4711}}
	}
	for name, attr := range as {
		if got := elsewhere(t, "get secret", attr); got != "error: "+helper.ErrNotFound.Error() {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got, err := kernel.Permissions(service, "secret"); err != nil || got != "3f000000" {
		t.Errorf("permissions: %s, %v", got, err)
	}
}

// TestAFullQuotaIsSaid before anything is lost: what was kept stays.
func TestAFullQuotaIsSaid(t *testing.T) {
	keyringtest.NeedKernel(t)
	if os.Getuid() != 0 {
		t.Skip("who isn't root can't be another user")
	}
	other := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 4712, Gid: 4712}}
	if got := elsewhere(t, "set a fits", other); got != "" {
		t.Fatal(got)
	}
	got := elsewhere(t, "set a big", other)
	if !strings.Contains(got, "is full") || !strings.Contains(got, "20000 bytes") || !strings.Contains(got, "another store") {
		t.Errorf("%q", got)
	}
	if got := elsewhere(t, "get a", other); len(got) != 9000 {
		t.Errorf("left: %.60q", got)
	}
}

func TestErrorsAreTheKeychains(t *testing.T) {
	for err, want := range map[error]error{
		syscall.ENOKEY: helper.ErrNotFound, syscall.EKEYREVOKED: helper.ErrNotFound, syscall.EKEYEXPIRED: helper.ErrNotFound,
		syscall.EDQUOT: lookup.ErrRefused, syscall.EPERM: lookup.ErrUnavailable, syscall.ENOSYS: lookup.ErrUnavailable,
	} {
		if got := kernel.Explain(err); !errors.Is(got, want) {
			t.Errorf("%v: %v", err, got)
		}
	}
	if kernel.Explain(nil) != nil {
		t.Error("nothing is an error")
	}
}

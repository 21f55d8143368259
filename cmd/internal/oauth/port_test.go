package oauth

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestABusyPortIsNamedAndNothingIsShown(t *testing.T) {
	for _, host := range []string{"127.0.0.1", "::1"} {
		t.Run(host, func(t *testing.T) {
			listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
			if isMissingFamily(err) {
				t.Skip("no such address on this machine")
			}
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close() // it takes connections and never answers
			port := listener.Addr().(*net.TCPAddr).Port
			login := Login{Provider: newFakeProvider(t).provider(), Port: port, Show: func(string, error) { t.Error("shown") }}
			before := time.Now()
			err = login.Run(context.Background(), nil)
			if want := fmt.Sprintf("port %d is in use by another program: cre doctor port names it", port); err == nil || err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
			if took := time.Since(before); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestASecondLoginNamesTheFirst(t *testing.T) {
	s := start(t, newFakeProvider(t), nil)
	login := Login{Provider: s.provider.provider(), Port: s.port, Show: func(string, error) { t.Error("shown") }}
	err := login.Run(t.Context(), nil)
	var port *PortError
	if !errors.As(err, &port) || port.Holder != os.Getpid() || !strings.Contains(err.Error(), fmt.Sprintf("another cre login (PID %d)", os.Getpid())) {
		t.Errorf("error %v", err)
	}
	s.mustStillRun()
	s.mustSucceed()
}

func TestWhoHasThePortIsNotBelievedEverything(t *testing.T) {
	for _, said := range []string{"", "nginx", "cre-login (PID -1)", "cre-login (PID 0)", "cre-login (PID 1) \x1b[2J", "cre-login (PID 99999999999)"} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			connection, err := listener.Accept()
			if err == nil {
				_, _ = connection.Read(make([]byte, 1<<10))
				fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nServer: %s\r\n\r\n", said)
				connection.Close()
			}
		}()
		if pid := askHolder(t.Context(), listener.Addr().(*net.TCPAddr).Port); pid != 0 {
			t.Errorf("%q: PID %d", said, pid)
		}
		listener.Close()
	}
}

func TestWhyAPortCannotBeListenedOn(t *testing.T) {
	for errno, want := range map[syscall.Errno]string{
		syscall.EADDRINUSE: "in use",
		wsaAddressInUse:    "in use",
		syscall.EACCES:     "permission denied",
		wsaAccess:          "reserved by Windows",
		syscall.EIO:        "can't be listened on",
	} {
		err := &PortError{Port: defaultPort, Err: &net.OpError{Op: "listen", Err: os.NewSyscallError("bind", errno)}}
		if !strings.HasPrefix(err.Error(), "port 53682 ") || !strings.Contains(err.Error(), want) || !errors.Is(err, errno) {
			t.Errorf("%v: %v", errno, err)
		}
	}
	err := &PortError{Port: defaultPort, Err: errors.Join(errOutgoing, syscall.EADDRINUSE)}
	if want := "port 53682 is in use by another program's connection: try again in a minute"; err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

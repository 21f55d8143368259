//go:build unix

package oauth

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"cre-credential-helper/cmd/internal/awake"
	"cre-credential-helper/cmd/internal/web"
	"cre-credential-helper/helper"
)

const (
	childVariable = "OAUTH_TEST_CHILD" // the endpoint that a child refreshes at
	childTimeout  = time.Second
)

func child(endpoint string) {
	ctx, cancel := awake.WithTimeout(context.Background(), childTimeout)
	defer cancel()
	client := Client{HTTP: web.NewClient(childTimeout)} // which would be too short by the clock
	tokens, err := client.Refresh(ctx, endpoint, "client", helper.NewSecret(oldRefresh))
	fmt.Println(tokens.Access.Reveal(), tokens.Refresh.Reveal(), err)
	os.Exit(0)
}

// TestAnAnswerIsNotLostOnAProcessThatIsStopped stops a process as soon as it
// has asked, for longer than it has time.
func TestAnAnswerIsNotLostOnAProcessThatIsStopped(t *testing.T) {
	if endpoint := os.Getenv(childVariable); endpoint != "" {
		child(endpoint)
	}
	for name, late := range map[string]bool{"all of it comes meanwhile": false, "half of it comes afterwards": true} {
		t.Run(name, func(t *testing.T) {
			asked, goesOn := make(chan bool, 1), make(chan bool)
			endpoint := serve(t, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				asked <- true
				time.Sleep(300 * time.Millisecond)
				_, _ = io.WriteString(w, `{"access_token":"a",`)
				if late {
					_ = http.NewResponseController(w).Flush()
					<-goesOn
					time.Sleep(100 * time.Millisecond)
				}
				_, _ = io.WriteString(w, `"refresh_token":"new"}`)
			})
			var output strings.Builder
			command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAnAnswerIsNotLostOnAProcessThatIsStopped$")
			command.Env = append(os.Environ(), childVariable+"="+endpoint)
			command.Stdout, command.Stderr = &output, &output
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			<-asked
			signal(t, command, syscall.SIGSTOP)
			time.Sleep(2 * childTimeout)
			signal(t, command, syscall.SIGCONT)
			close(goesOn)
			if err := command.Wait(); err != nil || output.String() != "a new <nil>\n" {
				t.Errorf("the child said %q (%v)", output.String(), err)
			}
		})
	}
}

func signal(t *testing.T, command *exec.Cmd, s os.Signal) {
	t.Helper()
	if err := command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

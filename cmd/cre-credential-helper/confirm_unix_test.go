//go:build unix

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/helper"
)

func TestOneUseIsConfirmedAtATime(t *testing.T) {
	asked := make(chan struct{}, 1)
	c := confirmation{name: "box", turn: make(chan struct{}, 1), ask: func(context.Context, string) (bool, error) {
		select {
		case asked <- struct{}{}:
			defer func() { <-asked }()
		default:
			t.Error("two questions at a time")
		}
		return true, nil
	}}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := c.confirm(t.Context(), grant.Peer{}, helper.Origin{}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestNoAnswerInTimeIsANo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := confirmation{name: "box", turn: make(chan struct{}, 1), ask: func(ctx context.Context, _ string) (bool, error) {
			<-ctx.Done()
			return true, nil // which comes too late
		}}
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() {
				if err := c.confirm(t.Context(), grant.Peer{}, helper.Origin{}); !errors.Is(err, helper.ErrAccount) || !strings.Contains(err.Error(), "in time") {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestWhatAProgramAnswersIsReadAsSSHDoes(t *testing.T) {
	for script, want := range map[string]bool{
		"exit 0": true, "echo yes": true, "echo YES": true, "echo": true, "exit 1": false, "echo no": false, "echo y": false, "echo yes; exit 1": false,
		"yes | head -c 100000": false,
	} {
		path := filepath.Join(t.TempDir(), "ask")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		if yes, err := askProgram(path)(t.Context(), "question"); yes != want || err != nil {
			t.Errorf("%s: %v, %v", script, yes, err)
		}
	}
	if yes, err := askProgram("/nowhere/ask")(t.Context(), "question"); yes || err == nil {
		t.Error("nobody said yes")
	}
}

func TestWhoAsksIsShownOnOneLine(t *testing.T) {
	var shown string
	c := confirmation{name: "box", turn: make(chan struct{}, 1), ask: func(_ context.Context, question string) (bool, error) {
		shown = question
		return true, nil
	}}
	who := grant.Peer{UID: 1000, PID: 7, Program: "a\x1b[2J\nGrant \"box\": may root have"}
	if err := c.confirm(t.Context(), who, helper.Origin{Protocol: "https", Host: "example.com"}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(shown, "\x1b\n") || !strings.HasPrefix(shown, `Grant "box": may user 1000, process 7 (`) {
		t.Errorf("%q", shown)
	}
}

func TestWhoseASubordinateUserIs(t *testing.T) {
	const file = "ann:100000:65536\n# a comment\nbob:200000:65536\n1000:300000:10\n:0:4294967295\nann:x:1\nann:1:x\nann:4294967295:4294967295\n"
	for uid, want := range map[int]bool{
		99999: false, 100000: true, 165535: true, 165536: false, 200000: false, 300000: true, 300009: true, 300010: false, 0: false, 1: false,
	} {
		if got := hasSubuid(strings.NewReader(file), "ann", 1000, uid); got != want {
			t.Errorf("%d: %v", uid, got)
		}
	}
	if hasSubuid(strings.NewReader(file), "", 1001, 5) {
		t.Error("who has no name has everybody")
	}
}

func FuzzSubuid(f *testing.F) {
	f.Add("ann:100000:65536\n", 100001)
	f.Fuzz(func(t *testing.T, file string, uid int) {
		if hasSubuid(strings.NewReader(file), "ann", 1000, uid) && !strings.Contains(file, "ann:") && !strings.Contains(file, "1000:") {
			t.Errorf("%d is somebody's by %q", uid, file)
		}
	})
}

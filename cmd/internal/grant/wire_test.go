package grant

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"cre-credential-helper/helper"
)

func TestAReplyIsReadAsItWasWritten(t *testing.T) {
	for _, r := range []Reply{
		{}, {Answer: []byte("username=a\npassword=b\n")}, {Status: 3, Message: "the keychain is locked"},
		{Status: 1, Message: "two\nlines  and spaces", Answer: []byte{0, 255, '\n'}},
		{Answer: bytes.Repeat([]byte("a"), helper.MaxRequest)},
	} {
		var wire bytes.Buffer
		if _, err := r.WriteTo(&wire); err != nil {
			t.Fatal(err)
		}
		got, err := ReadReply(iotest.OneByteReader(&wire))
		r.Message = strings.ReplaceAll(r.Message, "\n", " ")
		if err != nil || got.Status != r.Status || got.Message != r.Message || !bytes.Equal(got.Answer, r.Answer) {
			t.Errorf("%.80q became %.80q, %v", r.Message, got.Message, err)
		}
	}
}

func TestHalfAReplyIsNone(t *testing.T) {
	var wire bytes.Buffer
	if _, err := (Reply{Status: 0, Answer: []byte("username=a\npassword=secret\n")}).WriteTo(&wire); err != nil {
		t.Fatal(err)
	}
	for n := range wire.Len() {
		if r, err := ReadReply(bytes.NewReader(wire.Bytes()[:n])); !errors.Is(err, ErrAnswer) || len(r.Answer) != 0 {
			t.Errorf("%d bytes: %+v, %v", n, r, err)
		}
	}
	for _, wrong := range []string{
		"username=a\npassword=b\n", "0\n", "0 5\nabcde", "x 0 \n", "0 -1 \n", "128 0 \n", "0 1048577 \n", "0 99999999999999999999 \n", "+0 0 \n",
		strings.Repeat("a", 10000), "HTTP/1.1 400 Bad Request\r\n\r\n", "\n",
	} {
		if _, err := ReadReply(strings.NewReader(wrong)); !errors.Is(err, ErrAnswer) {
			t.Errorf("%.60q: %v", wrong, err)
		}
	}
}

func TestAMessageWithoutAnAnswerIsWhyNothingWasFound(t *testing.T) {
	_, err := Reply{Message: "not for https://example.com"}.Result("get")
	if !errors.Is(err, helper.ErrAccount) || err.Error() != "not for https://example.com" {
		t.Error(err)
	}
	if _, err := (Reply{}).Result("get"); err != nil {
		t.Error(err)
	}
	if answer, err := (Reply{Answer: []byte("a"), Message: "a warning"}).Result("get"); err != nil || string(answer) != "a" {
		t.Error(answer, err)
	}
}

func FuzzReply(f *testing.F) {
	f.Add([]byte("0 3 x\nabc"))
	f.Add([]byte("3 0 the keychain is locked\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ReadReply(bytes.NewReader(data))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if _, err := r.WriteTo(&again); err != nil {
			t.Fatal(err)
		}
		if back, err := ReadReply(&again); err != nil || back.Status != r.Status || back.Message != r.Message || !bytes.Equal(back.Answer, r.Answer) {
			t.Errorf("%+v became %+v, %v", r, back, err)
		}
	})
}

// FuzzQuestion holds that no question gets what isn't granted.
func FuzzQuestion(f *testing.F) {
	for _, q := range []string{inGit, "get\n", "get\nhttps://example.com", "get\n{\"uri\":\"https://api.cre.chain.link/graphql\"}", "store\n\n", "exchange\n" + request, "stand-in\n", ""} {
		f.Add([]byte(q))
	}
	f.Fuzz(func(t *testing.T, question []byte) {
		w, _ := newExchange(t, nil)
		r := w.ask(string(question))
		for _, secret := range []string{"access", "refresh", "identity", "theirs", "for docker"} {
			if bytes.Contains(r.Answer, []byte(secret)) && !bytes.Contains(question, []byte(secret)) {
				t.Errorf("%q was answered", secret)
			}
		}
		if strings.ContainsAny(r.Message, "\n\x1b") {
			t.Errorf("the message %q is not one line of text", r.Message)
		}
		if looked := slices.Contains([]string{"", "\n", "\r", "\r\n"}, string(question)); len(w.uses) != 1 && !looked {
			t.Errorf("%d lines in the log", len(w.uses))
		}
	})
}

func TestRefusalsAreLoggedOnceASecond(t *testing.T) {
	var lines []string
	var file bytes.Buffer
	l := &Log{Say: func(line string) { lines = append(lines, line) }, File: &file}
	at := time.Now()
	add := func(after time.Duration, why string) {
		l.Add(Use{Time: at.Add(after), Peer: Peer{UID: 1000, PID: 7, Program: "a\x1b]0;b\n"}, Operation: OpGet, Origin: session, Refused: why})
	}
	for i := range 100 {
		add(time.Duration(i)*time.Millisecond, "no")
	}
	add(500*time.Millisecond, "")
	add(1100*time.Millisecond, "no")
	if len(lines) != 3 || !strings.Contains(lines[2], "and 99 more refusals") || strings.ContainsAny(strings.Join(lines, ""), "\n\x1b") {
		t.Errorf("%q", lines)
	}
	if got := strings.Count(file.String(), "\n"); got != 3 || !strings.Contains(file.String(), `"left":99`) {
		t.Errorf("%s", &file)
	}
}

func TestALogThatCannotBeWrittenIsSaid(t *testing.T) {
	var lines []string
	l := &Log{Say: func(line string) { lines = append(lines, line) }, File: failing{}}
	l.Add(Use{Time: time.Now()})
	if len(lines) != 2 || !strings.Contains(lines[1], "not in the log") {
		t.Errorf("%q", lines)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

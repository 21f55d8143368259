package simulation

import (
	"fmt"
	"time"
)

// Rule is a promise, as a sentence.
type Rule string

// What must hold in every world.
const (
	usedOnce       Rule = "no refresh token is used twice"
	neverLost      Rule = "no session is lost but by a death between the provider's answer and the commit, or by a lost answer"
	newerStays     Rule = "no newer login is overwritten"
	logoutStays    Rule = "no logout is undone"
	neverBack      Rule = "no older token comes back over a newer one"
	neverBare      Rule = "a bare token never takes the place of a session"
	neverPlain     Rule = "with a keychain, no token is in a file"
	everyoneEnds   Rule = "everyone gets an answer within the deadline"
	clearError     Rule = "who gets no token gets a clear error"
	trueError      Rule = "nobody is told what isn't so"
	freshToken     Rule = "who gets a token gets one of the session that is there, that is still good"
	goodToken      Rule = "who finds a token that is still good gets it, whatever stands in the way of renewing it"
	neverNeedless  Rule = "nothing is renewed that isn't due"
	savedOrKept    Rule = "no refresh token is spent that can't be saved"
	heldLocks      Rule = "nobody renews without the locks"
	noEmbrace      Rule = "no two processes wait for each other"
	locksEnd       Rule = "no lock outlives what it was taken for"
	notRevoked     Rule = "no session is revoked while it is kept"
	revokedThen    Rule = "a renewed session that nobody keeps any more is revoked"
	replacedEnds   Rule = "what a login has replaced is revoked"
	loggedOut      Rule = "after a logout nothing is left, here or at the provider"
	broughtHome    Rule = "what an older version left in the file comes home to the keychain"
	noSession      Rule = "a stand-in is nobody's session, and never beside tokens"
	standInFollows Rule = "a stand-in says what the token says that it stands for"
	chosenStays    Rule = "only a login, a use or a move says whose account is the default one"
	fileIsAlone    Rule = "a session in the file never touches the keychain"
)

// How long a process may take, while it runs.
const (
	// soon is for who finds a token that is still good: 5 s for a renewal, and
	// 5 s for each of two readings of the keychain.
	soon = 16 * time.Second

	// late is for everyone else: two locks, two minutes each, 20 s for the
	// exchange, 90 s for the save, and the keychain's silences in between.
	late = 8 * time.Minute
)

// Fault is a rule that was broken.
type Fault struct {
	Rule   Rule
	Detail string
}

func (f Fault) String() string { return fmt.Sprintf("%s: %s", f.Rule, f.Detail) }

// fault notes that a rule was broken. What comes of a known fault, or of a lost
// lock, is not reported. The world is held.
func (w *World) fault(rule Rule, format string, args ...any) {
	f := Fault{rule, fmt.Sprintf(format, args...)}
	if w.crossed {
		return
	}
	if w.excused == "" {
		w.excused = f.known()
	}
	if w.excused != "" {
		w.note("KNOWN", "%s", f)
		return
	}
	w.faults = append(w.faults, f)
	w.note("RULE BROKEN", "%s", f)
}

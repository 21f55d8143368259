package simulation

import "regexp"

// known are faults of the product that this world has shown and that are still
// there, by a rule and what its breach says. Who mends one removes it here.
func known() []Fault {
	return []Fault{
		// What a logout found damaged it takes for damaged when it looks once
		// more, and then it is the official CLI's next login.
		{loggedOut, `^logout .* didn't revoke it, which it took for damaged`},
		// Where the keychain goes while a logout removes what nothing points to,
		// what has been removed by then is forgotten.
		{loggedOut, `^logout .* didn't revoke it.*, while the keychain is gone$`},
		// A login whose pointer can't be written revokes what stays in cre.yaml.
		{notRevoked, `^login .* while the disk is full$`},
		// Where cre.yaml is replaced, nobody looks once more whether what came
		// meanwhile stays.
		{neverBare, `^approve .* which has come since it began$`},
		// What was found in cre.yaml after all is renewed in the vault that was
		// opened before.
		{neverLost, `^net .* didn't save .* which has come since it began$`},
	}
}

// known returns the known fault that f is, "" if it is none.
func (f Fault) known() string {
	for _, k := range known() {
		if k.Rule == f.Rule && regexp.MustCompile(k.Detail).MatchString(f.Detail) {
			return k.String()
		}
	}
	return ""
}

package platform

import (
	"fmt"
	"slices"
	"strings"

	"cre-credential-helper/helper"
)

// ForToken returns the environment that an access token belongs to, by the
// audiences and the issuer that it names. A built-in audience always gets the
// built-in environment: no override may redirect a real session. Then comes
// current, as selected, if the token leads to its two places: the issuer to the
// auth base, and the audience to the GraphQL URL.
func ForToken(aud []string, issuer string, current Environment) (Environment, bool) {
	for _, env := range Known() {
		if slices.Contains(aud, env.Audience) {
			return env, true
		}
	}
	if slices.Contains(aud, current.Audience) && sameOrigin(issuer, current.AuthBase) && sameOrigin(current.Audience, current.GraphQLURL) {
		return current, true
	}
	return Environment{}, false
}

// sameOrigin is false for what isn't a URL.
func sameOrigin(a, b string) bool {
	first, err := helper.ParseOrigin(a)
	second, err2 := helper.ParseOrigin(b)
	return err == nil && err2 == nil && first.WithoutPath() == second.WithoutPath()
}

// CheckLogin reports whether what a login gets may go where the settings lead.
// A built-in audience belongs to its own auth base and origin, and that origin to
// it. Any other one must name the GraphQL URL's origin, so that a token says
// itself where it goes; where nothing is built in, one may be opaque. The error
// is an [ErrOverride] that names the variables.
func (e Environment) CheckLogin() error {
	for _, known := range Known() {
		if e.isAs(known) {
			return nil
		}
		if e.Audience == known.Audience || sameOrigin(e.GraphQLURL, known.GraphQLURL) {
			return fmt.Errorf("%s: %w: tokens from %s with the audience %s are not for %s; unset it, or set %s to what belongs together",
				e.overridden(), ErrOverride, e.AuthBase, e.Audience, e.GraphQLURL, together)
		}
	}
	if sameOrigin(e.Audience, e.GraphQLURL) || e.TakesOpaqueTokens() {
		return nil
	}
	return fmt.Errorf("%s: %w: the audience %s is not of the origin of %s; set %s to what belongs together",
		e.overridden(), ErrOverride, e.Audience, e.GraphQLURL, together)
}

const together = VarAuthBase + ", " + VarAudience + " and " + VarGraphQLURL

// TakesOpaqueTokens reports whether a token that doesn't say where it belongs
// may go to the GraphQL URL: its place is then known by the settings alone, which
// must be built in as a whole or not at all.
func (e Environment) TakesOpaqueTokens() bool {
	return !slices.ContainsFunc(Known(), func(known Environment) bool {
		return e.Audience == known.Audience || sameOrigin(e.AuthBase, known.AuthBase) || sameOrigin(e.GraphQLURL, known.GraphQLURL)
	}) || slices.ContainsFunc(Known(), e.isAs)
}

// isAs compares what decides where tokens come from and go to.
func (e Environment) isAs(known Environment) bool {
	return e.Audience == known.Audience && sameOrigin(e.AuthBase, known.AuthBase) && sameOrigin(e.GraphQLURL, known.GraphQLURL)
}

// overridden names the variables that make e another one than its name says.
func (e Environment) overridden() string {
	own, _ := named(e.Name)
	var variables []string
	for _, setting := range []struct{ variable, own, value string }{
		{VarAuthBase, own.AuthBase, e.AuthBase},
		{VarAudience, own.Audience, e.Audience},
		{VarGraphQLURL, own.GraphQLURL, e.GraphQLURL},
	} {
		if setting.own != setting.value {
			variables = append(variables, setting.variable)
		}
	}
	return strings.Join(variables, ", ")
}

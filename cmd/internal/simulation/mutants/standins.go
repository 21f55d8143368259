package main

// ofStandIns are mutants of what stands in cre.yaml in a token's place.
func ofStandIns() []mutant {
	const pointer = "cmd/internal/session/pointer.go"
	return []mutant{
		{"a stand-in is taken for a token", "fallback/plain/standin.go",
			"if !IsStandIn(read.Access) {",
			"if read.Access.IsSet() || !IsStandIn(read.Access) {"},
		{"a stand-in is stored", "cmd/internal/session/keeper.go",
			"if plain.IsStandIn(c.Secret) {",
			"if plain.IsStandIn(c.Secret) && k.Now == nil {"},
		{"the stand-in follows the token before", pointer,
			"v.places.follow(ctx, v.Vault, fresh)",
			"v.places.follow(ctx, v.Vault, old)"},
		{"a renewal brings back a pointer that is gone", pointer,
			"return is.HasSession() && *is.Account == c.Username && p.standFor(file, c), nil",
			"list(file, InKeychain, c.Origin, c.Username)\n\t\treturn p.standFor(file, c) || is.HasSession(), nil"},
		{"the stand-in follows any account", pointer,
			"return is.HasSession() && *is.Account == c.Username && p.standFor(file, c), nil",
			"return is.HasSession() && p.standFor(file, c), nil"},
		{"any stand-in will do for a command", "cmd/internal/standin/infile/infile.go",
			"return file, standin.Follow(file.StandIn, env, access), nil",
			"if file.StandIn.IsSet() {\n\t\t\treturn file, file.StandIn, nil\n\t\t}\n\t\treturn file, standin.Follow(file.StandIn, env, access), nil"},
	}
}

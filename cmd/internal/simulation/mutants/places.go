package main

// ofPlaces are mutants of where a session is put and found.
func ofPlaces() []mutant {
	const (
		places = "cmd/internal/session/places.go"
		put    = "cmd/internal/session/put.go"
		forget = "cmd/internal/session/forget.go"
		move   = "cmd/internal/session/move.go"
	)
	return []mutant{
		{"no lock on the vault", places,
			"if v.held, v.unlock, err = v.Lock(ctx); err != nil {\n\t\treturn opened{}, err\n\t}\n\tif strayed",
			"v.held, v.unlock = ctx, func() error { return nil }\n\tif strayed"},
		{"a renewal takes the keychain's lock first", places,
			"held, unlockFile, err := p.file.Lock(ctx)\n\tif err != nil {\n\t\treturn opened{}, err\n\t}\n",
			`first, unlockFirst, err := p.vault(InKeychain).Lock(ctx)
	if err != nil {
		return opened{}, err
	}
	held, unlockSecond, err := p.file.Lock(first)
	if err != nil {
		return opened{}, errors.Join(err, unlockFirst())
	}
	unlockFile := func() error { return errors.Join(unlockSecond(), unlockFirst()) }
`},
		{"a logout takes the keychain's lock first", forget,
			"err = under(ctx, p.file, func(held context.Context) error {\n\t\tfile, _, err := p.file.readForWriting()",
			`first, unlock, err := p.vault(InKeychain).Lock(ctx)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	err = under(first, p.file, func(held context.Context) error {
		file, _, err := p.file.readForWriting()`},
		{"what was sheltered isn't brought home", places,
			"strayed := place == InFile && pointer.HasSession()",
			"strayed := false"},
		{"what was sheltered is brought home by the pointer alone", places,
			"if strayed {\n\t\tif v.query, err = p.bringHome",
			"if strayed && place == InFile {\n\t\tif v.query, err = p.bringHome"},
		{"a move to the file points nowhere before the keychain is cleared", move,
			"list(file, place, c.Origin, c.Username)\n\t\t*file",
			"unlist(file, c.Origin, false)\n\t\t*file"},
		{"a move to the keychain stores before cre.yaml points there", move,
			"func(file *fallback.File) { list(file, place, c.Origin, c.Username) }",
			"func(*fallback.File) {}"},
		{"the pointer before the item", put,
			"vault := p.vault(place)\n\tvar kept []helper.Credential\n",
			`vault := p.vault(place)
	if err := p.file.change(func(file *fallback.File) (bool, error) {
		empty(file)
		list(file, place, c.Origin, c.Username)
		return true, nil
	}); err != nil {
		return nil, err
	}
	var kept []helper.Credential
`},
		{"the pointer doesn't say in which store", "cmd/internal/session/pointer.go",
			"if place != InKeychain {\n\t\te.Store",
			"if place == \"\" {\n\t\te.Store"},
		{"a logout looks in the keychain alone", forget,
			"for _, place := range p.everywhere(listed) {",
			"for _, place := range []Place{InKeychain} {"},
		{"the item without the pointer", put,
			"added := list(file, place, c.Origin, is.Username)",
			"added := false"},
		{"a logout forgets only the file", forget,
			"range p.everywhere(listed) {",
			"range p.everywhere(listed)[:0] {"},
		{"a logout forgets only the keychain", forget,
			"inFile, foundInFile, err := p.forgetFile(q)",
			"inFile, foundInFile, err := []helper.Credential(nil), false, error(nil)"},
	}
}

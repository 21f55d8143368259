package main

// ofVaults are mutants of the two vaults and of what is below them.
func ofVaults() []mutant {
	const (
		file  = "cmd/internal/session/file.go"
		write = "keyring/write.go"
	)
	return []mutant{
		{"no lock on the file", file,
			"unlock, err := v.files.Lock(ctx)",
			"unlock, err := func() error { return nil }, error(nil)"},
		{"a swap in the file doesn't compare", file,
			"case ok && c.Same(old):",
			"case true:"},
		{"a check of the file does nothing", file,
			"if err := v.files.Check(); err != nil {\n\t\t\treturn err\n\t\t}\n\t\tv.discard()",
			"if v.files != nil {\n\t\t\treturn nil\n\t\t}\n\t\tv.discard()"},
		{"a rename doesn't compare the bytes", "fallback/stage.go",
			"done, err := s.dir.compare(s.name, was, data)",
			"done, err := false, error(nil)"},
		{"a removal doesn't compare the bytes", "fallback/file.go",
			"done, err := d.compare(name, was, snapshot{})",
			"done, err := false, error(nil)"},
		{"no lock on the keychain", "keyring/lock.go",
			"held, release, err := s.locker.Lock(ctx)",
			"held, release, err := ctx, func() error { return nil }, error(nil)"},
		{"a swap in the keychain doesn't compare", "keyring/internal/layout/layout.go",
			"case kept.Same(old):",
			"case true:"},
		{"a check of the keychain doesn't write", write,
			"if err := p.set(ctx, p.value); err != nil {",
			"if err := ctx.Err(); err != nil {"},
		{"new pieces are written over the old ones", "keyring/item.go",
			"head.Generation = layout.Other(committed)",
			"head.Generation = committed"},
		{"a removal leaves the head", "keyring/item.go",
			"if err := s.drop(ctx, account); err != nil {\n\t\treturn err\n\t}\n\treturn s.sweep(ctx, account, old, document{})",
			"return s.sweep(ctx, account, old, document{})"},
	}
}

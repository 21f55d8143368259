package main

// ofFleet are mutants of a session that many machines share in a vault.
func ofFleet() []mutant {
	const (
		lease   = "cmd/internal/kv/lease.go"
		shared  = "cmd/internal/kv/session.go"
		state   = "cmd/internal/kv/state.go"
		renewal = "cmd/internal/session/renew.go"
	)
	return []mutant{
		{"no read after the wait for a claim", lease,
			"taken := now\n",
			"taken := w.first\n\t\t\ttaken.version = now.version\n"},
		{"a claim is taken over at once", lease,
			"return uptime-w.since >= min(time.Duration(now.Claim.Lease)*time.Second, maxLease)",
			"return true"},
		{"a lease by the local clock", lease,
			"w.version, w.since, w.pause = now.version, uptime, firstPause",
			"w.version, w.since, w.pause = now.version, uptime-now.skew.Abs(), firstPause"},
		{"a claim without compare-and-set", lease,
			"taken.Claim = mine\n",
			"taken.Claim = mine\n\t\t\tif newest, err := s.load(wait); err == nil {\n\t\t\t\ttaken.version = newest.version\n\t\t\t}\n"},
		{"a save without compare", shared,
			"case kept.Same(old):\n\t\t\t\treturn now.put(fresh)",
			"case kept.Same(old), !kept.Same(fresh):\n\t\t\t\treturn now.put(fresh)"},
		{"a holder that slept goes on", lease,
			"if s.uptime()-began < startTime {",
			"if s.uptime() >= began {"},
		{"a claim that outlasts its lease", lease,
			"startTime   = 40 * time.Second",
			"startTime   = 240 * time.Second"},
		{"fleet: no last look", renewal,
			"held, ok := ctx.Value(lastLook{}).(context.Context)\n\tif !ok {",
			"held, ok := ctx.Value(lastLook{}).(context.Context)\n\tif ok || held == nil {"},
		{"a standby that is behind is believed", lease,
			"older := now.version < w.newest",
			"older := now.version < 0"},
		{"times by the machine's own clock", state,
			"if e.Now.IsZero() || skew.Abs() < tolerance {",
			"if !e.Now.IsZero() || skew.Abs() < tolerance {"},
		{"the answer of a machine that slept sets its clock", state,
			"now.Sub(asked).Abs() < tolerance {",
			"now.Sub(asked).Abs() < 24*time.Hour {"},
		{"a claim is never taken away", lease,
			"free := h.state\n\t\tfree.Claim = nil",
			"free := h.state"},
		{"the token record is empty", "cmd/internal/kv/publish.go",
			"data, err := encode(tokenRecord{layoutVersion, now.version, now.Credential.forUse()})",
			"data, err := encode(tokenRecord{layoutVersion, now.version, nil})"},
	}
}

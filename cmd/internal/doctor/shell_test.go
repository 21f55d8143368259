package doctor

import "testing"

func TestPowerShellsCommands(t *testing.T) {
	s := shell{power: true}
	for got, want := range map[string]string{
		s.unset("A", "B"):         "Remove-Item Env:A, Env:B",
		s.export("A", "it's"):     "$env:A = 'it''s'",
		s.moveAside(`C:\a b`):     `Move-Item -LiteralPath 'C:\a b' -Destination 'C:\a b.aside'`,
		s.command(`C:\a b\x.exe`): `& 'C:\a b\x.exe'`,
		s.prependPath(`C:\x`):     `$env:PATH = 'C:\x;' + $env:PATH`,
		s.with("A", "b", "cre"):   "$env:A = 'b'; cre",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

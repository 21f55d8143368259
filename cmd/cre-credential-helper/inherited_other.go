//go:build unix && !linux

package main

import (
	"fmt"
	"io"

	"cre-credential-helper/cmd/internal/foreground"
	"cre-credential-helper/cmd/internal/grant"
	"cre-credential-helper/cmd/internal/platform"
	"cre-credential-helper/cmd/internal/status"
	"cre-credential-helper/helper"
)

func askInherited(number string, _ []byte) (io.ReadCloser, error) {
	return nil, fmt.Errorf("%w: %s=%.20q: only Linux has this: unset it", status.ErrSetting, platform.VarGrantFD, number)
}

func listenInherited(*foreground.Command) (grant.Listener, []string, error) {
	return nil, nil, fmt.Errorf("%w: --fd: only Linux has this: leave it out", helper.ErrRequest)
}

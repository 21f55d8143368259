package keyring_test

import (
	"net"
	"sync/atomic"
)

// hears tells whether anything was sent to a listener.
func hears(l net.Listener) *atomic.Bool {
	var heard atomic.Bool
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				if n, _ := c.Read(make([]byte, 1)); n > 0 {
					heard.Store(true)
				}
				_ = c.Close()
			}()
		}
	}()
	return &heard
}

package loopback

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	nonceTime      = 30 * time.Second // for which one is good
	questionTime   = 5 * time.Second
	answerTime     = 5 * time.Minute
	maxConnections = 256
)

// Ask asks the grant: a whole question, and its whole answer.
type Ask func(ctx context.Context, question []byte) (answer []byte, err error)

// Serve listens on a port of 127.0.0.1 that the kernel chooses, until ctx ends, and
// returns the URL at which [Client] asks.
func Serve(ctx context.Context, key Key, ask Ask) (url string, err error) {
	socket, err := new(net.ListenConfig).Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{
		Handler:                      newHandler(key, ask, time.Now),
		DisableGeneralOptionsHandler: true,
		ReadTimeout:                  questionTime,
		WriteTimeout:                 answerTime,
		MaxHeaderBytes:               8 << 10,
		ErrorLog:                     log.New(io.Discard, "", 0),
		BaseContext:                  func(net.Listener) context.Context { return ctx },
	}
	server.SetKeepAlivesEnabled(false)
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(&limited{socket, make(chan struct{}, maxConnections)}) }()
	return "http://" + socket.Addr().String(), nil
}

// limited hangs up on who comes when all places are taken: each is free again after
// questionTime, if nobody asks there.
type limited struct {
	net.Listener
	places chan struct{}
}

// Accept implements [net.Listener].
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.places <- struct{}{}:
			return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-l.places })}, nil
		default:
			_ = conn.Close()
		}
	}
}

type placed struct {
	net.Conn
	leave func()
}

// Close implements [net.Conn].
func (p *placed) Close() error {
	defer p.leave()
	return p.Conn.Close()
}

// handler answers who has the key.
type handler struct {
	key Key
	ask Ask
	now func() time.Time

	own nonce // the key of this handler's nonces

	mu    sync.Mutex
	taken map[nonce]time.Time
}

func newHandler(key Key, ask Ask, now func() time.Time) *handler {
	return &handler{key: key, ask: ask, now: now, own: newNonce(), taken: make(map[nonce]time.Time)}
}

// ServeHTTP implements [http.Handler]. Who doesn't have the key gets nonces at the
// most. Nothing that a browser sends for a page passes.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodPost || r.Host != host || r.URL.RawQuery != "" ||
		r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Mode") != "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	switch r.URL.Path {
	case pathNonce:
		_, _ = io.WriteString(w, h.give().String())
	case pathAsk:
		h.answer(w, r)
	default:
		w.WriteHeader(http.StatusForbidden)
	}
}

func (h *handler) answer(w http.ResponseWriter, r *http.Request) {
	question, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxLength))
	server, isNonce := parseNonce(r.Header.Get(headerServerNonce))
	client, alsoNonce := parseNonce(r.Header.Get(headerClientNonce))
	if err != nil || !isNonce || !alsoNonce ||
		!h.key.verifies(r.Header.Get(headerMAC), labelQuestion, server, client, question) || !h.take(server) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	answer, err := h.ask(r.Context(), question)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	w.Header().Set(headerMAC, h.key.mac(labelAnswer, server, client, answer))
	_, _ = w.Write(answer)
}

// give returns a nonce that is good once, for a while. It says by itself that it is
// this handler's, so that who asks for many of them takes nobody else's place.
func (h *handler) give() nonce {
	n := newNonce()
	binary.BigEndian.PutUint64(n[:], uint64(h.now().UnixNano()))
	copy(n[size/2:], h.seal(n))
	return n
}

// seal is the second half of a nonce of this handler's.
func (h *handler) seal(n nonce) []byte {
	seal := hmac.New(sha256.New, h.own[:])
	seal.Write(n[:size/2])
	return seal.Sum(nil)[:size/2]
}

// take reports whether a nonce is good, and makes it good no more. Who takes one has
// the key.
func (h *handler) take(n nonce) bool {
	age := h.now().Sub(time.Unix(0, int64(binary.BigEndian.Uint64(n[:]))))
	if !hmac.Equal(n[size/2:], h.seal(n)) || age < 0 || age >= nonceTime {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.taken, func(_ nonce, at time.Time) bool { return h.now().Sub(at) >= nonceTime })
	_, again := h.taken[n]
	h.taken[n] = h.now()
	return !again
}

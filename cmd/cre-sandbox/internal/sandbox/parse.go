package sandbox

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// ErrFault is what the functions that parse faults fail with.
var ErrFault = errors.New("not a usable fault")

// ParseFaults reads all of each kind, as a command line has them.
func ParseFaults(latency, fail, odd []string) (Faults, error) {
	f := Faults{map[Endpoint]time.Duration{}, map[Endpoint]Failure{}, map[Endpoint][]Odd{}}
	for _, s := range latency {
		e, d, err := ParseLatency(s)
		if err != nil {
			return Faults{}, fmt.Errorf("latency: %w", err)
		}
		f.Latency[e] = d
	}
	for _, s := range fail {
		e, failure, err := ParseFailure(s)
		if err != nil {
			return Faults{}, fmt.Errorf("fail: %w", err)
		}
		f.Failures[e] = failure
	}
	for _, s := range odd {
		e, o, err := ParseOdd(s)
		if err != nil {
			return Faults{}, fmt.Errorf("odd: %w", err)
		}
		f.Odd[e] = append(f.Odd[e], o)
	}
	return f, nil
}

// ParseOdd reads ENDPOINT=ODDITY or ENDPOINT=ODDITY:TIMES, as in graphql=echo.
func ParseOdd(s string) (Endpoint, Odd, error) {
	e, value, err := parseEndpoint(s)
	if err != nil {
		return "", Odd{}, err
	}
	name, count, limited := strings.Cut(value, ":")
	o := Odd{Oddity: Oddity(name)}
	if !slices.Contains(Oddities(), o.Oddity) {
		return "", Odd{}, fmt.Errorf("%w: %q is none of %v", ErrFault, name, Oddities())
	}
	if limited {
		o.Times, err = parseTimes(count)
	}
	return e, o, err
}

// ParseLatency reads ENDPOINT=DURATION, as in token=400ms.
func ParseLatency(s string) (Endpoint, time.Duration, error) {
	e, value, err := parseEndpoint(s)
	if err != nil {
		return "", 0, err
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return "", 0, fmt.Errorf("%w: %q is not a duration like 400ms", ErrFault, value)
	}
	return e, d, nil
}

// ParseFailure reads ENDPOINT=STATUS or ENDPOINT=STATUS:TIMES, as in
// token=503:2.
func ParseFailure(s string) (Endpoint, Failure, error) {
	e, value, err := parseEndpoint(s)
	if err != nil {
		return "", Failure{}, err
	}
	status, times, limited := strings.Cut(value, ":")
	var f Failure
	f.Status, err = strconv.Atoi(status)
	if err != nil || f.Status < 400 || f.Status > 599 {
		return "", Failure{}, fmt.Errorf("%w: %q is not a status from 400 to 599", ErrFault, status)
	}
	if !limited {
		return e, f, nil
	}
	f.Times, err = parseTimes(times)
	if err != nil {
		return "", Failure{}, err
	}
	return e, f, nil
}

func parseTimes(s string) (int, error) {
	times, err := strconv.Atoi(s)
	if err != nil || times < 1 {
		return 0, fmt.Errorf("%w: %q is not how many times", ErrFault, s)
	}
	return times, nil
}

func parseEndpoint(s string) (Endpoint, string, error) {
	name, value, _ := strings.Cut(s, "=")
	e := Endpoint(name)
	if !slices.Contains([]Endpoint{Authorize, Token, Revoke, GraphQL}, e) {
		return "", "", fmt.Errorf("%w: %q must start with authorize=, token=, revoke= or graphql=", ErrFault, s)
	}
	return e, value, nil
}

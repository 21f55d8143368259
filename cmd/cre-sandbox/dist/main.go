// Command dist makes a release's files: archives, packages, SBOMs and their
// checksums. The same source, version and date give the same bytes, whoever runs
// it, wherever. "make dist" runs it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime"
	"strconv"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH"), os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "dist:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, epoch string, stderr io.Writer) error {
	var r release
	flags := flag.NewFlagSet("dist", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&r.version, "version", "", "the release's `version`, such as v0.3.0")
	flags.StringVar(&r.source, "source", "../..", "the checkout's top `folder`")
	flags.StringVar(&r.out, "out", "", "the `folder` for the files; what is in it is removed")
	flags.StringVar(&r.maintainer, "maintainer", "", "who packages name as their maintainer: `Name <address>`")
	flags.StringVar(&r.url, "url", "", "the project's `URL`")
	deb := flags.Bool("deb", false, "make the .deb packages for this machine, and nothing else")
	recipes := flags.String("recipes", "", "make no release: fill in the formula and the manifest from -out's checksums, into this `folder`")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if !semver.MatchString(r.version) {
		return fmt.Errorf("version %q is not like v0.3.0: run make dist VERSION=v0.3.0", r.version)
	}
	if *recipes != "" {
		return r.fillIn(*recipes)
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is %q: set it to the commit's time (git log -1 --format=%%ct)", epoch)
	}
	r.date = time.Unix(seconds, 0).UTC()
	r.targets, r.formats = targets, formats
	if *deb {
		r.targets, r.formats = []target{{"linux", runtime.GOARCH}}, []string{"deb"}
	}
	return r.make(ctx, *deb)
}

// semver is a version that dpkg, rpm, apk, Homebrew and Scoop can all be told.
var semver = regexp.MustCompile(`^v\d+\.\d+\.\d+(-[0-9A-Za-z]+(\.[0-9A-Za-z]+)*)?$`)

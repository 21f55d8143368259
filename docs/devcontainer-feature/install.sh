#!/bin/sh
# A dev container feature (containers.dev/implementors/features) runs this as root while
# the image is built. The programs come from a package or a release: see the README.
set -eu
for program in cre cre-credential-helper; do
	command -v "$program" >/dev/null || echo "cre-grant: install $program in the image, too" >&2
done

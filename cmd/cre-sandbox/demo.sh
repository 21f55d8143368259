#!/bin/sh
# The main job from end to end, on this machine alone. "make demo" runs it
# within "cre-sandbox run --new-home", which sets the CRE_CLI_* variables and an empty
# HOME.
set -eu

PATH=$(cd "$(dirname "$0")/../../bin" && pwd):$PATH
trap 'cre logout >/dev/null 2>&1' EXIT # a keychain isn't in HOME
trap 'exit 130' INT TERM
BROWSER='cre-sandbox browse' # a person would see the login form
export PATH BROWSER

origin=${CRE_CLI_GRAPHQL_URL%/graphql}
show() {
	printf '\n$ %s\n' "$*"
	sh -c "$*"
}
short() { cut -c1-100; }

show cre login
if grep -q '^Keychain:' "$HOME/.cre/cre.yaml"; then
	printf '\nThe session is in the keychain; ~/.cre/cre.yaml only points there:\n'
	cat "$HOME/.cre/cre.yaml"
else
	printf '\nThere is no keychain on this machine, so the session is in ~/.cre/cre.yaml:\n'
	short <"$HOME/.cre/cre.yaml"
fi

printf '\n--- git asks (lines are cut at 100 characters)\n'
printf '$ printf "protocol=http\\nhost=%s\\n\\n" | cre-credential-helper get\n' "${origin#http://}"
printf 'protocol=http\nhost=%s\n\n' "${origin#http://}" | cre-credential-helper get | short
printf '\n--- docker asks\n$ echo %s | cre-credential-helper get\n' "$origin"
echo "$origin" | cre-credential-helper get | short
printf '\n--- Bazel asks\n$ echo %s | cre-credential-helper get\n' "'{\"uri\":\"$CRE_CLI_GRAPHQL_URL\"}'"
echo "{\"uri\":\"$CRE_CLI_GRAPHQL_URL\"}" | cre-credential-helper get | short

show cre whoami
show cre logout
printf '\n$ cre whoami\n'
if cre whoami; then
	echo 'the session is still there' >&2
	exit 1
fi
printf '\nWhat is left in the throw-away HOME: %s\n' "$(find "$HOME" -type f | wc -l) files"

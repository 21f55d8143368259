package e2e

import (
	"strings"

	"cre-credential-helper/cmd/internal/reading"
)

// chapter is a part of docs/troubleshooting.md.
type chapter struct {
	heading string
	rows    []explanation
}

// explanation is why a message or a finding comes, and what a person does about it,
// where it doesn't say so itself. Without a reason, it is the case before it, said in
// the same words.
type explanation struct {
	of        string // the name in messages, or in the doctor's faults
	why, todo string
}

// messageChapters explain each of messages once.
var messageChapters = []chapter{
	{"The keychain", []explanation{
		{"the keychain is locked", "The keychain is protected by a password, and nobody gave it.", "Unlock the keychain on your desktop. On a machine without a desktop, `cre doctor keychain` prints a command that does it."},
		{"the keychain does not answer at a login", "The keychain's program hangs, or its dialog is behind another window.", "Look for the dialog. If there is none, log out of the desktop and in again. `CRE_KEYRING_TIMEOUT` sets how long each call waits."},
		{"over SSH, the session in the desktop's keychain", "The session is in the keychain of your desktop. A shell that comes over SSH usually can't reach it.", "Choose one of the three ways in the message. With an API key you need no session at all."},
	}},
	{"Other stores", []explanation{
		{"a store's program that isn't there", "`CRE_CREDENTIAL_STORE` names a program to keep the session in, and there is no such program.", "Install it, correct the name, or `unset CRE_CREDENTIAL_STORE`."},
		{"a store of a newer version", "The session is in a store that only a newer version can open.", "Install that version. If you log in instead, the old session stays in that store."},
	}},
	{"Login and logout", []explanation{
		{"the port is in use", "The browser comes back to port 53682, and another program listens there, which is no `cre login`.", "`cre doctor port` names the program. End it, or log in in a terminal and paste the address."},
		{"the port is a connection's", "The system gave the number of this port to a connection of another program.", "Log in again in a minute, or log in in a terminal and paste the address."},
		{"the login is declined", "Somebody pressed the button that declines, in the browser.", "Run `cre login` again."},
		{"a renewal is refused", "The provider no longer accepts the session: it was ended in another place, or it was not used for too long.", "Run `cre login`."},
		{"a logout without the network", "The provider could not be told that the session ends. It is removed from this machine all the same.", "Nothing, if nobody else can have a copy of the tokens. Otherwise end the session in the platform's web pages."},
		{"a session that can be neither stored nor revoked", "The login worked, but the session could be kept nowhere, and the provider could not be told either.", "Do what the message says of the store, here of the disk, and log in again."},
		{"a logout with the keychain locked", "The session is in the keychain, and can't be removed while it is locked.", "Unlock it, and log out again."},
		{"a logout with a folder in the context's place", "A folder stands where `context.yaml`, the account's settings, belongs.", "Look at what is in it, and move it away."},
	}},
	{"Accounts", []explanation{
		{"a logout of nobody, with others", "The account that commands used has logged out, so there is nobody to log out. Other accounts are still logged in.", "Choose one of the three commands in the message."},
		{"two sessions for one file", "`cre.yaml` has room for one session, and several accounts are logged in.", "Log the others out, each by `cre logout --account EMAIL`, or leave the sessions in the keychain."},
		{"no account here", "The command has to know which account.", "Take one that `cre session list` shows."},
		{"no account", "The same, before a command.", "The same."},
		{"accounts of nobody's origin", "Only the CRE platform's hosts have accounts. Other hosts have credentials by username.", "Ask for the platform's host, or send no `protocol` and `host`."},
	}},
	{"The network", []explanation{
		{"a web page instead of JSON", "Something between you and the platform answered in its place: the login page of a Wi-Fi, or a proxy.", "Open any page in the browser, log in to the Wi-Fi, and try again. Behind a proxy, set `HTTPS_PROXY`."},
		{"a web page instead of tokens", "The same, at the provider. The session is as good as before.", "The same."},
		{"the token endpoint redirects", "The provider sent the request to another address. Such an answer is never followed, because the new address would get the token.", "Try without a VPN or proxy. If it stays so, tell the platform's support."},
		{"the token endpoint is gone", "There is no token endpoint at the address that was asked.", "If you have set `CRE_CLI_AUTH_BASE`, correct it. Otherwise try again later."},
		{"the token endpoint forbids", "The provider refused to answer at this moment. It did not say that the session has ended.", "Try again in a few minutes."},
		{"TLS", "This machine doesn't know who signed the server's certificate. Often a company's proxy opens the connection and signs with its own authority. A wrong clock does the same.", "Set `SSL_CERT_FILE` to the file with your company's authority, or set the clock."},
	}},
	{"API keys", []explanation{
		{"an API key is rejected inside a 200", "The platform doesn't accept the key: it was revoked, mistyped, or is for another environment.", "Correct the key, or `unset CRE_API_KEY` to use your session."},
		{"a missing key file", "`CRE_API_KEY_FILE` names a file that isn't there.", "Correct the path, or `unset CRE_API_KEY_FILE`."},
		{"an API key before a login", "Commands use the API key of the environment, also after this login.", "Run `unset CRE_API_KEY` to use the session."},
		{"a stored API key before a login", "Commands use the API key that was stored by `cre login --with-api-key`, also after this login.", "Run `cre logout --api-key`, which removes the key alone."},
		{"a key of many lines", "What came on standard input is too long for a key: probably another file.", "Give the file that holds the key, and nothing else: `cre login --with-api-key < FILE`."},
		{"a key that nobody can type", "The command runs in the shell's background, where it may not read from the terminal.", "Run it without `&`, or give it the key's file."},
	}},
	{"Settings", []explanation{
		{"a mistyped variable", "A variable is set whose name nearly is one of this program's.", "Correct the name. If it is another program's variable, ignore the warning."},
		{"overrides", "Variables send this program to another platform than the usual one.", "If you don't want that, run `unset CRE_CLI_AUTH_BASE CRE_CLI_CLIENT_ID CRE_CLI_AUDIENCE CRE_CLI_GRAPHQL_URL`."},
	}},
	{"The command line", []explanation{
		{"a mistyped command", "There is no such command, but there is a similar one.", "Run the one in the message."},
		{"a mistyped command of the official CLI, which can't be asked", "The same, for a command of the official CLI.", "Run the one in the message."},
		{"another program's word", "Other command lines have this command. Here it has another name.", "Run the one in the message."},
		{"help on nothing", "There is no help for this word, because there is no such command.", "Run the one in the message, or `cre --help`."},
		{"an unknown flag", "The command has no such flag.", "The message names the help that lists all flags."},
		{"a mistyped flag", "The same, but there is a similar flag.", "Use the one in the message."},
		{"a mistyped --account", "The same, before a command.", "Use the one in the message."},
		{"an empty account", "`--account` was given nothing, often an unset variable of a script.", "Name an account, or leave the flag out."},
		{"a time without a unit", "The number says no unit.", "Write `30s`, `30m` or `1h`."},
		{"an empty time", "The flag has no value.", "Write `30s`, `30m` or `1h`."},
		{"no time", "No token is good for no time.", "Write `30s`, `30m` or `1h`, or leave the flag out."},
		{"a negative time", "", ""},
		{"a registry that is no flag's", "`setup docker` takes the registry from a flag.", "Put `--registry` before it."},
		{"no registry", "`setup docker` has to know for which registry docker asks.", "Name it, with `--registry`."},
		{"no shell", "The script is different for each shell.", "Name yours, such as `cre completion bash`."},
		{"an argument", "The command takes flags only.", "Leave the word out. The help lists the flags."},
		{"a switch's text", "The flag is a switch: it stands there, or not.", "Write `--json` alone."},
		{"a flag's end", "The flag's value is missing.", "Write it behind the flag: `--account EMAIL`."},
	}},
}

// findingChapters explain each of the doctor's faults once.
var findingChapters = []chapter{
	{"keychain", []explanation{
		{"a locked keychain", "The keychain's password was not given since the last start.", ""},
		{"a locked keychain that waits for somebody", "The keychain shows a dialog for its password, and nobody answers it.", ""},
		{"a keychain without a keyring", "The keychain's program runs, but nobody has made a keyring yet.", ""},
		{"a KeePassXC that asks before each access", "KeePassXC asks you to confirm each access, and nobody confirms it.", "Unlock the database. In KeePassXC's settings, under \"Secret Service Integration\", switch off \"Confirm when passwords are retrieved by clients\" and \"Confirm when clients request entry deletion\"."},
		{"a keychain that is gone, with the session", "The session is in a keychain whose program has ended.", ""},
		{"a shell that came over SSH", "The keychain belongs to the desktop; a shell over SSH doesn't reach it.", ""},
		{"no keychain", "No keychain program runs on this machine. Sessions go to a file.", ""},
		{"WSL", "WSL brings no keychain. Sessions go to a file.", ""},
		{"no keychain where one is wanted", "`CRE_CREDENTIAL_STORE` asks for a keychain, and there is none.", ""},
		{"a stale bus beside a new one", "The variable is left from an earlier desktop session.", ""},
		{"a stale bus", "The variable is left from a desktop session that has ended.", ""},
		{"a bus over TCP", "Over TCP nobody can tell whose bus it is. It is not used.", ""},
		{"a bus that may be another user's", "The socket belongs to another user, or another user could have put it there.", ""},
		{"a flatpak without the lock", "The flatpak's filter doesn't allow the name by which programs lock the keychain.", ""},
	}},
	{"files", []explanation{
		{"a folder that everybody may write to", "Somebody else could put a session there.", "`chmod go-w -- …`"},
		{"a folder of an odd name that everybody may write to", "", ""},
		{"a session that everybody may write to", "Somebody else could have changed it.", "`chmod go-w -- …`"},
		{"a session that everybody may read", "Somebody else could have copied the tokens. A new login makes them worthless.", ""},
		{"a link in the session's place", "The link could lead to a file that others can write to.", "Put the file in the link's place: `mv -n -- …`"},
		{"a damaged session", "The file was cut off, or edited by hand.", ""},
		{"a folder in the session's place", "A folder is where the file should be.", "Move it away: `mv -n -- …`"},
		{"a damaged tenant context", "The file was cut off, or edited by hand.", "Move it away: `mv -n -- …`"},
		{"a FIFO in the tenant context's place", "Something that is no file is where the file should be.", "Move it away: `mv -n -- …`"},
		{"a folder in the lock's place", "A folder is where the file should be.", "Move it away: `mv -n -- …`"},
		{"a link to nowhere in the folder's place", "The folder that the link leads to is gone.", "Make the folder: `mkdir -p -m 700 -- …`"},
		{"a file in the folder's place", "A file is where the folder should be.", "Move it away: `mv -n -- …`"},
		{"somebody else's folder", "A command was run as another user, often with `sudo`.", "Move it away: `mv -n -- …`"},
		{"an immutable session", "The file has the attribute that forbids every change.", "`chattr -i -- …`"},
		{"a lock that somebody holds", "Another `cre` writes at this moment, or hangs.", "Wait. If it stays so, end the process that the finding names."},
	}},
	{"environment", []explanation{
		{"an unusable CRE_CLI_ENV", "The name is not that of an environment.", ""},
		{"an unusable CRE_CREDENTIAL_STORE", "Known are `auto`, `" + strings.Join(reading.Words(), "`, `") + "`.", ""},
		{"an unusable CRE_KEYRING_TIMEOUT", "A number needs a unit: `10s`.", ""},
		{"an unusable CRE_CLI_GRAPHQL_URL", "The URL must be https, or http on this machine.", ""},
		{"an unusable CRE_API_KEY_FILE", "The file isn't there, or may not be used.", ""},
		{"an unusable SSL_CERT_FILE", "The file isn't there.", ""},
		{"overrides", "Variables send this program to another platform.", ""},
		{"a file that says where tokens go", "The official CLI would load this file, and send the token where the file says.", "Remove the line from the file, or work in another folder."},
	}},
	{"session", []explanation{
		{"nobody logged in", "There is no session.", ""},
		{"nobody logged in, with a keychain", "", ""},
		{"a session that has expired", "The session was stored without what renews it, and its time is over.", ""},
		{"a session in the file that has expired", "The same.", ""},
		{"a session that nothing renews", "The session was stored without what renews it.", ""},
		{"an API key over a session", "The variable is set, and comes before the session.", ""},
		{"a file of an API key over a session", "The same.", ""},
		{"a stored API key over a session", "A stored key comes before the session.", ""},
		{"a file of an API key that others can read", "Other users of this machine can read the key.", "`chmod 400` on that file. If others may have read the key, make a new one."},
		{"the account in use logged out", "Other accounts are logged in, but none of them is chosen.", "`cre session use …`"},
		{"an account that isn't logged in", "The variable names an account that isn't logged in.", ""},
		{"plain tokens over a session in the keychain", "The official CLI has logged in by itself, or a login could not reach the keychain. The session in `cre.yaml` is used.", ""},
		{"another account's session beside the one in the file", "The last login went to the file, which holds one session.", ""},
		{"a session that the official CLI's logout left", "Another home has logged in, or the official CLI's own logout has left it.", ""},
		{"the helper doesn't answer", "`cre-credential-helper` could not be run, or failed.", "Read what it says after the colon. `cre doctor programs` checks the installation."},
	}},
	{"programs and official", []explanation{
		{"another cre first on PATH", "Another program is called `cre`, too, and is found first.", "`export PATH=…`"},
		{"the official CLI first on PATH", "The official CLI's installer has put its folder first on `PATH`.", ""},
		{"no cre on PATH", "The folder of this program is not on `PATH`.", "`export PATH=…`"},
		{"a helper that isn't there", "The variable names a program that isn't there.", ""},
		{"a program that is missing", "The installation is not complete.", "Install this program again."},
		{"programs of two versions", "Only some of the programs were upgraded.", "Install this program again."},
		{"an official CLI that isn't there", "The variable names a program that isn't there.", ""},
	}},
	{"git and docker", []explanation{
		{"git asks a name that nothing has", "The link that git looks for was not installed.", "`ln -s …`"},
		{"git asks a name that isn't on PATH", "The link's folder is not on `PATH`.", "`export PATH=…`"},
		{"git asks a path that nothing has", "git's configuration names a program that was removed.", "`git config --global --replace-all …`"},
		{"a damaged configuration of git", "git itself can't read its file.", "Correct the file that git names."},
		{"docker asks a name that nothing has", "The link that docker looks for was not installed.", "`ln -s …`"},
		{"a damaged configuration of docker", "The file is not JSON.", "Move it away: `mv -n -- …`"},
	}},
	{"port", []explanation{
		{"a login that waits", "A login in another window still waits for the browser.", "Finish it, or end it: `kill …`"},
		{"another program on the port", "The browser has to come back to this port, and another program uses it.", "End it, or log in in a terminal and paste the address."},
	}},
	{"provider, clock and platform", []explanation{
		{"a provider that is out of order", "The provider has an outage.", "Try again later. A token that is still good works meanwhile."},
		{"a login page instead of the provider", "A Wi-Fi or a proxy answers in the provider's place.", "Open a page in the browser, and log in to the Wi-Fi."},
		{"a provider that sends elsewhere", "Something answers with a redirect, which is never followed.", "Try without a VPN or proxy."},
		{"a login page instead of the platform", "A Wi-Fi or a proxy answers in the platform's place.", "Open a page in the browser, and log in to the Wi-Fi."},
		{"a platform that is out of order", "The platform has an outage.", "Try again later."},
		{"a platform that isn't there", "Nothing answers at the platform's address.", "Check the network. If `CRE_CLI_GRAPHQL_URL` is set, check it."},
		{"a name that can't be found", "The name server doesn't know the provider's name.", "Check the network. If `CRE_CLI_AUTH_BASE` is set, check it."},
		{"a proxy that isn't there", "The variable names a proxy that doesn't answer.", ""},
		{"a certificate of an unknown authority", "A company's proxy signs with its own authority, or the clock is wrong.", "Set `SSL_CERT_FILE` to the file with that authority."},
		{"a clock that is ahead", "The clock is wrong: tokens seem to expire too early or too late.", ""},
	}},
}

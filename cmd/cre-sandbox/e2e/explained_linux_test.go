package e2e

// chapter is a part of docs/troubleshooting.md.
type chapter struct {
	heading string
	rows    []explanation
}

// explanation is why a message or a finding comes, and what a person does about it,
// where it doesn't say so itself.
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
	{"Login and logout", []explanation{
		{"the port is in use", "The browser comes back to port 53682, and another program listens there: usually a `cre login` that still waits in another window.", "Finish that login, or stop it with Ctrl-C. `cre doctor port` names the program. In a terminal you can also paste the address."},
		{"the login is declined", "Somebody pressed the button that declines, in the browser.", "Run `cre login` again."},
		{"a renewal is refused", "The provider no longer accepts the session: it was ended in another place, or it was not used for too long.", "Run `cre login`."},
		{"a logout without the network", "The provider could not be told that the session ends. It is removed from this machine all the same.", "Nothing, if nobody else can have a copy of the tokens. Otherwise end the session in the platform's web pages."},
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
		{"a time without a unit", "The number says no unit.", "Write `30s`, `30m` or `1h`."},
		{"no time", "A token that is good for no time at all is of no use.", "Leave `--valid-for` out, or write for how long you need the token."},
		{"a negative time", "The same.", "The same."},
		{"an empty time", "`--valid-for` is there without its value.", "Write `30s`, `30m` or `1h`."},
		{"a registry that is no flag's", "`setup docker` takes the registry from a flag.", "Put `--registry` before it."},
		{"no registry", "`setup docker` has to know for which registry docker asks.", "Name it, with `--registry`."},
	}},
}

// findingChapters explain each of the doctor's faults once.
var findingChapters = []chapter{
	{"keychain", []explanation{
		{"a locked keychain", "The keychain's password was not given since the last start.", ""},
		{"a locked keychain that waits for somebody", "The keychain shows a dialog for its password, and nobody answers it.", ""},
		{"a KeePassXC that asks before each access", "KeePassXC is set to confirm each access, and nobody confirms it.", "Confirm it, or choose in KeePassXC's settings not to ask."},
		{"a keychain without a keyring", "The keychain's program runs, but nobody has made a keyring yet.", ""},
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
		{"a folder of an odd name that everybody may write to", "The same; the command quotes the folder's name.", "`chmod go-w -- …`"},
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
		{"an unusable CRE_CREDENTIAL_STORE", "Known are `auto`, `keychain` and `file`.", ""},
		{"an unusable CRE_KEYRING_TIMEOUT", "A number needs a unit: `10s`.", ""},
		{"an unusable CRE_CLI_GRAPHQL_URL", "The URL must be https, or http on this machine.", ""},
		{"an unusable CRE_API_KEY_FILE", "The file isn't there, or may not be used.", ""},
		{"an unusable SSL_CERT_FILE", "The file isn't there.", ""},
		{"overrides", "Variables send this program to another platform.", ""},
		{"a file that says where tokens go", "The official CLI would load this file, and send the token where the file says.", "Remove the line from the file, or work in another folder."},
	}},
	{"session", []explanation{
		{"nobody logged in", "There is no session.", ""},
		{"nobody logged in, with a keychain", "There is no session, in the keychain either.", ""},
		{"a session that has expired", "The token is too old, and came without what renews it.", ""},
		{"a session in the file that has expired", "The same, with the session in `cre.yaml`.", ""},
		{"a session that nothing renews", "The token is still good, but came without what renews it.", ""},
		{"an API key over a session", "The variable is set, and comes before the session.", ""},
		{"a file of an API key over a session", "The variable is set, and its file's key comes before the session.", ""},
		{"a stored API key over a session", "`cre login --with-api-key` has stored a key, which comes before the session.", "Log out, which removes both, and log in: `cre logout`, `cre login`"},
		{"a file of an API key that others can read", "Other users of this machine may read the key.", "`chmod 600 FILE`"},
		{"the account in use logged out", "There are other accounts, and none of them was chosen.", ""},
		{"an account that isn't logged in", "The variable names an account without a session.", ""},
		{"plain tokens over a session in the keychain", "The official CLI has logged in by itself, and left its tokens in `cre.yaml`.", ""},
		{"a session that the official CLI's logout left", "The official CLI's logout removes `cre.yaml` only.", ""},
		{"the helper doesn't answer", "The program that `cre` asks has failed. Its own words stand behind the colon.", "If `CRE_CREDENTIAL_HELPER` is set, unset it; else install this program again."},
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
		{"another program on the port", "The browser has to come back to this port, and another program uses it.", "End it: `kill …`"},
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

package keyring

import "golang.org/x/sys/windows"

// noFollow: Windows has no such flag, and no FIFO among its files.
const noFollow = 0

// cacheDir is found by the user's token: LOCALAPPDATA may be anything.
func cacheDir() (string, error) {
	return windows.KnownFolderPath(windows.FOLDERID_LocalAppData, windows.KF_FLAG_DEFAULT)
}

package official

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Installation says what [Install] does and where. All but Stdout is needed on
// Unix; Shell may be empty.
type Installation struct {
	Program string // the file that is installed
	Home    string
	Folder  string // CRE_INSTALL; empty: .cre in Home
	Shell   string // SHELL: for bash and zsh, PATH is set in the profile
	Stdout  io.Writer
}

// Install does what the official installer does: the program goes to bin/cre in
// the folder, by a move that replaces a link and writes nothing through it; the
// folders have the modes that the umask leaves; the program is tried; and the
// shell's profile, if there is one, puts bin first on PATH.
func Install(i Installation) error {
	folder := i.Folder
	if folder == "" {
		folder = filepath.Join(i.Home, ".cre")
	}
	bin := filepath.Join(folder, "bin")
	if err := os.MkdirAll(bin, 0o777); err != nil {
		return err
	}
	target := filepath.Join(bin, "cre")
	if err := moveCopy(i.Program, target); err != nil {
		return err
	}
	out, err := exec.Command(target, "version").Output()
	if err != nil {
		return fmt.Errorf("cre installation failed: %w", err)
	}
	if i.Stdout == nil {
		i.Stdout = io.Discard
	}
	fmt.Fprintf(i.Stdout, "%scre was installed successfully to %s\n", out, target)
	return i.setPath(folder)
}

// moveCopy moves a copy of a program into place, as mv does with a download.
func moveCopy(program, target string) error {
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	download := target + ".download"
	if err := os.WriteFile(download, data, 0o755); err != nil {
		return err
	}
	return os.Rename(download, target)
}

// setPath appends to the first profile that there is, once.
func (i Installation) setPath(folder string) error {
	lines := fmt.Sprintf("\n# cre\nexport CRE_INSTALL=%q\nexport PATH=\"$CRE_INSTALL/bin:$PATH\"\n", folder)
	profiles := map[string][]string{"bash": {".bash_profile", ".bashrc"}, "zsh": {".zshrc"}}[filepath.Base(i.Shell)]
	for _, name := range profiles {
		path := filepath.Join(i.Home, name)
		profile, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		if strings.Contains(string(profile), "# cre") {
			return nil
		}
		fmt.Fprintf(i.Stdout, "Added %s to PATH in %s\n", filepath.Join(folder, "bin"), path)
		return os.WriteFile(path, append(profile, lines...), 0o644) // an existing file keeps its mode
	}
	fmt.Fprintf(i.Stdout, "Manually add to your profile:%s", lines)
	return nil
}

package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// addImage runs `image NAME PROGRAM`: it makes an image of a program of this
// machine, with the libraries that it loads and a busybox beside it.
func (c *cluster) addImage(ctx context.Context, words []string) (object, error) {
	if len(words) < 2 {
		return nil, errors.New("usage: image NAME PROGRAM")
	}
	if c.node == nil {
		return nil, errors.New("nobody here runs images: start it --with kubelet")
	}
	name, program := words[0], strings.Join(words[1:], " ") // a path may have spaces
	return object{"image": name}, c.importImage(ctx, name, program)
}

// furnishNode gives the node what the first pod needs.
func (c *cluster) furnishNode(ctx context.Context) error {
	if err := c.importImage(ctx, pauseImage, ""); err != nil {
		return err
	}
	return c.admitPods(c.url + "/api/v1/nodes/" + realNode)
}

// importImage makes an image and gives it to containerd. Without a program it
// has busybox alone, and sleeps.
func (c *cluster) importImage(ctx context.Context, name, program string) error {
	folder, err := os.MkdirTemp(c.dir, "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	config := object{
		"Env": []string{"PATH=/bin:/"},
		"Cmd": []string{"/bin/busybox", "sleep", "infinity"},
	}
	if program != "" {
		config["Entrypoint"] = []string{"/" + filepath.Base(program)}
		config["Cmd"] = nil
		config["User"] = "1000:1000"
	}
	layer := filepath.Join(folder, "layer.tar")
	digest, err := writeLayer(layer, program)
	if err != nil {
		return fmt.Errorf("no image can be made of %s: %w", program, err)
	}
	archive := filepath.Join(folder, "image.tar")
	if err := writeArchive(archive, name, config, layer, digest); err != nil {
		return err
	}
	ctr := exec.CommandContext(ctx, "ctr", "--address", c.node.socket(), "--namespace", "k8s.io", "images", "import", archive)
	if said, err := ctr.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", ctr, err, said)
	}
	return nil
}

// writeLayer writes the only layer of an image and returns its digest.
func writeLayer(path, program string) (string, error) {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return "", err
	}
	applets, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return "", err
	}
	files := map[string]string{"bin/busybox": busybox}
	if program != "" {
		files[filepath.Base(program)] = program
		libraries, err := librariesOf(program)
		if err != nil {
			return "", err
		}
		for _, library := range libraries {
			files[strings.TrimPrefix(library, "/")] = library
		}
	}

	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	layer := tar.NewWriter(io.MultiWriter(file, hash))
	for _, folder := range []string{"bin", "etc", "tmp"} {
		if err := layer.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755}); err != nil {
			return "", err
		}
	}
	for name, text := range map[string]string{
		"etc/passwd": "root:x:0:0::/:/bin/sh\nagent:x:1000:1000::/:/bin/sh\n",
		"etc/group":  "root:x:0:\nagent:x:1000:\n",
	} {
		if err := addFile(layer, name, 0o644, int64(len(text)), strings.NewReader(text)); err != nil {
			return "", err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if err := copyFile(layer, name, files[name]); err != nil {
			return "", err
		}
	}
	for _, applet := range strings.Fields(string(applets)) {
		if applet == "busybox" {
			continue
		}
		header := tar.Header{Typeflag: tar.TypeSymlink, Name: "bin/" + applet, Linkname: "busybox", Mode: 0o777}
		if err := layer.WriteHeader(&header); err != nil {
			return "", err
		}
	}
	if err := layer.Close(); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), file.Close()
}

// writeArchive writes an image of one layer as `docker save` does.
func writeArchive(path, name string, config object, layer, digest string) error {
	about, err := json.Marshal(object{
		"architecture": runtime.GOARCH,
		"os":           "linux",
		"config":       config,
		"rootfs":       object{"type": "layers", "diff_ids": []string{"sha256:" + digest}},
	})
	if err != nil {
		return err
	}
	manifest, err := json.Marshal([]object{{
		"Config": "config.json", "RepoTags": []string{name}, "Layers": []string{"layer.tar"},
	}})
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	archive := tar.NewWriter(file)
	for entry, data := range map[string][]byte{"config.json": about, "manifest.json": manifest} {
		if err := addFile(archive, entry, 0o644, int64(len(data)), bytes.NewReader(data)); err != nil {
			return err
		}
	}
	if err := copyFile(archive, "layer.tar", layer); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return file.Close()
}

func copyFile(archive *tar.Writer, name, path string) error {
	file, err := os.Open(path) // what a link leads to
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	return addFile(archive, name, int64(info.Mode().Perm()), info.Size(), file)
}

func addFile(archive *tar.Writer, name string, mode, size int64, data io.Reader) error {
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size}); err != nil {
		return err
	}
	_, err := io.Copy(archive, data)
	return err
}

// librariesOf names what the loader maps into a program, itself too; nothing
// for a program that stands alone.
func librariesOf(program string) ([]string, error) {
	said, err := exec.Command("ldd", program).CombinedOutput()
	if err != nil {
		if bytes.Contains(said, []byte("not a dynamic executable")) {
			return nil, nil
		}
		return nil, fmt.Errorf("ldd %s: %w: %s", program, err, said)
	}
	var libraries []string
	for line := range strings.Lines(string(said)) {
		// `libc.so.6 => /lib/libc.so.6 (0x…)`, or the path alone
		for _, word := range strings.Fields(line) {
			if strings.HasPrefix(word, "/") {
				libraries = append(libraries, word)
				break
			}
			if word == "not" {
				return nil, fmt.Errorf("ldd %s: %s", program, strings.TrimSpace(line))
			}
		}
	}
	return libraries, nil
}

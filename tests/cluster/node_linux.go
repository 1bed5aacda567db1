package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// firstArgument makes this program the first process of a node.
const firstArgument = "first-of-node"

// cgroupRoot is where the control groups are, one tree (version 2) or a tree
// for each controller.
const cgroupRoot = "/sys/fs/cgroup"

// covered are the folders that containerd, the kubelet and the plugins write
// to wherever they are told to. On the node they are empty and its own.
var covered = []string{"/run", "/var/lib", "/var/log"}

// tunables belong to the whole machine. The kubelet sets them unless they are
// as it wants them: on the node they say that they are.
var tunables = map[string]string{
	"kernel/keys/root_maxbytes": "25000000",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
}

// newNode finds a number that no other node on this machine has.
func newNode(dir string) (*node, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("a kubelet needs root")
	}
	for _, folder := range covered {
		if dir == folder || strings.HasPrefix(dir, folder+"/") {
			return nil, fmt.Errorf("a node has its own %s, so the cluster's folder cannot be %s: choose another with --dir or TMPDIR", folder, dir)
		}
	}
	removeAbandonedCgroups()
	for range 100 {
		n := &node{dir: dir, number: rand.IntN(256), work: make(chan func())}
		if _, err := net.InterfaceByName(n.device()); err != nil {
			n.cgroups = folderPattern + strconv.Itoa(os.Getpid())
			return n, nil
		}
	}
	return nil, errors.New("no address is free for a node: ip link shows who has them (kgents0 to kgents255)")
}

// enter starts the first process of the node, in new namespaces, and keeps a
// thread inside.
func (n *node) enter() error {
	// The first child in there is process 1. The first time that package os
	// looks at any process it starts one to see what the kernel can do: now.
	if _, err := os.FindProcess(os.Getpid()); err != nil {
		return err
	}
	entered := make(chan error)
	go func() {
		// The thread is never given back: what it does counts inside.
		runtime.LockOSThread()
		err := syscall.Unshare(syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID)
		if err == nil {
			err = n.startFirst()
		} else {
			err = fmt.Errorf("this root may not make namespaces (a container without privileges?): %w", err)
		}
		entered <- err
		if err != nil {
			return
		}
		for task := range n.work {
			task()
		}
	}()
	return <-entered
}

// startFirst starts what is process 1 of the node and waits until it has
// mounted everything. It must run inside.
func (n *node) startFirst() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	first := exec.Command(self, firstArgument, n.dir)
	first.Env = []string{"PATH=" + os.Getenv("PATH")}
	first.Stderr = os.Stderr
	first.SysProcAttr = childAttributes()
	ready, err := first.StdoutPipe()
	if err != nil {
		return err
	}
	if err := first.Start(); err != nil {
		return err
	}
	n.first = first
	if said, _ := io.ReadAll(ready); string(said) != "ready" {
		return errors.New("the node's first process has ended")
	}
	return nil
}

// runFirst is the first process of a node.
func runFirst(dir string) int {
	if err := mountAll(dir); err != nil {
		complain(err)
		return 1
	}
	if _, err := os.Stdout.WriteString("ready"); err != nil {
		return 1
	}
	os.Stdout.Close()
	// Whoever loses its parent becomes a child of ours. Without any there is
	// nothing to wait for, until one has ended again.
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); errors.Is(err, syscall.ECHILD) {
			<-ended
		}
	}
}

func mountAll(dir string) error {
	mount := func(source, target, kind string, flags uintptr) error {
		if err := syscall.Mount(source, target, kind, flags, ""); err != nil {
			return fmt.Errorf("mount %s: %w", target, err)
		}
		return nil
	}
	// Nothing goes out to the machine or comes in from it; what the kubelet
	// mounts reaches the containers.
	for _, flag := range []uintptr{syscall.MS_PRIVATE, syscall.MS_SHARED} {
		if err := mount("", "/", "", flag|syscall.MS_REC); err != nil {
			return err
		}
	}
	for _, folder := range covered {
		if err := mount("kgents", folder, "tmpfs", 0); err != nil {
			return err
		}
	}
	if err := mount("proc", "/proc", "proc", 0); err != nil {
		return err
	}
	for name, value := range tunables {
		file := filepath.Join(dir, "tunables", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o644); err != nil {
			return err
		}
		if err := mount(file, "/proc/sys/"+name, "", syscall.MS_BIND); err != nil {
			return err
		}
	}
	// Of this network namespace alone.
	return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1\n"), 0o644)
}

// hierarchies are the trees of control groups that take processes.
func hierarchies() []string {
	if _, err := os.Stat(cgroupRoot + "/cgroup.controllers"); err == nil {
		return []string{cgroupRoot}
	}
	entries, _ := os.ReadDir(cgroupRoot)
	var found []string
	for _, entry := range entries {
		// cpu may be a link to cpu,cpuacct.
		if entry.IsDir() {
			found = append(found, filepath.Join(cgroupRoot, entry.Name()))
		}
	}
	return found
}

// makeCgroups makes the tree below which the kubelet makes those of pods.
func (n *node) makeCgroups() error {
	// In version 2 a child has the controllers that its parent hands on. The
	// kubelet wants all that there are; whoever runs containers here has handed
	// on most of them already.
	controllers, _ := os.ReadFile(cgroupRoot + "/cgroup.controllers")
	for _, controller := range strings.Fields(string(controllers)) {
		_ = os.WriteFile(cgroupRoot+"/cgroup.subtree_control", []byte("+"+controller), 0o644)
	}
	for _, hierarchy := range hierarchies() {
		if err := os.MkdirAll(filepath.Join(hierarchy, n.cgroups), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// removeCgroups removes the control groups of a node that runs no more.
func removeCgroups(name string) {
	for _, hierarchy := range hierarchies() {
		var groups []string
		_ = filepath.WalkDir(filepath.Join(hierarchy, name), func(path string, entry os.DirEntry, err error) error {
			if err == nil && entry.IsDir() {
				groups = append(groups, path)
			}
			return nil
		})
		for _, group := range slices.Backward(groups) {
			_ = syscall.Rmdir(group)
		}
	}
}

// removeAbandonedCgroups removes those of nodes whose supervisor was killed.
func removeAbandonedCgroups() {
	for _, hierarchy := range hierarchies() {
		groups, _ := filepath.Glob(filepath.Join(hierarchy, folderPattern+"*"))
		for _, group := range groups {
			name := filepath.Base(group)
			pid, err := strconv.Atoi(strings.TrimPrefix(name, folderPattern))
			if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
				removeCgroups(name)
			}
		}
	}
}

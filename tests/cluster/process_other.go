//go:build !linux

package main

import "syscall"

// childAttributes gives a child a process group of its own, so that ctrl-c in
// a terminal reaches the supervisor alone. Only Linux can also tie the child's
// life to the supervisor's: elsewhere a SIGKILL leaves the components behind.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

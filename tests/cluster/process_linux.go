package main

import "syscall"

// childAttributes gives a child a process group of its own, so that ctrl-c in
// a terminal reaches the supervisor alone, and lets the kernel kill it when the
// supervisor dies in a way that leaves it no time to.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

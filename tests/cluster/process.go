package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"time"
)

// A process is one component of the cluster. It can be started again after it
// has stopped, with the same arguments and so with the same ports and data.
// Its methods are for one goroutine.
type process struct {
	name  string
	path  string
	args  []string
	env   []string
	log   string       // file that its output is appended to
	ready func() error // nil once it does its work
	wave  int          // it waits for those of a lower one
	spawn func(*exec.Cmd) error
	child *child // nil before the first start
}

// A child is one run of a process.
type child struct {
	cmd    *exec.Cmd
	done   chan struct{} // closed when it has been reaped, after err is set
	err    error
	missed atomic.Bool // whether its death would be news
}

var errNotRunning = errors.New("is not running")

// start must be called on a locked OS thread: see up.
func (p *process) start() error {
	if p.running() {
		return fmt.Errorf("%s is running already", p.name)
	}
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Env = p.env
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = childAttributes()
	if err := p.spawn(cmd); err != nil {
		return err
	}
	c := &child{cmd: cmd, done: make(chan struct{})}
	p.child = c
	go func() {
		c.err = cmd.Wait()
		close(c.done)
		if c.missed.Load() {
			complain(p.deathError(c))
		}
	}()
	return nil
}

func (p *process) running() bool {
	if p.child == nil {
		return false
	}
	select {
	case <-p.child.done:
		return false
	default:
		return true
	}
}

// death returns how p ended, nil when it runs or was never started.
func (p *process) death() error {
	if p.child == nil || p.running() {
		return nil
	}
	return p.deathError(p.child)
}

// pid returns 0 when p is not running.
func (p *process) pid() int {
	if !p.running() {
		return 0
	}
	return p.child.cmd.Process.Pid
}

func (p *process) signal(s syscall.Signal) error {
	if !p.running() {
		return fmt.Errorf("%s %w", p.name, errNotRunning)
	}
	return p.child.cmd.Process.Signal(s)
}

// kill sends SIGKILL and returns when the process is gone.
func (p *process) kill() error {
	return p.end(syscall.SIGKILL, 0)
}

// stop sends SIGTERM, and SIGKILL to a process that is still there after
// grace. It returns when the process is gone.
func (p *process) stop(grace time.Duration) error {
	return p.end(syscall.SIGTERM, grace)
}

func (p *process) end(s syscall.Signal, grace time.Duration) error {
	if p.child != nil {
		p.child.missed.Store(false)
	}
	if err := p.signal(s); err != nil {
		return err
	}
	if s != syscall.SIGKILL {
		// A paused process would not take it.
		_ = p.signal(syscall.SIGCONT)
		select {
		case <-p.child.done:
			return nil
		case <-time.After(grace):
			_ = p.signal(syscall.SIGKILL)
		}
	}
	<-p.child.done
	return nil
}

// deathError says how a finished child ended and what it said last.
func (p *process) deathError(c *child) error {
	state := "exited with code 0"
	if c.err != nil {
		state = c.err.Error()
	}
	return fmt.Errorf("%s has died (%s); the end of %s:\n%s", p.name, state, p.log, tail(p.log, 10))
}

// tail returns the last n lines of a file, at most 8 KiB of them.
func tail(path string, n int) []byte {
	data, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	data = bytes.TrimSpace(data)
	data = data[max(0, len(data)-8<<10):]
	lines := bytes.Split(data, []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-n):], []byte("\n"))
}

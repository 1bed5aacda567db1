package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"
)

// stopGrace is how long the command `stop` waits before it kills.
const stopGrace = 20 * time.Second

// execute runs one line of standard input and returns what is answered beside
// "ok".
func (c *cluster) execute(ctx context.Context, line string) (object, error) {
	words := strings.Fields(line)
	command, words := words[0], words[1:]
	switch command {
	case "status":
		return object{"pids": c.pids()}, nil
	case "compact":
		return c.compact()
	case "cert":
		return c.issue(words)
	case "image":
		return c.addImage(ctx, words)
	case "kill", "stop", "start", "pause", "resume":
		if len(words) != 1 {
			return nil, fmt.Errorf("usage: %s NAME", command)
		}
		p, err := c.find(words[0])
		if err != nil {
			return nil, err
		}
		return c.control(ctx, command, p)
	}
	return nil, fmt.Errorf("no command %q; there are kill, stop, start, pause and resume NAME, status, compact, cert, image", command)
}

func (c *cluster) control(ctx context.Context, command string, p *process) (object, error) {
	pid := p.pid()
	var err error
	switch command {
	case "kill":
		err = p.kill()
	case "stop":
		err = p.stop(stopGrace)
	case "start":
		err = c.restart(ctx, p)
		pid = p.pid()
	case "pause":
		err = p.signal(syscall.SIGSTOP)
	case "resume":
		err = p.signal(syscall.SIGCONT)
	}
	return object{"name": p.name, "pid": pid}, err
}

// find takes the name of a process with or without its "kube-".
func (c *cluster) find(name string) (*process, error) {
	var names []string
	for _, p := range c.processes {
		if p.name == name || p.name == "kube-"+name {
			return p, nil
		}
		names = append(names, p.name)
	}
	return nil, fmt.Errorf("no component %q; there are %s", name, strings.Join(names, ", "))
}

// pids holds 0 for a process that is not running.
func (c *cluster) pids() map[string]int {
	pids := map[string]int{}
	for _, p := range c.processes {
		pids[p.name] = p.pid()
	}
	return pids
}

// compact makes etcd forget all history before now, so that a watch that wants
// to go on from an older revision is told 410 Gone. It uses etcd's JSON
// gateway, in which a 64-bit number is a string.
func (c *cluster) compact() (object, error) {
	var status struct {
		Header struct{ Revision string }
	}
	if err := c.etcd("/v3/maintenance/status", object{}, &status); err != nil {
		return nil, err
	}
	revision := status.Header.Revision
	err := c.etcd("/v3/kv/compaction", object{"revision": revision, "physical": true}, nil)
	// Nothing was written since the last compaction.
	if err != nil && strings.Contains(err.Error(), "required revision has been compacted") {
		err = nil
	}
	return object{"revision": json.Number(revision)}, err
}

func (c *cluster) etcd(path string, body, answer any) error {
	return c.request(http.MethodPost, c.etcdURL+path, "application/json", body, answer)
}

// issue makes a kubeconfig for another user.
func (c *cluster) issue(words []string) (object, error) {
	notAfter := time.Now().Add(validity)
	if len(words) > 0 && words[0] == "--expired" {
		notAfter = time.Now().Add(-time.Hour)
		words = words[1:]
	}
	if len(words) == 0 || strings.HasPrefix(words[0], "-") {
		return nil, errors.New("usage: cert [--expired] USER [GROUP...]")
	}
	user, groups := words[0], words[1:]
	client, err := c.ca.client(user, groups, notAfter)
	if err != nil {
		return nil, err
	}
	// A user's name is not always a file's name.
	c.kubeconfigs++
	path := c.path(fmt.Sprintf("kubeconfig-%d", c.kubeconfigs))
	if err := os.WriteFile(path, kubeconfig(c.url, c.ca.pem, user, client), 0o600); err != nil {
		return nil, err
	}
	return object{"kubeconfig": path, "user": user}, nil
}

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// options are the flags of `up`.
type options struct {
	with          map[string]bool // components beside etcd and the API server
	auditLog      string          // absolute, or empty
	dir           string          // absolute; empty until makeDir for a temporary folder
	keep          bool            // whether dir outlives the cluster
	apiserverArgs []string
	hold          bool
}

// ownAuditLog stands for a file in the cluster's own folder.
const ownAuditLog = "-"

// optional are the components that --with takes, under their short names.
var optional = map[string]string{
	"controller-manager": "kube-controller-manager",
	"scheduler":          "kube-scheduler",
	"kwok":               "kwok",
	"kubelet":            "kubelet",
	"proxy":              "kube-proxy",
}

// up starts a cluster, keeps it until it is told to stop, and returns the
// exit code.
func up(args []string) int {
	began := time.Now()
	// The kernel kills a child when the *thread* that started it ends. All are
	// started by this goroutine, whose thread now lives as long as the process.
	runtime.LockOSThread()

	o, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		complain(err)
		return 2
	}
	if err := o.run(began); err != nil {
		complain(err)
		return 1
	}
	return 0
}

func parse(args []string) (options, error) {
	o := options{with: map[string]bool{}}
	flags := flag.NewFlagSet("kgents-cluster up", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // each error would be printed with all flags, and twice
	flags.Func("with", "comma-separated `components` beside etcd and kube-apiserver: controller-manager, scheduler, kwok, kubelet, kube-proxy", func(list string) error {
		for _, name := range strings.Split(list, ",") {
			name = strings.TrimPrefix(name, "kube-")
			if optional[name] == "" {
				return fmt.Errorf("no component %q", name)
			}
			o.with[name] = true
		}
		return nil
	})
	flags.StringVar(&o.auditLog, "audit-log", "", "`file` to which the API server writes one JSON line for each request")
	flags.StringVar(&o.dir, "dir", "", "`folder` to use and to keep: a new or an empty one (default: a temporary one, removed at the end)")
	flags.Func("apiserver-arg", "one more `argument` for kube-apiserver; can be repeated", func(arg string) error {
		o.apiserverArgs = append(o.apiserverArgs, arg)
		return nil
	})
	flags.BoolVar(&o.hold, "hold", false, "ignore standard input and run until a signal comes")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			flags.SetOutput(os.Stderr)
			flags.PrintDefaults()
		}
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	for _, path := range []*string{&o.auditLog, &o.dir} {
		if *path != "" && *path != ownAuditLog {
			var err error
			if *path, err = filepath.Abs(*path); err != nil {
				return o, err
			}
		}
	}
	return o, nil
}

var errInputClosed = errors.New("standard input was closed (--hold ignores it)")

func (o options) run(began time.Time) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// A reader that has gone must not end this process before it has cleaned
	// up: with this a write to a closed pipe is an error like any other.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	// A test waits for each answer. Past 64 lines ahead of the answers the end
	// of the input is noticed late.
	lines := make(chan string, 64)
	if !o.hold {
		go func() {
			readLines(os.Stdin, lines)
			cancel(errInputClosed)
		}()
	}

	release, err := o.makeDir()
	if err != nil {
		return err
	}
	defer release()
	c, err := newCluster(o)
	if err != nil {
		return err
	}
	defer c.destroy()
	if err := c.start(ctx); err != nil {
		return err
	}
	switch {
	case !o.with["controller-manager"]:
	case c.node == nil:
		defer c.removeHostPaths()
	default:
		go c.provision(ctx)
	}

	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(c.description()); err != nil {
		return err
	}
	if o.hold || isTerminal(os.Stdin) {
		c.greet(time.Since(began))
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			if strings.TrimSpace(line) == "" {
				continue
			}
			reply, err := c.execute(ctx, line)
			if err != nil {
				reply = object{"error": err.Error()}
			}
			reply["ok"] = err == nil
			if err := out.Encode(reply); err != nil {
				return err
			}
		}
	}
}

// readLines returns when r is at its end.
func readLines(r io.Reader, lines chan<- string) {
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		lines <- scanner.Text()
	}
}

// description is the line that `up` prints when everything is ready.
func (c *cluster) description() any {
	containerd := ""
	if c.node != nil {
		containerd = c.node.socket()
	}
	return struct {
		Kubeconfig string            `json:"kubeconfig"`
		Context    string            `json:"context"`
		URL        string            `json:"url"`
		CA         string            `json:"ca"`
		Dir        string            `json:"dir"`
		Bin        string            `json:"bin"`
		Logs       string            `json:"logs"`
		Kubectl    string            `json:"kubectl"`
		AuditLog   string            `json:"audit_log,omitempty"`
		Containerd string            `json:"containerd,omitempty"`
		Pids       map[string]int    `json:"pids"`
		Etcd       map[string]string `json:"etcd"`
	}{
		Kubeconfig: c.kubeconfig,
		Context:    contextName,
		URL:        c.url,
		CA:         c.pki("ca.crt"),
		Dir:        c.dir,
		Bin:        c.path("bin"),
		Logs:       c.path("logs"),
		Kubectl:    c.kubectl,
		AuditLog:   c.auditLog,
		Containerd: containerd,
		Pids:       c.pids(),
		Etcd:       map[string]string{"url": c.etcdURL, "prefix": "/registry"},
	}
}

// greet is for a person.
func (c *cluster) greet(took time.Duration) {
	end := "ctrl-c stops it and removes its folder"
	if c.keep {
		end = "ctrl-c stops it and keeps its folder"
	}
	fmt.Fprintf(os.Stderr, `
Kubernetes is ready at %s (%.1f s). In another terminal:

    export KUBECONFIG=%s
    alias kubectl=%s

Logs are in %s; %s.
`, c.url, took.Seconds(), c.kubeconfig, c.kubectl, c.path("logs"), end)
}

// isTerminal tells a terminal from the other character device that standard
// input often is.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

func complain(err error) {
	fmt.Fprintln(os.Stderr, "kgents-cluster:", err)
}

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

const (
	// startLimit is for a machine that is busy with a build at the same time;
	// an idle one needs a few seconds.
	startLimit = 2 * time.Minute
	pollEvery  = 50 * time.Millisecond
)

// A cluster is the folder, the credentials and the processes of one cluster.
type cluster struct {
	options
	ca          *authority
	node        *node  // nil without a kubelet
	host        string // where the API server listens
	url         string // of the API server
	etcdURL     string
	kubeconfig  string // path of the administrator's
	kubectl     string // path
	client      *http.Client
	leases      []net.PacketConn // of ports; one that is dropped is closed
	processes   []*process       // in the order of their start
	kubeconfigs int              // how many were written for other users
}

// newCluster writes everything that the components need into the folder
// o.dir, which exists and is empty, and starts nothing.
func newCluster(o options) (*cluster, error) {
	c := &cluster{options: o, host: "127.0.0.1"}
	if o.with["kubelet"] {
		var err error
		if c.node, err = newNode(o.dir); err != nil {
			return nil, err
		}
		// Pods cannot reach this machine's loopback.
		c.host = c.node.hostIP()
	} else if o.with["proxy"] {
		return nil, errors.New("kube-proxy works for a kubelet: take both")
	}
	for _, folder := range []string{"bin", "logs", "pki"} {
		if err := os.Mkdir(c.path(folder), 0o700); err != nil {
			return nil, err
		}
	}
	// Before the API server's arguments are made: to it `-` is standard output.
	if c.auditLog == ownAuditLog {
		c.auditLog = c.path("logs", "audit.log")
	}
	etcdPort, apiPort := c.freePort(), c.freePort()
	c.etcdURL = "http://127.0.0.1:" + etcdPort
	c.url = "https://" + net.JoinHostPort(c.host, apiPort)
	if err := c.writeCredentials(); err != nil {
		return nil, err
	}
	if err := c.findBinaries(); err != nil {
		return nil, err
	}
	c.addEtcd()
	if err := c.addAPIServer(apiPort); err != nil {
		return nil, err
	}
	if o.with["controller-manager"] {
		c.addControllerManager()
	}
	if o.with["scheduler"] {
		c.addScheduler()
	}
	if o.with["kwok"] {
		if err := c.addKwok(); err != nil {
			return nil, err
		}
	}
	if c.node != nil {
		if err := c.addNode(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// path names a file in the cluster's folder.
func (c *cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.dir}, elements...)...)
}

// freePort finds a port that nothing listens on, below the range that kernels
// take for outgoing connections. In that range another process's connection
// could take the port while the API server is down for a test; and a client
// that tries a closed port there again and again ends up connected to itself.
//
// No component listens for UDP: the UDP port of the same number, held until
// this process ends, keeps the port from clusters that start at the same time.
func (c *cluster) freePort() string {
	for {
		port := strconv.Itoa(20000 + rand.IntN(12000))
		lease, err := net.ListenPacket("udp", "127.0.0.1:"+port)
		if err != nil {
			continue
		}
		probe, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			lease.Close()
			continue
		}
		probe.Close()
		c.leases = append(c.leases, lease)
		return port
	}
}

func (c *cluster) writeCredentials() error {
	var err error
	if c.ca, err = newAuthority(); err != nil {
		return err
	}
	var others []string
	if c.node != nil {
		others = []string{c.node.hostIP(), c.node.ip()}
	}
	server, err := c.ca.server(others...)
	if err != nil {
		return err
	}
	admin, err := c.ca.client("terrarium-admin", []string{"system:masters"}, time.Now().Add(validity))
	if err != nil {
		return err
	}
	serviceAccount, err := newKey()
	if err != nil {
		return err
	}
	private, err := encodeKey(serviceAccount)
	if err != nil {
		return err
	}
	public, err := encodePublicKey(serviceAccount)
	if err != nil {
		return err
	}
	c.kubeconfig = c.path("kubeconfig")
	for path, data := range map[string][]byte{
		c.pki("ca.crt"):              c.ca.pem,
		c.pki("server.crt"):          server.cert,
		c.pki("server.key"):          server.key,
		c.pki("admin.crt"):           admin.cert,
		c.pki("admin.key"):           admin.key,
		c.pki("service-account.pub"): public,
		c.pki("service-account.key"): private,
		c.kubeconfig:                 kubeconfig(c.url, c.ca.pem, "terrarium-admin", admin),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return err
		}
	}
	certificate, err := tls.X509KeyPair(admin.cert, admin.key)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AddCert(c.ca.cert)
	c.client = &http.Client{
		Timeout: 5 * time.Second,
		// No proxy from the environment, and no connection kept: the server at
		// its other end may have been killed since.
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{certificate}},
			DisableKeepAlives: true,
		},
	}
	return nil
}

func (c *cluster) pki(name string) string {
	return c.path("pki", name)
}

// findBinaries puts a link to each binary that there is into the folder bin,
// and complains about the ones that are needed and missing.
func (c *cluster) findBinaries() error {
	needed := []string{"etcd", "kube-apiserver", "kubectl"}
	for name := range c.with {
		needed = append(needed, optional[name])
	}
	assets := os.Getenv("KUBEBUILDER_ASSETS")
	if assets == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		for name := range components {
			if err := os.Symlink(self, c.path("bin", name)); err != nil {
				return err
			}
		}
	} else {
		var err error
		if assets, err = filepath.Abs(assets); err != nil {
			return err
		}
		for _, name := range needed {
			if _, err := os.Stat(filepath.Join(assets, name)); err != nil {
				return fmt.Errorf("%s is not in KUBEBUILDER_ASSETS (%s); unset it to build one that has everything", name, assets)
			}
			if err := os.Symlink(filepath.Join(assets, name), c.path("bin", name)); err != nil {
				return err
			}
		}
	}
	for _, name := range needed {
		if _, err := os.Stat(c.path("bin", name)); err != nil {
			return fmt.Errorf("%s is not built in, and KUBEBUILDER_ASSETS is not set", name)
		}
	}
	c.kubectl = c.path("bin", "kubectl")
	return nil
}

// start starts everything and returns when all of it can be used.
func (c *cluster) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if c.node != nil {
		if err := c.node.open(); err != nil {
			return err
		}
	}
	// The API server waits for its etcd itself. A kubelet without containerd
	// gives up.
	for wave := range 2 {
		for _, p := range c.processes {
			if p.wave == wave {
				if err := p.start(); err != nil {
					return err
				}
			}
		}
		for _, p := range c.processes {
			if p.wave == wave {
				if err := wait(ctx, p.name, p.ready, c.processes...); err != nil {
					return err
				}
			}
		}
	}
	if err := c.furnish(ctx); err != nil {
		return err
	}
	for _, p := range c.processes {
		p.child.missed.Store(true)
	}
	return nil
}

// restart starts one process again and returns when it is ready.
func (c *cluster) restart(ctx context.Context, p *process) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := p.start(); err != nil {
		return err
	}
	if err := wait(ctx, p.name, p.ready, p); err != nil {
		return err
	}
	p.child.missed.Store(true)
	return nil
}

// wait polls check until it returns nil. It gives up when ctx ends and when
// one of the processes has died.
func wait(ctx context.Context, what string, check func() error, processes ...*process) error {
	for {
		last := check()
		if last == nil {
			return nil
		}
		for _, p := range processes {
			if err := p.death(); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			cause := context.Cause(ctx)
			if errors.Is(cause, context.DeadlineExceeded) {
				return fmt.Errorf("%s is not ready after %s: %w", what, startLimit, last)
			}
			return fmt.Errorf("given up before %s was ready: %w", what, cause)
		case <-time.After(pollEvery):
		}
	}
}

// destroy ends all processes, etcd last. Nothing of what they hold is needed
// any more, so none gets the time to say goodbye: an API server takes seconds.
func (c *cluster) destroy() {
	for _, p := range slices.Backward(c.processes) {
		_ = p.kill() // an error says that it is not running
	}
	if c.node != nil {
		c.node.close()
	}
}

func (c *cluster) get(url string, answer any) error {
	return c.request(http.MethodGet, url, "", nil, answer)
}

// request does one HTTP request as the administrator. An answer other than 2xx
// is an error; of any other the body is decoded into answer, if that is given.
func (c *cluster) request(method, url, contentType string, body, answer any) error {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(data)
	}
	request, err := http.NewRequest(method, url, reader)
	if err != nil {
		return err
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, url, response.Status, data)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(data, answer)
}

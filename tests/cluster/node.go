package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

const (
	realNode = "kgents-node"

	// pauseImage holds busybox alone. It is what keeps the namespaces of a pod,
	// and it will do for a shell by hand.
	pauseImage = "localhost/busybox:kgents"

	// cniPlugins is where Debian puts them.
	cniPlugins = "/usr/lib/cni"
)

// A node runs real pods: containerd, a kubelet and, if asked for, kube-proxy,
// in mount, network and PID namespaces of their own. When the first process in
// there ends, the kernel ends all others and undoes their mounts, network
// devices and firewall rules, also when this process is killed. What is left
// to us are control groups, and files in the cluster's folder.
type node struct {
	dir     string
	number  int // makes its addresses and its names
	cgroups string
	work    chan func() // is done by the thread that is inside
	first   *exec.Cmd
}

func (n *node) path(name string) string { return n.dir + "/" + name }

// The addresses lie in the range for benchmarks (RFC 2544), which no network
// that one meets uses.
func (n *node) hostIP() string    { return fmt.Sprintf("198.18.%d.1", n.number) }
func (n *node) ip() string        { return fmt.Sprintf("198.18.%d.2", n.number) }
func (n *node) podRange() string  { return fmt.Sprintf("198.19.%d.0/24", n.number) }
func (n *node) device() string    { return fmt.Sprintf("kgents%d", n.number) }
func (n *node) socket() string    { return n.path("containerd.sock") }
func (n *node) onHost() string    { return n.hostIP() + "/30" }
func (n *node) inside() string    { return n.ip() + "/30" }
func (n *node) healthURL() string { return "http://" + net.JoinHostPort(n.ip(), "10256") + "/healthz" }

// addNode writes what a node needs and appends its processes; it starts none.
func (c *cluster) addNode() error {
	if c.with["kwok"] {
		return errors.New("kwok would play the node of the kubelet too: take one of them")
	}
	n := c.node
	for _, folder := range []string{"cni", "containerd", "kubelet", "volumes", "logs/pods"} {
		if err := os.MkdirAll(c.path(folder), 0o755); err != nil {
			return err
		}
	}
	kubelet, err := c.userKubeconfig("kubelet", "system:node:"+realNode, "system:nodes")
	if err != nil {
		return err
	}
	proxy, err := c.userKubeconfig("kube-proxy", "system:kube-proxy")
	if err != nil {
		return err
	}
	for name, content := range map[string]any{
		"cni/10-kgents.conflist": c.network(),
		"containerd.toml":        c.containerdConfig(),
		"kubelet.json":           c.kubeletConfig(),
	} {
		text, isText := content.(string)
		data := []byte(text)
		if !isText {
			if data, err = json.MarshalIndent(content, "", "  "); err != nil {
				return err
			}
		}
		if err := os.WriteFile(c.path(name), data, 0o600); err != nil {
			return err
		}
	}

	containerd, err := exec.LookPath("containerd")
	if err != nil {
		return err
	}
	p := c.add("containerd", "", "--config="+c.path("containerd.toml"))
	p.path, p.wave, p.spawn = containerd, 0, n.start
	p.ready = func() error {
		connection, err := net.Dial("unix", n.socket())
		if err == nil {
			connection.Close()
		}
		return err
	}
	p = c.add("kubelet", "https://"+net.JoinHostPort(n.ip(), "10250")+"/healthz",
		"--config="+c.path("kubelet.json"),
		"--kubeconfig="+kubelet,
		"--hostname-override="+realNode,
		"--node-ip="+n.ip(),
		"--root-dir="+c.path("kubelet"),
		"--cert-dir="+c.path("kubelet", "pki"),
	)
	p.spawn = n.start
	answers := p.ready
	p.ready = func() error {
		// What stands in the Node may be of a kubelet that was killed.
		if err := answers(); err != nil {
			return err
		}
		return c.nodeReady(c.url + "/api/v1/nodes/" + realNode)
	}
	if !c.with["proxy"] {
		return nil
	}
	p = c.add("kube-proxy", n.healthURL(),
		"--kubeconfig="+proxy,
		"--hostname-override="+realNode,
		"--proxy-mode=iptables",
		"--cluster-cidr="+n.podRange(),
		"--healthz-bind-address="+n.ip()+":10256",
		"--metrics-bind-address=127.0.0.1:10249",
		// These belong to the machine and are read-only in there.
		"--conntrack-max-per-core=0",
		"--conntrack-tcp-timeout-established=0s",
		"--conntrack-tcp-timeout-close-wait=0s",
	)
	p.spawn = n.start
	return nil
}

func (c *cluster) network() object {
	return object{
		"cniVersion": "0.4.0",
		"name":       "kgents",
		"plugins": []object{
			{
				"type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true,
				"ipam": object{
					"type":    "host-local",
					"dataDir": c.path("cni", "addresses"),
					"ranges":  [][]object{{{"subnet": c.node.podRange()}}},
					"routes":  []object{{"dst": "0.0.0.0/0"}},
				},
			},
			{"type": "portmap", "capabilities": object{"portMappings": true}},
		},
	}
}

func (c *cluster) containerdConfig() string {
	return fmt.Sprintf(`version = 2
root = %[1]q
state = %[2]q
oom_score = 0
# What is not there on every machine, and what nobody needs here.
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.internal.v1.opt", "io.containerd.tracing.processor.v1.otlp",
]
[grpc]
address = %[3]q
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = %[4]q
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "overlayfs"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = %[5]q
conf_dir = %[6]q
`, c.path("containerd", "root"), c.path("containerd", "state"), c.node.socket(), pauseImage, cniPlugins, c.path("cni"))
}

func (c *cluster) kubeletConfig() object {
	return object{
		"apiVersion":               "kubelet.config.k8s.io/v1beta1",
		"kind":                     "KubeletConfiguration",
		"address":                  c.node.ip(),
		"containerRuntimeEndpoint": "unix://" + c.node.socket(),
		"authentication": object{
			"anonymous": object{"enabled": false},
			"webhook":   object{"enabled": false},
			"x509":      object{"clientCAFile": c.pki("ca.crt")},
		},
		"authorization":                 object{"mode": "AlwaysAllow"},
		"tlsCertFile":                   c.pki("server.crt"),
		"tlsPrivateKeyFile":             c.pki("server.key"),
		"cgroupDriver":                  "cgroupfs",
		"cgroupRoot":                    "/" + c.node.cgroups,
		"failCgroupV1":                  false,
		"failSwapOn":                    false,
		"enforceNodeAllocatable":        []string{},
		"localStorageCapacityIsolation": false,
		"evictionHard":                  object{"memory.available": "50Mi"},
		"resolvConf":                    "/dev/null",
		"podLogsDir":                    c.path("logs", "pods"),
	}
}

// userKubeconfig writes the kubeconfig of a component.
func (c *cluster) userKubeconfig(name, user string, groups ...string) (string, error) {
	client, err := c.ca.client(user, groups, time.Now().Add(validity))
	if err != nil {
		return "", err
	}
	path := c.path("kubeconfig-" + name)
	return path, os.WriteFile(path, kubeconfig(c.url, c.ca.pem, user, client), 0o600)
}

// open makes the namespaces, the link into them and the control groups.
func (n *node) open() error {
	if err := n.enter(); err != nil {
		return err
	}
	if err := n.makeCgroups(); err != nil {
		return err
	}
	pid := strconv.Itoa(n.first.Process.Pid)
	if err := output("ip", "link", "add", n.device(), "type", "veth", "peer", "name", "eth0", "netns", pid); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"address", "add", n.onHost(), "dev", n.device()},
		{"link", "set", n.device(), "up"},
	} {
		if err := output("ip", args...); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"link", "set", "lo", "up"},
		{"address", "add", n.inside(), "dev", "eth0"},
		{"link", "set", "eth0", "up"},
		{"route", "add", "default", "via", n.hostIP()},
	} {
		command := exec.Command("ip", args...)
		command.Stderr = os.Stderr
		if err := n.start(command); err != nil {
			return err
		}
		if err := command.Wait(); err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
	}
	// So that who tests can talk to a pod as an operator in the cluster would.
	return output("ip", "route", "add", n.podRange(), "via", n.ip())
}

// close ends everything that runs on the node, and removes its control groups.
func (n *node) close() {
	if n.first == nil {
		return
	}
	_ = n.first.Process.Kill()
	_ = n.first.Wait() // returns when the last process in there is gone
	removeCgroups(n.cgroups)
}

// start starts a command on the node. It needs no tie to this process: it ends
// with the node's first one, which has that tie. (Package syscall would take
// its parent, whom it cannot see from in there, for dead.)
func (n *node) start(command *exec.Cmd) error {
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	done := make(chan error)
	n.work <- func() { done <- command.Start() }
	return <-done
}

// output runs a command and returns what it says when it fails.
func output(name string, args ...string) error {
	command := exec.Command(name, args...)
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, said)
	}
	return nil
}

package main

import (
	"errors"
	"os"
	"os/exec"
)

const (
	// A /24 would be full after 252 Services.
	serviceRange        = "10.96.0.0/12"
	kubernetesServiceIP = "10.96.0.1"

	// fakePodRange is where kwok takes the addresses of its pods from.
	fakePodRange = "10.128.0.0/14"
)

// auditPolicy gives one line for each request, when it has been answered. A
// watch has two, of one auditID: when it starts and when it ends.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// add appends a process that is ready once a GET of probe answers 200, and
// that is started after etcd and the API server.
func (c *cluster) add(name, probe string, args ...string) *process {
	p := &process{
		name: name,
		path: c.path("bin", name),
		args: args,
		// Nothing of the caller's may change what a component does: etcd reads
		// ETCD_*, kwok a file in the home folder.
		env:   []string{"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir},
		log:   c.path("logs", name+".log"),
		ready: func() error { return c.get(probe, nil) },
		wave:  1,
		spawn: (*exec.Cmd).Start,
	}
	c.processes = append(c.processes, p)
	return p
}

func (c *cluster) addEtcd() {
	peerURL := "http://127.0.0.1:" + c.freePort()
	c.add("etcd", c.etcdURL+"/health",
		"--data-dir="+c.path("etcd"),
		"--listen-client-urls="+c.etcdURL,
		"--advertise-client-urls="+c.etcdURL,
		"--listen-peer-urls="+peerURL,
		"--initial-advertise-peer-urls="+peerURL,
		"--initial-cluster=default="+peerURL,
		"--unsafe-no-fsync", // the data need not outlive the machine
		"--log-level=warn",
	).wave = 0
}

func (c *cluster) addAPIServer(port string) error {
	args := []string{
		"--etcd-servers=" + c.etcdURL,
		"--bind-address=" + c.host,
		"--secure-port=" + port,
		// The default is the address of some network card, and an error where
		// there is none.
		"--advertise-address=" + c.host,
		"--tls-cert-file=" + c.pki("server.crt"),
		"--tls-private-key-file=" + c.pki("server.key"),
		"--client-ca-file=" + c.pki("ca.crt"),
		"--authorization-mode=RBAC,Node",
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + c.pki("service-account.pub"),
		"--service-account-signing-key-file=" + c.pki("service-account.key"),
		"--service-cluster-ip-range=" + serviceRange,
		"--allow-privileged=true",
		"--profiling=false",
	}
	if c.auditLog != "" {
		policy := c.path("audit-policy.yaml")
		if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
			return err
		}
		args = append(args,
			"--audit-policy-file="+policy,
			"--audit-log-path="+c.auditLog,
			// In MB; never rotated, so that all lines are in this one file.
			"--audit-log-maxsize=1000000",
		)
	}
	if c.node == nil {
		// Endpoints cannot hold a loopback address, so the Service `kubernetes`
		// gets none.
		args = append(args, "--endpoint-reconciler-type=none")
	} else {
		args = append(args,
			"--kubelet-client-certificate="+c.pki("admin.crt"),
			"--kubelet-client-key="+c.pki("admin.key"),
			"--kubelet-certificate-authority="+c.pki("ca.crt"),
			"--kubelet-preferred-address-types=InternalIP",
		)
	}
	// Of a flag given twice the last one holds: the caller's.
	c.add("kube-apiserver", c.url+"/readyz", append(args, c.apiserverArgs...)...).wave = 0
	return nil
}

func (c *cluster) addControllerManager() {
	port := c.freePort()
	args := append(c.controllerArgs(port),
		"--use-service-account-credentials",
		"--root-ca-file="+c.pki("ca.crt"),
		"--service-account-private-key-file="+c.pki("service-account.key"),
	)
	if c.node == nil {
		args = append(args, "--enable-hostpath-provisioner")
	}
	c.add("kube-controller-manager", "https://127.0.0.1:"+port+"/healthz", args...)
}

func (c *cluster) addScheduler() {
	port := c.freePort()
	c.add("kube-scheduler", "https://127.0.0.1:"+port+"/readyz", c.controllerArgs(port)...)
}

// controllerArgs are what the controller manager and the scheduler share.
func (c *cluster) controllerArgs(port string) []string {
	return []string{
		"--kubeconfig=" + c.kubeconfig,
		"--leader-elect=false",
		"--bind-address=127.0.0.1",
		"--secure-port=" + port,
		"--tls-cert-file=" + c.pki("server.crt"),
		"--tls-private-key-file=" + c.pki("server.key"),
		// With the default of 20 a thousand pods take 48 s.
		"--kube-api-qps=500",
		"--kube-api-burst=1000",
		"--profiling=false",
	}
}

func (c *cluster) addKwok() error {
	if kwokStages == "" {
		return errors.New("kwok needs the build that has everything; unset KUBEBUILDER_ASSETS")
	}
	stages := c.path("stages.yaml")
	if err := os.WriteFile(stages, []byte(kwokStages), 0o600); err != nil {
		return err
	}
	address := "127.0.0.1:" + c.freePort()
	c.add("kwok", "https://"+address+"/healthz",
		"--kubeconfig="+c.kubeconfig,
		"--config="+stages,
		"--manage-all-nodes=true",
		"--v=WARN", // or else a line for each change of each pod
		// Without leases the controller manager gives the node up after 100 s.
		"--node-lease-duration-seconds=40",
		"--cidr="+fakePodRange,
		"--server-address="+address,
		"--tls-cert-file="+c.pki("server.crt"),
		"--tls-private-key-file="+c.pki("server.key"),
	)
	return nil
}

//go:build !supervisor

package main

import (
	"context"

	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// What runs real pods is for Linux alone.
func init() {
	components["kubelet"] = func() { runCommand(kubelet.NewKubeletCommand(context.Background())) }
	components["kube-proxy"] = func() { runCommand(kubeproxy.NewProxyCommand()) }
}

package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// An object is a Kubernetes object, or a part of one.
type object = map[string]any

const (
	nodeName = "kwok-node"

	// hostPathRoot is where the controller manager's hostpath provisioner makes
	// its volumes; it cannot be told another place.
	hostPathRoot = "/tmp/hostpath_pv"
)

// furnish waits for what the components make by themselves, and makes what is
// missing until pods can be created and run.
func (c *cluster) furnish(ctx context.Context) error {
	// The API server is ready a moment before this namespace is there.
	namespace := c.url + "/api/v1/namespaces/default"
	err := c.waitFor(ctx, "the namespace default", func() error { return c.get(namespace, nil) })
	if err != nil {
		return err
	}
	if c.with["controller-manager"] {
		if err := c.post("/apis/storage.k8s.io/v1/storageclasses", c.storageClass()); err != nil {
			return err
		}
		account := namespace + "/serviceaccounts/default"
		err := c.waitFor(ctx, "the service account default", func() error { return c.get(account, nil) })
		if err != nil {
			return err
		}
	}
	if c.with["kwok"] {
		return c.addFakeNode(ctx)
	}
	if c.node != nil {
		return c.furnishNode(ctx)
	}
	return nil
}

// storageClass is the default one, so that a claim that names none is bound.
func (c *cluster) storageClass() object {
	class := object{
		"apiVersion": "storage.k8s.io/v1",
		"kind":       "StorageClass",
		"metadata": object{
			"name":        "standard",
			"annotations": object{"storageclass.kubernetes.io/is-default-class": "true"},
		},
		"provisioner":          "kubernetes.io/host-path",
		"allowVolumeExpansion": true,
	}
	if c.node != nil {
		// A real volume is where its pod is, and heeds fsGroup.
		class["provisioner"] = provisioner
		class["volumeBindingMode"] = "WaitForFirstConsumer"
		class["allowVolumeExpansion"] = false
	}
	return class
}

// addFakeNode makes the one node that kwok plays. It is large enough for every
// test that only counts pods.
func (c *cluster) addFakeNode(ctx context.Context) error {
	resources := object{"cpu": "640", "memory": "2Ti", "ephemeral-storage": "16Ti", "pods": "20000"}
	err := c.post("/api/v1/nodes", object{
		"apiVersion": "v1",
		"kind":       "Node",
		"metadata": object{
			"name":   nodeName,
			"labels": object{"kubernetes.io/hostname": nodeName, "kubernetes.io/os": "linux", "type": "kwok"},
		},
		"status": object{"capacity": resources, "allocatable": resources},
	})
	if err != nil {
		return err
	}
	node := c.url + "/api/v1/nodes/" + nodeName
	if err := c.waitFor(ctx, "the node "+nodeName, func() error { return c.nodeReady(node) }); err != nil {
		return err
	}
	return c.admitPods(node)
}

// admitPods takes away the taint not-ready, which every new node has. The
// controller manager would do it in a while, but it need not be there.
func (c *cluster) admitPods(node string) error {
	return c.request(http.MethodPatch, node, "application/merge-patch+json",
		object{"spec": object{"taints": nil}}, nil)
}

func (c *cluster) nodeReady(url string) error {
	var node struct {
		Status struct {
			Conditions []struct{ Type, Status string }
		}
	}
	if err := c.get(url, &node); err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == "Ready" && condition.Status == "True" {
			return nil
		}
	}
	return errors.New("it is not Ready")
}

// removeHostPaths removes the folders of the volumes that the controller
// manager has provisioned, the only files that a cluster has outside its own
// folder.
func (c *cluster) removeHostPaths() {
	var volumes struct {
		Items []struct {
			Spec struct {
				HostPath struct{ Path string }
			}
		}
	}
	c.client.Timeout = time.Second // the API server may be paused
	if err := c.get(c.url+"/api/v1/persistentvolumes", &volumes); err != nil {
		return
	}
	for _, volume := range volumes.Items {
		// Anybody can make a volume with any path.
		if path := filepath.Clean(volume.Spec.HostPath.Path); filepath.Dir(path) == hostPathRoot {
			os.RemoveAll(path)
		}
	}
	os.Remove(hostPathRoot) // unless it has the volumes of another cluster
}

func (c *cluster) waitFor(ctx context.Context, what string, check func() error) error {
	return wait(ctx, what, check, c.processes...)
}

func (c *cluster) post(path string, body object) error {
	return c.request(http.MethodPost, c.url+path, "application/json", body, nil)
}

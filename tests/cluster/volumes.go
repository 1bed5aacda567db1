package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// provisioner is who makes the volumes of a real node: folders, as `local`
// volumes, because the kubelet gives those to the pod's group (fsGroup) and a
// host path it does not.
const (
	provisioner  = "kgents.io/local"
	volumePrefix = "local-"
)

// A claim is what a PersistentVolumeClaim says of the volume that it wants.
type claim struct {
	Metadata struct {
		Namespace, Name, UID string
		Annotations          map[string]string
	}
	Spec struct {
		StorageClassName string
		VolumeName       string
		AccessModes      []string
		Resources        struct{ Requests map[string]string }
	}
}

// A volume is what a PersistentVolume says of its end.
type volume struct {
	Metadata struct{ Name string }
	Spec     struct {
		StorageClassName              string
		PersistentVolumeReclaimPolicy string
	}
	Status struct{ Phase string }
}

// provision answers claims, and takes away what was released, until ctx ends.
func (c *cluster) provision(ctx context.Context) {
	go follow(ctx, c, "/api/v1/persistentvolumes", c.reclaim)
	follow(ctx, c, "/api/v1/persistentvolumeclaims", c.answer)
}

// answer makes a volume for a claim whose pod has found its node.
func (c *cluster) answer(wanted claim) error {
	meta, spec := wanted.Metadata, wanted.Spec
	place := meta.Annotations["volume.kubernetes.io/selected-node"]
	if spec.StorageClassName != "standard" || spec.VolumeName != "" || place == "" {
		return nil
	}
	name := volumePrefix + meta.UID
	path := c.path("volumes", name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	err := c.post("/api/v1/persistentvolumes", object{
		"apiVersion": "v1",
		"kind":       "PersistentVolume",
		"metadata": object{
			"name":        name,
			"annotations": object{"pv.kubernetes.io/provisioned-by": provisioner},
		},
		"spec": object{
			"capacity":                      spec.Resources.Requests,
			"accessModes":                   spec.AccessModes,
			"persistentVolumeReclaimPolicy": "Delete",
			"storageClassName":              spec.StorageClassName,
			"local":                         object{"path": path},
			"claimRef": object{
				"apiVersion": "v1", "kind": "PersistentVolumeClaim",
				"namespace": meta.Namespace, "name": meta.Name, "uid": meta.UID,
			},
			"nodeAffinity": object{"required": object{"nodeSelectorTerms": []object{{
				"matchExpressions": []object{{
					"key": "kubernetes.io/hostname", "operator": "In", "values": []string{place},
				}},
			}}}},
		},
	})
	// A claim that was changed meanwhile comes twice.
	if err != nil && strings.Contains(err.Error(), "AlreadyExists") {
		return nil
	}
	return err
}

// reclaim removes a volume whose claim has gone.
func (c *cluster) reclaim(left volume) error {
	name := left.Metadata.Name
	ours := strings.HasPrefix(name, volumePrefix) && filepath.Base(name) == name
	if !ours || left.Status.Phase != "Released" || left.Spec.PersistentVolumeReclaimPolicy != "Delete" {
		return nil
	}
	if err := os.RemoveAll(c.path("volumes", name)); err != nil {
		return err
	}
	return c.request(http.MethodDelete, c.url+"/api/v1/persistentvolumes/"+name, "", nil, nil)
}

// follow calls do with each object of a list, and again whenever one has
// changed. A server that goes away is asked again until ctx ends.
func follow[T any](ctx context.Context, c *cluster, path string, do func(T) error) {
	// A watch has no end, so it has no time limit.
	client := http.Client{Transport: c.client.Transport}
	for ctx.Err() == nil {
		if err := watchOnce(ctx, &client, c.url+path+"?watch=1", do); err != nil && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(pollEvery):
			}
		}
	}
}

func watchOnce[T any](ctx context.Context, client *http.Client, url string, do func(T) error) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	events := json.NewDecoder(response.Body)
	for {
		var event struct {
			Type   string
			Object T
		}
		if err := events.Decode(&event); err != nil {
			return err
		}
		if event.Type != "ADDED" && event.Type != "MODIFIED" {
			continue
		}
		if err := do(event.Object); err != nil {
			complain(err)
		}
	}
}

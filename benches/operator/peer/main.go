// kgents-bench-peer is an operator as it is usually written, with
// controller-runtime, for kgents's own operator to be measured beside. It makes
// the same children of an Agent, byte for byte but for names and owners: they
// come from a template that the bench has rendered with kgents's own plan.
//
// It is tuned as an experienced author would: managedFields are stripped from
// its caches, these hold only what bears our label, an object whose content it
// has already applied is not applied again, a status is written only when it
// differs, and client-go's rate limits are lifted.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// Names in the template that stand for those of an agent.
const (
	nameHere      = "template-agent"
	namespaceHere = "template-namespace"
)

// appliedAnnotation holds the hash of what was applied, so that the cache
// tells whether it would be the same again.
const appliedAnnotation = "bench.kgents.io/applied"

var (
	agentKind = schema.GroupVersionKind{Group: "kgents.io", Version: "v1", Kind: "Agent"}
	ours      = labels.SelectorFromSet(labels.Set{"app.kubernetes.io/managed-by": "kgents-operator"})
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kgents-bench-peer:", err)
		os.Exit(1)
	}
}

func run() error {
	// controller-runtime has a flag of this name already, in the same set.
	kubeconfig := os.Getenv("KUBECONFIG")
	namespace := flag.String("namespace", "", "the namespace to look after")
	templatePath := flag.String("template", "", "a file with the children of an agent, a JSON array")
	workers := flag.Int("workers", 1, "how many agents are worked on at once")
	qps := flag.Float64("qps", 1000, "client-go's limit of requests a second")
	flag.Parse()
	ctrl.SetLogger(klog.Background())

	text, err := os.ReadFile(*templatePath)
	if err != nil {
		return err
	}
	children, err := readTemplate(string(text))
	if err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = float32(*qps), 2*int(*qps)
	config.UserAgent = "kgents-bench-peer"

	agents := &unstructured.Unstructured{}
	agents.SetGroupVersionKind(agentKind)
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:  clientgoscheme.Scheme,
		Metrics: server.Options{BindAddress: "0"},
		Cache: cache.Options{
			DefaultNamespaces:    map[string]cache.Config{*namespace: {}},
			DefaultLabelSelector: ours,
			DefaultTransform:     cache.TransformStripManagedFields(),
			// People make Agents, without our label.
			ByObject: map[client.Object]cache.ByObject{agents: {Label: labels.Everything()}},
		},
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return err
	}
	build := ctrl.NewControllerManagedBy(manager).
		For(agents, builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{MaxConcurrentReconciles: *workers})
	seen := map[schema.GroupVersionKind]bool{}
	for _, child := range children {
		if !seen[child.kind] {
			seen[child.kind] = true
			build = build.Owns(empty(child.kind))
		}
	}
	operator := &reconciler{client: manager.GetClient(), children: children}
	if err := build.Complete(operator); err != nil {
		return err
	}
	ctx := ctrl.SetupSignalHandler()
	go func() {
		if manager.GetCache().WaitForCacheSync(ctx) {
			// The bench waits for this line.
			fmt.Println("ready")
		}
	}()
	return manager.Start(ctx)
}

// template is a child as text, with the stand-ins in it.
type template struct {
	kind schema.GroupVersionKind
	text string
}

func readTemplate(text string) ([]template, error) {
	var objects []*unstructured.Unstructured
	if err := json.Unmarshal([]byte(text), &objects); err != nil {
		return nil, fmt.Errorf("the template: %w", err)
	}
	children := make([]template, 0, len(objects))
	for _, object := range objects {
		object.SetOwnerReferences(nil)
		text, err := object.MarshalJSON()
		if err != nil {
			return nil, err
		}
		children = append(children, template{object.GroupVersionKind(), string(text)})
	}
	return children, nil
}

// render is the child of one agent, with the hash of its content.
func (child template) render(agent *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	text := strings.NewReplacer(nameHere, agent.GetName(), namespaceHere, agent.GetNamespace()).Replace(child.text)
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON([]byte(text)); err != nil {
		return nil, err
	}
	object.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(agent, agentKind)})
	hash := sha256.Sum256([]byte(text))
	annotations := object.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[appliedAnnotation] = hex.EncodeToString(hash[:8])
	object.SetAnnotations(annotations)
	return object, nil
}

// empty is an object of a kind to read into: typed where Go has a type, which
// is what operators do and what takes less memory in a cache.
func empty(kind schema.GroupVersionKind) client.Object {
	if object, err := clientgoscheme.Scheme.New(kind); err == nil {
		return object.(client.Object)
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	return object
}

type reconciler struct {
	client   client.Client
	children []template
}

func (r *reconciler) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	agent := &unstructured.Unstructured{}
	agent.SetGroupVersionKind(agentKind)
	if err := r.client.Get(ctx, request.NamespacedName, agent); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if agent.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, nil
	}
	ready := false
	for _, child := range r.children {
		wanted, err := child.render(agent)
		if err != nil {
			return ctrl.Result{}, err
		}
		live, err := r.apply(ctx, child.kind, wanted)
		if err != nil {
			return ctrl.Result{}, fmt.Errorf("%s %s: %w", child.kind.Kind, wanted.GetName(), err)
		}
		if deployment, ok := live.(*appsv1.Deployment); ok {
			ready = isReady(deployment)
		}
	}
	return ctrl.Result{}, r.status(ctx, agent, ready)
}

// apply writes a child unless the cache says that it was written so already,
// and returns the cached one; nil where there was none.
func (r *reconciler) apply(
	ctx context.Context, kind schema.GroupVersionKind, wanted *unstructured.Unstructured,
) (client.Object, error) {
	live := empty(kind)
	err := r.client.Get(ctx, types.NamespacedName{Namespace: wanted.GetNamespace(), Name: wanted.GetName()}, live)
	if err == nil && live.GetAnnotations()[appliedAnnotation] == wanted.GetAnnotations()[appliedAnnotation] {
		return live, nil
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, err
	}
	apply := client.ApplyConfigurationFromUnstructured(wanted)
	return nil, r.client.Apply(ctx, apply, client.FieldOwner("kgents-bench-peer"), client.ForceOwnership)
}

func isReady(deployment *appsv1.Deployment) bool {
	wanted := int32(1)
	if deployment.Spec.Replicas != nil {
		wanted = *deployment.Spec.Replicas
	}
	status := deployment.Status
	return status.ObservedGeneration >= deployment.Generation && status.UpdatedReplicas >= wanted &&
		status.ReadyReplicas >= wanted && status.Replicas == status.UpdatedReplicas
}

// status says Pending or Running, with a condition, where the Agent does not
// say so already.
func (r *reconciler) status(ctx context.Context, agent *unstructured.Unstructured, ready bool) error {
	phase, condition, reason := "Pending", "False", "DeploymentNotReady"
	if ready {
		phase, condition, reason = "Running", "True", "DeploymentReady"
	}
	was, _, _ := unstructured.NestedString(agent.Object, "status", "phase")
	generation, _, _ := unstructured.NestedInt64(agent.Object, "status", "observedGeneration")
	if was == phase && generation == agent.GetGeneration() {
		return nil
	}
	written := agent.DeepCopy()
	written.Object["status"] = map[string]any{
		"phase":              phase,
		"observedGeneration": agent.GetGeneration(),
		"conditions": []any{map[string]any{
			"type": "Ready", "status": condition, "reason": reason, "message": "",
			"observedGeneration": agent.GetGeneration(),
			"lastTransitionTime": metav1.Now().UTC().Format("2006-01-02T15:04:05Z"),
		}},
	}
	return r.client.Status().Patch(ctx, written, client.MergeFrom(agent))
}

// kgents-cluster is a whole Kubernetes control plane in one binary, for tests
// and for trying things by hand. It is each of its components in turn, chosen
// by the name it is called by (a symbolic link) or by its first argument, and
// `kgents-cluster up` is the supervisor that makes a cluster out of them.
//
// Built with the tag `supervisor` it has `up` alone, which then runs the
// binaries in the folder KUBEBUILDER_ASSETS. That build needs the standard
// library only and takes a second or two; the whole one takes minutes.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// components maps the name of each component built in to its main function,
// which finds its own name in os.Args[0] and exits the process when it fails.
var components = map[string]func(){}

// kwokStages is the behaviour that kwok gives to nodes and pods: a YAML stream
// of Stage objects, empty when kwok is not built in.
var kwokStages string

func main() {
	name := filepath.Base(os.Args[0])
	if components[name] == nil && len(os.Args) > 1 {
		name = os.Args[1]
		os.Args = os.Args[1:]
	}
	if run := components[name]; run != nil {
		run()
		return
	}
	if name == firstArgument && len(os.Args) == 2 {
		os.Exit(runFirst(os.Args[1]))
	}
	if name == "up" {
		os.Exit(up(os.Args[1:]))
	}
	names := append(slices.Sorted(maps.Keys(components)), "up")
	fmt.Fprintf(os.Stderr, "usage: kgents-cluster %s [ARGUMENTS]\n", strings.Join(names, "|"))
	os.Exit(2)
}

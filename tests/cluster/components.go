//go:build !supervisor

package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // CronJobs name time zones, and a test machine may have none

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
	"k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	"sigs.k8s.io/kwok/pkg/utils/signals"

	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
)

func init() {
	components["etcd"] = func() { etcdmain.Main(os.Args) }
	components["kube-apiserver"] = func() { runCommand(apiserver.NewAPIServerCommand()) }
	components["kube-controller-manager"] = func() { runCommand(controllermanager.NewControllerManagerCommand()) }
	components["kube-scheduler"] = func() { runCommand(scheduler.NewSchedulerCommand()) }
	components["kubectl"] = runKubectl
	components["kwok"] = runKwok

	kwokStages = nodefast.DefaultNodeInit +
		"\n---\n" + podfast.DefaultPodReady +
		"\n---\n" + podfast.DefaultPodComplete +
		"\n---\n" + podfast.DefaultPodDelete
}

func runCommand(command *cobra.Command) {
	os.Exit(cli.Run(command))
}

func runKubectl() {
	// CheckErr prints errors as people know them from kubectl, and exits.
	util.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
}

func runKwok() {
	if err := startKwok(); err != nil {
		fmt.Fprintln(os.Stderr, "kwok:", err)
		os.Exit(1)
	}
}

// startKwok runs kwok until it is told to stop. Its command takes the
// configuration from its context, where only these two InitFlags put it:
// without them kwok starts and then does nothing.
func startKwok() error {
	flags := pflag.NewFlagSet("global", pflag.ContinueOnError)
	// Both InitFlags parse all arguments, those of the command too.
	flags.ParseErrorsAllowlist.UnknownFlags = true
	flags.Usage = func() {}

	ctx, _ := kwoklog.InitFlags(signals.SetupSignalContext(), flags)
	ctx, err := kwokconfig.InitFlags(ctx, flags)
	if err != nil {
		return err
	}
	command := kwok.NewCommand(ctx)
	// With a version cobra would add a boolean --version, but Kubernetes has
	// registered a flag of that name and of another type in this process.
	command.Version = ""
	command.PersistentFlags().AddFlagSet(flags)
	return command.ExecuteContext(ctx)
}

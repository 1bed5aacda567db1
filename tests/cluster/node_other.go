//go:build !linux

package main

import "errors"

const firstArgument = "first-of-node"

func newNode(string) (*node, error) { return nil, errors.New("real pods need Linux") }
func (n *node) enter() error        { return errors.New("real pods need Linux") }
func (n *node) makeCgroups() error  { return nil }
func removeCgroups(string)          {}
func runFirst(string) int           { return 1 }

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

const (
	folderPattern = "kgents-cluster-"
	lockName      = "up.lock"
)

// makeDir makes the folder of a cluster: o.dir, or a temporary one that it puts
// there. release removes a temporary one and keeps the other.
func (o *options) makeDir() (release func(), err error) {
	if o.keep = o.dir != ""; o.keep {
		if err := os.MkdirAll(o.dir, 0o700); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(o.dir)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%s is not empty", o.dir)
		}
		return func() {}, nil
	}

	removeAbandoned()
	if o.dir, err = os.MkdirTemp("", folderPattern); err != nil {
		return nil, err
	}
	dir := o.dir
	release = func() { os.RemoveAll(dir) }
	// The kernel lets go of the lock when this process ends, however it ends.
	// It gets its name when it is locked, so that nobody finds it unlocked.
	lock, err := os.Create(filepath.Join(dir, lockName+".new"))
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Rename(lock.Name(), filepath.Join(dir, lockName))
	}
	if err != nil {
		release()
		return nil, err
	}
	return func() {
		os.RemoveAll(dir)
		lock.Close() // not before: an open file keeps its lock
	}, nil
}

// removeAbandoned removes the temporary folders of clusters whose supervisor
// was killed before it could: etcd's log alone takes 64 MB.
func removeAbandoned() {
	locks, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPattern+"*", lockName))
	for _, path := range locks {
		lock, err := os.Open(path)
		if err != nil {
			continue // somebody else's
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.RemoveAll(filepath.Dir(path))
		}
		lock.Close()
	}
}

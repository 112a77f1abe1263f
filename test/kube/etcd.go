package main

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// runEtcd serves one etcd member without fsync: its data lives for one test run only.
func runEtcd() int {
	dir := flag.String("data-dir", "", "folder of the data")
	client := flag.String("listen-client-url", "", "http://127.0.0.1:PORT")
	peer := flag.String("listen-peer-url", "", "http://127.0.0.1:PORT")
	flag.Parse()

	clientURL, err := url.Parse(*client)
	if err != nil {
		return fail(err)
	}
	peerURL, err := url.Parse(*peer)
	if err != nil {
		return fail(err)
	}
	config := embed.NewConfig()
	config.Name = "only"
	config.Dir = *dir
	config.UnsafeNoFsync = true
	config.LogLevel = "warn"
	config.ListenClientUrls = []url.URL{*clientURL}
	config.AdvertiseClientUrls = []url.URL{*clientURL}
	config.ListenPeerUrls = []url.URL{*peerURL}
	config.AdvertisePeerUrls = []url.URL{*peerURL}
	config.InitialCluster = config.InitialClusterFromName(config.Name)

	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return fail(err)
	}
	defer etcd.Close()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	select {
	case <-etcd.Server.ReadyNotify():
	case <-time.After(30 * time.Second):
		return fail(fmt.Errorf("etcd was not ready within 30 s"))
	case <-signals:
		return 0
	}
	select {
	case <-signals:
		return 0
	case err := <-etcd.Err():
		return fail(err)
	}
}

func fail(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}

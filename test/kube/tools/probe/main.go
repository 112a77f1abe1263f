// A web server for pods of tests: tells its name, asks other addresses from where it stands, and uses what it is told to.
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

var held [][]byte

func main() {
	fmt.Println("listening")
	name, _ := os.Hostname()
	http.HandleFunc("/name", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	http.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, r.URL.Query().Get("path")) })
	http.HandleFunc("/get", get)
	http.HandleFunc("/hold", hold)
	http.HandleFunc("/spin", spin)
	if err := http.ListenAndServe(":8080", nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// get answers what the address answers, with the token in the file if one is named.
func get(w http.ResponseWriter, r *http.Request) {
	request, err := http.NewRequest("GET", r.URL.Query().Get("url"), nil)
	if err != nil {
		http.Error(w, err.Error(), 400)
		return
	}
	if path := r.URL.Query().Get("token"); path != "" {
		token, err := os.ReadFile(path)
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
	answer, err := client.Do(request)
	if err != nil {
		http.Error(w, err.Error(), 502)
		return
	}
	defer answer.Body.Close()
	w.WriteHeader(answer.StatusCode)
	io.Copy(w, answer.Body)
}

// hold takes that many MiB of memory and keeps them.
func hold(w http.ResponseWriter, r *http.Request) {
	count, _ := strconv.Atoi(r.URL.Query().Get("mib"))
	for range count {
		block := make([]byte, 1<<20)
		for i := range block {
			block[i] = byte(i)
		}
		held = append(held, block)
	}
	fmt.Fprint(w, len(held))
}

// spin keeps every CPU busy for a second and answers how many seconds of CPU it got.
func spin(w http.ResponseWriter, _ *http.Request) {
	before := cpuSeconds()
	end := time.Now().Add(time.Second)
	done := make(chan struct{})
	for range runtime.NumCPU() {
		go func() {
			for time.Now().Before(end) {
			}
			done <- struct{}{}
		}()
	}
	for range runtime.NumCPU() {
		<-done
	}
	fmt.Fprintf(w, "%.3f", cpuSeconds()-before)
}

// The process that holds a pod's namespaces. Used by tests only.
module ballast.dev/test/kube/tools/pause

go 1.26.0

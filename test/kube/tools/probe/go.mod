// What the tests of the real nodes run in pods. Used by tests only.
module ballast.dev/test/kube/tools/probe

go 1.26.0

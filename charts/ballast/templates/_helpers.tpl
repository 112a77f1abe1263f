{{- define "ballast.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* Name of the objects: at most 40 characters, so that what is added to it stays a valid name. */}}
{{- define "ballast.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "ballast.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "ballast.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of an object without namespace: two releases of one name in two namespaces have two of them. */}}
{{- define "ballast.clusterName" -}}
{{- printf "%s:%s" .Release.Namespace (include "ballast.fullname" .) -}}
{{- end -}}

{{- define "ballast.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "ballast.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- required "serviceAccount.name: say which service account the operator uses, because serviceAccount.create is false" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "ballast.selectorLabels" -}}
app.kubernetes.io/name: {{ include "ballast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{/* With "component" for what is not the operator's, and "more" for labels of one object. */}}
{{- define "ballast.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: {{ include "ballast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: {{ default "operator" .component }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with merge (dict) (default (dict) .more) .Values.extraLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels, and annotations where there are any, below `metadata:`. */}}
{{- define "ballast.meta" -}}
labels:
  {{- include "ballast.labels" . | nindent 2 }}
{{- with .Values.extraAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* Annotations of an object of helm test: it goes when the test passed, and stays for a look when it failed. */}}
{{- define "ballast.testHook" -}}
helm.sh/hook: test
helm.sh/hook-weight: {{ .weight | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- with .root.Values.extraAnnotations }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* An image by digest where one is given, else by tag. Called with (dict "image" ... "root" .). */}}
{{- define "ballast.image" -}}
{{- $name := printf "%s/%s" .image.registry .image.repository | trimPrefix "/" -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $name .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .root.Chart.AppVersion .image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Watched namespaces as JSON, since a template returns text; empty in cluster scope. */}}
{{- define "ballast.namespaces" -}}
{{- if .Values.watch.clusterWide -}}
{{- if .Values.watch.namespaces -}}
{{- fail "watch.namespaces and watch.clusterWide: choose one, a list of namespaces or all of them" -}}
{{- end -}}
[]
{{- else -}}
{{- default (list .Release.Namespace) .Values.watch.namespaces | uniq | toJson -}}
{{- end -}}
{{- end -}}

{{/* PriorityClass of placeholder pods; empty where none may be made and none was named. */}}
{{- define "ballast.headroomPriorityClass" -}}
{{- if .Values.headroom.priorityClassName -}}
{{- .Values.headroom.priorityClassName -}}
{{- else if .Values.watch.clusterWide -}}
{{- printf "%s-%s-headroom" .Release.Namespace (include "ballast.fullname" .) -}}
{{- end -}}
{{- end -}}

{{/* Ends the rendering where the cluster has no Prometheus operator. */}}
{{- define "ballast.needsMonitoring" -}}
{{- if not (.root.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") -}}
{{- fail (printf "%s.enabled: this cluster does not serve monitoring.coreos.com/v1; install the CRDs of the Prometheus operator first (with helm template: --api-versions monitoring.coreos.com/v1)" .value) -}}
{{- end -}}
{{- end -}}

{{/* What a pod needs to talk to the API server: a token that runs out, the cluster's CA, the namespace. */}}
{{- define "ballast.apiAccess" -}}
projected:
  sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3607
    - configMap:
        name: kube-root-ca.crt
        items:
          - key: ca.crt
            path: ca.crt
    - downwardAPI:
        items:
          - path: namespace
            fieldRef:
              fieldPath: metadata.namespace
{{- end -}}

{{/* The operator's file of defaults: what was given and nothing else; empty when nothing was. */}}
{{- define "ballast.defaults" -}}
{{- $file := dict -}}
{{- $fetch := dict -}}
{{- with .Values.defaults.resources }}{{ $_ := set $file "resources" . }}{{ end -}}
{{- with .Values.defaults.pod }}{{ $_ := set $file "pod" . }}{{ end -}}
{{- if ne .Values.defaults.networkPolicy "Off" }}{{ $_ := set $file "networkPolicy" .Values.defaults.networkPolicy }}{{ end -}}
{{- with .Values.defaults.allowModelCidrs }}{{ $_ := set $fetch "allowModelCidrs" . }}{{ end -}}
{{- with .Values.proxy.httpsProxy }}{{ $_ := set $fetch "httpsProxy" . }}{{ end -}}
{{- with .Values.proxy.httpProxy }}{{ $_ := set $fetch "httpProxy" . }}{{ end -}}
{{- with .Values.proxy.noProxy }}{{ $_ := set $fetch "noProxy" . }}{{ end -}}
{{- if and .Values.privateCA.pem .Values.privateCA.configMap }}{{ fail "privateCA.pem and privateCA.configMap: choose one" }}{{ end -}}
{{- with .Values.privateCA.pem }}{{ $_ := set $fetch "caBundle" . }}{{ end -}}
{{- with .Values.privateCA.configMap }}{{ $_ := set $fetch "caBundleFile" "ca.crt" }}{{ end -}}
{{- with .Values.gateway.resources }}{{ $_ := set $file "gateway" (dict "resources" .) }}{{ end -}}
{{- with $fetch }}{{ $_ := set $file "fetch" . }}{{ end -}}
{{- with $file }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "onrush.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains "onrush" .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-onrush" .Release.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What selects the pods of one component: (list $ "name"). */}}
{{- define "onrush.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: onrush
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of one component's objects: (list $ "name"). */}}
{{- define "onrush.labels" -}}
{{- $root := index . 0 -}}
{{ include "onrush.selector" . }}
app.kubernetes.io/part-of: onrush
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{/* Labels of one component's pods, which say whom they call: (list $ "name" (list "mysql" "redis")). The engines'
     NetworkPolicies let in who carries them. Nothing here changes with the chart's version, or pods would restart. */}}
{{- define "onrush.podLabels" -}}
{{ include "onrush.selector" . }}
app.kubernetes.io/part-of: onrush
{{- range index . 2 }}
onrush/uses-{{ . }}: "true"
{{- end }}
{{- end }}

{{/* A setting as text: Helm knows no whole numbers, and would write a large one as 1e+06. */}}
{{- define "onrush.settingValue" -}}
{{- if not (kindIs "float64" .) }}{{ . | quote }}
{{- else if eq (floor .) . }}{{ int64 . | toString | quote }}
{{- else }}{{ . | toString | quote }}
{{- end }}
{{- end }}

{{- define "onrush.image" -}}
{{- with .Values.image }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ with .digest }}@{{ . }}{{ end }}{{ end }}
{{- end }}

{{/* One component's values over the defaults, as JSON: (list $ "name"). */}}
{{- define "onrush.component" -}}
{{- $root := index . 0 -}}
{{- mergeOverwrite (deepCopy $root.Values.componentDefaults) (deepCopy (index $root.Values.components (index . 1) | default dict)) | toJson }}
{{- end }}

{{/* Name of an engine that this release brings along: (list $ "mysql"). As its own chart names it. */}}
{{- define "onrush.engine" -}}
{{- $root := index . 0 -}}
{{- $engine := index . 1 -}}
{{- $given := (index $root.Values $engine).fullnameOverride | default "" -}}
{{- if $given }}{{ $given }}
{{- else if contains $engine $root.Release.Name }}{{ $root.Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" $root.Release.Name $engine | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* Environment of every process. The URLs hold passwords and come from Secrets, the rest from the ConfigMap. */}}
{{- define "onrush.env" -}}
envFrom:
  - configMapRef:
      name: {{ include "onrush.fullname" . }}
env:
  - name: DATABASE_URL
    valueFrom:
      secretKeyRef:
        {{- if .Values.mysql.enabled }}
        name: {{ (.Values.mysql.auth | default dict).existingSecret | default (include "onrush.engine" (list . "mysql")) }}
        key: url
        {{- else }}
        name: {{ required "mysql.enabled is false: external.mysql.existingSecret must name the Secret with its URL" .Values.external.mysql.existingSecret }}
        key: {{ .Values.external.mysql.key }}
        {{- end }}
  - name: REDIS_URL
    valueFrom:
      secretKeyRef:
        {{- if .Values.redis.enabled }}
        name: {{ (.Values.redis.auth | default dict).existingSecret | default (include "onrush.engine" (list . "redis")) }}
        key: url
        {{- else }}
        name: {{ required "redis.enabled is false: external.redis.existingSecret must name the Secret with its URL" .Values.external.redis.existingSecret }}
        key: {{ .Values.external.redis.key }}
        {{- end }}
{{- end }}

{{/* How an API knows its callers. The secret never stands in the ConfigMap, and no worker has it. */}}
{{- define "onrush.auth" -}}
{{- with .Values.auth }}
{{- if not .enabled }}
- name: AUTH
  value: "off"
{{- else }}
- name: AUTH
  value: "on"
{{- if .jwksUrl }}
- name: AUTH_JWKS_URL
  value: {{ .jwksUrl | quote }}
{{- else }}
- name: AUTH_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret | default (printf "%s-auth" (include "onrush.fullname" $)) }}
      key: {{ .key }}
{{- end }}
{{- if .issuer }}
- name: AUTH_ISSUER
  value: {{ .issuer | quote }}
{{- end }}
{{- if .audience }}
- name: AUTH_AUDIENCE
  value: {{ .audience | quote }}
{{- end }}
- name: AUTH_ADMIN_SCOPE
  value: {{ .adminScope | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* Name of the container port with /metrics. */}}
{{- define "onrush.metricsPort" -}}
{{ ternary "admin" "http" (gt (int .Values.adminPort) 0) }}
{{- end }}

{{- define "onrush.brokers" -}}
{{- if .Values.kafka.enabled -}}
{{ include "onrush.engine" (list . "kafka") }}:{{ ((.Values.kafka.service | default dict).port | default 9092) | int }}
{{- else -}}
{{ required "kafka.enabled is false: external.kafka.brokers must tell host:port of its brokers" .Values.external.kafka.brokers }}
{{- end }}
{{- end }}

{{/* What every pod of the application says about itself: restricted pod security, no token, no service links (they would
     set variables that begin with ONRUSH_, and an unknown one stops the program). */}}
{{- define "onrush.pod" -}}
serviceAccountName: {{ include "onrush.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "onrush.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* An init container that waits: (list $ "schema topics") or (list $ "mysql kafka"). */}}
{{- define "onrush.wait" -}}
{{- $root := index . 0 -}}
- name: wait
  image: {{ include "onrush.image" $root }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args:
    - --input-type=module
    - --eval
    - |
      {{- $root.Files.Get "files/wait.mjs" | nindent 6 }}
    {{- range splitList " " (index . 1) }}
    - {{ . }}
    {{- end }}
  {{- include "onrush.env" $root | nindent 2 }}
  resources:
    requests:
      cpu: 20m
      memory: 64Mi
    limits:
      memory: 192Mi
  {{- include "onrush.containerSecurity" $root | nindent 2 }}
{{- end }}

{{/* Pods of a component that may exist at once: the most its autoscaler starts, and one that takes another's place. */}}
{{- define "onrush.mostPods" -}}
{{- if .keda.enabled }}{{ add1 .keda.maxReplicas }}
{{- else if .autoscaling.enabled }}{{ add1 .autoscaling.maxReplicas }}
{{- else }}{{ add1 .replicas }}
{{- end }}
{{- end }}

{{/* Pods of a component that there are at least. */}}
{{- define "onrush.leastPods" -}}
{{- if .keda.enabled }}{{ .keda.minReplicas }}
{{- else if .autoscaling.enabled }}{{ .autoscaling.minReplicas }}
{{- else }}{{ .replicas }}
{{- end }}
{{- end }}

{{- define "onrush.spread" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- with $root.Values.topologySpread }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml . | nindent 4 | trim }}
    labelSelector:
      matchLabels:
        {{- include "onrush.selector" (list $root $name) | nindent 8 }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "onrush.monitored" -}}
{{- if or (eq (toString .Values.monitoring.enabled) "true") (and (eq (toString .Values.monitoring.enabled) "auto") (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1")) }}true{{ end }}
{{- end }}

{{- define "onrush.code" -}}
# The code in a volume, where it can be replaced.
- name: code
  image: {{ include "onrush.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  args: [--eval, "fs.cpSync('/app/services', '/code', { recursive: true })"]
  resources:
    requests:
      cpu: 20m
      memory: 64Mi
    limits:
      memory: 192Mi
  {{- include "onrush.containerSecurity" . | nindent 2 }}
  volumeMounts:
    - name: code
      mountPath: /code
{{- end }}

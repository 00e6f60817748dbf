{{- define "observability.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains .Chart.Name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{/* What selects the pods of one part: (list $ "prometheus"). */}}
{{- define "observability.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Labels of one part's objects: (list $ "prometheus"). */}}
{{- define "observability.labels" -}}
{{- $root := index . 0 -}}
{{ include "observability.selector" . }}
app.kubernetes.io/part-of: onrush
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version }}
{{- end }}

{{- define "observability.image" -}}
{{ .repository }}:{{ .tag }}{{ with .digest }}@{{ . }}{{ end }}
{{- end }}

{{/* Restricted pod security, no service links; a token only where the API is read: (list $ "prometheus" 65534 true). */}}
{{- define "observability.pod" -}}
{{- $root := index . 0 -}}
serviceAccountName: {{ include "observability.fullname" $root }}-{{ index . 1 }}
automountServiceAccountToken: {{ index . 3 }}
enableServiceLinks: false
securityContext:
  runAsUser: {{ index . 2 }}
  runAsGroup: {{ index . 2 }}
  fsGroup: {{ index . 2 }}
  runAsNonRoot: true
  seccompProfile:
    type: RuntimeDefault
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "observability.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Ready and alive by HTTP: (list "/-/ready" "http" "/-/healthy" "http"). */}}
{{- define "observability.probes" -}}
startupProbe:
  httpGet:
    path: {{ index . 0 }}
    port: {{ index . 1 }}
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 60
readinessProbe:
  httpGet:
    path: {{ index . 0 }}
    port: {{ index . 1 }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 3
livenessProbe:
  httpGet:
    path: {{ index . 2 }}
    port: {{ index . 3 }}
  periodSeconds: 15
  timeoutSeconds: 10
  failureThreshold: 4
{{- end }}

{{- define "observability.namespaces" -}}
{{- .Values.namespaces | default (list .Release.Namespace) | toJson }}
{{- end }}

{{- define "observability.monitored" -}}
{{- if eq (toString .Values.monitors.enabled) "true" }}true
{{- else if and (eq (toString .Values.monitors.enabled) "auto") (not .Values.prometheus.enabled) (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1") }}true
{{- end }}
{{- end }}

{{/* A Service in front of one part: (list $ "prometheus" (list (dict "name" "http" "port" 9090))). */}}
{{- define "observability.service" -}}
{{- $root := index . 0 -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "observability.fullname" $root }}-{{ index . 1 }}
  labels:
    {{- include "observability.labels" (list $root (index . 1)) | nindent 4 }}
spec:
  selector:
    {{- include "observability.selector" (list $root (index . 1)) | nindent 4 }}
  ports:
    {{- range index . 2 }}
    - name: {{ .name }}
      port: {{ .port }}
      targetPort: {{ .name }}
    {{- end }}
{{- end }}

{{- define "observability.serviceAccount" -}}
{{- $root := index . 0 -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "observability.fullname" $root }}-{{ index . 1 }}
  labels:
    {{- include "observability.labels" (list $root (index . 1)) | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

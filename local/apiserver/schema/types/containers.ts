/** Structs of containers. */

const containerFields = `
  args []string : Arguments of the command; default the image's.
  command []string : Command that runs; default the image's entry point.
  env []EnvVar map(name) merge(name) : Environment variables.
  envFrom []EnvFromSource : ConfigMaps and Secrets whose keys all become variables.
  image string : Container image.
  imagePullPolicy string : When the image is pulled; default Always for the tag latest.
  lifecycle Lifecycle : What is done after the start and before the end.
  livenessProbe Probe : Check that restarts the container when it fails.
  name! string : Name of the container, unique in the pod. Cannot be changed.
  ports []ContainerPort map(containerPort,protocol) merge(containerPort) : Ports that the container opens.
  readinessProbe Probe : Check that decides whether the container gets traffic.
  resizePolicy []ContainerResizePolicy : What a change of resources does to the container.
  resources ResourceRequirements ={} : Compute resources of the container.
  restartPolicy string : Always makes an init container a sidecar.
  restartPolicyRules []ContainerRestartRule : Rules about exit codes, before restartPolicy.
  securityContext SecurityContext : Security settings of the container.
  startupProbe Probe : Check that must succeed once before the other probes start.
  stdin bool : True keeps standard input open.
  stdinOnce bool : True closes standard input after the first session.
  terminationMessagePath string =/dev/termination-log : File whose content becomes the termination message.
  terminationMessagePolicy string =File |File,FallbackToLogsOnError : Where the termination message comes from.
  tty bool : True gives the container a terminal.
  volumeDevices []VolumeDevice map(devicePath) merge(devicePath) : Block devices.
  volumeMounts []VolumeMount map(mountPath) merge(mountPath) : Volumes mounted into the container.
  workingDir string : Working directory; default the image's.`;

export const containerTypes = `
Container : A container of a pod.${containerFields}
EphemeralContainer : A container added to a running pod for debugging.${containerFields.replace('resources ResourceRequirements ={}', 'resources ResourceRequirements')}
  targetContainerName string : Container whose processes it sees.
EnvVar : An environment variable.
  name! string : Name of the variable.
  value string : Value; $(NAME) is replaced by an earlier variable.
  valueFrom EnvVarSource : Where the value comes from instead.
EnvVarSource : Where a variable's value comes from.
  configMapKeyRef ConfigMapKeySelector : A key of a ConfigMap.
  fieldRef ObjectFieldSelector : A field of the pod.
  fileKeyRef FileKeySelector : A key of a file in a volume.
  resourceFieldRef ResourceFieldSelector : A resource of a container.
  secretKeyRef SecretKeySelector : A key of a Secret.
ConfigMapKeySelector atomic : A key of a ConfigMap.
  key! string : The key.
  name string : Name of the ConfigMap.
  optional bool : True lets it be absent.
SecretKeySelector atomic : A key of a Secret.
  key! string : The key.
  name string : Name of the Secret.
  optional bool : True lets it be absent.
FileKeySelector atomic : A key of a file.
  key! string : The key.
  optional bool =false : True lets it be absent.
  path! string : Path of the file in the volume.
  volumeName! string : Name of the volume.
ObjectFieldSelector atomic : A field of the pod.
  apiVersion string =v1 : API version of the field path.
  fieldPath! string : Path of the field, such as metadata.name.
ResourceFieldSelector atomic : A resource of a container.
  containerName string : Name of the container; required in volumes.
  divisor quantity ="0" : Unit in which the value is given; default 1.
  resource! string : Resource, such as limits.cpu.
EnvFromSource : A ConfigMap or Secret whose keys become variables.
  configMapRef ConfigMapEnvSource : The ConfigMap.
  prefix string : Prefix of the variables' names.
  secretRef SecretEnvSource : The Secret.
ConfigMapEnvSource : A ConfigMap whose keys become variables.
  name string : Name of the ConfigMap.
  optional bool : True lets it be absent.
SecretEnvSource : A Secret whose keys become variables.
  name string : Name of the Secret.
  optional bool : True lets it be absent.
Lifecycle : What is done after a container's start and before its end.
  postStart LifecycleHandler : Done right after the start.
  preStop LifecycleHandler : Done before the container gets its stop signal.
  stopSignal string : Signal that ends the container; default the image's.
LifecycleHandler : One action.
  exec ExecAction : Runs a command in the container.
  httpGet HTTPGetAction : Sends an HTTP request.
  sleep SleepAction : Waits.
  tcpSocket TCPSocketAction : Opens a TCP connection.
ExecAction : A command in the container.
  command []string : The command, not run by a shell.
HTTPGetAction : An HTTP GET request.
  host string : Host; default the pod's address.
  httpHeaders []HTTPHeader : Headers of the request.
  path string =/ : Path of the request.
  port! intOrString : Number or name of the port.
  scheme string =HTTP |HTTP,HTTPS : HTTP or HTTPS.
HTTPHeader : A header of a request.
  name! string : Name of the header.
  value! string : Value of the header.
SleepAction : A pause.
  seconds! int64 : Seconds to wait.
TCPSocketAction : A TCP connection.
  host string : Host; default the pod's address.
  port! intOrString : Number or name of the port.
GRPCAction : A call of the gRPC health service.
  port! int32 : Number of the port.
  service string = : Service asked about.
Probe : A check of a container.
  exec ExecAction : Runs a command; exit code 0 is success.
  failureThreshold int32 =3 : Failures in a row that count as failed.
  grpc GRPCAction : Calls the gRPC health service.
  httpGet HTTPGetAction : Sends an HTTP request; 200 to 399 is success.
  initialDelaySeconds int32 : Seconds between start and first check.
  periodSeconds int32 =10 : Seconds between two checks.
  successThreshold int32 =1 : Successes in a row that count as succeeded.
  tcpSocket TCPSocketAction : Opens a TCP connection.
  terminationGracePeriodSeconds int64 : Grace period after this probe failed; default the pod's.
  timeoutSeconds int32 =1 : Seconds after which a check has failed.
ContainerPort : A port that a container opens.
  containerPort! int32 : Port number, 1 to 65535.
  hostIP string : Address of the node to which hostPort is bound.
  hostPort int32 : Port on the node.
  name string : Name of the port, unique in the pod; Services can refer to it.
  protocol string =TCP |SCTP,TCP,UDP : Protocol of the port.
ContainerResizePolicy : What a change of a resource does.
  resourceName! string : Name of the resource.
  restartPolicy! string : NotRequired or RestartContainer.
ContainerRestartRule : A rule about a container that ended.
  action! string : Restart or RestartAllContainers.
  exitCodes ContainerRestartRuleOnExitCodes : Exit codes to which the rule applies.
ContainerRestartRuleOnExitCodes : Exit codes.
  operator! string : In or NotIn.
  values []int32 set : The exit codes.
SecurityContext : Security settings of a container.
  allowPrivilegeEscalation bool : False keeps processes from gaining more rights than their parent.
  appArmorProfile AppArmorProfile : AppArmor profile.
  capabilities Capabilities : Capabilities to add and drop.
  privileged bool : True gives the rights of the node's root.
  procMount string |Default,Unmasked : How /proc is mounted.
  readOnlyRootFilesystem bool : True makes the root file system read-only.
  runAsGroup int64 : Primary group of the processes.
  runAsNonRoot bool : True refuses to run as root.
  runAsUser int64 : User of the processes.
  seLinuxOptions SELinuxOptions : SELinux label.
  seccompProfile SeccompProfile : seccomp profile.
  windowsOptions WindowsSecurityContextOptions : Settings for Windows.
AppArmorProfile : An AppArmor profile.
  localhostProfile string : Profile on the node, for type Localhost.
  type! string |Localhost,RuntimeDefault,Unconfined : Which profile.
Capabilities : Capabilities of a container.
  add []string : Capabilities to add.
  drop []string : Capabilities to take away; ALL for all.
SELinuxOptions : An SELinux label.
  level string : Level part.
  role string : Role part.
  type string : Type part.
  user string : User part.
SeccompProfile : A seccomp profile.
  localhostProfile string : Profile on the node, for type Localhost.
  type! string |Localhost,RuntimeDefault,Unconfined : Which profile.
WindowsSecurityContextOptions : Settings for Windows.
  gmsaCredentialSpec string : GMSA credential spec.
  gmsaCredentialSpecName string : Name of the GMSA credential spec.
  hostProcess bool : True runs a host process.
  runAsUserName string : User of the processes.
VolumeDevice : A block device.
  devicePath! string : Path in the container.
  name! string : Name of a claim's volume.
VolumeMount : A volume mounted into a container.
  mountPath! string : Path in the container.
  mountPropagation string |Bidirectional,HostToContainer,None : How later mounts are passed on.
  name! string : Name of a volume of the pod.
  readOnly bool : True mounts it read-only.
  recursiveReadOnly string : Disabled, IfPossible or Enabled.
  subPath string : Path inside the volume.
  subPathExpr string : Path inside the volume, with $(NAME) replaced.
`;

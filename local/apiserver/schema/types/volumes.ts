/** Structs of volumes. Drivers that were moved out of Kubernetes are taken as they come. */

const drivers = [
  ['awsElasticBlockStore', 'An AWS disk'],
  ['azureDisk', 'An Azure disk'],
  ['azureFile', 'An Azure file share'],
  ['cephfs', 'A Ceph file system'],
  ['cinder', 'A Cinder volume'],
  ['fc', 'A Fibre Channel device'],
  ['flexVolume', 'A volume of an exec driver'],
  ['flocker', 'A Flocker volume'],
  ['gcePersistentDisk', 'A GCE disk'],
  ['glusterfs', 'A Glusterfs volume'],
  ['iscsi', 'An iSCSI device'],
  ['photonPersistentDisk', 'A Photon disk'],
  ['portworxVolume', 'A Portworx volume'],
  ['quobyte', 'A Quobyte volume'],
  ['rbd', 'A Ceph block device'],
  ['scaleIO', 'A ScaleIO volume'],
  ['storageos', 'A StorageOS volume'],
  ['vsphereVolume', 'A vSphere volume'],
]
  .map(([name, text]) => `\n  ${name} object : ${text}.`)
  .join('');

export const volumeTypes = `
Volume : A volume of a pod; exactly one source.${drivers}
  configMap ConfigMapVolumeSource : Files from a ConfigMap.
  csi CSIVolumeSource : A volume of a CSI driver that lives as long as the pod.
  downwardAPI DownwardAPIVolumeSource : Files about the pod itself.
  emptyDir EmptyDirVolumeSource : An empty directory that lives as long as the pod.
  ephemeral EphemeralVolumeSource : A claim made for the pod.
  gitRepo object : A git repository. Not supported any more.
  hostPath HostPathVolumeSource : A path of the node.
  image ImageVolumeSource : Files of an OCI image.
  name! string : Name of the volume, unique in the pod.
  nfs NFSVolumeSource : An NFS export.
  persistentVolumeClaim PersistentVolumeClaimVolumeSource : A claim of the namespace.
  projected ProjectedVolumeSource : Files from several sources.
  secret SecretVolumeSource : Files from a Secret.
ConfigMapVolumeSource : Files from a ConfigMap.
  defaultMode int32 =420 : Mode bits of the files; default 0644.
  items []KeyToPath : Keys that become files; default all.
  name string : Name of the ConfigMap.
  optional bool : True lets it be absent.
SecretVolumeSource : Files from a Secret.
  defaultMode int32 =420 : Mode bits of the files; default 0644.
  items []KeyToPath : Keys that become files; default all.
  optional bool : True lets it be absent.
  secretName string : Name of the Secret.
KeyToPath : A key and its file.
  key! string : The key.
  mode int32 : Mode bits of the file.
  path! string : Path of the file in the volume.
CSIVolumeSource : A volume of a CSI driver.
  driver! string : Name of the driver.
  fsType string : File system.
  nodePublishSecretRef LocalObjectReference : Secret for the driver.
  readOnly bool : True mounts it read-only.
  volumeAttributes {string} : Attributes for the driver.
DownwardAPIVolumeSource : Files about the pod itself.
  defaultMode int32 =420 : Mode bits of the files; default 0644.
  items []DownwardAPIVolumeFile : The files.
DownwardAPIVolumeFile : A file about the pod.
  fieldRef ObjectFieldSelector : A field of the pod.
  mode int32 : Mode bits of the file.
  path! string : Path of the file in the volume.
  resourceFieldRef ResourceFieldSelector : A resource of a container.
EmptyDirVolumeSource : An empty directory.
  medium string : Memory for a file system in memory; default the node's disk.
  sizeLimit quantity : Most that may be stored.
EphemeralVolumeSource : A claim made for a pod.
  volumeClaimTemplate PersistentVolumeClaimTemplate : The claim.
PersistentVolumeClaimTemplate : A claim that is made.
  metadata ObjectMeta : Labels and annotations of the claim.
  spec! PersistentVolumeClaimSpec : What the claim should be.
HostPathVolumeSource : A path of the node.
  path! string : The path.
  type string = : What must be there, such as Directory; empty checks nothing.
ImageVolumeSource : Files of an OCI image.
  pullPolicy string |Always,IfNotPresent,Never : When the image is pulled.
  reference string : The image.
NFSVolumeSource : An NFS export.
  path! string : Path of the export.
  readOnly bool : True mounts it read-only.
  server! string : Host of the server.
PersistentVolumeClaimVolumeSource : A claim of the namespace.
  claimName! string : Name of the claim.
  readOnly bool : True mounts it read-only.
ProjectedVolumeSource : Files from several sources.
  defaultMode int32 =420 : Mode bits of the files; default 0644.
  sources []VolumeProjection : The sources.
VolumeProjection : One source of files.
  clusterTrustBundle ClusterTrustBundleProjection : Certificates of a trust bundle.
  configMap ConfigMapProjection : Keys of a ConfigMap.
  downwardAPI DownwardAPIProjection : Fields of the pod.
  podCertificate object : A certificate made for the pod.
  secret SecretProjection : Keys of a Secret.
  serviceAccountToken ServiceAccountTokenProjection : A token of the pod's service account.
ClusterTrustBundleProjection : Certificates of a trust bundle.
  labelSelector LabelSelector : Bundles, by label.
  name string : Bundle, by name.
  optional bool : True lets it be absent.
  path! string : Path of the file in the volume.
  signerName string : Signer of the bundles.
ConfigMapProjection : Keys of a ConfigMap.
  items []KeyToPath : Keys that become files; default all.
  name string : Name of the ConfigMap.
  optional bool : True lets it be absent.
SecretProjection : Keys of a Secret.
  items []KeyToPath : Keys that become files; default all.
  name string : Name of the Secret.
  optional bool : True lets it be absent.
DownwardAPIProjection : Fields of the pod.
  items []DownwardAPIVolumeFile : The files.
ServiceAccountTokenProjection : A token of the pod's service account.
  audience string : For whom the token is meant; default the API server.
  expirationSeconds int64 =3600 : Seconds for which the token is valid.
  path! string : Path of the file in the volume.
PersistentVolumeClaim : A claim for storage.
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.
  spec PersistentVolumeClaimSpec : What the claim asks for.
  status PersistentVolumeClaimStatus : What the claim got.
PersistentVolumeClaimSpec : What a claim asks for.
  accessModes []string : ReadWriteOnce, ReadOnlyMany, ReadWriteMany or ReadWriteOncePod.
  dataSource TypedLocalObjectReference : What the volume is filled from.
  dataSourceRef TypedObjectReference : What the volume is filled from, other namespaces included.
  resources VolumeResourceRequirements : Least storage.
  selector LabelSelector : Volumes that may be bound.
  storageClassName string : StorageClass of the claim.
  volumeAttributesClassName string : VolumeAttributesClass of the claim.
  volumeMode string =Filesystem |Block,Filesystem : File system or block device.
  volumeName string : Volume that is bound.
PersistentVolumeClaimStatus : What a claim got.
  accessModes []string : Access modes of the volume.
  allocatedResourceStatuses {string} granular : State of a resize.
  allocatedResources {quantity} : Storage reserved.
  capacity {quantity} : Storage of the volume.
  conditions []StatusCondition map(type) merge(type) : Aspects of the state.
  currentVolumeAttributesClassName string : VolumeAttributesClass in effect.
  modifyVolumeStatus object : State of a change.
  phase string |Bound,Lost,Pending : Where the claim is in its life.
PersistentVolume : A piece of storage.
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.
  spec PersistentVolumeSpec : What the volume is.
  status PersistentVolumeStatus : State of the volume.
PersistentVolumeSpec : What a volume is; exactly one source.${drivers}
  accessModes []string : Ways in which the volume can be mounted.
  capacity {quantity} : Storage of the volume.
  claimRef ObjectReference granular : Claim that is bound.
  csi object : A volume of a CSI driver.
  hostPath HostPathVolumeSource : A path of the node.
  local LocalVolumeSource : A disk or directory of one node.
  mountOptions []string : Options for mount.
  nfs NFSVolumeSource : An NFS export.
  nodeAffinity VolumeNodeAffinity : Nodes that reach the volume.
  persistentVolumeReclaimPolicy string =Retain |Delete,Recycle,Retain : What happens when the claim is gone.
  storageClassName string : StorageClass of the volume.
  volumeAttributesClassName string : VolumeAttributesClass of the volume.
  volumeMode string =Filesystem |Block,Filesystem : File system or block device.
LocalVolumeSource : A disk or directory of one node.
  fsType string : File system.
  path! string : The path.
VolumeNodeAffinity : Nodes that reach a volume.
  required NodeSelector : Conditions on the nodes.
PersistentVolumeStatus : State of a volume.
  lastPhaseTransitionTime time : When phase last changed.
  message string : Why it is so, in words.
  phase string |Available,Bound,Failed,Pending,Released : Where the volume is in its life.
  reason string : Why it is so, in one word.
StorageClass : A kind of storage that can be asked for.
  allowVolumeExpansion bool : True lets claims grow.
  allowedTopologies []TopologySelectorTerm : Where volumes can be made.
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.
  mountOptions []string : Options for mount.
  parameters {string} : Parameters for the provisioner.
  provisioner! string : What makes the volumes.
  reclaimPolicy string =Delete |Delete,Retain : What happens when the claim is gone.
  volumeBindingMode string =Immediate |Immediate,WaitForFirstConsumer : When a volume is bound.
TopologySelectorTerm atomic : Conditions on a place.
  matchLabelExpressions []TopologySelectorLabelRequirement : Conditions on labels.
TopologySelectorLabelRequirement : A condition on a label.
  key! string : The label.
  values! []string : Values of which one must hold.
`;

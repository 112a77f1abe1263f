/** Structs that many kinds share: metadata, selectors, references, conditions. */

export const metaTypes = `
ObjectMeta : Metadata that every object has: its name, labels, annotations, owners.
  annotations {string} : Text that tools attach to the object; not used to select objects.
  creationTimestamp time : When the server created the object. Read-only.
  deletionGracePeriodSeconds int64 : Seconds the object may take to end after its deletion was asked for. Read-only.
  deletionTimestamp time : When the object will be gone; set by the server when a deletion is asked for. Read-only.
  finalizers []string set merge : Names that must be removed before the server deletes the object.
  generateName string : Prefix from which the server makes a unique name when name is empty.
  generation int64 : Number that rises whenever the wanted state changes. Read-only.
  labels {string} : Key and value pairs by which objects are selected.
  managedFields []ManagedFieldsEntry : Which manager owns which field; kept by the server.
  name string : Name, unique among the objects of a kind in a namespace. Cannot be changed.
  namespace string : Namespace of the object. Cannot be changed.
  ownerReferences []OwnerReference map(uid) merge(uid) : Objects that own this one; it is deleted when they are all gone.
  resourceVersion string : Version of the stored object, for watches and to detect concurrent changes. Opaque.
  selfLink string : Not set any more.
  uid string : Unique identity of the object in time and space. Read-only.
ManagedFieldsEntry : Fields that one manager owns.
  apiVersion string : Version of the API in which the fields are named.
  fieldsType string : Format of the fields; always FieldsV1.
  fieldsV1 object : Tree of field names.
  manager string : Name of the manager.
  operation string : Apply or Update.
  subresource string : Subresource through which the fields were written.
  time time : When the manager last changed its fields.
OwnerReference atomic : An object that owns this one.
  apiVersion! string : API version of the owner.
  blockOwnerDeletion bool : True keeps a foreground deletion of the owner waiting for this object.
  controller bool : True when the owner manages this object.
  kind! string : Kind of the owner.
  name! string : Name of the owner.
  uid! string : UID of the owner.
LabelSelector atomic : Selects objects by their labels; all conditions must hold. Empty selects everything.
  matchExpressions []LabelSelectorRequirement : Conditions on labels.
  matchLabels {string} : Labels that must have exactly these values.
LabelSelectorRequirement : One condition on a label.
  key! string : Label to which the condition applies.
  operator! string : In, NotIn, Exists or DoesNotExist.
  values []string : Values for In and NotIn.
LocalObjectReference atomic : An object of the same namespace.
  name string : Name of the object.
ObjectReference atomic : A reference to any object.
  apiVersion string : API version of the object.
  fieldPath string : Part of the object that is meant.
  kind string : Kind of the object.
  name string : Name of the object.
  namespace string : Namespace of the object.
  resourceVersion string : Version of the object.
  uid string : UID of the object.
SecretReference atomic : A Secret of any namespace.
  name string : Name of the Secret.
  namespace string : Namespace of the Secret.
TypedLocalObjectReference atomic : An object of the same namespace, with its kind.
  apiGroup string : API group of the object; empty for the core group.
  kind! string : Kind of the object.
  name! string : Name of the object.
TypedObjectReference : An object with its kind and, if need be, its namespace.
  apiGroup string : API group of the object; empty for the core group.
  kind! string : Kind of the object.
  name! string : Name of the object.
  namespace string : Namespace of the object.
Condition : One aspect of the object's state.
  lastTransitionTime! time : When status last changed.
  message! string : What is so, in words.
  observedGeneration int64 : metadata.generation that the condition is about.
  reason! string : One word for the cause of the last change.
  status! string |False,True,Unknown : True, False or Unknown.
  type! string : Name of the condition.
StatusCondition : One aspect of the object's state.
  lastProbeTime time : When the condition was last checked.
  lastTransitionTime time : When status last changed.
  message string : What is so, in words.
  reason string : One word for the cause of the last change.
  status! string : True, False or Unknown.
  type! string : Name of the condition.
PlainCondition : One aspect of the object's state.
  lastTransitionTime time : When status last changed.
  message string : What is so, in words.
  reason string : One word for the cause of the last change.
  status! string : True, False or Unknown.
  type! string : Name of the condition.
ResourceRequirements : Compute resources that are asked for and allowed.
  claims []ResourceClaim map(name) : Names of the pod's resource claims that the container uses.
  limits {quantity} : Most that may be used, for instance cpu and memory.
  requests {quantity} : What is reserved; defaults to the limits.
ResourceClaim : A resource claim of the pod.
  name! string : Name of an entry of spec.resourceClaims.
  request string : Request of that claim; empty means all.
VolumeResourceRequirements : Storage that is asked for and allowed.
  limits {quantity} : Most storage that may be used.
  requests {quantity} : Least storage that is needed.
NodeSelector atomic : Nodes that fit at least one of the terms.
  nodeSelectorTerms! []NodeSelectorTerm : Terms of which one must hold.
NodeSelectorTerm atomic : Conditions on a node that must all hold.
  matchExpressions []NodeSelectorRequirement : Conditions on the node's labels.
  matchFields []NodeSelectorRequirement : Conditions on the node's fields.
NodeSelectorRequirement : One condition on a node.
  key! string : Label or field to which the condition applies.
  operator! string |DoesNotExist,Exists,Gt,In,Lt,NotIn : How key and values are compared.
  values []string : Values for the comparison.
`;

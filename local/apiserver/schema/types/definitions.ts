/** Structs of CustomResourceDefinitions. */

export const definitionTypes = `
CustomResourceDefinition : Defines a kind of the cluster's own.
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.
  spec! CustomResourceDefinitionSpec : The kind.
  status CustomResourceDefinitionStatus : State of the definition.
CustomResourceDefinitionSpec : A kind.
  conversion CustomResourceConversion : How versions are converted.
  group! string : API group.
  names! CustomResourceDefinitionNames : Names of the kind.
  preserveUnknownFields bool : Must be false.
  scope! string : Namespaced or Cluster.
  versions! []CustomResourceDefinitionVersion atomic : Versions of the kind.
CustomResourceConversion : How versions are converted.
  strategy! string : None or Webhook.
  webhook WebhookConversion : The webhook.
WebhookConversion : A webhook that converts.
  clientConfig WebhookClientConfig : Where the webhook is.
  conversionReviewVersions! []string atomic : Versions of the request that it understands.
WebhookClientConfig : Where a webhook is.
  caBundle bytes : Certificates that are trusted.
  service ServiceReference : A Service.
  url string : An address.
ServiceReference : A Service.
  name! string : Name of the Service.
  namespace! string : Namespace of the Service.
  path string : Path of the request.
  port int32 : Port of the Service.
CustomResourceDefinitionNames : Names of a kind.
  categories []string atomic : Groups of kinds, such as all.
  kind! string : The kind, in camel case.
  listKind string : The kind of a list. Default kind and List.
  plural! string : Name in paths, lower case.
  shortNames []string atomic : Short names for the command line.
  singular string : Singular name. Default kind in lower case.
CustomResourceDefinitionVersion : A version of a kind.
  additionalPrinterColumns []CustomResourceColumnDefinition atomic : Columns of kubectl get.
  deprecated bool : True warns whoever uses the version.
  deprecationWarning string : Text of the warning.
  name! string : Name, such as v1.
  schema CustomResourceValidation : Schema of the objects.
  selectableFields []SelectableField atomic : Fields by which objects can be selected.
  served! bool : Whether the version is served.
  storage! bool : Whether objects are stored in this version.
  subresources CustomResourceSubresources : Subresources.
CustomResourceColumnDefinition : A column.
  description string : What it shows.
  format string : Format of the value.
  jsonPath! string : Path of the value.
  name! string : Heading.
  priority int32 : Above 0 it is shown in wide output only.
  type! string : Type of the value.
CustomResourceValidation : Schema of the objects.
  openAPIV3Schema object : The schema, in OpenAPI v3.
SelectableField : A field by which objects can be selected.
  jsonPath! string : Path of the field.
CustomResourceSubresources : Subresources.
  scale CustomResourceSubresourceScale : The scale subresource.
  status object : The status subresource.
CustomResourceSubresourceScale : The scale subresource.
  labelSelectorPath string : Path of the selector, as text.
  specReplicasPath! string : Path of the wanted replicas.
  statusReplicasPath! string : Path of the replicas that exist.
CustomResourceDefinitionStatus : State of a definition.
  acceptedNames CustomResourceDefinitionNames : Names in use.
  conditions []CustomResourceDefinitionCondition map(type) : Aspects of the state.
  observedGeneration int64 : metadata.generation that the status is about.
  storedVersions []string atomic : Versions in which objects were ever stored.
CustomResourceDefinitionCondition : One aspect of a definition's state.
  lastTransitionTime time : When status last changed.
  message string : What is so, in words.
  observedGeneration int64 : metadata.generation that the condition is about.
  reason string : One word for the cause of the last change.
  status! string : True, False or Unknown.
  type! string : Name of the condition.
`;

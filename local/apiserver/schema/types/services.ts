/** Structs of the network: Services, endpoints, Ingresses, policies. */

const head = `
  apiVersion string : Version of the schema of this object.
  kind string : Kind of this object.
  metadata ObjectMeta : Name, labels and other metadata.`;

export const serviceTypes = `
Service : One address for a changing set of pods.${head}
  spec ServiceSpec : What the Service should be.
  status ServiceStatus : State of the Service.
ServiceSpec : What a Service should be.
  allocateLoadBalancerNodePorts bool : False gives a load balancer no node ports. Default true.
  clusterIP string : Address of the Service; None makes it headless. Cannot be changed.
  clusterIPs []string atomic : Addresses of the Service, one per IP family.
  externalIPs []string atomic : More addresses that nodes accept traffic for.
  externalName string : Host name to which an ExternalName Service points.
  externalTrafficPolicy string |Cluster,Local : Whether outside traffic stays on its node.
  healthCheckNodePort int32 : Node port of the load balancer's health check.
  internalTrafficPolicy string |Cluster,Local : Whether inside traffic stays on its node. Default Cluster.
  ipFamilies []string atomic : IPv4, IPv6 or both.
  ipFamilyPolicy string |PreferDualStack,RequireDualStack,SingleStack : How many IP families.
  loadBalancerClass string : Which load balancer.
  loadBalancerIP string : Address that the load balancer should get.
  loadBalancerSourceRanges []string atomic : Clients that may reach the load balancer.
  ports []ServicePort map(port,protocol) merge(port) : Ports of the Service.
  publishNotReadyAddresses bool : True publishes pods that are not ready.
  selector {string} atomic : Labels of the pods.
  sessionAffinity string =None |ClientIP,None : Whether a client stays with its pod.
  sessionAffinityConfig SessionAffinityConfig : Settings of session affinity.
  trafficDistribution string : Which endpoints are preferred.
  type string =ClusterIP |ClusterIP,ExternalName,LoadBalancer,NodePort : How the Service is reached.
ServicePort : A port of a Service.
  appProtocol string : Application protocol.
  name string : Name of the port; required when there are several.
  nodePort int32 : Port on every node.
  port! int32 : Port number, 1 to 65535.
  protocol string =TCP |SCTP,TCP,UDP : Protocol of the port.
  targetPort intOrString : Number or name of the pods' port; default port.
SessionAffinityConfig : Settings of session affinity.
  clientIP ClientIPConfig : Settings for ClientIP.
ClientIPConfig : Settings for ClientIP.
  timeoutSeconds int32 : Seconds for which a client stays. Default 10800.
ServiceStatus : State of a Service.
  conditions []Condition map(type) merge(type) : Aspects of the state.
  loadBalancer LoadBalancerStatus : State of the load balancer.
LoadBalancerStatus : State of a load balancer.
  ingress []LoadBalancerIngress atomic : Where it is reached.
LoadBalancerIngress : Where a load balancer is reached.
  hostname string : Host name.
  ip string : Address.
  ipMode string : VIP or Proxy.
  ports []PortStatus atomic : State of the ports.
PortStatus : State of a port.
  error string : What is wrong.
  port! int32 : Port number.
  protocol! string |SCTP,TCP,UDP : Protocol of the port.
Endpoints : Addresses behind a Service, in the old form.${head}
  subsets []EndpointSubset atomic : Addresses and their ports.
EndpointSubset : Addresses with the same ports.
  addresses []EndpointAddress atomic : Addresses that are ready.
  notReadyAddresses []EndpointAddress atomic : Addresses that are not.
  ports []EndpointPort atomic : Ports of the addresses.
EndpointAddress atomic : One address.
  hostname string : Host name.
  ip! string : The address.
  nodeName string : Node of the pod.
  targetRef ObjectReference : The pod.
EndpointPort atomic : A port of the addresses.
  appProtocol string : Application protocol.
  name string : Name of the port.
  port! int32 : Port number.
  protocol string =TCP |SCTP,TCP,UDP : Protocol of the port.
EndpointSlice : Addresses behind a Service.${head}
  addressType! string |FQDN,IPv4,IPv6 : Kind of the addresses. Cannot be changed.
  endpoints []Endpoint atomic : The addresses.
  ports []EndpointSlicePort atomic : Ports of the addresses.
Endpoint : One endpoint.
  addresses! []string set : Its addresses.
  conditions EndpointConditions : Whether it is ready, serving, ending.
  deprecatedTopology {string} : Old place of topology.
  hints EndpointHints : Who should use it.
  hostname string : Host name.
  nodeName string : Node of the pod.
  targetRef ObjectReference : The pod.
  zone string : Zone of the node.
EndpointConditions : Whether an endpoint is ready.
  ready bool : Whether it should get traffic.
  serving bool : Whether it answers, ending or not.
  terminating bool : Whether it is ending.
EndpointHints : Who should use an endpoint.
  forNodes []ForNode atomic : Nodes.
  forZones []ForZone atomic : Zones.
ForNode : A node.
  name! string : Name of the node.
ForZone : A zone.
  name! string : Name of the zone.
EndpointSlicePort atomic : A port of the endpoints.
  appProtocol string : Application protocol.
  name string = : Name of the port.
  port int32 : Port number.
  protocol string =TCP |SCTP,TCP,UDP : Protocol of the port.
NetworkPolicy : Which traffic pods may have.${head}
  spec NetworkPolicySpec : The rules.
NetworkPolicySpec : Rules about traffic.
  egress []NetworkPolicyEgressRule atomic : Traffic that may go out.
  ingress []NetworkPolicyIngressRule atomic : Traffic that may come in.
  podSelector LabelSelector : Pods to which the rules apply.
  policyTypes []string atomic : Ingress, Egress or both.
NetworkPolicyEgressRule : Traffic that may go out.
  ports []NetworkPolicyPort atomic : Ports; empty means all.
  to []NetworkPolicyPeer atomic : Where to; empty means anywhere.
NetworkPolicyIngressRule : Traffic that may come in.
  from []NetworkPolicyPeer atomic : Where from; empty means anywhere.
  ports []NetworkPolicyPort atomic : Ports; empty means all.
NetworkPolicyPort : Ports of a rule.
  endPort int32 : Last port of a range.
  port intOrString : Number or name of the port.
  protocol string =TCP |SCTP,TCP,UDP : Protocol of the port.
NetworkPolicyPeer : The other side of a rule.
  ipBlock IPBlock : Addresses.
  namespaceSelector LabelSelector : Namespaces.
  podSelector LabelSelector : Pods.
IPBlock : A range of addresses.
  cidr! string : The range, such as 10.0.0.0/8.
  except []string atomic : Ranges inside it that do not count.
Ingress : HTTP routes into the cluster.${head}
  spec IngressSpec : The routes.
  status IngressStatus : State of the Ingress.
IngressSpec : HTTP routes.
  defaultBackend IngressBackend : Where requests go that no rule matches.
  ingressClassName string : IngressClass that serves it.
  rules []IngressRule atomic : Rules per host.
  tls []IngressTLS atomic : Certificates.
IngressBackend : Where requests go.
  resource TypedLocalObjectReference : An object of the namespace.
  service IngressServiceBackend : A Service of the namespace.
IngressServiceBackend : A Service.
  name! string : Name of the Service.
  port ServiceBackendPort : Port of the Service.
ServiceBackendPort atomic : A port of a Service.
  name string : Name of the port.
  number int32 : Number of the port.
IngressRule : Rules for one host.
  host string : The host; empty means every host.
  http HTTPIngressRuleValue : Paths.
HTTPIngressRuleValue : Paths of a host.
  paths! []HTTPIngressPath atomic : The paths.
HTTPIngressPath : A path and where it goes.
  backend! IngressBackend : Where requests go.
  path string : The path.
  pathType! string |Exact,ImplementationSpecific,Prefix : How the path is compared.
IngressTLS : A certificate.
  hosts []string atomic : Hosts of the certificate.
  secretName string : Secret that holds it.
IngressStatus : State of an Ingress.
  loadBalancer IngressLoadBalancerStatus : State of the load balancer.
IngressLoadBalancerStatus : State of a load balancer.
  ingress []IngressLoadBalancerIngress atomic : Where it is reached.
IngressLoadBalancerIngress : Where a load balancer is reached.
  hostname string : Host name.
  ip string : Address.
  ports []PortStatus atomic : State of the ports.
`;

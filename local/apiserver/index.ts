/** The embedded API server: what other rooms of `local/` use of it. */
export { kubeconfigText } from './http/kubeconfig.ts';
export { type ApiServer, type ApiServerOptions, startApiServer } from './http/server.ts';
export { type AnyObject, cloneJson } from './object.ts';
export { type LogOptions, type LogSource, patchTypes, Registry, StatusError } from './registry.ts';

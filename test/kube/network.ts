/**
 * The network of a cluster: one namespace that is its switch and router, one per node, one link to the host. Every
 * address lies in the run's 10.N.0.0/16; the host keeps its own settings, and all of it goes with the namespaces.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from './runs.ts';

export const maxNodes = 60;

/** Which address is whose. */
export interface AddressPlan {
  /** The host: the API server listens here. */
  readonly host: string;
  /** The router: it knows the way to ClusterIPs, and cluster DNS listens here. */
  readonly router: string;
  readonly services: string;
  readonly dns: string;
  readonly pods: string;
  /** Addresses of simulated pods: all of them are the host's. */
  readonly simulated: string;
  node(index: number): string;
  podsOf(index: number): string;
}

/** Divides the run's range. */
export function addressPlan(number: number): AddressPlan {
  const at = (rest: string) => `10.${number}.${rest}`;
  return {
    host: at('0.1'),
    router: at('0.2'),
    services: at('16.0/20'),
    dns: at('16.10'),
    pods: at('64.0/18'),
    simulated: at('128.0/17'),
    node: (index) => at(`0.${10 + index}`),
    podsOf: (index) => at(`${64 + index}.0/24`),
  };
}

/** File that holds the router's network namespace. */
export function routerNetns(run: Run): string {
  return join(run.stateDir, 'router', 'netns');
}

/** File that holds a node's network namespace. */
export function nodeNetns(run: Run, node: string): string {
  return join(run.stateDir, node, 'netns');
}

/** Makes the switch and the way from the host to it. */
export function makeNetwork(run: Run, plan: AddressPlan): void {
  const netns = routerNetns(run);
  makeNetns(join(run.stateDir, 'router'), netns);
  ip([
    `link add ${run.name} type veth peer name host netns ${netns}`,
    `addr add ${plan.host}/24 dev ${run.name}`,
    `link set ${run.name} up`,
  ]);
  ip(
    [
      'link set lo up',
      'link add switch type bridge',
      'link set switch up',
      'link set host master switch up',
      `addr add ${plan.router}/24 dev switch`,
    ],
    netns,
  );
  routeThrough(netns);
  forgetLostHandshakes(netns);
  ip([
    `route add ${plan.services} via ${plan.router}`,
    // Whoever asks a simulated pod gets an answer at once: that nobody listens, or from a program of the test.
    `route add local ${plan.simulated} dev ${run.name}`,
  ]);
}

/** Makes a node's namespace, plugs it in, and tells everybody the way to its pods. */
export function makeNodeNetwork(run: Run, plan: AddressPlan, names: readonly string[], index: number): void {
  const name = names[index] as string;
  const netns = nodeNetns(run, name);
  makeNetns(join(run.stateDir, name), netns);
  ip(
    [`link add ${name} type veth peer name eth0 netns ${netns}`, `link set ${name} master switch up`],
    routerNetns(run),
  );
  ip(
    [
      'link set lo up',
      `addr add ${plan.node(index)}/24 dev eth0`,
      'link set eth0 up',
      `route add default via ${plan.host}`,
      ...names.slice(0, index).map((_, other) => `route add ${plan.podsOf(other)} via ${plan.node(other)}`),
    ],
    netns,
  );
  routeThrough(netns);
  const way = [`route add ${plan.podsOf(index)} via ${plan.node(index)}`];
  ip(way);
  ip(way, routerNetns(run));
  for (const other of names.slice(0, index)) ip(way, nodeNetns(run, other));
}

/** Pulls the node's plug, or puts it in again. */
export function plugNode(run: Run, node: string, isIn: boolean): void {
  ip([`link set ${node} ${isIn ? 'up' : 'down'}`], routerNetns(run));
}

function makeNetns(folder: string, file: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(file, '');
  must('unshare', [`--net=${file}`, 'true']);
}

/** Packets pass from one link to another, and frames on the switch stay out of the packet filter. */
function routeThrough(netns: string): void {
  const settings = ['net.ipv4.ip_forward=1', 'net.netfilter.nf_conntrack_tcp_be_liberal=1'];
  must('nsenter', [`--net=${netns}`, 'sysctl', '-q', '-e', '-w', ...settings]);
  must('nsenter', [`--net=${netns}`, 'sysctl', '-q', '-e', '-w', 'net.bridge.bridge-nf-call-iptables=0']);
}

/**
 * All requests of the host come from one address. Linux takes the ports of new connections from a stretch of about 1,000
 * that moves every 10 s, and connection tracking remembers a handshake with a dead pod for 120 s: at ten connections a
 * second one in six then came upon such a port and went to the dead pod again, up to 76 s after a power cut (measured).
 * Callers of a real cluster have many addresses; here such a handshake is forgotten after 3 s, as long as the load's client waits for one.
 */
function forgetLostHandshakes(netns: string): void {
  const setting = 'net.netfilter.nf_conntrack_tcp_timeout_syn_sent=3';
  must('nsenter', [`--net=${netns}`, 'sysctl', '-q', '-e', '-w', setting]);
}

function ip(commands: readonly string[], netns?: string): void {
  const input = `${commands.join('\n')}\n`;
  if (netns === undefined) must('ip', ['-batch', '-'], input);
  else must('nsenter', [`--net=${netns}`, 'ip', '-batch', '-'], input);
}

function must(command: string, args: readonly string[], input?: string): void {
  const run = spawnSync(command, args, { encoding: 'utf8', ...(input === undefined ? {} : { input }) });
  if (run.status !== 0)
    throw new Error(
      `${command} ${args.join(' ')}: ${run.error?.message ?? run.stderr.trim()}\n${input ?? ''}`,
    );
}

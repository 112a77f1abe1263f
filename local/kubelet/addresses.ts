/** Addresses of the embedded cluster on loopback: a block of 127.x for each cluster on the machine, free ports without it. */
import { createServer, type Server } from 'node:net';

/** First block of pods; cluster number n has 127.(first + n).0.0/16. */
const podBlock = 16;
const clusters = 32;
/** Port at which a cluster holds its block: a listener ends with its process, a lock file might not. */
const claimPort = 10_250;

export interface AddressBlock {
  /** `127.16`: the first half of every pod's address. */
  readonly podPrefix: string;
  /** Gives the block back. */
  release(): Promise<void>;
}

/** Tries to listen; the code of the failure, or the listening server. */
export function tryListen(host: string, port: number): Promise<Server | string> {
  return new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
    server.listen({ host, port, exclusive: true }, () => resolve(server));
  });
}

/** Closes a server that has no connections. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** Takes the first free block; undefined where loopback has only 127.0.0.1 (macOS). */
export async function claimBlock(): Promise<AddressBlock | undefined> {
  for (let number = 0; number < clusters; number++) {
    const podPrefix = `127.${podBlock + number}`;
    const claim = await tryListen(`${podPrefix}.255.254`, claimPort);
    if (claim === 'EADDRNOTAVAIL') return undefined;
    if (typeof claim === 'string') continue;
    claim.unref();
    return {
      podPrefix,
      release: () => closeServer(claim),
    };
  }
  return undefined;
}

/** A TCP port of the host that nobody listens at now, and that was not given out before. */
async function freePort(host: string, taken: Set<number>): Promise<number> {
  for (;;) {
    const server = await tryListen(host, 0);
    if (typeof server === 'string') throw new Error(`no free port on ${host}: ${server}`);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await closeServer(server);
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

/** Hands out pod addresses; without a block every pod is at 127.0.0.1 with ports of its own. */
export class PodAddresses {
  readonly #prefix: string | undefined;
  readonly #used = new Set<string>();
  readonly #takenPorts = new Set<number>();
  #next = 1;

  constructor(podPrefix: string | undefined) {
    this.#prefix = podPrefix;
  }

  /** An address for a pod, and own ports by port name where it cannot have the ports that its spec names. */
  async allocate(
    ports: readonly { name?: string; containerPort: number }[],
  ): Promise<{ ip: string; ownPorts: Record<string, number> | undefined }> {
    const ip = this.#nextAddress();
    if (ip !== undefined && (await this.#allFree(ip, ports))) return { ip, ownPorts: undefined };
    if (ip !== undefined) this.release(ip, undefined);
    const host = ip ?? '127.0.0.1';
    if (ip !== undefined) this.#used.add(ip);
    const ownPorts: Record<string, number> = {};
    for (const port of ports)
      ownPorts[port.name ?? String(port.containerPort)] = await freePort(host, this.#takenPorts);
    return { ip: host, ownPorts };
  }

  /** An address that nobody is asked about: for pods without a process. */
  nextFake(): string {
    return this.#nextAddress() ?? '127.0.0.1';
  }

  release(ip: string, ownPorts: Readonly<Record<string, number>> | undefined): void {
    this.#used.delete(ip);
    for (const port of Object.values(ownPorts ?? {})) this.#takenPorts.delete(port);
  }

  #nextAddress(): string | undefined {
    if (this.#prefix === undefined) return undefined;
    for (let tried = 0; tried < 65_000; tried++) {
      const number = this.#next;
      this.#next = number >= 65_000 ? 1 : number + 1;
      const low = number % 256;
      // .0 and .255 look like network and broadcast addresses to some tools.
      if (low === 0 || low === 255) continue;
      const ip = `${this.#prefix}.${Math.floor(number / 256)}.${low}`;
      if (this.#used.has(ip)) continue;
      this.#used.add(ip);
      return ip;
    }
    return undefined;
  }

  /** A stranger that listens at all addresses (0.0.0.0:8080) takes the port away from every pod. */
  async #allFree(ip: string, ports: readonly { containerPort: number }[]): Promise<boolean> {
    for (const { containerPort } of ports) {
      const server = await tryListen(ip, containerPort);
      if (typeof server === 'string') return false;
      await closeServer(server);
    }
    return true;
  }
}

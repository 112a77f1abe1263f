/** Ports for models, where the operator's are: below those from which the kernel takes one for each outgoing connection. */
import { createServer } from 'node:net';

const isFree = (host: string, port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer();
    // Where there is no second address of the loopback, nobody has its port.
    server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(code === 'EADDRNOTAVAIL'));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });

/** A port that nobody has, on the addresses that tests give to gateways. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    if ((await isFree('127.0.0.1', port)) && (await isFree('127.0.0.2', port))) return port;
  }
}

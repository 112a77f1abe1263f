/** What bad clients do, one function each; every one returns the statuses that it was answered. */
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { pause, type Target } from './ground.ts';

/** Answers by status; 0 is a connection that was closed without one. */
export type Statuses = Record<string, number>;

/** One way to hurt a server. */
export interface Attack {
  readonly name: string;
  /** Statuses that are right answers to it. */
  readonly allowed: readonly number[];
  /** Attacks for about so long, or once through. */
  run(ground: Target, forMs: number): Promise<Statuses>;
}

const infer = 'POST /v2/models/m/infer HTTP/1.1\r\nhost: x\r\n';
const good = '{"inputs":[{"name":"x","shape":[1,4],"datatype":"FP32","data":[1,2,3,4]}]}';
const whole = `${infer}content-length: ${good.length}\r\n\r\n${good}`;

/** Counts an answer. */
export const count = (statuses: Statuses, status: number) => {
  statuses[status] = (statuses[status] ?? 0) + 1;
};

/** Sends text and waits for the first status line, or for the end. */
export const once = (ground: Target, text: string | Buffer, port = ground.http): Promise<number> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text));
    let got = '';
    const timer = setTimeout(() => socket.destroy(), 20_000);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1');
      if (/^HTTP\/1\.1 [2-5]\d\d[^\n]*\n/.test(got)) socket.destroy();
    });
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1] ?? 0));
    });
  });

const several = async (times: number, one: (i: number) => Promise<number>): Promise<Statuses> => {
  const statuses: Statuses = {};
  await Promise.all(Array.from({ length: times }, async (_, i) => count(statuses, await one(i))));
  return statuses;
};

/** Many sockets that send a little now and then. */
export const slow =
  (sockets: number, start: string, drop: string, port: 'http' | 'ops' = 'http') =>
  async (ground: Target, forMs: number): Promise<Statuses> => {
    const statuses: Statuses = {};
    const open = Array.from({ length: sockets }, () => {
      const socket = ground.open(ground[port]);
      let got = '';
      socket.on('connect', () => socket.write(start));
      socket.on('data', (chunk: Buffer) => {
        got += chunk.toString('latin1');
      });
      socket.on('close', () => count(statuses, Number(/^HTTP\/1\.1 (\d+)/.exec(got)?.[1] ?? 0)));
      return socket;
    });
    const until = performance.now() + forMs;
    while (performance.now() < until) {
      for (const socket of open) if (socket.writable && !socket.connecting) socket.write(drop);
      await pause(500);
    }
    for (const socket of open) socket.destroy();
    await pause(50);
    return statuses;
  };

/** The same again and again, so many at a time. */
export const repeat =
  (atOnce: number, one: (ground: Target, i: number) => Promise<number>) =>
  async (ground: Target, forMs: number): Promise<Statuses> => {
    const statuses: Statuses = {};
    const until = performance.now() + forMs;
    do {
      for (const [status, n] of Object.entries(await several(atOnce, (i) => one(ground, i))))
        statuses[status] = (statuses[status] ?? 0) + n;
    } while (performance.now() < until);
    return statuses;
  };

const rows = (n: number) =>
  `{"inputs":[{"name":"x","shape":[${n},4],"datatype":"FP32","data":[${Array(n).fill('1.25,2.5,3.75,4.125').join(',')}]}]}`;
const wide = '9'.repeat(400);

/** The attacks of security.md S16. */
export const attacks = (which: 'all' | 'small' = 'all'): Attack[] => {
  const bomb100 = gzipSync(Buffer.alloc(100_000_000, 0x20), { level: 9 });
  const bomb15 = gzipSync(Buffer.alloc(15_000_000, 0x20), { level: 9 });
  const mega15 = rows(750_000);
  const mega32 = rows(1_600_000);
  const three = rows(130_000);
  const list: (Attack & { isLarge?: boolean })[] = [
    { name: '1,000 sockets with slow headers', allowed: [0, 408], run: slow(1000, `${infer}x: `, 'a') },
    {
      name: '1,000 sockets with slow bodies',
      allowed: [0, 408, 429, 503],
      run: slow(1000, `${infer}content-length: 1000000\r\n\r\n{`, ' '),
    },
    {
      name: '1,000 slow sockets on the ops port',
      allowed: [0, 408],
      run: slow(1000, 'GET /livez HTTP/1.1\r\nx: ', 'a', 'ops'),
    },
    { name: '5,000 connections that say nothing', isLarge: true, allowed: [0, 408], run: slow(5000, '', '') },
    {
      name: `gzip ${Math.round(bomb100.length / 1000)} kB → 100 MB, 20 at once`,
      allowed: [413, 429],
      run: repeat(20, async (ground) => (await ground.post(bomb100, { 'content-encoding': 'gzip' })).status),
    },
    {
      name: `gzip ${Math.round(bomb15.length / 1000)} kB → 15 MB of spaces, 50 at once`,
      isLarge: true,
      allowed: [400, 429],
      run: repeat(50, async (ground) => (await ground.post(bomb15, { 'content-encoding': 'gzip' })).status),
    },
    {
      name: '200,000 nested lists',
      allowed: [400],
      run: repeat(
        20,
        async (ground) =>
          (await ground.post(`{"inputs":${'['.repeat(200_000)}${']'.repeat(200_000)}}`)).status,
      ),
    },
    {
      name: '100,000 nested objects',
      allowed: [400],
      run: repeat(
        20,
        async (ground) => (await ground.post(`${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`)).status,
      ),
    },
    {
      name: 'shapes whose product overflows',
      allowed: [400],
      run: repeat(50, async (ground, i) => {
        const shapes = [
          '[4294967296,4294967296]',
          '[9007199254740993,4]',
          '[-1,4]',
          '[1e308,1e308]',
          `[${wide}]`,
          '[1.5,4]',
          '[2147483648,4]',
          '[3,4,5,6,7,8,9,1e9]',
        ];
        return (await ground.post(good.replace('[1,4]', shapes[i % shapes.length] ?? ''))).status;
      }),
    },
    {
      name: '10,000 headers',
      allowed: [431],
      run: repeat(20, (ground) =>
        once(ground, `GET /v2 HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`),
      ),
    },
    {
      name: 'a header of 1 MB',
      allowed: [431],
      run: repeat(20, (ground) =>
        once(ground, `GET /v2 HTTP/1.1\r\nhost: x\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`),
      ),
    },
    {
      name: 'a URL of 1 MB',
      allowed: [431],
      run: repeat(20, (ground) => once(ground, `GET /${'a'.repeat(1_000_000)} HTTP/1.1\r\nhost: x\r\n\r\n`)),
    },
    {
      name: '100 sockets with 2,000 requests each at once, answers unread',
      allowed: [0],
      run: async (ground, forMs) => {
        const open = Array.from({ length: 100 }, () => {
          const socket = ground.open();
          socket.pause();
          socket.write(whole.repeat(2000));
          return socket;
        });
        await pause(forMs);
        for (const socket of open) socket.destroy();
        return { 0: open.length };
      },
    },
    {
      name: '60 clients that never read an answer of 2.5 MB',
      isLarge: true,
      allowed: [0],
      run: async (ground, forMs) => {
        const open = Array.from({ length: 60 }, () => {
          const socket = ground.open();
          socket.pause();
          socket.write(`${infer}content-length: ${three.length}\r\n\r\n${three}`);
          return socket;
        });
        await pause(forMs);
        for (const socket of open) socket.destroy();
        return { 0: open.length };
      },
    },
    {
      name: '15 MB of valid JSON, 2 at once',
      isLarge: true,
      allowed: [200, 429, 504],
      run: repeat(2, async (ground) => (await ground.post(mega15)).status),
    },
    {
      name: '32 MB of valid JSON, 4 at once',
      isLarge: true,
      allowed: [413],
      run: repeat(4, async (ground) => (await ground.post(mega32)).status),
    },
    {
      name: 'a body of single bytes, 10 at once',
      allowed: [0, 413, 429],
      run: repeat(10, (ground) =>
        once(ground, `${infer}transfer-encoding: chunked\r\n\r\n${'1\r\n \r\n'.repeat(300_000)}0\r\n\r\n`),
      ),
    },
    {
      name: '200 uploads at a time that break off',
      allowed: [0],
      run: repeat(200, async (ground) => {
        const socket = ground.open();
        await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
        await new Promise((resolve) =>
          socket.write(`${infer}content-length: 100000\r\n\r\n${' '.repeat(5000)}`, resolve),
        );
        socket.resetAndDestroy();
        return 0;
      }),
    },
    {
      name: 'requests that are no HTTP/1.1 at all',
      allowed: [0, 400],
      run: repeat(50, (ground, i) =>
        once(
          ground,
          [
            'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
            '\x16\x03\x01\x02\x00\x01\x00',
            `${'\r\n'.repeat(5)}\0\0`,
            'CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n',
            'GET / HTTP/9.9\r\n\r\n',
          ][i % 5] ?? '',
        ),
      ),
    },
    {
      name: 'unknown encodings',
      allowed: [415],
      run: repeat(50, async (ground) => (await ground.post(good, { 'content-encoding': 'br' })).status),
    },
  ];
  return which === 'all' ? list : list.filter(({ isLarge }) => isLarge !== true);
};

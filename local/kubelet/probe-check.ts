/** One check of a probe: HTTP, TCP or a command. Texts as the kubelet words them. */
import { request } from 'node:http';
import { request as secureRequest } from 'node:https';
import { connect } from 'node:net';
import type { Pod, Probe } from '../../kube/objects.ts';
import { resolvePort } from '../controllers/own-ports.ts';

export interface CheckResult {
  readonly ok: boolean;
  /** Why not; empty when it passed. */
  readonly output: string;
}

/** Runs a command in the container's environment; exit code and the end of its output. */
export type RunCommand = (
  command: readonly string[],
  timeoutMs: number,
) => Promise<{ code: number | undefined; output: string }>;

const maxBody = 1024;

/** Checks once; never rejects. */
export async function checkProbe(
  probe: Probe,
  pod: Pod,
  podIP: string,
  run: RunCommand,
): Promise<CheckResult> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000;
  if (probe.httpGet !== undefined) return checkHttp(probe.httpGet, pod, podIP, timeoutMs);
  if (probe.tcpSocket !== undefined) {
    const port = resolvePort(pod, probe.tcpSocket.port);
    return port === undefined ? noPort(probe.tcpSocket.port) : checkTcp(podIP, port, timeoutMs);
  }
  if (probe.exec !== undefined) {
    const { code, output } = await run(probe.exec.command, timeoutMs);
    if (code === 0) return { ok: true, output: '' };
    const text = output.trim();
    return {
      ok: false,
      output:
        code === undefined
          ? `command timed out after ${timeoutMs / 1000}s`
          : text === ''
            ? `command exited with ${code}`
            : text,
    };
  }
  return {
    ok: false,
    output: 'the probe has no handler that the embedded cluster supports (httpGet, tcpSocket, exec)',
  };
}

const noPort = (port: number | string): CheckResult => ({
  ok: false,
  output: `couldn't find port: ${JSON.stringify(port)}`,
});

function checkHttp(
  get: NonNullable<Probe['httpGet']>,
  pod: Pod,
  podIP: string,
  timeoutMs: number,
): Promise<CheckResult> {
  const port = resolvePort(pod, get.port);
  if (port === undefined) return Promise.resolve(noPort(get.port));
  const secure = (get.scheme ?? 'HTTP').toUpperCase() === 'HTTPS';
  const host = get.host ?? podIP;
  const path = get.path ?? '/';
  const url = `${secure ? 'https' : 'http'}://${host}:${port}${path.startsWith('/') ? path : `/${path}`}`;
  const headers: Record<string, string> = {
    'user-agent': 'kube-probe/1.35',
    accept: '*/*',
    connection: 'close',
  };
  for (const { name, value } of get.httpHeaders ?? []) headers[name.toLowerCase()] = value;
  return new Promise((resolve) => {
    // A kubelet does not check certificates either.
    const send = secure ? secureRequest : request;
    const call = send(
      url,
      { headers, agent: false, ...(secure ? { rejectUnauthorized: false } : {}) },
      (response) => {
        let body = '';
        response.on('data', (chunk: Buffer) => {
          if (body.length < maxBody) body += chunk.toString('utf8').slice(0, maxBody - body.length);
        });
        response.on('error', () => undefined);
        response.on('end', () => {
          clearTimeout(timer);
          const code = response.statusCode ?? 0;
          const ok = code >= 200 && code < 400;
          resolve({ ok, output: ok ? '' : `HTTP probe failed with statuscode: ${code}` });
        });
      },
    );
    const timer = setTimeout(() => {
      resolve({
        ok: false,
        output: `Get "${url}": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`,
      });
      call.destroy();
    }, timeoutMs);
    call.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(failed(`Get "${url}"`, host, port, error));
    });
    call.end();
  });
}

function failed(what: string, host: string, port: number, error: NodeJS.ErrnoException): CheckResult {
  const refused = error.code === 'ECONNREFUSED';
  const reason = refused
    ? 'connect: connection refused'
    : error.code === 'ECONNRESET'
      ? 'read: connection reset by peer'
      : error.message;
  return { ok: false, output: `${what}: dial tcp ${host}:${port}: ${reason}` };
}

function checkTcp(host: string, port: number, timeoutMs: number): Promise<CheckResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (result: CheckResult) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(result);
    };
    const timer = setTimeout(
      () => end({ ok: false, output: `dial tcp ${host}:${port}: i/o timeout` }),
      timeoutMs,
    );
    socket.on('connect', () => end({ ok: true, output: '' }));
    socket.on('error', (error: NodeJS.ErrnoException) => end(failed('dial', host, port, error)));
  });
}

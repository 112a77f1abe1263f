/** The termination message of a container: its file, or the end of its log. */
import { closeSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Container } from '../../kube/objects.ts';
import type { ContainerLog } from './container-log.ts';

const maxMessageBytes = 4096;
const fallbackLines = 80;
const fallbackBytes = 2048;

/** An empty file for the container's next run. */
export function prepareMessageFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '', { mode: 0o666 });
}

function readFile(path: string): string {
  try {
    const file = openSync(path, 'r');
    try {
      const buffer = Buffer.alloc(maxMessageBytes);
      return buffer.subarray(0, readSync(file, buffer, 0, maxMessageBytes, 0)).toString('utf8');
    } finally {
      closeSync(file);
    }
  } catch {
    return '';
  }
}

/** What the container's status shall say. */
export function terminationMessage(
  container: Container,
  path: string,
  exitCode: number,
  log: ContainerLog,
): string {
  const message = readFile(path);
  if (message !== '' || exitCode === 0) return message;
  return container.terminationMessagePolicy === 'FallbackToLogsOnError'
    ? log.tail(fallbackLines, fallbackBytes)
    : '';
}

/** The log of a process that talks to Kubernetes: one JSON object a line, on stderr. */
import { createLogger, format, transports } from 'winston';
import type { Log } from './log.ts';

/** Makes it; `level` is the least that is written. */
export function jsonLog(level: string): Log {
  const winston = createLogger({
    level,
    format: format.combine(format.timestamp(), format.json()),
    transports: [new transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
  });
  return {
    debug: (message, fields) => void winston.debug(message, fields),
    info: (message, fields) => void winston.info(message, fields),
    warn: (message, fields) => void winston.warn(message, fields),
    error: (message, fields) => void winston.error(message, fields),
  };
}

/** Structured logs: one JSON object per line on stdout, control characters escaped, bodies never logged. */
import { createLogger as createWinston, format, transports } from 'winston';

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What the pod logs with; tests pass their own. */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
}

/** Makes the logger of the process. JSON.stringify escapes what is below space; the rest of C1, DEL and what turns the direction of text are escaped here. */
export const createLogger = (
  level: string,
  common: LogFields,
  stream: NodeJS.WritableStream = process.stdout,
): Logger =>
  createWinston({
    level,
    defaultMeta: common,
    format: format.combine(
      format.timestamp(),
      format.printf((entry) => {
        const { timestamp, level: entryLevel, message, ...rest } = entry;
        return JSON.stringify({ time: timestamp, level: entryLevel, message, ...rest }).replace(
          /[\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
          (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
        );
      }),
    ),
    transports: [new transports.Stream({ stream, eol: '\n' })],
  });

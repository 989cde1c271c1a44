import { type Logger, pino } from 'pino';

export type Log = Logger;

/** JSON lines on stdout. Authorization headers, cookies, tokens and passwords are cut by path. */
export function createLog(options: { level: string; program: string }): Log {
  return pino({
    level: options.level,
    base: { program: options.program },
    redact: {
      paths: [
        'authorization',
        'cookie',
        'token',
        'password',
        '*.authorization',
        '*.cookie',
        '*.token',
        '*.password',
      ],
      censor: '[cut]',
    },
  });
}

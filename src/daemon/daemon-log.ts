import { type Logger, pino } from 'pino';
import { EngineError } from '../model/engine-error.ts';

const LEVELS: Readonly<Record<number, string>> = { 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

/** The daemon's own log on standard error: JSON lines for programs, short lines on a terminal. */
export function createDaemonLog(level: string, stream: NodeJS.WriteStream = process.stderr): Logger {
  // Who reads the log may go away (a pipe, a restarted journal): that ends no daemon.
  stream.on('error', () => undefined);
  const options = {
    level,
    base: null,
    serializers: { err: (error: Error) => shownError(error, level) },
    redact: { paths: ['req.headers.authorization', 'headers.authorization', '*.token', '*.password', 'token', 'password'], censor: '***' },
  };
  if (stream.isTTY !== true) return pino(options, stream);
  return pino(options, { write: (line: string) => void stream.write(`${shortLine(line)}\n`) });
}

/** Where in the program an environment was found to be broken says nothing of the environment. */
function shownError(error: Error, level: string): object {
  if (!(error instanceof EngineError) || error.code === 'internal' || level === 'debug' || level === 'trace')
    return pino.stdSerializers.err(error);
  const { code, message, help, cause } = error;
  const shownCause = cause instanceof Error ? { cause: cause.message } : {};
  return { code, message, help, ...shownCause };
}

function shortLine(line: string): string {
  const { level, time, msg = '', ...fields }: { level: number; time: number; msg?: string } & Record<string, unknown> = JSON.parse(line);
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return [new Date(time).toISOString().slice(11, 19), LEVELS[level] ?? '', msg, ...rest].join(' ');
}

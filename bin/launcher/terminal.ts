const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const wrap = (code: number, text: string) => (colours ? `\u001B[${code}m${text}\u001B[0m` : text);

export const bold = (text: string): string => wrap(1, text);
export const dim = (text: string): string => wrap(2, text);
export const red = (text: string): string => wrap(31, text);
export const green = (text: string): string => wrap(32, text);
export const yellow = (text: string): string => wrap(33, text);

/** One short line for the person at the terminal. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/**
 * The short form of a child's log line, or null when it need not interrupt anyone: JSON lines from "warn" up,
 * and what is no JSON on stderr (a crash, a warning of Node).
 */
export function shorten(name: string, line: string, isError: boolean): string | null {
  if (line.trim() === '') return null;
  const entry = parse(line);
  if (!entry) return isError ? `${dim(name)} ${line}` : null;
  if (entry.level < 40) return null;
  const reason = entry.err?.message ? `: ${entry.err.message}` : '';
  const colour = entry.level >= 50 ? red : yellow;
  return `${dim(name)} ${colour(`${entry.msg ?? ''}${reason}`)}`;
}

interface Entry {
  level: number;
  msg?: string;
  err?: { message?: string };
}

function parse(line: string): Entry | null {
  if (!line.startsWith('{')) return null;
  try {
    const value = JSON.parse(line) as Entry;
    return typeof value.level === 'number' ? value : null;
  } catch {
    return null;
  }
}

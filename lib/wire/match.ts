import { hubError } from '#lib/base/errors.ts';
import type { Route } from './route.ts';

interface Compiled {
  readonly route: Route;
  readonly regex: RegExp;
  readonly names: readonly string[];
}

export type Matcher = (
  method: string,
  rawPath: string,
) =>
  | { kind: 'route'; route: Route; params: Record<string, string> }
  /** Another method fits the path; `route` is the first of those. */
  | { kind: 'method'; allow: string[]; route: Route }
  | null;

const escapeRegex = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

function compile(route: Route, pattern: string): Compiled {
  const names: string[] = [];
  const source = pattern
    .split('/')
    .map((segment) => {
      if (segment.startsWith('*')) {
        names.push(segment.slice(1));
        return '(.*)';
      }
      const param = /^:([a-zA-Z]+)(?:\(([^)]+)\))?(.*)$/.exec(segment);
      if (!param) return escapeRegex(segment);
      names.push(param[1] as string);
      return `(${param[2] ?? '[^/]+?'})${escapeRegex(param[3] ?? '')}`;
    })
    .join('/')
    .replace(/\/\(\.\*\)$/, '(?:/(.*))?'); // a trailing rest may be absent, slash and all
  return { route, regex: new RegExp(`^${source}$`), names };
}

/** Decodes one raw segment once. Throws not_found on a broken escape: such a thing cannot exist. */
function decodeSegment(raw: string): string {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw hubError('not_found', 'the address contains a broken percent-escape');
  }
}

/** Compiles the table of routes. The first pattern that fits wins, so specific routes stand before general ones. */
export function createMatcher(routes: readonly Route[]): Matcher {
  const compiled = routes.flatMap((route) => route.patterns.map((pattern) => compile(route, pattern)));
  return (method, rawPath) => {
    const allow: string[] = [];
    let other: Route | undefined;
    for (const { route, regex, names } of compiled) {
      const match = regex.exec(rawPath);
      if (!match) continue;
      const methods = route.methods as readonly string[];
      if (!methods.includes(method)) {
        allow.push(...methods);
        other ??= route;
        continue;
      }
      const params: Record<string, string> = {};
      names.forEach((name, i) => {
        const raw = match[i + 1] ?? '';
        params[name] = name === 'rest' ? raw : decodeSegment(raw);
      });
      return { kind: 'route', route, params };
    }
    return other ? { kind: 'method', allow, route: other } : null;
  };
}

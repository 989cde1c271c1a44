import type { Element, Nodes, Root } from 'hast';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';

/** Where a Markdown file stands: its relative links and pictures mean files beside it at this revision. */
export interface MarkdownPlace {
  readonly repo: RepoRef;
  readonly revision: string;
  /** Folder of the file, without slashes around it; '' is the root. */
  readonly folder: string;
}

const ABSOLUTE = /^(?:[a-z][a-z0-9+.-]*:|\/\/)/i;

/** Resolves `a/../b` below a folder; null when it leaves the repo. */
function joinPath(folder: string, relative: string): string | null {
  const out = relative.startsWith('/') ? [] : folder.split('/').filter(Boolean);
  for (const segment of relative.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (out.pop() === undefined) return null;
    } else out.push(segment);
  }
  return out.join('/');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** The address that `target` means in a Markdown file at `place`; absolute addresses are left as they are. */
function placeAddress(target: string, place: MarkdownPlace, use: 'link' | 'picture'): string {
  if (ABSOLUTE.test(target)) return target;
  if (target.startsWith('#')) return `#user-content-${target.slice(1).replace(/^user-content-/, '')}`;
  const [, path = '', after = ''] = /^([^?#]*)(.*)$/s.exec(target) ?? [];
  const inside = joinPath(place.folder, decoded(path));
  if (inside === null) return '#';
  const view =
    use === 'picture' ? 'resolve' : /(?:^|\/)[^./]+\/?$/.test(path) && path.endsWith('/') ? 'tree' : 'blob';
  return fileAddress(place.repo, inside === '' ? 'tree' : view, place.revision, inside) + after;
}

function rewrite(element: Element, place: MarkdownPlace): void {
  const { properties } = element;
  if (element.tagName === 'a' && typeof properties.href === 'string') {
    properties.href = placeAddress(properties.href, place, 'link');
    if (/^https?:/i.test(properties.href)) properties.rel = ['nofollow', 'noopener', 'noreferrer'];
  }
  if (element.tagName === 'img' && typeof properties.src === 'string') {
    properties.src = placeAddress(properties.src, place, 'picture');
    properties.loading = 'lazy';
    properties.referrerPolicy = 'no-referrer';
  }
}

/** rehype plugin, after the sanitizer: points links and pictures at the repo that the text belongs to. */
export function rewriteAddresses(place: MarkdownPlace) {
  const visit = (node: Nodes): void => {
    if (node.type === 'element') rewrite(node, place);
    if ('children' in node) for (const child of node.children) visit(child);
  };
  return () => (tree: Root) => visit(tree);
}

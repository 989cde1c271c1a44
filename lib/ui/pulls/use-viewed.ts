'use client';

import { useMemo, useSyncExternalStore } from 'react';
import type { ChangedFile } from '#lib/repos/diff/types.ts';

const MAX_KEPT = 5_000;
const CHANGED = 'larder-viewed';

/** What was looked at: the path with both contents, so that a file that changes is not viewed any more. */
const markOf = ({ path, before, after }: ChangedFile) => `${path}\n${before?.oid ?? ''}\n${after?.oid ?? ''}`;

/** Marks of this visit, where the browser keeps none. */
const unkept = new Map<string, string>();

function stored(key: string): string {
  try {
    return localStorage.getItem(key) ?? unkept.get(key) ?? '[]';
  } catch {
    return unkept.get(key) ?? '[]';
  }
}

function store(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    unkept.set(key, text); // storage is full or off
  }
  window.dispatchEvent(new Event(CHANGED));
}

function marksIn(text: string): Set<string> {
  try {
    const list: unknown = JSON.parse(text);
    return new Set(Array.isArray(list) ? list.filter((each) => typeof each === 'string') : []);
  } catch {
    return new Set(); // somebody else's text under our key
  }
}

function subscribe(onChange: () => void): () => void {
  window.addEventListener(CHANGED, onChange);
  window.addEventListener('storage', onChange);
  return () => {
    window.removeEventListener(CHANGED, onChange);
    window.removeEventListener('storage', onChange);
  };
}

/** The files of a pull request that this reader has marked as viewed, kept in this browser. */
export function useViewed(key: string): {
  has: (file: ChangedFile) => boolean;
  toggle: (file: ChangedFile) => void;
} {
  const text = useSyncExternalStore(
    subscribe,
    () => stored(key),
    () => '[]',
  );
  const marks = useMemo(() => marksIn(text), [text]);
  return {
    has: (file) => marks.has(markOf(file)),
    toggle: (file) => {
      const next = new Set(marks);
      const mark = markOf(file);
      if (!next.delete(mark)) next.add(mark);
      store(key, JSON.stringify([...next].slice(-MAX_KEPT)));
    },
  };
}

'use client';

import { useSyncExternalStore } from 'react';

export type DiffStyle = 'unified' | 'split';

const KEY = 'larder.diffStyle';
const EVENT = 'larder:diff-style';

function subscribe(listener: () => void): () => void {
  window.addEventListener(EVENT, listener);
  window.addEventListener('storage', listener);
  return () => {
    window.removeEventListener(EVENT, listener);
    window.removeEventListener('storage', listener);
  };
}

function stored(): DiffStyle {
  try {
    return localStorage.getItem(KEY) === 'split' ? 'split' : 'unified';
  } catch {
    return 'unified'; // storage may be forbidden: then the choice lasts as long as nothing
  }
}

/** How the reader likes diffs, remembered in this browser and the same in all its windows. */
export function useDiffStyle(): readonly [DiffStyle, (style: DiffStyle) => void] {
  const style = useSyncExternalStore(subscribe, stored, () => 'unified' as const);
  const choose = (next: DiffStyle) => {
    try {
      localStorage.setItem(KEY, next);
    } catch {
      return;
    }
    window.dispatchEvent(new Event(EVENT));
  };
  return [style, choose];
}

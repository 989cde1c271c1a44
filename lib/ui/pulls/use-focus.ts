'use client';

import { type RefObject, useEffect, useRef } from 'react';

/** Puts the cursor into a field that has just come up because the reader asked for it. */
export function useFocus<T extends HTMLElement>(wanted: boolean): RefObject<T | null> {
  const ref = useRef<T>(null);
  useEffect(() => {
    if (wanted) ref.current?.focus();
  }, [wanted]);
  return ref;
}

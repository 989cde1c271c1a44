import { useEffect, useRef, useState } from 'react';

/** Who listens must be able to do something else meanwhile. */
const SPEAK_EVERY_MS = 15_000;

/** What a live region says of a text that changes often: its newest form every quarter of a minute at most; what is urgent at once. */
export function useSpoken(text: string, isUrgent: boolean): string {
  const [spoken, setSpoken] = useState('');
  const lastMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const waitMs = isUrgent ? 0 : Math.max(0, lastMs.current + SPEAK_EVERY_MS - performance.now());
    const timer = setTimeout(() => {
      lastMs.current = performance.now();
      setSpoken(text);
    }, waitMs);
    return () => clearTimeout(timer);
  }, [text, isUrgent]);
  return spoken;
}

import { useEffect, useState } from 'react';
import { type Chosen, namePasted, takeDropped, walkDropped } from './walk-drop.ts';

const holdsFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;

/** Text that is pasted into a field is not a file to upload. */
const isField = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.closest('input, textarea, [contenteditable="true"]') !== null;

/**
 * Takes files that are dropped anywhere on the page, and with `paste` those that are pasted; returns whether some
 * hang over it. Without `onChosen` nothing is taken.
 */
export function useFileDrop(
  onChosen: ((chosen: Promise<Chosen>) => unknown) | null,
  options: { paste?: boolean } = {},
): boolean {
  const [isOver, setOver] = useState(false);
  const paste = options.paste === true;
  useEffect(() => {
    if (!onChosen) return;
    let depth = 0;
    const enter = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      depth++;
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (!holdsFiles(event)) return;
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const over = (event: DragEvent) => {
      if (holdsFiles(event)) event.preventDefault();
    };
    const drop = (event: DragEvent) => {
      if (!holdsFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      depth = 0;
      setOver(false);
      onChosen(walkDropped(takeDropped(event.dataTransfer.items)));
    };
    const pasted = (event: ClipboardEvent) => {
      const { clipboardData: data, target } = event;
      const isText = data?.types.includes('text/plain') && isField(target);
      if (!data?.types.includes('Files') || isText) return;
      event.preventDefault();
      const atMs = Date.now();
      onChosen(walkDropped(takeDropped(data.items)).then((chosen) => namePasted(chosen, atMs)));
    };
    window.addEventListener('dragenter', enter);
    window.addEventListener('dragleave', leave);
    window.addEventListener('dragover', over);
    window.addEventListener('drop', drop);
    if (paste) window.addEventListener('paste', pasted);
    return () => {
      window.removeEventListener('dragenter', enter);
      window.removeEventListener('dragleave', leave);
      window.removeEventListener('dragover', over);
      window.removeEventListener('drop', drop);
      window.removeEventListener('paste', pasted);
    };
  }, [onChosen, paste]);
  return isOver;
}

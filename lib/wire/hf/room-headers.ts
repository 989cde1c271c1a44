import { sizeText } from '#lib/base/size-text.ts';
import type { Room } from '#lib/repos/storage/require-room.ts';

/** From here on clients are told that storage is running out. */
const WARN_FROM = 0.8;

/**
 * Headers that tell how much of a limit is used: always in numbers, and from 80 % on as a warning, which
 * huggingface_hub prints (`X-HF-Warning: topic; message`, once per topic).
 */
export function roomHeaders(room: Room | null): Record<string, string> {
  if (room === null) return {};
  const { name, usedBytes, limitBytes } = room;
  const numbers = `used=${usedBytes}; limit=${limitBytes}; of=${name}`;
  if (usedBytes < WARN_FROM * limitBytes) return { 'x-larder-storage': numbers };
  const percent = Math.floor((usedBytes / limitBytes) * 100);
  const left = sizeText(Math.max(0, limitBytes - usedBytes));
  return {
    'x-larder-storage': numbers,
    'x-hf-warning': `storage of ${name}; The storage of ${name} is ${percent} % full: ${left} of ${sizeText(limitBytes)} are left.`,
  };
}

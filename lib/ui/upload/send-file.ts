import { type SendOptions, sendByTus } from './send-tus.ts';

/** Sends a file the way the hub wants it, once. Resolves with its SHA-256 as the hub has it. */
export function sendFile(options: SendOptions, _transfer: 'tus' | 'direct'): Promise<string | null> {
  return sendByTus(options);
}

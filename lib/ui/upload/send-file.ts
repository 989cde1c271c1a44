import { StoreUnreachable, sendDirect } from './send-direct.ts';
import { type SendOptions, sendByTus } from './send-tus.ts';

/** Files up to this size go through the hub in one piece anyway. */
const DIRECT_FROM_BYTES = 64 * 1024 * 1024;

/**
 * Sends a file once, to the store itself or through the hub. Where the store cannot be reached from this browser,
 * `onUnreachable` is told and the hub is taken. Resolves with the SHA-256 as the hub has it; null when it did not say.
 */
export async function sendFile(
  options: SendOptions,
  transfer: 'tus' | 'direct',
  onUnreachable: () => void,
): Promise<string | null> {
  const { item } = options;
  const isDirect = transfer === 'direct' && item.sizeBytes > DIRECT_FROM_BYTES && item.uploadUrl === null;
  if (isDirect) {
    try {
      const sha256 = await sendDirect(options);
      if (sha256 !== null) return sha256;
    } catch (error) {
      if (!(error instanceof StoreUnreachable)) throw error;
      onUnreachable();
    }
  }
  return sendByTus(options);
}

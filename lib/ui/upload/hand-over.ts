import type { Chosen } from './walk-drop.ts';

let handed: { address: string; chosen: Promise<Chosen> } | null = null;

/** Leaves files that were dropped on another page for the upload page at this address, which is opened next. */
export function handOver(address: string, chosen: Promise<Chosen>): void {
  handed = { address, chosen };
}

/** The files that were left for this address, once. */
export function takeHandedOver(address: string): Promise<Chosen> | null {
  if (handed?.address !== address) return null;
  const { chosen } = handed;
  handed = null;
  return chosen;
}

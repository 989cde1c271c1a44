/**
 * A message to another thread in which every view that is not moved has memory of its own. A structured clone copies all
 * the memory behind a view: 64 KiB for the 32 bytes of a hash that lie in Node's pool of small buffers.
 */
export function ownBytes<T extends object>(message: T, moved: readonly ArrayBufferLike[]): T {
  const own = (value: unknown) =>
    value instanceof Uint8Array && value.length < value.buffer.byteLength && !moved.includes(value.buffer)
      ? new Uint8Array(value)
      : value;
  return Object.fromEntries(Object.entries(message).map(([name, value]) => [name, own(value)])) as T;
}

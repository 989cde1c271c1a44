import { open, readFile, stat } from 'node:fs/promises';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import { KIND, type Kind } from '../git/objects.ts';

/** An object as a pack holds it. */
export interface PackedObject {
  readonly oid: Oid;
  /** Null: it is a delta, or deflated so loosely that its bytes are not worth keeping; ask git for it. */
  readonly whole: { readonly kind: Kind; readonly sizeBytes: number; readonly data: Buffer } | null;
}

const INDEX_HEAD_BYTES = 8;
const FANOUT_BYTES = 256 * 4;
const FAR = 0x8000_0000;
const TRAILER_BYTES = 20;
const WINDOW_BYTES = 1024 * 1024;

/** Oids and offsets that a pack's index names (gitformat-pack(5), version 2), in the order of the pack. */
function readIndex(index: Buffer): { oids: Oid[]; offsets: Float64Array } {
  const start = INDEX_HEAD_BYTES + FANOUT_BYTES;
  const count = index.readUInt32BE(start - 4);
  const near = start + 24 * count; // behind oids and checksums
  const offsetOf = (nth: number) => {
    const offset = index.readUInt32BE(near + 4 * nth);
    return offset < FAR ? offset : Number(index.readBigUInt64BE(near + 4 * count + 8 * (offset - FAR)));
  };
  const offsets = Float64Array.from({ length: count }, (_, nth) => offsetOf(nth));
  const order = Uint32Array.from({ length: count }, (_, nth) => nth);
  order.sort((a, b) => (offsets[a] as number) - (offsets[b] as number));
  const oids = Array.from(order, (nth) =>
    hexOf<Oid>(index.subarray(start + 20 * nth, start + 20 * nth + 20)),
  );
  return { oids, offsets: offsets.sort() };
}

/** Takes an entry apart: type and size, 4 and then 7 bits at a time, then deflated bytes (gitformat-pack(5)). */
function parseEntry(entry: Buffer): PackedObject['whole'] {
  const first = entry.readUInt8(0);
  const kind = (first >> 4) & 7;
  let sizeBytes = first & 15;
  let at = 1;
  for (let byte = first, factor = 16; byte > 127; factor *= 128) {
    byte = entry.readUInt8(at++);
    sizeBytes += (byte & 127) * factor;
  }
  if (kind < KIND.commit || kind > KIND.tag) return null;
  const data = entry.subarray(at);
  // empty blocks can make any content as long as one likes
  return data.length <= sizeBytes * 1.1 + 1024 ? { kind: kind as Kind, sizeBytes, data } : null;
}

/** A pack that git has indexed: every object in it has been inflated and hashed. */
export class ReceivedPack {
  /** Objects that the client sent. */
  readonly sent: readonly Oid[];
  /** The files, without `.pack` and `.idx`. */
  readonly path: string;
  readonly #oids: readonly Oid[];
  readonly #bounds: Float64Array;

  private constructor(path: string, oids: readonly Oid[], bounds: Float64Array, sentCount: number) {
    this.path = path;
    this.#oids = oids;
    this.#bounds = bounds;
    this.sent = oids.slice(0, sentCount); // git appends what a thin pack leaves out
  }

  /** Reads the index. `sentCount`: objects as the pack's own head said when it came. */
  static async open(path: string, sentCount: number): Promise<ReceivedPack> {
    const { oids, offsets } = readIndex(await readFile(`${path}.idx`));
    const { size } = await stat(`${path}.pack`);
    const bounds = new Float64Array(offsets.length + 1);
    bounds.set(offsets);
    bounds[offsets.length] = size - TRAILER_BYTES;
    return new ReceivedPack(path, oids, bounds, sentCount);
  }

  /** Those of the wanted objects that are in the pack, in its order, each once; reads a MiB at a time. */
  async *read(wanted: ReadonlySet<Oid>): AsyncGenerator<PackedObject> {
    const file = await open(`${this.path}.pack`);
    const given = new Set<Oid>();
    let window: Buffer = Buffer.alloc(0);
    let windowAt = 0;
    try {
      for (const [nth, oid] of this.#oids.entries()) {
        if (!wanted.has(oid) || given.has(oid)) continue;
        given.add(oid);
        const start = this.#bounds[nth] as number;
        const length = (this.#bounds[nth + 1] as number) - start;
        if (start + length > windowAt + window.length) {
          window = Buffer.allocUnsafeSlow(Math.max(length, WINDOW_BYTES));
          const { bytesRead } = await file.read(window, 0, window.length, start);
          if (bytesRead < length) throw new Error(`the pack of a push ends before object ${oid}`);
          window = window.subarray(0, bytesRead);
          windowAt = start;
        }
        const at = start - windowAt;
        yield { oid, whole: parseEntry(window.subarray(at, at + length)) };
      }
    } finally {
      await file.close();
    }
  }
}

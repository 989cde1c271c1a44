import { parseSha256, type Sha256 } from '#lib/base/ids.ts';

export interface LfsPointer {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** A pointer is small; git-lfs itself reads no more than this. */
const MAX_POINTER_BYTES = 1024;
const POINTER =
  /^version https:\/\/git-lfs\.github\.com\/spec\/v1\n(?:ext-\d-[a-z0-9.-]+ sha256:[0-9a-f]{64}\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,16})\n?$/;

/** The canonical pointer text (git-lfs docs/spec.md). */
export function formatPointer(pointer: LfsPointer): Buffer {
  return Buffer.from(
    `version https://git-lfs.github.com/spec/v1\noid sha256:${pointer.sha256}\nsize ${pointer.sizeBytes}\n`,
  );
}

/** What a blob points to, or null when it is ordinary content. */
export function parsePointer(content: Buffer): LfsPointer | null {
  if (content.length > MAX_POINTER_BYTES || content[0] !== 0x76) return null; // 'v'
  const match = POINTER.exec(content.toString('latin1'));
  const sha256 = parseSha256(match?.[1]);
  const sizeBytes = Number(match?.[2]);
  return sha256 !== undefined && Number.isSafeInteger(sizeBytes) ? { sha256, sizeBytes } : null;
}

import { createCipheriv, createHash } from 'node:crypto';
import { mkdir, open, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Page } from 'playwright-core';

const PIECE_BYTES = 4 * 1024 * 1024;

/** Writes a file that no compression makes smaller, the same for the same seed; returns its SHA-256. */
export async function writeRandomFile(path: string, sizeBytes: number, seed: number): Promise<string> {
  const key = createHash('sha256').update(String(seed)).digest().subarray(0, 16);
  const cipher = createCipheriv('aes-128-ctr', key, Buffer.alloc(16));
  const hash = createHash('sha256');
  const zeros = Buffer.alloc(PIECE_BYTES);
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'w');
  try {
    for (let at = 0; at < sizeBytes; at += PIECE_BYTES) {
      const piece = cipher.update(zeros.subarray(0, Math.min(PIECE_BYTES, sizeBytes - at)));
      hash.update(piece);
      await file.write(piece);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

/** A folder of small files, texts and others, two levels deep; returns path → content. */
export async function writeSmallFiles(folder: string, count: number): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (let i = 0; i < count; i++) {
    const isText = i % 3 !== 0;
    const path = `part-${i % 7}/${isText ? `notes-${i}.txt` : `weights-${i}.bin`}`;
    const content = isText
      ? Buffer.from(`line ${i}\n`.repeat(i + 1))
      : createHash('sha512').update(String(i)).digest();
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
    files.set(path, content);
  }
  return files;
}

/** Chooses files or a folder on the upload page, as through the browser's own dialog. */
export async function choose(page: Page, what: 'files' | 'folder', paths: string | string[]): Promise<void> {
  await page.locator(`input[data-testid="${what}"]`).first().setInputFiles(paths);
}

/** SHA-256 of a file as the hub serves it. */
export async function downloadHash(url: string, token: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
  if (!response.ok || !response.body) return `HTTP ${response.status}`;
  const hash = createHash('sha256');
  for await (const piece of response.body as unknown as AsyncIterable<Uint8Array>) hash.update(piece);
  return hash.digest('hex');
}

import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** SHA-256 of a file, in hex. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Relative path -> SHA-256 of every file below a folder, but for the clients' own `.cache`. */
export async function hashesOf(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const hashes: Record<string, string> = {};
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (!name.startsWith('.cache/')) hashes[name] = await sha256Of(path);
  }
  return hashes;
}

/** Writes files given as path -> content below a folder. */
export async function writeFiles(folder: string, files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** `mebibytes` MiB that do not compress. */
export function noise(mebibytes: number): Buffer {
  return randomBytes(mebibytes * 1024 * 1024);
}

/** A card as people write them. */
export const CARD = `---
license: apache-2.0
language:
- en
pipeline_tag: text-generation
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
tags:
- smollm2
---
# SmolLM2 135M Instruct

A small model that answers.
`;

import type { TreeEntry } from '#lib/repos/types.ts';
import type { EngineId } from './types.ts';

export type EngineChoice =
  | { readonly ok: true; readonly engine: EngineId; readonly path: string; readonly why: string }
  | { readonly ok: false; readonly reason: string };

/** Quantisations from the one to take first: small enough for a CPU, good enough to be useful. */
const PREFERENCE = [
  'Q4_K_M',
  'Q4_K_S',
  'Q4_K_L',
  'Q4_K_XL',
  'Q4_0',
  'Q4_1',
  'IQ4_XS',
  'IQ4_NL',
  'Q5_K_M',
  'Q5_K_S',
  'Q5_0',
  'Q5_1',
  'Q6_K',
  'Q8_0',
  'Q3_K_L',
  'Q3_K_M',
  'Q3_K_S',
  'IQ3_M',
  'IQ3_S',
  'Q2_K',
  'IQ2_M',
  'F16',
  'BF16',
  'F32',
];
const SPLIT = /-\d{5}-of-\d{5}\.gguf$/i;
const NOT_A_LANGUAGE_MODEL = /(?:^|[/._-])(?:mmproj|imatrix|vocab)(?:[._-]|$)/i;

/**
 * Which file of a repo an endpoint should serve and with which engine, from the listing of its files alone; or
 * why it cannot be deployed, in words for its owner. Pure, and stable: the same listing gives the same choice.
 */
export function chooseEngine(entries: readonly TreeEntry[]): EngineChoice {
  const files = entries.filter((entry) => entry.type === 'file');
  const ggufs = files.filter((entry) => entry.path.toLowerCase().endsWith('.gguf'));
  if (ggufs.length === 0) return { ok: false, reason: reasonWithoutGguf(files) };
  const usable = ggufs.filter((entry) => !SPLIT.test(entry.path) && !NOT_A_LANGUAGE_MODEL.test(entry.path));
  const best = usable.sort(compare)[0];
  if (best === undefined) {
    return {
      ok: false,
      reason: ggufs.some((entry) => SPLIT.test(entry.path))
        ? 'the GGUF files of this repo are split into parts, which cannot be served yet: add a file that is whole (llama-gguf-split --merge)'
        : 'this repo holds only companion files (such as mmproj), no language model in GGUF',
    };
  }
  const quant = quantOf(best.path);
  const among = usable.length > 1 ? ` of ${usable.length} GGUF files` : '';
  return {
    ok: true,
    engine: 'llama-cpp-node',
    path: best.path,
    why: `${quant ?? 'the only fitting file'}${among}: runs on the CPU with llama.cpp`,
  };
}

function compare(a: TreeEntry, b: TreeEntry): number {
  return rank(a) - rank(b) || a.sizeBytes - b.sizeBytes || (a.path < b.path ? -1 : 1);
}

function rank(entry: TreeEntry): number {
  const quant = quantOf(entry.path);
  return quant === null ? PREFERENCE.length : PREFERENCE.indexOf(quant);
}

/** The quantisation in a file's name, when it is one we know. */
function quantOf(path: string): string | null {
  const words = path.slice(path.lastIndexOf('/') + 1).toUpperCase();
  const found = PREFERENCE.filter((quant) =>
    new RegExp(`(?:^|[^A-Z0-9])${quant}(?:[^A-Z0-9_]|$)`).test(words),
  );
  return found[0] ?? null;
}

function reasonWithoutGguf(files: readonly TreeEntry[]): string {
  const has = (pattern: RegExp) => files.some((entry) => pattern.test(entry.path));
  const hint = has(/\.safetensors$/i)
    ? ': it holds safetensors, which are not served yet; add a GGUF conversion (convert_hf_to_gguf.py of llama.cpp)'
    : has(/\.(?:bin|pt|pth|ckpt|pkl)$/i)
      ? ': its weights are pickles, which can run code and are never loaded; add a GGUF or safetensors conversion'
      : ', the format that endpoints serve';
  return `this repo holds no .gguf file${hint}`;
}

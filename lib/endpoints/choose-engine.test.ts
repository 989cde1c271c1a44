import { describe, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import type { TreeEntry } from '#lib/repos/types.ts';
import { chooseEngine } from './choose-engine.ts';

const files = (...paths: (string | [string, number])[]): TreeEntry[] =>
  paths.map((p) => {
    const [path, sizeBytes] = typeof p === 'string' ? [p, 100] : p;
    return { type: 'file', path, oid: '0'.repeat(40) as Oid, mode: 0o100644, sizeBytes };
  });

const pathOf = (...paths: (string | [string, number])[]) => {
  const choice = chooseEngine(files(...paths));
  return choice.ok ? choice.path : choice.reason;
};

describe('chooseEngine', () => {
  it('prefers Q4_K_M, then what lies near it, then the smaller file', () => {
    expect(pathOf('m-Q8_0.gguf', 'm.Q4_K_M.gguf', 'm-f16.gguf')).toBe('m.Q4_K_M.gguf');
    expect(pathOf('m-q8_0.gguf', 'm-q4_1.gguf')).toBe('m-q4_1.gguf');
    expect(pathOf('gguf/m-BF16.gguf', 'gguf/m-Q6_K.gguf')).toBe('gguf/m-Q6_K.gguf');
    expect(pathOf(['b.gguf', 5], ['a.gguf', 9])).toBe('b.gguf');
    expect(pathOf('m-IQ4_XS.gguf', 'unknown.gguf')).toBe('m-IQ4_XS.gguf');
  });

  it('never takes parts of a split model or companions of one', () => {
    expect(pathOf('m-Q4_K_M-00001-of-00002.gguf', 'm-Q8_0.gguf')).toBe('m-Q8_0.gguf');
    expect(pathOf('mmproj-model-f16.gguf', 'm-f32.gguf')).toBe('m-f32.gguf');
  });

  it('says why a repo cannot be deployed and how to mend it', () => {
    expect(pathOf('README.md')).toMatch(/no \.gguf file, the format/);
    expect(pathOf('model.safetensors')).toMatch(/safetensors.*convert_hf_to_gguf/);
    expect(pathOf('pytorch_model.bin')).toMatch(/pickles/);
    expect(pathOf('m-00001-of-00002.gguf', 'm-00002-of-00002.gguf')).toMatch(/split.*merge/);
    expect(pathOf('mmproj.gguf')).toMatch(/companion/);
    expect(chooseEngine([])).toMatchObject({ ok: false });
  });
});

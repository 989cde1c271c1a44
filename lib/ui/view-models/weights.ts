import type { TreeEntry } from '#lib/repos/types.ts';

const WEIGHTS = /\.(?:safetensors|gguf|onnx|bin|pt|pth|ckpt|h5|msgpack|npz|tflite|parquet|arrow)$/i;

/** The files that make a repo large: weights and tables, largest first. */
export function weightFiles(files: readonly TreeEntry[]): TreeEntry[] {
  return files
    .filter((file) => file.lfs !== undefined || WEIGHTS.test(file.path))
    .sort((a, b) => b.sizeBytes - a.sizeBytes);
}

/** The quantisation that a GGUF's file name tells, by llama.cpp's naming: "model.Q4_K_M.gguf" -> "Q4_K_M". */
export function quantisationOf(path: string): string | null {
  const match = /[.-]((?:I?Q\d(?:_[A-Z0-9]+)*|BF16|F16|F32|MXFP4))(?:-\d{5}-of-\d{5})?\.gguf$/i.exec(path);
  return match?.[1]?.toUpperCase() ?? null;
}

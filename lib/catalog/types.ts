import type { Oid } from '#lib/base/ids.ts';
import type { JsonObject } from '#lib/base/json.ts';

/** Parameter counts by dtype, as the Hub shows them. */
export interface SafetensorsFacts {
  readonly parameters: Readonly<Record<string, number>>;
  readonly total: number;
}

/** What the header of the repo's first GGUF says. */
export interface GgufFacts {
  readonly total: number;
  readonly architecture: string;
  readonly context_length?: number;
  readonly chat_template?: string;
  readonly bos_token?: string;
  readonly eos_token?: string;
  readonly quantize_imatrix_file?: string;
}

export type BaseModelRelation = 'finetune' | 'adapter' | 'merge' | 'quantized';

/** What the catalog knows of a repo's default branch; recomputed from the repo, never patched. */
export interface RepoFacts {
  /** The head these facts were read from. */
  readonly commitOid: Oid;
  /** README front matter as JSON; {} when there is none or it is not valid. */
  readonly card: JsonObject;
  readonly pipelineTag: string | null;
  readonly libraryName: string | null;
  readonly license: string | null;
  readonly languages: readonly string[];
  readonly tags: readonly string[];
  readonly baseModels: readonly string[];
  /** Excerpt of config.json and tokenizer_config.json. */
  readonly config: JsonObject | null;
  readonly safetensors: SafetensorsFacts | null;
  readonly gguf: GgufFacts | null;
  readonly parameters: number | null;
  /** safetensors, gguf, onnx, pytorch … */
  readonly formats: readonly string[];
  /** Bytes of all large files of the repo, history included. */
  readonly usedStorageBytes: number;
}

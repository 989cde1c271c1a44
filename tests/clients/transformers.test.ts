import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import { hfOk, python } from './python.ts';

let hub: Hub;
let dir: string;

beforeAll(async () => {
  hub = await startHub();
  dir = await mkdtemp(join(tmpdir(), 'larder-transformers-'));
});

afterAll(async () => {
  await hub?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

/** Trains a small tokenizer and saves it with a config, as a repo of a fine-tuned model would hold them. */
const MAKE = (folder: string) => `
import json
from tokenizers import Tokenizer, models, trainers, pre_tokenizers, decoders
from transformers import PreTrainedTokenizerFast, LlamaConfig
tok = Tokenizer(models.BPE())
tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tok.decoder = decoders.ByteLevel()
text = ["the larder holds bread and cheese", "models are stored in the larder", "open the larder door"] * 20
tok.train_from_iterator(text, trainers.BpeTrainer(vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
fast = PreTrainedTokenizerFast(tokenizer_object=tok, bos_token="<s>", eos_token="</s>")
fast.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\\n{% endfor %}"
fast.save_pretrained(${JSON.stringify(folder)})
LlamaConfig(vocab_size=400, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4, architectures=["LlamaForCausalLM"]).save_pretrained(${JSON.stringify(folder)})
print(json.dumps(fast("the larder door")["input_ids"]))
`;

const LOAD = `
import json
from transformers import AutoConfig, AutoTokenizer
config = AutoConfig.from_pretrained("admin/tiny")
tok = AutoTokenizer.from_pretrained("admin/tiny")
ids = tok("the larder door")["input_ids"]
print(json.dumps({
  "config": [type(config).__name__, config.hidden_size],
  "ids": ids,
  "text": tok.decode(ids),
  "chat": tok.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False),
}))
`;

test('AutoConfig and AutoTokenizer load a repo by HF_ENDPOINT alone, and again from their cache', async () => {
  const folder = join(dir, 'tiny');
  const home = join(dir, 'maker');
  const options = { endpoint: hub.url, token: hub.adminToken, home };
  const ids = await python<number[]>(MAKE(folder), options);
  await hfOk(['upload', 'admin/tiny', folder], options);
  const reader = { endpoint: hub.url, home: join(dir, 'reader') };
  const wanted = {
    config: ['LlamaConfig', 32],
    ids,
    text: 'the larder door',
    chat: 'user: hi\n',
  };
  expect(await python(LOAD, reader)).toEqual(wanted);
  expect(await python(LOAD, { ...reader, env: { HF_HUB_OFFLINE: '1' } })).toEqual(wanted);
  const info = (await (await fetch(`${hub.url}/api/models/admin/tiny`)).json()) as Record<string, unknown>;
  expect(info).toMatchObject({ pipeline_tag: 'text-generation', library_name: 'transformers' });
  expect(info.tags).toEqual(expect.arrayContaining(['transformers', 'llama', 'conversational']));
});

test("another's private model is told apart from nothing by no one", async () => {
  const options = { endpoint: hub.url, token: hub.adminToken, home: join(dir, 'private') };
  await hfOk(['repos', 'create', 'admin/private-tiny', '--private'], options);
  const load = (id: string) => `
import json
from transformers import AutoTokenizer
try:
    AutoTokenizer.from_pretrained("${id}")
except Exception as e:
    print(json.dumps(str(e).replace("${id}", "ID")))
`;
  const nobody = { endpoint: hub.url, home: join(dir, 'nobody') };
  const hidden = await python<string>(load('admin/private-tiny'), nobody);
  expect(hidden).toMatch(/not a local folder and is not a valid model identifier/);
  expect(await python<string>(load('admin/never-made'), nobody)).toBe(hidden);
});

import { expect, test } from 'vitest';
import { placeOfTensor } from './layer-strip.ts';

test.each([
  ['model.embed_tokens.weight', null, 'embed'],
  ['model.layers.12.self_attn.q_proj.weight', 12, 'attn'],
  ['model.layers.3.mlp.down_proj.weight', 3, 'mlp'],
  ['model.layers.0.input_layernorm.weight', 0, 'norm'],
  ['lm_head.weight', null, 'head'],
  ['token_embd.weight', null, 'embed'],
  ['blk.29.ffn_norm.weight', 29, 'norm'],
  ['blk.29.attn_output.weight', 29, 'attn'],
  ['blk.29.ffn_gate.weight', 29, 'mlp'],
  ['output_norm.weight', null, 'norm'],
  ['output.weight', null, 'head'],
  ['transformer.h.5.ln_1.bias', 5, 'norm'],
  ['transformer.h.5.mlp.c_fc.weight', 5, 'mlp'],
  ['transformer.wte.weight', null, 'embed'],
  ['bert.encoder.layer.7.attention.self.query.weight', 7, 'attn'],
  ['bert.encoder.layer.7.intermediate.dense.weight', 7, 'mlp'],
  ['w', null, 'other'],
])('%s stands in layer %s, as %s', (name, layer, kind) => {
  expect(placeOfTensor(name)).toEqual({ layer, kind });
});

import { describe, expect, it } from 'vitest';
import { createChatPrompt } from './chat-prompt.ts';

const chatMl = '<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n';
const hi = [{ role: 'user', content: 'hi' }];

function prompt(template: string | undefined) {
  const warnings: string[] = [];
  const render = createChatPrompt({
    template,
    bosText: '<s>',
    eosText: '</s>',
    warn: (reason) => warnings.push(reason),
  });
  return { render, warnings };
}

describe('createChatPrompt', () => {
  it("uses the model's own template, with its BOS and the assistant's turn opened", () => {
    const { render, warnings } = prompt(
      '{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}',
    );
    expect(render(hi)).toBe('<s>[user] hi[assistant]');
    expect(warnings).toEqual([]);
  });

  it('falls back to ChatML, with one warning, when the template is absent, broken or does not render', () => {
    for (const template of [undefined, '{% for %}', '{{ messages | nosuchfilter }}']) {
      const { render, warnings } = prompt(template);
      expect(render(hi)).toBe(chatMl);
      expect(render(hi)).toBe(chatMl);
      expect(warnings).toHaveLength(1);
    }
  });

  it('passes on in a 400 what the template itself says against the conversation', () => {
    const { render } = prompt("{{ raise_exception('roles must alternate') }}");
    expect(() => render(hi)).toThrow(/roles must alternate/);
    expect(() => render(hi)).toThrow(expect.objectContaining({ status: 400 }));
  });

  it('a template cannot reach outside of itself', () => {
    const { render } = prompt("{{ messages.constructor.constructor('return process')().exit() }}");
    expect(render(hi)).toBe(chatMl);
  });
});

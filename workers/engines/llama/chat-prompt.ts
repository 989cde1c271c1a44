import { Template } from '@huggingface/jinja';
import { Refusal } from '../refusal.ts';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatPromptOptions {
  /** `tokenizer.chat_template` of the model file, if it has one. */
  readonly template: string | undefined;
  readonly bosText: string;
  readonly eosText: string;
  /** Told once why the file's own template is not used. */
  readonly warn: (reason: string) => void;
}

const MAX_PROMPT_CHARS = 4_000_000;

/**
 * Makes the function that turns a conversation into the text the model was trained on, ending where the
 * assistant speaks. A template that is absent, does not parse or breaks on a rendering is replaced by ChatML, so
 * that a model still answers; a conversation that the template itself refuses is a 400 with its words.
 */
export function createChatPrompt(options: ChatPromptOptions): (messages: readonly ChatMessage[]) => string {
  let template = compile(options);
  return (messages) => {
    if (template === null) return chatMl(messages);
    try {
      return bounded(render(template, messages, options));
    } catch (error) {
      if (error instanceof Refusal) throw error;
      const reason = (error as Error).message;
      if (reason !== '' && options.template?.includes(reason)) {
        // The template's own words, from its raise_exception: the conversation is at fault, not the template.
        throw new Refusal(400, 'invalid_messages', `the model's chat template refuses this: ${reason}`);
      }
      options.warn(`the model's chat template does not render (${reason}); using ChatML`);
      template = null;
      return chatMl(messages);
    }
  };
}

function compile(options: ChatPromptOptions): Template | null {
  if (!options.template) {
    options.warn('the model file has no chat template; using ChatML');
    return null;
  }
  try {
    return new Template(options.template);
  } catch (error) {
    options.warn(`the model's chat template does not parse (${(error as Error).message}); using ChatML`);
    return null;
  }
}

function render(template: Template, messages: readonly ChatMessage[], options: ChatPromptOptions): string {
  return template.render({
    messages: messages.map((m) => ({ ...m })),
    add_generation_prompt: true,
    bos_token: options.bosText,
    eos_token: options.eosText,
  });
}

function bounded(prompt: string): string {
  if (prompt.length > MAX_PROMPT_CHARS) throw new Refusal(400, 'context_length_exceeded', 'prompt too long');
  return prompt;
}

function chatMl(messages: readonly ChatMessage[]): string {
  const turns = messages.map((m) => `<|im_start|>${m.role}\n${m.content}<|im_end|>\n`);
  return bounded(`${turns.join('')}<|im_start|>assistant\n`);
}

import type { Snippet } from '../kit/code-tabs.tsx';

/** How to chat with an endpoint from code. `url` ends in /v1. */
export function endpointSnippets(url: string, model: string): Snippet[] {
  return [
    {
      id: 'python',
      label: 'Python',
      code: [
        'from openai import OpenAI',
        '',
        'client = OpenAI(',
        `    base_url="${url}",`,
        '    api_key="hf_…",',
        ')',
        'stream = client.chat.completions.create(',
        `    model="${model}",`,
        '    messages=[{"role": "user", "content": "Hello"}],',
        '    stream=True,',
        ')',
        'for part in stream:',
        '    print(part.choices[0].delta.content or "", end="", flush=True)',
      ].join('\n'),
    },
    {
      id: 'javascript',
      label: 'JavaScript',
      code: [
        'import OpenAI from "openai";',
        '',
        'const client = new OpenAI({',
        `  baseURL: "${url}",`,
        '  apiKey: "hf_…",',
        '});',
        'const stream = await client.chat.completions.create({',
        `  model: "${model}",`,
        '  messages: [{ role: "user", content: "Hello" }],',
        '  stream: true,',
        '});',
        'for await (const part of stream) {',
        '  process.stdout.write(part.choices[0]?.delta?.content ?? "");',
        '}',
      ].join('\n'),
    },
    {
      id: 'curl',
      label: 'curl',
      code: [
        `curl -N ${url}/chat/completions \\`,
        '  -H "Authorization: Bearer hf_…" \\',
        '  -H "Content-Type: application/json" \\',
        `  -d '{"model":"${model}","stream":true,"messages":[{"role":"user","content":"Hello"}]}'`,
      ].join('\n'),
    },
  ];
}

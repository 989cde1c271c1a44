import { expect, test } from 'vitest';
import { renderMarkdown } from './render-markdown.ts';

const place = {
  repo: { type: 'model', namespace: 'acme', name: 'bert' },
  revision: 'main',
  folder: 'docs',
} as const;
const render = (text: string) => renderMarkdown(text, place);

const ATTACKS = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '[a](javascript:alert(1)) [b](JaVaScRiPt:alert(1)) [c](data:text/html,<script>alert(1)</script>) [d](vbscript:x)',
  '[e](java&#x0a;script:alert(1)) <a href="&#106;avascript:alert(1)">x</a> <a href=" javascript:alert(1)">x</a>',
  '<iframe srcdoc="<script>alert(1)</script>"></iframe><object data="x"></object><embed src="x">',
  '<svg onload=alert(1)><use href="data:image/svg+xml,x#a"/></svg>',
  '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>',
  '<base href="https://evil"><meta http-equiv="refresh" content="0;url=https://evil"><link rel=stylesheet href=//evil>',
  '<form action="https://evil"><input name=a><button formaction="javascript:alert(1)">x</button></form>',
  '<style>*{background:url(https://evil)}</style><p style="position:fixed;inset:0" class="fixed inset-0">x</p>',
  '<a href="https://ok" target="_blank" onclick="alert(1)" ping="https://evil">x</a>',
  '$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://evil}$ $\\htmlStyle{position:fixed}{x}$',
  '```js"><script>alert(1)</script>\nx\n```',
  '<details ontoggle=alert(1) open><summary>s</summary></details><video src=x onerror=alert(1)></video>',
  '<img srcset="https://evil x" src="javascript:alert(1)"><picture><source srcset="https://evil"></picture>',
];

/** Attributes and elements that React wrote, read back by a parser of our own making: crude but enough. */
function dangers(html: string): string[] {
  const tags = html.match(/<[a-z][^>]*>/gi) ?? [];
  return tags.filter(
    (tag) =>
      /^<(?:script|style|iframe|object|embed|base|meta|link|form|button|svg use|video)\b/i.test(tag) ||
      /\son[a-z]+\s*=/i.test(tag) ||
      /(?:href|src|action|formaction)="\s*(?:javascript|vbscript|data):/i.test(tag) ||
      /\b(?:srcset|srcdoc|ping|target)=/i.test(tag) ||
      /class="[^"]*\bfixed\b/.test(tag) ||
      /style="[^"]*(?:position:\s*fixed|url\()/.test(tag),
  );
}

test.each(ATTACKS)('a card is inert: %s', async (attack) => {
  expect(dangers(await render(attack))).toEqual([]);
});

test('ids and names cannot clobber what scripts look up', async () => {
  const html = await render(
    '<a id="content" name="body"></a>\n\n# location\n\n[to](#location) x[^1]\n\n[^1]: note',
  );
  const ids = [...html.matchAll(/\s(?:id|name)="([^"]*)"/g)].map((m) => m[1]);
  expect(ids.length).toBeGreaterThan(3);
  expect(ids.filter((id) => !id?.startsWith('user-content-'))).toEqual([]);
  expect(html).toContain('href="#user-content-location"');
  const note = /href="#(user-content-fn-1)"/.exec(html)?.[1];
  expect(ids).toContain(note);
});

test('links and pictures beside the file mean files of this repo at this revision', async () => {
  const html = await render(
    '![p](img/a%20b.png) [l](../LICENSE) [o](../../../etc) [w](https://x.org) ![q](/logo.svg)',
  );
  expect(html).toContain('src="/acme/bert/resolve/main/docs/img/a%20b.png"');
  expect(html).toContain('href="/acme/bert/blob/main/LICENSE"');
  expect(html).toContain('href="#"');
  expect(html).toContain('src="/acme/bert/resolve/main/logo.svg"');
  expect(html).toMatch(
    /href="https:\/\/x\.org"[^>]*rel="nofollow noopener noreferrer"|rel="nofollow noopener noreferrer"[^>]*href="https:\/\/x\.org"/,
  );
});

test('tables, task lists, details, formulas and code come out as a reader expects', async () => {
  const html = await render(
    '|a|b|\n|-|-|\n|1|2|\n\n- [x] done\n\n<details><summary>more</summary>text</details>\n\n$e^{i\\pi}$\n\n$$\n\\int_0^1 x\n$$\n\n```python\nimport os\n```',
  );
  for (const part of [
    '<table>',
    'type="checkbox"',
    '<details>',
    'class="katex"',
    'katex-display',
    'light-dark(',
  ]) {
    expect(html, part).toContain(part);
  }
});

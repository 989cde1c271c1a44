import { expect, test } from 'vitest';
import { readEvents } from './stream-chat.ts';

async function read(parts: readonly string[]): Promise<string[]> {
  const bytes = new TextEncoder().encode(parts.join(''));
  // One byte at a time: the worst that a network can do.
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const events: string[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

test('events come whole however the bytes are cut, letters of several bytes included', async () => {
  expect(await read(['data: {"a":"你好"}\n\n', ': ping\n\n', 'data:b\r\n\r\n', 'data: [DONE]\n\n'])).toEqual([
    '{"a":"你好"}',
    'b',
    '[DONE]',
  ]);
});

test('an event without its final blank line still counts when the stream ends', async () => {
  expect(await read(['data: x\n\ndata: y'])).toEqual(['x', 'y']);
});

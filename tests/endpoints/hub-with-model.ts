import { createRepo, uploadFile } from '@huggingface/hub';
import type { EndpointView } from '#lib/endpoints/view.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { eventually } from './engine-room.ts';

export const TOKENS = {
  ada: `hf_${'a'.repeat(36)}`,
  adaRead: `hf_${'b'.repeat(36)}`,
  bob: `hf_${'c'.repeat(36)}`,
  eve: `hf_${'d'.repeat(36)}`,
};

/** A whole hub with server and worker; ada owns, bob is a reader of ada's organization acme, eve is a stranger. */
export function startHubWithPeople(): Promise<Hub> {
  const person = (name: string, tokens: { name: string; token: string; role: string }[]) => ({
    name,
    fullname: name,
    password: `${name} has a password`,
    tokens,
  });
  return startHub({
    worker: true,
    seed: {
      users: [
        person('ada', [
          { name: 'w', token: TOKENS.ada, role: 'write' },
          { name: 'r', token: TOKENS.adaRead, role: 'read' },
        ]),
        person('bob', [{ name: 'w', token: TOKENS.bob, role: 'write' }]),
        person('eve', [{ name: 'w', token: TOKENS.eve, role: 'write' }]),
      ],
      organizations: [
        {
          name: 'acme',
          fullname: 'Acme',
          members: [
            { user: 'ada', role: 'admin' },
            { user: 'bob', role: 'read' },
          ],
        },
      ],
    },
  });
}

/** Creates the repo and uploads the file as the JavaScript client does. */
export async function uploadModel(
  hub: Hub,
  fullName: string,
  gguf: Buffer,
  options: { isPrivate?: boolean } = {},
): Promise<void> {
  const repo = { type: 'model', name: fullName } as const;
  await createRepo({
    repo,
    accessToken: TOKENS.ada,
    hubUrl: hub.url,
    visibility: options.isPrivate ? 'private' : 'public',
  });
  const file = { path: 'model-Q4_K_M.gguf', content: new Blob([new Uint8Array(gguf)]) };
  await uploadFile({ repo, accessToken: TOKENS.ada, hubUrl: hub.url, file, useXet: false });
}

/** Calls the hub's JSON API. */
export async function call(
  hub: Hub,
  method: string,
  path: string,
  token: string | null,
  body?: unknown,
): Promise<{ status: number; headers: Headers; json: Record<string, unknown> }> {
  const answer = await fetch(`${hub.url}${path}`, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return {
    status: answer.status,
    headers: answer.headers,
    json: (await answer.json().catch(() => ({}))) as Record<string, unknown>,
  };
}

/** One click on Deploy. */
export async function deploy(hub: Hub, fullName: string, token = TOKENS.ada): Promise<EndpointView> {
  const [namespace, name] = fullName.split('/');
  const { status, json } = await call(hub, 'POST', '/api/endpoints', token, { repo: { namespace, name } });
  if (status !== 201 && status !== 200) throw new Error(`deploy: ${status} ${JSON.stringify(json)}`);
  return json as unknown as EndpointView;
}

/** Waits until the endpoint is in this state, as its page would see it. */
export function untilSeen(hub: Hub, fullName: string, state: string): Promise<EndpointView> {
  return eventually(async () => {
    const { json } = await call(hub, 'GET', `/api/endpoints/${fullName}`, TOKENS.ada);
    return json.state === state ? (json as unknown as EndpointView) : null;
  }, `${fullName} ${state}`).catch((error: Error) => {
    throw new Error(`${error.message}\n${hub.logs().slice(-4000)}`);
  });
}

/** An event of the endpoint's stream. */
export interface SeenEvent {
  readonly id: string | null;
  readonly event: string;
  readonly data: Record<string, unknown>;
}

/** Reads the endpoint's events until `enough` says so or the stream ends. */
export async function readEvents(
  hub: Hub,
  fullName: string,
  enough: (seen: readonly SeenEvent[]) => boolean,
  lastEventId?: string,
): Promise<SeenEvent[]> {
  const abort = new AbortController();
  const answer = await fetch(`${hub.url}/api/endpoints/${fullName}/events`, {
    headers: {
      authorization: `Bearer ${TOKENS.ada}`,
      ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
    },
    signal: abort.signal,
  });
  if (!answer.ok || !answer.body) throw new Error(`events: ${answer.status}`);
  const seen: SeenEvent[] = [];
  let text = '';
  const body = answer.body.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>;
  for await (const chunk of body) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? null;
      const data = field('data');
      if (data !== null)
        seen.push({
          id: field('id'),
          event: field('event') ?? 'message',
          data: JSON.parse(data) as Record<string, unknown>,
        });
    }
    if (enough(seen)) {
      abort.abort();
      break;
    }
  }
  return seen;
}

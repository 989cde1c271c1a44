import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hub, startHub } from '../support/hub.ts';
import { python } from './python.ts';

export const READER = `hf_${'r'.repeat(36)}`;
export const STRANGER = `hf_${'s'.repeat(36)}`;

const PRELUDE = `
import json, io, os, tempfile
from huggingface_hub import *
from huggingface_hub.errors import *
api = HfApi()
def kind(f):
    try:
        f()
        return None
    except Exception as e:
        return type(e).__name__
out = {}
`;

export interface ApiHub {
  hub: Hub;
  /**
   * Runs Python statements that fill `out`, with HfApi as `api`, and returns `out`. `kind(f)` is the name of
   * the exception that f raises, or None. As the administrator unless a token (or null for nobody) is given.
   */
  ask<T = Record<string, unknown>>(program: string, token?: string | null): Promise<T>;
  close(): Promise<void>;
}

/** A hub with a reader, a stranger and an organization, driven through the current HfApi. */
export async function startApiHub(): Promise<ApiHub> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-api-'));
  const hub = await startHub({
    seed: {
      users: [
        { name: '__reader__', fullname: 'Reader', tokens: [{ name: 'r', token: READER, role: 'read' }] },
        { name: 'stranger', fullname: 'Stranger', tokens: [{ name: 's', token: STRANGER, role: 'write' }] },
      ],
      organizations: [{ name: 'acme', fullname: 'Acme', members: [{ user: 'admin', role: 'admin' }] }],
    },
  });
  return {
    hub,
    ask: (program, token = hub.adminToken) =>
      python(`${PRELUDE}\n${program}\nprint(json.dumps(out, default=str))`, {
        endpoint: hub.url,
        token: token ?? undefined,
        home: join(dir, 'home'),
      }),
    async close() {
      await hub.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

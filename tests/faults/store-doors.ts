import { buildShard, buildXorb, sha256Of } from '#tests/xet/build.ts';

const MIB = 2 ** 20;
/** As much as one PATCH brings: above S3's floor, so that it becomes a part. */
const PATCH_BYTES = 6 * MIB;
const TRIES = 8;
const LFS = 'application/vnd.git-lfs+json';

/** A request to the hub with a token that may write. */
export type Ask = (pathOrUrl: string, init?: RequestInit) => Promise<Response>;

async function sure(what: string, answer: Response): Promise<Response> {
  if (!answer.ok) throw new Error(`${what}: ${answer.status}`);
  return answer;
}

interface Action {
  readonly href: string;
  readonly header?: Record<string, string>;
}

async function batch(ask: Ask, repo: string, bytes: Buffer, transfers: string[]): Promise<Action | null> {
  const objects = [{ oid: sha256Of(bytes), size: bytes.length }];
  const answer = await ask(`/${repo}.git/info/lfs/objects/batch`, {
    method: 'POST',
    headers: { 'content-type': LFS, accept: LFS },
    body: JSON.stringify({ operation: 'upload', transfers, objects }),
  });
  const body = (await (await sure('batch', answer)).json()) as {
    objects: { actions?: { upload: Action } }[];
  };
  return body.objects[0]?.actions?.upload ?? null;
}

const put = async (url: string, bytes: Buffer) =>
  sure('put', await fetch(url, { method: 'PUT', body: new Uint8Array(bytes) }));

/** LFS, in one body. */
export async function byBasic(ask: Ask, repo: string, bytes: Buffer): Promise<void> {
  const action = await batch(ask, repo, bytes, ['basic']);
  if (action !== null) await put(action.href, bytes);
}

/** LFS in parts, completed by the hub; only files above 64 MiB travel so. */
export async function byMultipart(ask: Ask, repo: string, bytes: Buffer): Promise<void> {
  const action = await batch(ask, repo, bytes, ['multipart']);
  if (action === null) return;
  const { chunk_size, ...urls } = action.header ?? {};
  const size = Number(chunk_size);
  const parts: { partNumber: number; etag: string | null }[] = [];
  for (const [i, key] of Object.keys(urls).sort().entries()) {
    const part = bytes.subarray(i * size, (i + 1) * size);
    const send = () => put(urls[key] as string, part);
    const answer = await send().catch(send); // clients send a part again
    parts.push({ partNumber: i + 1, etag: answer.headers.get('etag') });
  }
  const body = JSON.stringify({ oid: sha256Of(bytes), parts });
  const complete = async () => sure('complete', await ask(action.href, { method: 'POST', body }));
  await complete().catch(complete);
}

/** A Xet file of one xorb with these chunks. */
export async function byXet(ask: Ask, repo: string, chunks: readonly Buffer[]): Promise<void> {
  const xorb = buildXorb(chunks);
  const grant = await sure('token', await ask(`/api/models/${repo}/xet-write-token/main`));
  const { casUrl, accessToken } = (await grant.json()) as { casUrl: string; accessToken: string };
  const post = async (path: string, body: Buffer) => {
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = await fetch(casUrl + path, { method: 'POST', headers, body: new Uint8Array(body) });
    await (await sure(path, answer)).arrayBuffer();
  };
  await post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
  await post('/v1/shards', buildShard([[{ xorb, start: 0, end: chunks.length }]], [xorb]));
}

/** tus in several parts, going on where the hub says that it is; `isCancelled`: given up before the last one. */
export async function byTus(ask: Ask, repo: string, bytes: Buffer, isCancelled: boolean): Promise<void> {
  const tus = { 'tus-resumable': '1.0.0' };
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  const created = await ask(`/api/models/${repo}/tus`, {
    method: 'POST',
    headers: {
      ...tus,
      'upload-length': String(bytes.length),
      'upload-metadata': `path ${base64('m.bin')},sha256 ${base64(sha256Of(bytes))}`,
    },
  });
  const location = (await sure('create', created)).headers.get('location') as string;
  for (let tries = 0; tries < TRIES; tries++) {
    const head = await ask(location, { method: 'HEAD', headers: tus });
    if (head.headers.has('larder-sha256')) return;
    if (!head.ok && head.status < 500) break;
    const offset = Number(head.headers.get('upload-offset') ?? Number.NaN);
    if (Number.isNaN(offset)) continue;
    if (isCancelled && offset > 0) {
      await ask(location, { method: 'DELETE', headers: tus });
      break;
    }
    const type = 'application/offset+octet-stream';
    await ask(location, {
      method: 'PATCH',
      headers: { ...tus, 'content-type': type, 'upload-offset': String(offset) },
      body: new Uint8Array(bytes.subarray(offset, offset + PATCH_BYTES)),
    }).catch(() => null); // the hub says at the next HEAD what it has
  }
  throw new Error('tus: not finished');
}

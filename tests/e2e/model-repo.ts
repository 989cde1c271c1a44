import { createRepo, uploadFiles } from '@huggingface/hub';
import type { Hub } from '#tests/support/hub.ts';

/** A repo made and filled as the JavaScript client does it, by the administrator unless a token says otherwise. */
export async function makeRepo(
  hub: Hub,
  name: string,
  files: Readonly<Record<string, string | Buffer>>,
  options: { isPrivate?: boolean; type?: 'model' | 'dataset'; token?: string } = {},
): Promise<void> {
  const repo = { type: options.type ?? 'model', name } as const;
  const access = { accessToken: options.token ?? hub.adminToken, hubUrl: hub.url };
  await createRepo({ repo, ...access, visibility: options.isPrivate ? 'private' : 'public' });
  if (Object.keys(files).length === 0) return;
  await uploadFiles({
    repo,
    ...access,
    useXet: false,
    commitTitle: 'Add files',
    files: Object.entries(files).map(([path, content]) => ({
      path,
      content: new Blob([typeof content === 'string' ? content : new Uint8Array(content)]),
    })),
  });
}

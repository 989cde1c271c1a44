import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { advertiseRefs } from '#lib/repos/advertise-refs.ts';
import { fetchPack } from '#lib/repos/fetch-pack.ts';
import type { WireRequest } from '../request.ts';
import type { WireResponse } from '../respond.ts';
import { type Route, type RouteMeta, route } from '../route.ts';
import { formatAbilities, formatLsRefs, formatRefs, type Service } from './advertise.ts';
import { packfileSection } from './packfile-section.ts';
import { parseCommand, parseFetch } from './parse-fetch.ts';
import { receivePack } from './receive-pack.ts';
import { repoRefOf } from './repo-ref-of.ts';
import { requestBody } from './request-body.ts';
import { send, sendWhole } from './send.ts';

/** Patterns of a path below a repo's address: with and without `.git`, for every type that an address can name. */
function repoPatterns(path: string): string[] {
  return ['', '/:type(datasets|spaces)'].flatMap((prefix) =>
    ['.git', ''].map((suffix) => `${prefix}/:ns/:name${suffix}/${path}`),
  );
}

/** The protocol version that the client asks for (gitprotocol-http(5)); anything else means 0. */
function versionOf(req: WireRequest): 0 | 1 | 2 {
  const versions = (req.header('git-protocol') ?? '')
    .split(':')
    .map((part) => /^version=([0-2])$/.exec(part)?.[1]);
  return Math.max(0, ...versions.map((version) => Number(version ?? 0))) as 0 | 1 | 2;
}

function serviceOf(req: WireRequest): Service {
  const services = req.query.getAll('service');
  const [service] = services;
  if (services.length === 1 && (service === 'git-upload-pack' || service === 'git-receive-pack'))
    return service;
  throw hubError(
    'invalid_input',
    'Only git programs that speak the smart protocol are served here: ask for service=git-upload-pack or service=git-receive-pack',
  );
}

async function infoRefs(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const repo = repoRefOf(req);
  const service = serviceOf(req);
  const shown = await advertiseRefs(ctx, repo, service === 'git-receive-pack');
  const version = versionOf(req);
  const isNew = service === 'git-upload-pack' && version === 2;
  const body = isNew ? formatAbilities() : formatRefs(service, shown, version === 1 ? 1 : 0);
  sendWhole(res, `application/x-${service}-advertisement`, body);
}

const FETCHED = 'application/x-git-upload-pack-result';

async function uploadPack(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const repo = repoRefOf(req);
  const version = versionOf(req);
  if (version < 2) {
    const protocol = version === 1 ? 'version=1' : undefined;
    const { body } = await fetchPack(ctx, repo, protocol, () => parseFetch(requestBody(req)));
    return send(res, FETCHED, body);
  }
  const shown = await advertiseRefs(ctx, repo, false);
  const command = await parseCommand(requestBody(req));
  if (command.kind === 'fetch') {
    const { kind, body } = await fetchPack(ctx, repo, 'version=2', async () => command.request);
    return send(res, FETCHED, kind === 'pack' ? packfileSection(body) : body);
  }
  sendWhole(
    res,
    FETCHED,
    command.kind === 'ls-refs' ? formatLsRefs(shown, command.question) : Buffer.alloc(0),
  );
}

const meta = (operation: string, more: Partial<RouteMeta>): RouteMeta => ({
  operation,
  access: 'repo.read',
  scope: 'read',
  protocol: 'git',
  ...more,
});

/** git over HTTP (gitprotocol-http(5)): clone, fetch and push. Who wants to push must be allowed to at both requests. */
export const routes: Route[] = [
  route('GET', repoPatterns('info/refs'), meta('git.infoRefs', {}), infoRefs),
  route('POST', repoPatterns('git-upload-pack'), meta('git.uploadPack', { timeoutMs: 0 }), uploadPack),
  route(
    'POST',
    repoPatterns('git-receive-pack'),
    meta('git.receivePack', { access: 'repo.write', scope: 'write', timeoutMs: 0 }),
    receivePack,
  ),
];

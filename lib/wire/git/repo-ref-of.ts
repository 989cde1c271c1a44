import { hubError } from '#lib/base/errors.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';

/** The repo that a request of git names. Throws not_found for types that this hub does not have. */
export function repoRefOf(req: WireRequest): RepoRef {
  const { type } = req.params;
  if (type === 'spaces')
    throw hubError('not_found', 'This hub keeps models and datasets; there are no spaces here');
  return {
    type: type === 'datasets' ? 'dataset' : 'model',
    namespace: req.param('ns'),
    name: req.param('name'),
  };
}

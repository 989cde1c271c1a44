import { MAX_FILE_BYTES } from '#lib/repos/files/lfs/part-plan.ts';
import { API_REPO } from '../hf/repo-params.ts';
import { type Route, type RouteMeta, route } from '../route.ts';
import { answerTus, TUS_VERSION } from './answer-tus.ts';

/** Long uploads have no deadline; a body that stops coming is broken off all the same. */
const meta = (operation: string): RouteMeta => ({
  operation,
  access: 'repo.write',
  timeoutMs: 0,
  options: {
    'tus-resumable': TUS_VERSION,
    'tus-version': TUS_VERSION,
    'tus-extension': 'creation,creation-with-upload,expiration,termination',
    'tus-max-size': String(MAX_FILE_BYTES),
  },
});

/** Resumable uploads of single files into a repo: what the pages' uploads speak, and any tus client may. */
export const routes: Route[] = [
  route('POST', `${API_REPO}/tus`, meta('tus.create'), answerTus),
  route('HEAD', `${API_REPO}/tus/:id`, meta('tus.offset'), answerTus),
  route('PATCH', `${API_REPO}/tus/:id`, meta('tus.append'), answerTus),
  route('DELETE', `${API_REPO}/tus/:id`, meta('tus.cancel'), answerTus),
  // For clients that can only GET and POST: X-HTTP-Method-Override says what is meant.
  route('POST', `${API_REPO}/tus/:id`, meta('tus.override'), answerTus),
];

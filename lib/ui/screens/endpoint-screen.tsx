import { endpointAddress } from '../addresses.ts';
import { EndpointPage } from '../endpoints/endpoint-page.tsx';
import { hub } from '../hub.ts';
import { orNotFound } from '../or-not-found.ts';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';

/** An endpoint as it is now; from then on the browser follows by itself. */
export async function EndpointScreen(ref: { namespace: string; name: string }) {
  await requireReader(endpointAddress(ref.namespace, ref.name));
  const ctx = await pageContext();
  const [endpoint, events] = await orNotFound(
    Promise.all([hub().getEndpoint(ctx, ref), hub().listEvents(ctx, ref, { kinds: ['state'] })]),
  );
  const states = events.flatMap((event) => (event.kind === 'state' ? [event] : []));
  return <EndpointPage initial={endpoint} states={states} />;
}

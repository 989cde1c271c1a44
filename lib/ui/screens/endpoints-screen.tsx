import { Boxes } from 'lucide-react';
import { EndpointList } from '../endpoints/endpoint-list.tsx';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { EmptyState, Panel } from '../kit/panel.tsx';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

/** All endpoints that the reader may know of. */
export async function EndpointsScreen() {
  const t = await translator();
  await requireReader('/endpoints');
  const endpoints = await hub().listEndpoints(await pageContext());
  return (
    <>
      <h1 className="mb-4 text-xl font-semibold">{t('endpoint.title')}</h1>
      <Panel className="overflow-hidden">
        {endpoints.length === 0 ? (
          <EmptyState icon={<Boxes />} title={t('endpoint.emptyTitle')} text={t('endpoint.emptyText')}>
            <ButtonLink look="accent" href="/models">
              {t('endpoint.findModel')}
            </ButtonLink>
          </EmptyState>
        ) : (
          <EndpointList endpoints={endpoints} />
        )}
      </Panel>
    </>
  );
}

import { ArrowRight } from 'lucide-react';
import Link from 'next/link';
import { EndpointList } from '../endpoints/endpoint-list.tsx';
import { hub } from '../hub.ts';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

const SHOWN = 5;

/** The reader's own endpoints on the home page: those that run first. */
export async function HomeEndpoints() {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const own = (await hub().listEndpoints(ctx)).filter((endpoint) => endpoint.canManage);
  const running = own.filter((endpoint) => endpoint.desired === 'running');
  const shown = [...running, ...own.filter((endpoint) => endpoint.desired !== 'running')].slice(0, SHOWN);
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={t('home.yourEndpoints')}>
        <Link href="/endpoints" className="flex items-center gap-1 text-sm text-muted hover:text-fg">
          {t('home.showAll')}
          <ArrowRight className="size-3.5" aria-hidden="true" />
        </Link>
      </PanelHeader>
      {shown.length === 0 ? (
        <p className="p-4 text-muted">{t('home.noEndpoints')}</p>
      ) : (
        <EndpointList endpoints={shown} />
      )}
    </Panel>
  );
}

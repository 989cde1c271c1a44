import Link from 'next/link';
import type { EndpointView } from '#lib/endpoints/view.ts';
import { endpointAddress } from '../addresses.ts';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { StateBadge } from './state-badge.tsx';

/** Endpoints as rows: name, file, state, age. */
export async function EndpointList({ endpoints }: { endpoints: readonly EndpointView[] }) {
  const [t, ctx, { language }] = await Promise.all([translator(), pageContext(), readerWishes()]);
  return (
    <ul className="divide-y divide-line">
      {endpoints.map((endpoint) => (
        <li
          key={endpoint.id}
          className="relative flex flex-wrap items-center gap-x-4 gap-y-0.5 px-4 py-2 hover:bg-hover"
        >
          <div className="min-w-0 flex-1 basis-56">
            <Link
              href={endpointAddress(endpoint.namespace, endpoint.name)}
              className="font-medium break-words after:absolute after:inset-0"
            >
              <span className="text-muted">{endpoint.namespace}/</span>
              {endpoint.name}
            </Link>
            <p className="truncate font-mono text-xs text-muted">{endpoint.file}</p>
          </div>
          <StateBadge state={endpoint.state} t={t} />
          <span className="w-28 text-right text-sm text-muted max-md:w-auto">
            <Ago date={new Date(endpoint.createdAt)} nowMs={ctx.clock.now()} language={language} />
          </span>
        </li>
      ))}
    </ul>
  );
}
